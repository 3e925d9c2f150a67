"""serve_offers and expire_coupons woken by their golden events, against moto."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.offers import NOON
from tests.support.sending import SECRET

from regulars.access import hash_key
from regulars.adapters.aws import client
from regulars.messages import Moment, decode

ROOT = Path(__file__).resolve().parents[2]
SHOP = b"""
offers:
  offers:
    first_100: { kind: percent, percent: 50, days: 3, stock: 100, claimable: true, text: { en: Half price } }
    gold: { kind: percent, percent: 20, days: 3, claimable: true, tiers: [high] }
  sweep: { look_back_hours: 1 }
"""
Wake = Callable[..., tuple[int, Any]]


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"app_of_{name}", ROOT / "functions" / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def golden(name: str, **changes: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "tests" / "golden" / f"{name}.json").read_text("utf-8"))
    return {**event, **changes}


class World:
    """The deployed tables, queue, secret and clock."""

    def __init__(self, create_table: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self._clock = tmp_path / "clock"
        self.at(NOON)
        client("s3").create_bucket(Bucket="data")
        client("s3").put_object(Bucket="data", Key="config/shop.yaml", Body=SHOP)
        self.queue = client("sqs").create_queue(QueueName="moments")["QueueUrl"]
        for name, value in {
            "OFFERS_TABLE": create_table("offers", True),
            "PROFILES_TABLE": create_table("profiles", True),
            "POWERTOOLS_SERVICE_NAME": "test",
            "CLOCK_SOURCE": f"file:{self._clock}",
            "DATA_BUCKET": "data",
            "MOMENTS_QUEUE_URL": self.queue,
            "OPERATOR_KEY_HASHES": hash_key("ok_operator"),
            "SIGNING_SECRET_ARN": client("secretsmanager").create_secret(Name="signing", SecretString=SECRET)["ARN"],
        }.items():
            monkeypatch.setenv(name, value)
        self._loaded: dict[str, Any] = {}

    def at(self, instant: datetime) -> None:
        self._clock.write_text(instant.isoformat(), "ascii")

    def function(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = load(name)
        return self._loaded[name]

    def ask(self, name: str, **changes: Any) -> tuple[int, Any]:
        reply = self.function("serve_offers").handler(golden(f"serve_offers.{name}", **changes), None)
        return reply["statusCode"], json.loads(reply["body"])

    def sweep(self) -> dict[str, int]:
        summary: dict[str, int] = self.function("expire_coupons").handler(golden("expire_coupons"), None)
        return summary

    def moments(self) -> list[Moment]:
        received = client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        return [decode(Moment, message["Body"]) for message in received]


@pytest.fixture
def world(create_table: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    return World(create_table, monkeypatch, tmp_path)


def test_a_coupon_is_claimed_shown_redeemed_and_taken_back(world: World) -> None:
    status, coupon = world.ask("claim")
    assert (status, coupon["state"], coupon["percent"]) == (200, "ISSUED", 50)
    assert world.ask("claim") == (200, coupon)
    assert world.ask("wallet") == (200, {"coupons": [coupon]})
    status, told = world.ask("redeem")
    assert (status, told["discount_cents"], told["code"]) == (200, 6_000, coupon["code"])
    assert world.ask("redeem") == (200, told)
    status, standing = world.ask("offer")
    assert (status, standing["taken"], standing["left"], standing["redeemed"], standing["cost_cents"]) == (200, 1, 99, 1, 6_000)
    assert world.ask("return")[1]["state"] == "ISSUED"
    assert world.ask("return")[0] == 200


def test_errors_have_their_status(world: World) -> None:
    def code(name: str, **changes: Any) -> tuple[int, str]:
        status, answer = world.ask(name, **changes)
        return status, answer["error"]["code"]

    order = {"order_id": "o-1", "total_cents": 12_000, "currency": "GBP", "shopper": "user:ann"}
    assert code("redeem") == (404, "unknown_coupon")
    assert code("claim", pathParameters={"offer": "nothing"}) == (404, "unknown_offer")
    assert code("claim", pathParameters={"offer": "winback_25"}) == (409, "not_claimable")
    assert code("claim", pathParameters={"offer": "gold"}) == (409, "not_for_tier")
    world.ask("claim")
    assert code("redeem", pathParameters={"code": "F3PW5N8FCPSGS1Q"}) == (400, "bad_code")
    assert code("redeem", body="[]") == (400, "invalid_order")
    assert code("redeem", body="x" * 70_000) == (413, "too_large")
    assert code("redeem", headers={}) == (401, "missing_key")
    assert code("wallet", headers={}) == (401, "no_token")
    assert code("redeem", body=json.dumps({**order, "shopper": "user:ben"})) == (409, "another_shopper")
    world.ask("redeem")
    assert code("redeem", body=json.dumps({**order, "order_id": "o-2"})) == (409, "redeemed_before")
    assert code("return", body=json.dumps({"order_id": "o-2"})) == (409, "redeemed_before")
    assert world.ask("offer")[1]["refused"] == {"another_shopper": 1, "redeemed_before": 1}
    world.ask("return")
    world.at(NOON + timedelta(days=3))
    assert code("redeem") == (410, "expired")


def test_the_sweep_reminds_and_gives_back_once(world: World) -> None:
    world.ask("claim")
    assert world.sweep() == {"expired": 0, "reminded": 0, "behind": 0}
    world.at(NOON + timedelta(days=2, minutes=5))
    assert world.sweep() == {"expired": 0, "reminded": 1, "behind": 0}
    assert world.sweep()["reminded"] == 0
    (moment,) = world.moments()
    assert (moment.id, moment.shopper, moment.kind) == ("coupon_expiring#first_100", "user:ann", "coupon_expiring")
    world.at(NOON + timedelta(days=3, hours=7))
    assert world.sweep() == {"expired": 1, "reminded": 0, "behind": 0}
    assert world.sweep() == {"expired": 0, "reminded": 0, "behind": 0}
    assert world.ask("offer")[1]["taken"] == 0
    assert world.ask("wallet")[1]["coupons"][0]["state"] == "EXPIRED"


def test_a_claim_is_one_transaction_and_sold_out_writes_nothing(world: World) -> None:
    client("s3").put_object(Bucket="data", Key="config/shop.yaml", Body=SHOP.replace(b"stock: 100", b"stock: 0"))
    world.ask("wallet")
    made: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        made[model.name] += 1

    client("dynamodb").meta.events.register("before-call.dynamodb", count, unique_id="offers")
    try:
        assert world.ask("claim")[1]["error"]["code"] == "sold_out"
        assert made == {"GetItem": 1}
        client("s3").put_object(Bucket="data", Key="config/shop.yaml", Body=SHOP)
        world._loaded.clear()
        made.clear()
        assert world.ask("claim")[0] == 200
        assert made == {"GetItem": 3, "UpdateItem": 1, "TransactWriteItems": 1}
    finally:
        client("dynamodb").meta.events.unregister("before-call.dynamodb", count, unique_id="offers")

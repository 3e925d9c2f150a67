"""serve_offers and expire_coupons woken by their golden events, against moto."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CreateTable
from tests.support.functions import deploy, warm
from tests.support.offers import NOON
from tests.support.sending import SECRET

from regulars.access import hash_key
from regulars.adapters.aws import client
from regulars.adapters.dynamodb.offers import DynamoOffers
from regulars.adapters.dynamodb.profiles import DynamoProfiles
from regulars.messages import Moment, decode
from regulars.offers.codes import Codes
from regulars.offers.model import Reservation
from regulars.profiles.record import Record, tombstone

SHOP = b"""
offers:
  offers:
    first_100: { kind: percent, percent: 50, days: 3, stock: 100, claimable: true, text: { en: Half price } }
    gold: { kind: percent, percent: 20, days: 3, claimable: true, tiers: [high] }
  sweep: { look_back_hours: 1 }
"""


class World:
    """The deployed tables, queue, secret and clock."""

    def __init__(self, create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self._clock = tmp_path / "clock"
        self.queue = client("sqs").create_queue(QueueName="moments")["QueueUrl"]
        deploy(
            create_table,
            monkeypatch,
            self._clock,
            NOON,
            ["offers", "profiles"],
            MOMENTS_QUEUE_URL=self.queue,
            OPERATOR_KEY_HASHES=hash_key("ok_operator"),
            SIGNING_SECRET_ARN=client("secretsmanager").create_secret(Name="signing", SecretString=SECRET)["ARN"],
        )
        client("s3").put_object(Bucket="data", Key="config/shop.yaml", Body=SHOP)
        self.wake = warm()

    def at(self, instant: datetime) -> None:
        self._clock.write_text(instant.isoformat(), "ascii")

    def ask(self, name: str, **changes: Any) -> tuple[int, Any]:
        reply = self.wake(f"serve_offers.{name}", **changes)
        return reply["statusCode"], json.loads(reply["body"])

    def sweep(self) -> dict[str, int]:
        summary: dict[str, int] = self.wake("expire_coupons")
        return summary

    def moments(self) -> list[Moment]:
        received = client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        return [decode(Moment, message["Body"]) for message in received]


@pytest.fixture
def world(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
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


def test_a_token_that_outlives_an_erasure_claims_nothing(world: World) -> None:
    DynamoProfiles("profiles").bury("user:ann", NOON + timedelta(days=30))
    status, answer = world.ask("claim")
    assert (status, answer["error"]["code"]) == (410, "erased")
    assert client("dynamodb").scan(TableName="offers")["Items"] == []
    assert world.ask("claim", pathParameters={"offer": "gold"})[0] == 410
    assert world.ask("wallet") == (200, {"coupons": []})


def test_a_coupon_taken_before_she_logged_in_is_hers_afterwards(world: World) -> None:
    """Issued to a device of hers, which the profiles know to have joined her."""
    offer = world.ask("claim")[1]
    store, profiles = DynamoOffers("offers"), DynamoProfiles("profiles")
    own = store.coupons("user:ann")[0]
    store.forget("user:ann")
    store.issue(Reservation(coupon=replace(own, shopper="anon:device", takes=())))
    profiles.save(Record(shopper="user:ann"), [tombstone(Record(shopper="anon:device"), "user:ann")])
    assert world.ask("claim") == (200, offer)
    assert store.coupons("user:ann") == []
    assert world.ask("redeem")[0] == 200
    store.issue(
        Reservation(coupon=replace(own, code=Codes(b"another").make("user:ann", own.offer, "", own.expires_at), takes=()))
    )
    code = store.coupons("user:ann")[0].code
    status, answer = world.ask("redeem", pathParameters={"code": code})
    assert (status, answer["error"]["code"]) == (409, "offer_used")


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
        assert made == {"GetItem": 2}
        client("s3").put_object(Bucket="data", Key="config/shop.yaml", Body=SHOP)
        world.wake = warm()
        made.clear()
        assert world.ask("claim")[0] == 200
        assert made == {"GetItem": 4, "Query": 1, "UpdateItem": 1, "TransactWriteItems": 1}
    finally:
        client("dynamodb").meta.events.unregister("before-call.dynamodb", count, unique_id="offers")

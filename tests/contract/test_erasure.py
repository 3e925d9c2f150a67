"""Erasure on moto: a shopper who stands in every table, and in the archive, and then nowhere."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CreateTable
from tests.support.functions import deploy, golden, wake
from tests.support.sending import SECRET, planned, signer
from tests.support.shoppers import NOON, event, identify, order, unit

from regulars.access import hash_key
from regulars.adapters.aws import client
from regulars.adapters.dynamodb.client import query, scan
from regulars.channels.ports import InboxEntry
from regulars.compose.capture import capture_events
from regulars.errors import TryLater
from regulars.feedback.touches import OrderTouch, RecommendationClick
from regulars.flow import TABLES

SHE, HER_ID, HER_DEVICE = "user:ann-residual", "ann-residual", "device-residual"
EMAIL, PHONE, PUSH = "ann-residual@example.com", "+447700900777", "push-residual"
TRACES = ("residual", PHONE)
OTHER = "user:other"
KEY = "an-operator-key"
LATER = NOON + timedelta(hours=2)


class World:
    """Every table and the bucket, with the functions on one clock."""

    def __init__(self, clock: Path) -> None:
        self._clock = clock
        self.at(NOON)

    def at(self, now: datetime) -> None:
        self._clock.write_text(now.isoformat())

    def capture(self, entry: Any) -> Any:
        return capture_events()(entry)

    def erase(self, shopper: str = SHE, key: str = KEY) -> tuple[int, Any]:
        """DELETE as the operator sends it."""
        event = golden("erase_shopper")
        event["pathParameters"] = {"shopper": shopper}
        event["headers"]["authorization"] = f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"
        answer = wake("erase_shopper", event)
        return answer["statusCode"], json.loads(answer["body"])

    def retain(self) -> dict[str, int]:
        summary: dict[str, int] = wake("enforce_retention")
        return summary

    def items(self) -> dict[str, list[dict[str, Any]]]:
        return {table: list(scan(table)) for table in TABLES}

    def objects(self) -> dict[str, bytes]:
        s3 = client("s3")
        names = [entry["Key"] for entry in s3.list_objects_v2(Bucket="data").get("Contents", ())]
        return {name: s3.get_object(Bucket="data", Key=name)["Body"].read() for name in names}


def readable(value: Any) -> str:
    """Everything a thief could read in a value: packed and compressed parts unpacked."""
    if isinstance(value, bytes):
        for unpack in (gzip.decompress, zlib.decompress):
            try:
                return unpack(value).decode("utf-8", "replace")
            except (OSError, zlib.error, EOFError):
                continue
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return " ".join(f"{key} {readable(part)}" for key, part in value.items())
    if isinstance(value, list | set | frozenset | tuple):
        return " ".join(map(readable, value))
    return str(value)


def traces(found: dict[str, Any]) -> dict[str, str]:
    """Where one of her identifiers can be read."""
    texts = {name: readable(value) for name, value in found.items()}
    return {name: trace for name, text in texts.items() for trace in TRACES if trace in text}


@pytest.fixture
def world(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    keys = hash_key(KEY)
    deploy(create_table, monkeypatch, tmp_path / "clock", NOON, list(TABLES), TIMER_SHARDS="4", OPERATOR_KEY_HASHES=keys)
    return World(tmp_path / "clock")


def hers(at: datetime = NOON) -> list[Any]:
    """A visit on her telephone, then her log-in there, then an order."""
    facts: dict[str, Any] = {"shopper": SHE, "user_id": HER_ID, "anonymous_id": HER_DEVICE}
    traits = {"email": EMAIL, "phone": PHONE, "firstName": "Ann-residual", "consent": {"email": True, "sms": True}}
    return [
        unit([event(at=at, shopper=f"anon:{HER_DEVICE}", user_id="", anonymous_id=HER_DEVICE)], at),
        unit([identify(traits, at + timedelta(minutes=1), **facts)], at),
        unit([order("o-residual", at + timedelta(minutes=2), **facts)], at),
    ]


def seed(world: World) -> None:
    """Her in every table and object that knows shoppers, and somebody else beside."""
    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.inbox import DynamoInbox
    from regulars.adapters.dynamodb.messages import DynamoLedger
    from regulars.adapters.dynamodb.offers import DynamoOffers
    from regulars.adapters.dynamodb.quarantine import DynamoQuarantine
    from regulars.adapters.dynamodb.suppressions import DynamoSuppressions
    from regulars.adapters.dynamodb.timers import DynamoTimers
    from regulars.adapters.dynamodb.touches import DynamoTouches
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.capture.archive import restore
    from regulars.capture.ports import Quarantined
    from regulars.offers.codes import Codes
    from regulars.offers.model import Coupon, Reservation
    from regulars.profiles.sweep import changes_key
    from regulars.triggers.model import Timer

    for entry in hers():
        world.capture(entry)
    for shopper in (SHE, OTHER):
        address = EMAIL if shopper == SHE else "other@example.com"
        DynamoContacts("contacts").update(
            shopper, now=NOON, addresses={"email": address, "push": PUSH if shopper == SHE else "t"}
        )
        ledger = DynamoLedger("messages", "contacts", "suppressions", "offers")
        for number in range(30):
            ledger.record(planned(shopper=shopper, moment_id=f"m{number}", address=address))
        DynamoTimers("timers", 4).set(
            Timer(
                shopper=shopper, kind="cart", subject="1", due_at=LATER, occurred_at=NOON, expires_at=LATER + timedelta(days=1)
            )
        )
        DynamoInbox("inbox").put(
            InboxEntry(
                shopper=shopper, moment_id="m", kind="cart", created_at=NOON, expires_at=LATER, content={"name": address}
            )
        )
        coupon = Coupon(
            shopper=shopper,
            offer="ten",
            edition="1",
            code=Codes(b"s" * 32).make(shopper, "ten", "1", NOON + timedelta(days=9)),
            issued_at=NOON,
            expires_at=NOON + timedelta(days=9),
        )
        DynamoOffers("offers").issue(Reservation(coupon=coupon))
        touches = DynamoTouches("metrics")
        touches.order(
            shopper,
            OrderTouch(order_id=f"o {address}", at=NOON, value_cents=1, currency="GBP", event_id="e"),
            expires_at=NOON + timedelta(days=30),
        )
        click = RecommendationClick(recommendation_id="r", scene="home", item_id="mug", position=1, at=NOON, event_id="e")
        touches.click(shopper, click, expires_at=NOON + timedelta(days=30))
        DynamoQuarantine("quarantine").put(
            [
                Quarantined(
                    id=f"2026-03-02.{len(shopper)}",
                    code="bad",
                    message="m",
                    field="f",
                    source="s",
                    raw=json.dumps({"userId": shopper.partition(":")[2], "traits": {"email": address}}),
                    replayable=True,
                    received_at=NOON,
                    expires_at=NOON + timedelta(days=14),
                )
            ]
        )
    world.capture(unit([event(shopper=OTHER, user_id="other", anonymous_id="")]))
    DynamoSuppressions("suppressions").add("email", EMAIL, reason="stopped", now=NOON)
    from regulars.adapters.dynamodb.events import DynamoEventLog

    restore(DynamoEventLog("events"), S3Storage("data"), NOON.date())
    changes = [json.dumps({"shopper": who, "to": "active"}).encode() + b"\n" for who in (SHE, OTHER)]
    S3Storage("data").put(changes_key(NOON.date()), b"".join(changes))


def test_nothing_of_her_is_left_in_any_table_nor_after_the_daily_run_in_any_object(world: World) -> None:
    seed(world)
    # All but the catalogue and the models, which know no shoppers, the channels' permits, and suppressions (by hash).
    assert set(traces(world.items())) == set(TABLES) - {"catalogue", "models", "channels", "suppressions"}
    before = {table: sum(OTHER in readable(item) for item in items) for table, items in world.items().items()}
    status, report = world.erase()
    assert status == 200
    assert report["names"] == 2
    assert {table for table, count in report["deleted"].items() if count} == set(report["deleted"])
    assert report["deleted"]["messages"] == 30
    assert traces(world.items()) == {}
    after = {table: sum(OTHER in readable(item) for item in items) for table, items in world.items().items()}
    assert after == before
    assert len(world.items()["suppressions"]) == 1
    # The archive and the note wait for the daily run.
    assert traces(world.objects())
    world.at(NOON + timedelta(minutes=10))
    assert world.retain()["erasures"] == 0
    world.at(NOON + timedelta(minutes=15))
    assert world.retain()["erasures"] == 1
    assert traces(world.objects()) == {}
    assert any(OTHER in readable(body) for body in world.objects().values())
    assert world.retain()["erasures"] == 0


def test_her_late_events_create_nothing_until_the_note_runs_out(world: World) -> None:
    seed(world)
    world.erase()
    world.at(NOON + timedelta(days=1))
    world.retain()
    clean = world.items()
    for days in (1, 28, 59):
        world.at(NOON + timedelta(days=days))
        for entry in hers(NOON + timedelta(days=days, minutes=days)):
            assert world.capture(entry).erased == 1
    bad = unit([event(shopper=SHE, user_id=HER_ID, name="Product Viewed", properties={"price": "no price"})])
    world.capture(bad)
    assert world.items() == clean
    world.at(NOON + timedelta(days=61))
    assert world.capture(hers(NOON + timedelta(days=61))[1]).applied == 1


def test_her_device_in_other_hands_brings_nothing_of_hers_back(world: World) -> None:
    """Somebody else logs in on it: it does not join him, or its late events would count for him."""
    seed(world)
    world.erase()
    his = event(id="his", user_id="other", shopper=OTHER, anonymous_id=HER_DEVICE, at=NOON + timedelta(hours=1))
    assert world.capture(unit([his])).joined == 0
    late = event(id="late", shopper=f"anon:{HER_DEVICE}", at=NOON - timedelta(hours=1))
    assert world.capture(unit([late])).erased == 1
    assert "profiles" not in traces(world.items())


def test_erasing_twice_or_somebody_unknown_is_fine(world: World) -> None:
    seed(world)
    world.erase()
    status, report = world.erase()
    assert (status, sum(report["deleted"].values())) == (200, 0)
    assert world.erase("user:nobody")[0] == 200
    assert world.capture(unit([event(shopper="user:nobody", user_id="nobody")])).erased == 1


def test_a_device_that_joined_her_erases_her(world: World) -> None:
    seed(world)
    status, report = world.erase(f"anon:{HER_DEVICE}")
    assert (status, report["names"]) == (200, 2)
    assert traces(world.items()) == {}


def test_what_was_written_meanwhile_goes_with_the_daily_run(world: World) -> None:
    """A function that had read her before the erasure writes after it."""
    from regulars.adapters.dynamodb.contacts import DynamoContacts

    seed(world)
    world.erase()
    DynamoContacts("contacts").update(SHE, now=NOON, addresses={"email": EMAIL}, consent={"email": True})
    world.at(NOON + timedelta(hours=12))
    world.retain()
    assert traces(world.items()) == {}


@pytest.mark.parametrize("who", [SHE, f"anon:{HER_DEVICE}"])
def test_a_token_that_is_still_good_makes_no_contact(world: World, who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token of her app outlives her erasure; what it asks for is refused and leaves nothing."""
    seed(world)
    secret = client("secretsmanager").create_secret(Name="signing", SecretString=SECRET)["ARN"]
    monkeypatch.setenv("SIGNING_SECRET_ARN", secret)
    monkeypatch.setenv("FEEDBACK_QUEUE_URL", client("sqs").create_queue(QueueName="feedback")["QueueUrl"])
    token, _ = signer(lambda: NOON).shopper_token(who, lifetime=timedelta(hours=3))
    change = golden("serve_shopper.change")
    change["headers"]["authorization"] = f"Bearer {token}"
    assert wake("serve_shopper", change)["statusCode"] == 200
    world.erase()
    clean = world.items()
    answer = wake("serve_shopper", change)
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (410, "erased")
    assert world.items() == clean


@pytest.mark.parametrize("broken", range(1, 12))
def test_a_run_that_dies_anywhere_is_completed_by_the_next(world: World, broken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each write of the erasure fails in turn; the daily run, or another call, ends it."""
    from regulars.adapters.dynamodb import client as dynamo
    from regulars.compose.privacy import erase_shopper

    seed(world)
    api, calls = erase_shopper(), iter(range(1, 1000))
    real = dynamo.write_all

    def failing(requests: Any) -> None:
        if next(calls) == broken:
            raise TryLater("throttled")
        real(requests)

    monkeypatch.setattr(dynamo, "write_all", failing)
    try:
        api.erase(SHE)
    except TryLater:
        assert any(name.startswith("privacy/erasing/") for name in world.objects())
    monkeypatch.setattr(dynamo, "write_all", real)
    world.at(NOON + timedelta(hours=12))
    world.retain()
    assert traces(world.items()) == {}
    assert traces(world.objects()) == {}


@pytest.mark.parametrize("shopper", ["ann", "user:", ":x", "group:1", f"user:{'x' * 300}"])
def test_what_is_no_shopper_is_refused(world: World, shopper: str) -> None:
    status, body = world.erase(shopper)
    assert (status, body["error"]["field"]) == (400, "shopper")


def test_only_an_operator_erases(world: World) -> None:
    seed(world)
    before = world.items()
    assert world.erase(key="another-key")[0] == 401
    assert world.items() == before


def test_the_commands_report(world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    from regulars_ops.main import parser

    class Deployed:
        def environment(self, function: str) -> dict[str, str]:
            assert function == "erase_shopper"
            return dict(os.environ)

    seed(world)
    chosen = parser().parse_args(["erase", HER_ID, "--yes"])
    assert chosen.run(Deployed(), chosen) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["deleted"]["messages"] == 30
    monkeypatch.setattr("builtins.input", lambda prompt: "no")
    refused = parser().parse_args(["erase", HER_ID])
    assert refused.run(Deployed(), refused) == 1
    assert not list(query("contacts", KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": SHE}))

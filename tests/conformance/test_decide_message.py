"""decide_message as it is woken, on moto's tables; and what one decided and sent message costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CreateTable
from tests.support.decisions import EVENING, HOUR, SHE, message
from tests.support.functions import deploy, golden, wake
from tests.support.metering import metering
from tests.support.prices import SQS_REQUEST

from regulars.catalogue.model import Item
from regulars.clock import to_ms
from regulars.decisions.model import CHANNELS, Message, State
from regulars.messages import Moment, SendOrder, decode
from regulars.profiles.record import Record

TABLES = ("profiles", "contacts", "messages", "models", "timers", "offers", "channels", "suppressions", "catalogue")
CEILING_DOLLARS = 6.00
"""Per million decided and sent e-mails, before the provider's fees."""


class World:
    """The deployed tables and queues, one shopper with a cart, a catalogue of three items."""

    def __init__(self, create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        from regulars.adapters.aws import client
        from regulars.adapters.dynamodb.contacts import DynamoContacts
        from regulars.adapters.dynamodb.messages import DynamoLedger
        from regulars.adapters.dynamodb.profiles import DynamoProfiles
        from regulars.adapters.dynamodb.suppressions import DynamoSuppressions
        from regulars.adapters.storage.s3 import S3Storage
        from regulars.catalogue.snapshot import publish

        self.queues = {name: client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in CHANNELS}
        self.clock = folder / "clock"
        queues = {f"{name.upper()}_QUEUE_URL": url for name, url in self.queues.items()}
        deploy(create_table, monkeypatch, self.clock, EVENING, TABLES, TIMER_SHARDS="4", **queues)
        client("s3").put_object(Bucket="data", Key="config/shop.yaml", Body=b"decisions: { holdout: { share: 0.0 } }")
        self.contacts, self.suppressions = DynamoContacts("contacts"), DynamoSuppressions("suppressions")
        self.ledger = DynamoLedger("messages", "contacts", "suppressions")
        DynamoProfiles("profiles").save(Record(shopper=SHE, first_ms=to_ms(EVENING - timedelta(days=90))))
        self.contacts.update(
            SHE,
            now=EVENING,
            addresses={"email": "mira.holm@example.com"},
            consent={"email": True},
            details={"time_zone": "Europe/London", "name": "Mira", "language": "en", "country": "GB"},
        )
        publish(S3Storage("data"), [item(n) for n in (1, 2, 3)], EVENING)

    def wait_until(self, at: Any) -> None:
        self.clock.write_text(at.isoformat())

    def wake(self, event: Mapping[str, Any] | None = None) -> Any:
        """A fresh container."""
        return wake("decide_message", event)

    def orders(self) -> list[SendOrder]:
        from regulars.adapters.aws import client

        return [
            decode(SendOrder, message["Body"])
            for url in self.queues.values()
            for message in client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ())
        ]

    @property
    def entry(self) -> Message:
        found = self.ledger.get(SHE, "cart_abandoned#c1")
        assert found is not None
        return found


def item(number: int) -> Item:
    return Item(
        item_id=f"i{number}",
        title=f"WHITE HANGING HEART T-LIGHT HOLDER {number}",
        url=f"https://shop.example/items/85123A-{number}",
        image_url=f"https://images.shop.example/85123A-{number}.jpg",
        price_cents=255,
        list_price_cents=295,
        currency="GBP",
        stock=5,
    )


@pytest.fixture
def world(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    return World(create_table, monkeypatch, tmp_path)


def test_a_moment_becomes_a_ledger_entry_and_a_send_order(world: World) -> None:
    assert world.wake() == {"batchItemFailures": []}
    assert (world.entry.state, world.entry.channel, world.entry.reason) == (State.PLANNED, "email", "chosen")
    assert [shown["item_id"] for shown in world.entry.content["items"]] == ["i3", "i2", "i1"]
    assert [(order.channel, order.moment_id) for order in world.orders()] == [("email", "cart_abandoned#c1")]


def test_a_delivery_twice_leaves_one_entry(world: World) -> None:
    world.wake()
    first = world.entry
    world.wake()
    assert world.entry == first


def test_a_moment_that_must_wait_is_in_the_due_index(world: World) -> None:
    from regulars.adapters.dynamodb.timers import DynamoTimers

    night = EVENING + timedelta(hours=6)
    world.wait_until(night)
    assert world.wake() == {"batchItemFailures": []}
    assert (world.entry.state, world.entry.reason) == (State.DEFERRED, "quiet_hours")
    (timer,) = DynamoTimers("timers", 4).known(SHE)
    assert (timer.key, timer.due_at, timer.deferrals) == ("cart_abandoned#c1", world.entry.not_before, 1)
    assert world.orders() == []


def test_poison_comes_back_alone(world: World) -> None:
    event = golden("decide_message")
    (good,) = event["Records"]
    bad = {**good, "messageId": "poison", "body": '{"name":"triggers.moment","v":9}'}
    answer = world.wake({"Records": [bad, good]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "poison"}]}
    assert world.entry.state is State.PLANNED


def test_round_trips_and_cost_of_one_decided_and_sent_message(world: World) -> None:
    from regulars.compose.decisions import decide_message

    for number in range(10):  # what the ledger has gathered of an ordinary shopper
        past = message("birthday", f"past{number}", at=EVENING - timedelta(days=31 + number), state=State.SENT)
        world.ledger.record(past)
    decide = decide_message()
    warm = decode(Moment, golden("decide_message")["Records"][0]["body"])
    decide(warm)  # from here on the catalogue and what is the same for everybody are in memory
    world.ledger.close(SHE, warm.id, state=State.LAPSED, reason="expired", now=EVENING)
    with metering() as deciding:
        planned = decide(replace(warm, id="cart_abandoned#c2", subject="c2"))
    assert planned.state is State.PLANNED
    # profile; contact; ledger; suppressions of her addresses, live stock of the items; the decision; the order
    assert deciding.calls == ["Query", "GetItem", "Query", "BatchGetItem", "BatchGetItem", "PutItem", "SQS"]
    with metering() as sending:
        send(world, planned)
    # entry; contact; suppression and claim; fence: contact, suppression, token; receipt
    reads = ["GetItem"] * 3
    assert sending.calls == [*reads, "TransactWriteItems", *reads, "UpdateItem"]
    assert (deciding.writes, sending.writes) == (1, 5)
    assert deciding.reads + sending.reads <= 10
    polled = 2 * 2 * SQS_REQUEST / 10  # two queues, a receive and a delete each, in batches of ten
    total = deciding.dollars_per_million + sending.dollars_per_million + polled
    assert total <= CEILING_DOLLARS


def send(world: World, planned: Message) -> None:
    """What send_message reads and writes around the provider's call."""
    now = EVENING + timedelta(seconds=5)
    entry = world.ledger.get(SHE, planned.moment_id)
    assert entry is not None
    contact = world.contacts.load(SHE)
    world.ledger.claim(
        entry,
        contact,
        token="0123456789abcdef0123456789abcdef",
        now=now,
        lease_until=now + HOUR,
        takes_slot=True,
        keep_slots_since=now - timedelta(days=30),
    )
    world.contacts.load(SHE)
    world.suppressions.reason("email", entry.address)
    assert world.ledger.holds(SHE, planned.moment_id, "0123456789abcdef0123456789abcdef")
    world.ledger.finish(
        entry,
        token="0123456789abcdef0123456789abcdef",
        state=State.SENT,
        reason="sent",
        now=now,
        provider_id="0100018f2b7a5c3d-1f0a2b3c-4d5e-6f70-8192-a3b4c5d6e7f8-000000",
    )

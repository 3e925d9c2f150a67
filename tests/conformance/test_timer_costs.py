"""What a timer costs: round trips and units by operation, USD per million as DESIGN §6 prices them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.conftest import CreateTable
from tests.support.triggers import NOW, NUMBERS, Loop, added, hours, ordered, viewed
from tests.support.units import Bill, billed

from regulars.adapters.aws import client
from regulars.adapters.dynamodb.timers import DynamoTimers
from regulars.adapters.queues.sqs import SqsQueue
from regulars.triggers.firing import FireTimers
from regulars.triggers.model import Timer

SHARDS = 4
WRITE, READ, SQS = 0.625, 0.125, 0.40


def dollars(bill: Bill) -> float:
    """USD per million such operations."""
    return WRITE * bill.write_units + READ * bill.read_units + SQS * bill.calls["SendMessageBatch"]


@pytest.fixture
def timers(create_table: CreateTable) -> DynamoTimers:
    return DynamoTimers(create_table("timers", True), SHARDS)


def timer(shopper: str = "user:ann", due_at: object = NOW) -> Timer:
    return Timer(
        shopper=shopper,
        kind="cart_abandoned",
        subject="2026-07-01T12:00",
        due_at=due_at,  # type: ignore[arg-type]
        occurred_at=NOW,
        expires_at=NOW + hours(20),
        facts={"items": [f"item-{n:06d}" for n in range(10)], "cart_value_cents": 123456},
        notes={"lines": 10, "seen": [f"{n:08x}" for n in range(24)]},
        correlation_id="0e9f5c1c-8a3d-4f0e-9a52-1f3f0a5a7a11",
    )


@pytest.mark.parametrize(
    ("operation", "calls", "writes", "reads"),
    [
        ("set", 2, 2, 0),
        ("set again", 2, 2, 0),
        ("move", 3, 3, 0),
        ("cancel one", 2, 2, 0),
        ("cancel kind", 3, 2, 1),
        ("known", 1, 0, 1),
    ],
)
def test_one_operation(timers: DynamoTimers, operation: str, calls: int, writes: int, reads: int) -> None:
    if operation != "set":
        timers.set(timer())
    with billed(client("dynamodb")) as bill:
        if operation == "known":
            timers.known("user:ann")
        elif operation == "cancel one":
            timers.cancel("user:ann", ["cart_abandoned"], subject="2026-07-01T12:00")
        elif operation == "cancel kind":
            timers.cancel("user:ann", ["cart_abandoned"])
        else:
            timers.set(timer(due_at=NOW + hours(1) if operation == "move" else NOW))
    assert (bill.round_trips, bill.write_units, bill.read_units) == (calls, writes, reads)


def test_a_tick_of_a_hundred_costs_by_the_hundred(timers: DynamoTimers) -> None:
    """Per timer: one write (its entry), one consistent read (its pointer), a tenth of a queue request."""
    for n in range(100):
        timers.set(timer(f"user:{n}"))
    for shard in range(SHARDS):
        timers.advance(shard, NOW - hours(0.5))
    queue = SqsQueue(client("sqs").create_queue(QueueName="moments")["QueueUrl"])
    fire = FireTimers(
        timers=timers, moments=queue, clock=lambda: NOW, shards=SHARDS, numbers=replace(NUMBERS.firing, workers=1)
    )
    with billed(client("dynamodb"), client("sqs")) as first:
        assert fire()["fired"] == 100
    with billed(client("dynamodb"), client("sqs")) as idle:
        assert fire()["fired"] == 0
    assert first.write_units == 100 + SHARDS  # and the watermarks
    assert first.read_units <= 100 + 1 + 3 * SHARDS
    assert first.calls["SendMessageBatch"] <= 10 + SHARDS
    assert first.round_trips <= 40
    assert dollars(first) / 100 < 0.95
    assert (idle.write_units, idle.round_trips) == (0, 1 + 2 * SHARDS), "one watermark query, two days a shard"
    assert idle.read_units == 1 + 0.5 * 2 * SHARDS


def test_planning_a_view_after_the_first_few_reads_and_does_not_write(timers: DynamoTimers) -> None:
    loop = Loop(timers, shards=SHARDS)
    loop.plan(*(viewed(f"i{n}") for n in range(10)))
    with billed(client("dynamodb")) as bill:
        loop.plan(*(viewed(f"j{n}", NOW + timedelta(minutes=1)) for n in range(10)))
    assert (bill.round_trips, bill.write_units, bill.read_units) == (1, 0, 1)
    assert dollars(bill) < 0.13


def test_a_cart_filled_and_paid_in_one_batch_costs_no_cart(timers: DynamoTimers) -> None:
    loop = Loop(timers, shards=SHARDS)
    with billed(client("dynamodb")) as bill:
        loop.plan(viewed(), added(), ordered("mug", at=NOW + timedelta(minutes=1)))
    assert (bill.write_units, bill.read_units) == (4, 1), "the order update and the repurchase reminder"

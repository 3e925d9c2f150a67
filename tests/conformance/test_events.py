"""Every log keeps the same promises."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.shoppers import DAY, HOUR, NOON, SHE, event

from regulars.adapters.memory.events import MemoryEventLog
from regulars.capture.log import EventLog

LATER = NOON + HOUR


@pytest.fixture(params=["memory", "dynamodb"])
def log(request: pytest.FixtureRequest) -> EventLog:
    if request.param == "memory":
        return MemoryEventLog()
    from regulars.adapters.dynamodb.events import DynamoEventLog

    return DynamoEventLog(request.getfixturevalue("create_table")("events"))


def test_a_shoppers_events_come_back_in_order_of_receipt(log: EventLog) -> None:
    first, second, third = event(), event("Product Added"), event(at=LATER)
    log.append(SHE, "u2", LATER, [third], 730)
    log.append(SHE, "u1", NOON, [first, second], 730)
    log.append("user:other", "u3", NOON, [first], 730)
    assert list(log.read(SHE, NOON)) == [first, second, third]
    assert list(log.read(SHE, NOON + timedelta(milliseconds=1))) == [third]


def test_a_unit_put_again_stands_once(log: EventLog) -> None:
    for _ in range(2):
        log.append(SHE, "u1", NOON, [event()], 730)
    assert len(list(log.read(SHE, NOON))) == 1
    assert log.holds(SHE, "u1", NOON)
    assert not log.holds(SHE, "u1", LATER)
    assert not log.holds("user:other", "u1", NOON)


def test_a_day_is_everybodys(log: EventLog) -> None:
    midnight = NOON.replace(hour=0)
    for number, at in enumerate((midnight - timedelta(milliseconds=1), midnight, NOON, midnight + DAY)):
        log.append(f"user:{number}", "u", at, [event(shopper=f"user:{number}")], 730)
    assert {entry.shopper for entry in log.day(NOON.date())} == {"user:1", "user:2"}


def test_what_is_old_goes_bounded(log: EventLog) -> None:
    for number in range(40):
        log.append(f"user:{number}", "u", NOON + number * HOUR, [event()], 730)
    before = NOON + 30 * HOUR
    assert log.delete_before(before, 12) == 12
    assert log.delete_before(before, 100) == 18
    assert log.delete_before(before, 100) == 0
    assert sum(bool(list(log.read(f"user:{number}", NOON))) for number in range(40)) == 10

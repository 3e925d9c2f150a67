"""Every quarantine keeps the same promises."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from regulars.adapters.memory.quarantine import MemoryQuarantine
from regulars.capture.ports import Quarantine, Quarantined, quarantine_id

AT = datetime(2026, 11, 21, 23, 59, 59, 500_000, tzinfo=UTC)
DAY = date(2026, 11, 21)


@pytest.fixture(params=["memory", "dynamodb"])
def quarantine(request: pytest.FixtureRequest) -> Quarantine:
    if request.param == "memory":
        return MemoryQuarantine()
    from regulars.adapters.dynamodb.quarantine import DynamoQuarantine

    return DynamoQuarantine(request.getfixturevalue("create_table")("quarantine"))


def record(number: int, code: str = "unknown_event", at: datetime = AT, raw: str = "") -> Quarantined:
    raw = raw or f'{{"n": {number}}}'
    return Quarantined(
        id=quarantine_id(at, raw, "batch"),
        code=code,
        message=f"message {number}",
        field="event",
        source="batch",
        raw=raw,
        replayable=number % 2 == 0,
        received_at=at,
        expires_at=at.replace(microsecond=0) + timedelta(days=30),
    )


def by_id(records: list[Quarantined]) -> list[Quarantined]:
    return sorted(records, key=lambda entry: entry.id)


def test_what_is_put_is_listed_by_its_day(quarantine: Quarantine) -> None:
    today = [record(n) for n in range(30)]
    quarantine.put([*today, record(99, at=AT + timedelta(seconds=1))])
    assert list(quarantine.list(DAY)) == by_id(today)
    assert [entry.message for entry in quarantine.list(date(2026, 11, 22))] == ["message 99"]
    assert list(quarantine.list(date(2026, 11, 20))) == []


def test_a_list_is_paged_and_narrowed_to_a_code(quarantine: Quarantine) -> None:
    records = by_id([record(n, "invalid_price" if n % 3 else "unknown_event") for n in range(30)])
    quarantine.put(records)
    prices = [entry for entry in records if entry.code == "invalid_price"]
    assert list(quarantine.list(DAY, code="invalid_price")) == prices
    first = quarantine.list(DAY, code="invalid_price", limit=7)
    assert list(first) == prices[:7]
    assert list(quarantine.list(DAY, code="invalid_price", after=first[-1].id, limit=7)) == prices[7:14]
    assert list(quarantine.list(DAY, after=records[-1].id)) == []


def test_the_same_entry_twice_is_one_record(quarantine: Quarantine) -> None:
    quarantine.put([record(1), record(1)])
    quarantine.put([record(1)])
    assert list(quarantine.list(DAY)) == [record(1)]


def test_records_are_got_in_the_order_asked_for(quarantine: Quarantine) -> None:
    one, two = record(1), record(2)
    quarantine.put([one, two])
    assert list(quarantine.get([two.id, "2026-11-21.gone", one.id])) == [two, one]
    assert list(quarantine.get([])) == []


def test_deleted_is_gone_and_may_be_deleted_again(quarantine: Quarantine) -> None:
    one, two = record(1), record(2)
    quarantine.put([one, two])
    for _ in range(2):
        quarantine.delete([one.id, one.id, "2026-11-21.gone"])
    assert list(quarantine.list(DAY)) == [two]
    quarantine.delete([])
    quarantine.put([])


def test_large_and_odd_text_is_kept(quarantine: Quarantine) -> None:
    odd = record(2, raw='"\\ud800 ' + "x" * 250_000 + '"')
    empty = record(4, raw=" ")
    quarantine.put([odd, empty])
    assert list(quarantine.get([odd.id, empty.id])) == [odd, empty]

"""One suite for the memory and DynamoDB forms of Counters, Sketches and Touches."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.conftest import CreateTable

from regulars.adapters.memory.metrics import MemoryCounters, MemorySketches, MemoryTouches
from regulars.errors import TryLater
from regulars.feedback.ports import Touches
from regulars.feedback.touches import OrderTouch, RecommendationClick
from regulars.metrics.counts import CountKey, Counts
from regulars.metrics.ports import Counters, Entry, Sketches

DAY = date(2026, 8, 31)
NOW = datetime(2026, 8, 31, 12, 0, tzinfo=UTC)
KEY = CountKey(DAY, "messages/welcome", "sent/email")
OTHER = CountKey(date(2026, 9, 1), "events", "total")
Kit = tuple[Counters, Sketches, Touches]


@pytest.fixture(params=["memory", "dynamodb"])
def kit(request: pytest.FixtureRequest) -> Kit:
    if request.param == "memory":
        counters = MemoryCounters()
        return counters, MemorySketches(), MemoryTouches(counters)
    from regulars.adapters.dynamodb.counters import DynamoCounters, DynamoSketches
    from regulars.adapters.dynamodb.touches import DynamoTouches

    create: CreateTable = request.getfixturevalue("create_table")
    table = create("metrics", True)
    return DynamoCounters(table), DynamoSketches(table), DynamoTouches(table)


def entry(number: int, counts: Counts | None = None, at_s: int = 1_785_888_000) -> Entry:
    return Entry(f"{number:030d}", at_s + number // 7, counts or Counts({KEY: 1}))


def total(counters: Counters, key: CountKey = KEY) -> int:
    return counters.read(date(2026, 1, 1), date(2026, 12, 31)).get(key, 0)


def test_counts_add_up_by_day_group_and_field(kit: Kit) -> None:
    counters = kit[0]
    assert counters.add_once("messages", [entry(1), entry(2, Counts({KEY: 2, OTHER: 5}))]) == 2
    assert counters.add_once("messages", [entry(3, Counts({OTHER: -1}))]) == 1
    assert dict(counters.read(DAY, date(2026, 9, 1))) == {KEY: 3, OTHER: 4}
    assert dict(counters.read(DAY, DAY)) == {KEY: 3}
    assert dict(counters.read(date(2026, 9, 2), date(2026, 12, 31))) == {}
    assert counters.add_once("messages", []) == 0


def test_a_batch_delivered_twice_adds_nothing(kit: Kit) -> None:
    batch = [entry(number) for number in range(30)]
    assert kit[0].add_once("messages", batch) == 30
    assert kit[0].add_once("messages", batch) == 0
    assert total(kit[0]) == 30


def test_a_record_twice_in_one_batch_counts_once(kit: Kit) -> None:
    assert kit[0].add_once("messages", [entry(1), entry(1)]) == 1
    assert total(kit[0]) == 1


def test_streams_do_not_hide_each_other(kit: Kit) -> None:
    assert kit[0].add_once("messages", [entry(1)]) == 1
    assert kit[0].add_once("events", [entry(1)]) == 1
    assert total(kit[0]) == 2


@pytest.mark.parametrize("seed", range(5))
def test_however_batches_are_cut_repeated_and_overlap_each_record_counts_once(kit: Kit, seed: int) -> None:
    rng = random.Random(seed)
    records = [entry(number, Counts({KEY: number + 1})) for number in range(60)]
    for _ in range(25):
        start = rng.randrange(60)
        kit[0].add_once("messages", records[start : start + rng.randrange(1, 30)])
    kit[0].add_once("messages", records)
    assert total(kit[0]) == sum(range(1, 61))


def test_a_batch_with_many_days_groups_and_fields(kit: Kit) -> None:
    # moto parses `ADD a, b, c, …` by recursion, some frames a field; DynamoDB has no such limit.
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 5000))
    days = [date(2024, 1, 1) + timedelta(days=number) for number in range(90)]
    entries = [
        Entry(
            str(place), 1_785_888_000, Counts({CountKey(day, f"messages/{kind}", f"withheld/r{kind}"): 1 for kind in range(3)})
        )
        for place, day in enumerate(days)
    ]
    entries.append(Entry("wide", 1_785_888_000, Counts({CountKey(DAY, "events", f"track/{n}"): n for n in range(1, 150)})))
    assert kit[0].add_once("events", entries) == 91
    assert kit[0].add_once("events", entries) == 0
    found = kit[0].read(date(2024, 1, 1), DAY)
    assert len(found) == 90 * 3 + 149
    assert sum(found.values()) == 270 + sum(range(150))


def test_sketches_add_and_unite_days(kit: Kit) -> None:
    sketches = kit[1]
    sketches.add(DAY, "active", [f"user:{number}" for number in range(50)])
    sketches.add(DAY, "active", [f"user:{number}" for number in range(50)])
    sketches.add(date(2026, 9, 1), "active", [f"user:{number}" for number in range(25, 75)])
    sketches.add(DAY, "other", ["x"])
    assert abs(sketches.read("active", DAY, DAY).size() - 50) <= 2
    assert abs(sketches.read("active", DAY, date(2026, 9, 1)).size() - 75) <= 3
    assert sketches.read("active", date(2026, 9, 2), date(2026, 9, 30)).size() == 0


def click(event: str = "e1", item: str = "p1", at: datetime = NOW) -> RecommendationClick:
    return RecommendationClick(recommendation_id="home.1", scene="home", item_id=item, position=3, at=at, event_id=event)


def test_only_the_first_event_of_a_click_counts_at_every_repeat(kit: Kit) -> None:
    touches = kit[2]
    later = NOW + timedelta(days=7)
    assert touches.click("user:1", click("e1"), expires_at=later) is True
    assert touches.click("user:1", click("e2"), expires_at=later) is False
    assert touches.click("user:1", click("e1"), expires_at=later) is True
    assert touches.click("user:1", click("e3", "p2", NOW - timedelta(hours=1)), expires_at=later) is True
    assert touches.clicks("user:1") == [click("e3", "p2", NOW - timedelta(hours=1)), click("e1")]
    assert touches.clicks("user:2") == []


def order(event: str = "e1", order_id: str = "o1", at: datetime = NOW) -> OrderTouch:
    return OrderTouch(order_id=order_id, at=at, value_cents=1999, currency="GBP", event_id=event, scene="home")


def test_the_first_word_about_an_order_stands(kit: Kit) -> None:
    touches = kit[2]
    later = NOW + timedelta(days=35)
    assert touches.order("user:1", order("e1"), expires_at=later) == order("e1")
    assert touches.order("user:1", order("e2"), expires_at=later) == order("e1")
    assert touches.order("user:1", order("e3", "o0", NOW - timedelta(days=1)), expires_at=later).event_id == "e3"
    assert [found.order_id for found in touches.orders("user:1")] == ["o0", "o1"]


def test_an_order_is_credited_once_together_with_its_counts(kit: Kit) -> None:
    counters, _, touches = kit
    touches.order("user:1", order(), expires_at=NOW + timedelta(days=35))
    earn = Counts({CountKey(DAY, "messages/welcome", "orders/email"): 1})
    key = next(iter(earn))
    assert touches.credit("user:1", "o1", "m1", earn) == "m1"
    assert touches.credit("user:1", "o1", "m2", earn) == "m1"
    assert touches.credit("user:1", "o1", "m1", earn) == "m1"
    assert touches.credit("user:1", "none", "m1", earn) == ""
    assert total(counters, key) == 1
    assert touches.orders("user:1")[0].credited == "m1"


def test_lost_races_are_run_again(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another writer gets in between the read and the transaction: nothing is lost, nothing counts twice."""
    from regulars.adapters.dynamodb import counters, transactions

    mine = counters.DynamoCounters(create_table("metrics", True))
    batch = [entry(number) for number in range(6)]
    intruded: list[bool] = []

    def get_with_intruder(table: str, key: Mapping[str, str]) -> object:
        row = transactions.get(table, key)
        if not intruded:
            intruded.append(True)
            assert mine.add_once("messages", batch[:4]) == 4
        return row

    monkeypatch.setattr(transactions, "back_off", lambda attempt: None)
    monkeypatch.setattr(counters, "get", get_with_intruder)
    assert mine.add_once("messages", batch) == 2
    assert total(mine) == 6


def test_a_race_that_is_always_lost_comes_again_later(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch) -> None:
    from regulars.adapters.dynamodb import counters, transactions

    mine = counters.DynamoCounters(create_table("metrics", True))
    mine.add_once("messages", [entry(1)])
    monkeypatch.setattr(transactions, "back_off", lambda attempt: None)
    monkeypatch.setattr(counters, "get", lambda table, key: None)
    with pytest.raises(TryLater):
        mine.add_once("messages", [entry(2)])
    assert total(mine) == 1

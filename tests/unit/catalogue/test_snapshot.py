"""The snapshot: what goes in comes out, and readers ask no oftener than they should."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.support.window import DAY, NOW, SHELF, item

from regulars.adapters.memory.storage import MemoryStorage
from regulars.catalogue.snapshot import BODY_KEY, POINTER_KEY, SnapshotReader, load, publish, publish_changes
from regulars.errors import TryLater


class Counting(MemoryStorage):
    """Remembers what was read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []

    def get(self, key: str) -> bytes | None:
        self.reads.append(key)
        return super().get(key)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def test_items_come_back_as_they_were() -> None:
    storage = MemoryStorage()
    publish(storage, SHELF, NOW)
    assert dict(load(storage)) == {entry.item_id: entry for entry in SHELF}


def test_items_of_one_shelf_share_its_name() -> None:
    storage = MemoryStorage()
    publish(storage, [item("one", "mu gs", brand="A a"), item("other", "mu gs", brand="A a")], NOW)
    shelf = load(storage)
    assert shelf["one"].category is shelf["other"].category
    assert shelf["one"].brand is shelf["other"].brand


def test_before_the_first_snapshot_there_is_nothing() -> None:
    assert len(load(MemoryStorage())) == 0


def test_indexes_hold_what_is_in_stock() -> None:
    storage = MemoryStorage()
    shelf = [item("old"), item("new", listed_at=NOW - DAY, brand="B"), item("gone", stock=0), item("off", active=False)]
    snapshot = publish(storage, shelf, NOW)
    assert snapshot.newest == ("new", "old")
    assert snapshot.by_category == {"phones": ("new", "old")}
    assert snapshot.by_brand == {"B": ("new",)}


def test_what_is_asked_of_many_items_at_once() -> None:
    new, undated = item("new", listed_at=NOW - DAY), item("undated", category="", listed_at=None)
    shelf = [item("old"), new, item("cut", price_cents=700, list_price_cents=1000), undated, item("free", price_cents=0)]
    snapshot = publish(MemoryStorage(), [*shelf, item("wine", attributes={"min_age": "18"})], NOW)
    assert snapshot.reduced == {"cut"}
    assert snapshot.noticeable((NOW - DAY).date()) == {"cut", "new"}
    assert snapshot.noticeable(NOW.date()) == {"cut"}
    assert snapshot.noticeable((NOW - 365 * DAY).date()) == {"old", "new", "cut", "free", "wine"}
    assert snapshot.categories(["old", "undated", "unknown"]) == {"phones", ""}
    assert snapshot.holds_all(["old", "new"])
    assert not snapshot.holds_all(["old", "unknown"])
    assert not snapshot.holds_all(["old", "wine"])


def test_changes_are_laid_over() -> None:
    storage = MemoryStorage()
    publish(storage, SHELF, NOW)
    publish_changes(storage, [item("case", price_cents=1), item("added")], NOW)
    snapshot = load(storage)
    assert len(snapshot) == len(SHELF) + 1
    assert snapshot["case"].price_cents == 1


def test_the_body_is_read_only_when_the_pointer_moved() -> None:
    storage, clock = Counting(), Clock()
    publish(storage, SHELF, NOW)
    reader = SnapshotReader(storage, clock, 60)
    assert "case" in reader()
    reader()
    assert storage.reads == [POINTER_KEY, BODY_KEY]
    clock.now += timedelta(seconds=61)
    reader()
    assert storage.reads == [POINTER_KEY, BODY_KEY, POINTER_KEY]
    publish(storage, [item("only")], clock.now)
    assert "only" not in reader()
    clock.now += timedelta(seconds=61)
    assert list(reader()) == ["only"]


def test_a_damaged_snapshot_leaves_the_last_good_one() -> None:
    storage, clock = Counting(), Clock()
    publish(storage, SHELF, NOW)
    reader = SnapshotReader(storage, clock, 60)
    reader()
    storage.put(BODY_KEY, b"damaged")
    storage.put(POINTER_KEY, b"{}")
    clock.now += DAY
    assert "case" in reader()


def test_a_damaged_first_snapshot_says_so() -> None:
    storage = MemoryStorage()
    storage.put(BODY_KEY, b"damaged")
    storage.put(POINTER_KEY, b"{}")
    with pytest.raises(TryLater, match="unreadable"):
        SnapshotReader(storage, Clock(), 60)()

"""The whole catalogue as one compressed object, for readers that filter by it thousands of times a second.

`snapshots/catalogue.json.gz` holds a row per item; `snapshots/catalogue.json` is the small pointer `{"version", "items"}`
that a running function reads every `snapshot_check_seconds`, so that the large one is read only when it changed. The
body is written before the pointer: a reader never learns of a version that is not there. Stock in a snapshot is as old
as the snapshot; `Catalogue.stock_outs` is the live word.
"""

from __future__ import annotations

import gc
import gzip
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import cached_property
from sys import intern
from typing import Any

from regulars.catalogue.model import Item
from regulars.clock import Clock, from_ms, to_ms
from regulars.errors import TryLater
from regulars.storage import Storage

BODY_KEY = "snapshots/catalogue.json.gz"
POINTER_KEY = "snapshots/catalogue.json"
Row = Sequence[Any]
_GARBAGE = 10_000
"""New objects between two looks of the collector, where a snapshot is kept: a call makes some thousands, hardly any of them in
cycles, and Python's own 700 has every call searched several times."""


class Snapshot(Mapping[str, Item]):
    """Item id → Item. Items are made of their rows on first use: a call touches hundreds of a hundred thousand."""

    def __init__(self, rows: Iterable[Row] = (), version: str = "") -> None:
        self.version = version
        self._rows: dict[str, Row] = {row[0]: row for row in rows}
        self.ids = self._rows.keys()
        """Faster to ask than the snapshot: a call asks hundreds of times."""
        self._items: dict[str, Item] = {}
        self._noticeable: tuple[date, frozenset[str]] | None = None

    def __getitem__(self, item_id: str) -> Item:
        item = self._items.get(item_id)
        if item is None:
            item = self._items[item_id] = _from_row(self._rows[item_id])
        return item

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._rows

    @cached_property
    def newest(self) -> tuple[str, ...]:
        """Ids in stock at the snapshot's time, newest first; equal dates in id order."""
        live = [row for row in self._rows.values() if _in_stock(row)]
        live.sort(key=lambda row: (-(row[_LISTED] or 0), row[0]))
        return tuple(row[0] for row in live)

    @cached_property
    def by_category(self) -> Mapping[str, tuple[str, ...]]:
        """Category → its ids, newest first."""
        return self._grouped(_CATEGORY)

    @cached_property
    def by_brand(self) -> Mapping[str, tuple[str, ...]]:
        """Brand → its ids, newest first."""
        return self._grouped(_BRAND)

    @cached_property
    def by_price(self) -> tuple[tuple[int, str], ...]:
        """(price in cents, id) of what was in stock, cheapest first; for threshold fillers."""
        return tuple(sorted((row[_PRICE], row[0]) for row in self._rows.values() if row[_PRICE] > 0 and _in_stock(row)))

    @cached_property
    def age_rules(self) -> Mapping[str, int]:
        """Items that declare `min_age`, in years; one that is no number lets nobody in."""
        ruled = ((row[0], row[_ATTRIBUTES].get("min_age")) for row in self._rows.values() if row[_ATTRIBUTES])
        return {item_id: int(text) if text.isdecimal() else 1000 for item_id, text in ruled if text}

    @cached_property
    def exclusive(self) -> frozenset[str]:
        """Items for members only: `members_only` or `exclusive` is declared, and not as no."""
        return frozenset(row[0] for row in self._rows.values() if row[_ATTRIBUTES] and _says_yes(row[_ATTRIBUTES], *_MEMBERS))

    @cached_property
    def restricted(self) -> frozenset[str]:
        """Items that not everybody may see: of `age_rules` or `exclusive`."""
        return self.exclusive.union(self.age_rules)

    @cached_property
    def reduced(self) -> frozenset[str]:
        """Items that cost something, and less than their list price."""
        return frozenset(row[0] for row in self._rows.values() if row[_LIST_PRICE] > row[_PRICE] > 0)

    def noticeable(self, day: date) -> frozenset[str]:
        """Items that are reduced, or listed on that day (UTC) or later, those to come too; kept for the last day asked for."""
        known = self._noticeable
        if known is None or known[0] != day:
            since = to_ms(datetime.combine(day, time(), UTC))
            listed = (row[0] for row in self._rows.values() if row[_LISTED] is not None and row[_LISTED] >= since)
            known = self._noticeable = (day, self.reduced.union(listed))
        return known[1]

    def categories(self, item_ids: Iterable[str]) -> set[str]:
        """Those of the items that are in the catalogue, "" for none, without an Item made of any."""
        return {row[_CATEGORY] for row in map(self._rows.get, item_ids) if row}

    def glances(self, item_ids: Iterable[str]) -> Iterator[tuple[str, str, bool]]:
        """Of each: category, brand, and whether it has a picture, without an Item made of any."""
        return ((row[_CATEGORY], row[_BRAND], bool(row[_IMAGE])) for row in map(self._rows.__getitem__, item_ids))

    def holds_all(self, item_ids: Collection[str]) -> bool:
        """Whether all of the ids are in the catalogue, and none of `restricted` among them; asked in one go."""
        return self.restricted.isdisjoint(item_ids) and all(map(self._rows.__contains__, item_ids))

    @cached_property
    def bundles(self) -> tuple[str, ...]:
        """Items that declare `bundle`, in stock at the snapshot's time, newest first."""
        declared = (row[0] for row in self._rows.values() if row[_ATTRIBUTES] and _says_yes(row[_ATTRIBUTES], "bundle"))
        found = frozenset(declared)
        return tuple(item_id for item_id in self.newest if item_id in found) if found else ()

    def _grouped(self, column: int) -> dict[str, tuple[str, ...]]:
        groups: dict[str, list[str]] = {}
        for item_id in self.newest:
            groups.setdefault(self._rows[item_id][column], []).append(item_id)
        return {name: tuple(ids) for name, ids in groups.items() if name}

    def rows(self) -> Iterable[Row]:
        """The packed rows, for writing."""
        return self._rows.values()

    def with_items(self, items: Iterable[Item]) -> Snapshot:
        """A snapshot in which `items` stand in place of what had their ids."""
        changed = Snapshot((), self.version)
        changed._rows.update(self._rows)
        changed._rows.update((item.item_id, _to_row(item)) for item in items)
        return changed


def publish(storage: Storage, items: Iterable[Item], now: datetime) -> Snapshot:
    """Write a snapshot of `items` and point to it."""
    return _write(storage, Snapshot(_to_row(item) for item in items), now)


def publish_changes(storage: Storage, items: Iterable[Item], now: datetime) -> Snapshot:
    """The stored snapshot with `items` laid over it. Of two at once one may be lost until the hourly full one."""
    return _write(storage, load(storage).with_items(items), now)


def publisher(storage: Storage, clock: Clock) -> Callable[[Sequence[Item]], None]:
    """What `Importer.changed` takes."""

    def changed(items: Sequence[Item]) -> None:
        publish_changes(storage, items, clock())

    return changed


def _write(storage: Storage, snapshot: Snapshot, now: datetime) -> Snapshot:
    rows = sorted(snapshot.rows(), key=lambda row: row[0])
    version = f"{to_ms(now):013d}-{len(rows)}"
    text = json.dumps({"version": version, "rows": rows}, ensure_ascii=False, separators=(",", ":"))
    storage.put(BODY_KEY, gzip.compress(text.encode(), 5, mtime=0), "application/gzip")
    pointer = json.dumps({"version": version, "items": len(rows)})
    storage.put(POINTER_KEY, pointer.encode(), "application/json")
    return Snapshot(rows, version)


def load(storage: Storage) -> Snapshot:
    """The stored snapshot, an empty one when there is none; raises TryLater when it cannot be read."""
    body = storage.get(BODY_KEY)
    if body is None:
        return Snapshot()
    try:
        document = json.loads(gzip.decompress(body))
        for row in document["rows"]:  # one text for all items of a category or brand: a call compares those of dozens
            row[_CATEGORY], row[_BRAND] = intern(row[_CATEGORY]), intern(row[_BRAND])
        return Snapshot(document["rows"], document["version"])
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise TryLater(f"unreadable catalogue snapshot: {error}"[:200], code="broken_snapshot") from error


class SnapshotReader:
    """Keeps the newest snapshot in memory; asks for a newer one at most every `check_seconds` of `clock`.

    What was read stays in use while the store is unreadable: an old catalogue beats no answer.
    """

    def __init__(self, storage: Storage, clock: Clock, check_seconds: int) -> None:
        self._storage = storage
        self._clock = clock
        self._check_seconds = check_seconds
        self._checked_at: datetime | None = None
        self._pointed = ""
        self._snapshot = Snapshot()

    def __call__(self) -> Snapshot:
        """The snapshot to use now."""
        now = self._clock()
        # A virtual clock may be turned back; then the check is due again.
        if self._checked_at is None or not 0 <= (now - self._checked_at).total_seconds() < self._check_seconds:
            self._refresh()
            self._checked_at = now
        return self._snapshot

    def _refresh(self) -> None:
        try:
            pointer = self._storage.get(POINTER_KEY)
            pointed = pointer.decode("utf-8", "replace") if pointer else ""
            if pointed != self._pointed:
                self._snapshot = load(self._storage)
                self._pointed = pointed
                # Hundreds of thousands of lists that live long: the collector need not look at them again (docs, gc.freeze).
                gc.freeze()
                gc.set_threshold(_GARBAGE)
        except TryLater:
            if not self._snapshot:
                raise


_CATEGORY, _BRAND, _PRICE, _LIST_PRICE, _STOCK, _IMAGE, _ATTRIBUTES, _LISTED, _ACTIVE = 2, 3, 4, 5, 7, 9, 10, 11, 12


_NO = frozenset(("", "no", "n", "false", "0"))
_MEMBERS = ("members_only", "exclusive")


def _says_yes(attributes: Mapping[str, str], *names: str) -> bool:
    """Whether any of the attributes is declared, and not as no."""
    return any(attributes.get(name, "").strip().casefold() not in _NO for name in names)


def _in_stock(row: Row) -> bool:
    return bool(row[_ACTIVE]) and (row[_STOCK] is None or row[_STOCK] > 0)


def _to_row(item: Item) -> Row:
    return [
        item.item_id,
        item.title,
        item.category,
        item.brand,
        item.price_cents,
        item.list_price_cents,
        item.currency,
        item.stock,
        item.url,
        item.image_url,
        dict(item.attributes),
        to_ms(item.listed_at) if item.listed_at else None,
        int(item.active),
    ]


def _from_row(row: Row) -> Item:
    return Item(
        item_id=row[0],
        title=row[1],
        category=row[2],
        brand=row[3],
        price_cents=row[4],
        list_price_cents=row[5],
        currency=row[6],
        stock=row[7],
        url=row[8],
        image_url=row[9],
        attributes=row[10],
        listed_at=from_ms(row[11]) if row[11] is not None else None,
        active=bool(row[12]),
    )

"""Counters and sketches in DynamoDB.

How a stream record counts once. Lambda may deliver a batch again whole, bisected, from its middle, or joined with what
follows, so a mark per batch would not do, and a row per record would double the price. Instead every slice of
`_SLICE_SECONDS` of a stream has one row with 8 bytes per counted record (`short_hash` of the sequence number; a slice is
chosen by the record's creation time, which no delivery changes). The counter updates and the row's new version are one
transaction, conditional on the version that was read:

    read seen(slice) ── all there: nothing to do
          │
          └─ transaction: seen.version = read? → seen + new hashes, ADD counters   ── lost the race: read again

100 records of one slice cost one read and 2 write units per KB of the slice's row and per counter row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import dynamodb, item_to_wire, query, translated
from regulars.adapters.dynamodb.transactions import get, insist
from regulars.ids import short_hash
from regulars.metrics.counts import CountKey, Counts
from regulars.metrics.ports import Entry
from regulars.metrics.sketch import Sketch

_SLICE_SECONDS = 5
_SEEN_SECONDS = 48 * 3600
"""Streams forget after 24 hours; the row may go after twice that."""
_LANES = 4
"""Rows that share the writes of a busy group: a transaction on a row makes others on it wait."""
_MOST_ROWS = 40
_MOST_FIELDS = 60
"""Of one row in one update: an expression holds at most 4 KB."""
_HASH = 8


class DynamoCounters:
    """Implements `regulars.metrics.ports.Counters`."""

    def __init__(self, table: str) -> None:
        self._table = table

    def add_once(self, stream: str, entries: Sequence[Entry]) -> int:
        lane = short_hash(entries[0].sequence)[0] % _LANES if entries else 0
        return sum(self._insist(stream, second, part, lane) for second, part in _slices(entries))

    def read(self, day_from: date, day_to: date) -> Mapping[CountKey, int]:
        found: dict[CountKey, int] = {}
        for month in months(day_from, day_to):
            for row in query(self._table, **between(keys.counter_month(month), month, day_from, day_to)):
                day_text, _, rest = row["sk"].partition("#")
                day, group = month.replace(day=int(day_text)), rest.rpartition("#")[0]
                for field, value in row.items():
                    if field not in ("pk", "sk"):
                        key = CountKey(day, group, field)
                        found[key] = found.get(key, 0) + int(value)
        return found

    def _insist(self, stream: str, second: int, entries: Sequence[Entry], lane: int) -> int:
        return insist(lambda: self._add(stream, second, entries, lane))

    def _add(self, stream: str, second: int, entries: Sequence[Entry], lane: int) -> int:
        key = keys.seen_records(stream, second)
        row = get(self._table, key) or {}
        blob = row.get("records", b"")
        known = {blob[start : start + _HASH] for start in range(0, len(blob), _HASH)}
        fresh = {short_hash(entry.sequence): entry for entry in entries if short_hash(entry.sequence) not in known}
        if not fresh:
            return 0
        total = Counts()
        for entry in fresh.values():
            total.update(entry.counts)
        version = row.get("version", 0)
        values = {
            ":records": blob + b"".join(fresh),
            ":next": version + 1,
            ":expires": (second + _SLICE_SECONDS) + _SEEN_SECONDS,
            **({":version": version} if version else {}),
        }
        seen = {
            "Update": {
                "TableName": self._table,
                "Key": item_to_wire(key),
                "UpdateExpression": "SET #records = :records, #version = :next, expires_at = :expires",
                "ConditionExpression": "#version = :version" if version else "attribute_not_exists(pk)",
                "ExpressionAttributeNames": {"#records": "records", "#version": "version"},
                "ExpressionAttributeValues": item_to_wire(values),
            }
        }
        with translated():
            dynamodb().transact_write_items(TransactItems=[seen, *count_updates(self._table, total, lane)])
        return len(fresh)


class DynamoSketches:
    """Implements `regulars.metrics.ports.Sketches`; a row is replaced only if nobody else replaced it meanwhile."""

    def __init__(self, table: str) -> None:
        self._table = table

    def add(self, day: date, name: str, members: Iterable[str]) -> None:
        wanted = sorted(set(members))
        insist(lambda: self._add(day, name, wanted))

    def read(self, name: str, day_from: date, day_to: date) -> Sketch:
        union = Sketch()
        for month in months(day_from, day_to):
            for row in query(self._table, **between(keys.sketch_month(month), month, day_from, day_to)):
                if row["sk"].partition("#")[2] == name:
                    union.merge(Sketch(row["registers"]))
        return union

    def _add(self, day: date, name: str, members: Sequence[str]) -> None:
        key = keys.sketch(day, name)
        row = get(self._table, key) or {}
        sketch, version = Sketch(row.get("registers", b"")), row.get("version", 0)
        if not sketch.add(members):
            return
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if version:
            condition = {
                "ConditionExpression": "#version = :version",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": item_to_wire({":version": version}),
            }
        item = {**key, "registers": sketch.to_bytes(), "version": version + 1}
        with translated():
            dynamodb().put_item(TableName=self._table, Item=item_to_wire(item), **condition)


def count_updates(table: str, counts: Counts, lane: int = 0) -> list[dict[str, Any]]:
    """The counts as entries of a transaction: one ADD per row of (day, group)."""
    rows: dict[tuple[date, str], dict[str, int]] = {}
    for key, value in sorted(counts.items()):
        rows.setdefault((key.day, key.group), {})[key.field] = value
    return [
        {
            "Update": {
                "TableName": table,
                "Key": item_to_wire(keys.counter_row(day, group, lane)),
                "UpdateExpression": "ADD " + ", ".join(f"#{n} :{n}" for n in range(len(fields))),
                "ExpressionAttributeNames": {f"#{n}": field for n, field in enumerate(fields)},
                "ExpressionAttributeValues": item_to_wire({f":{n}": value for n, value in enumerate(fields.values())}),
            }
        }
        for (day, group), fields in rows.items()
    ]


def months(day_from: date, day_to: date) -> Iterator[date]:
    """The first days of the months that the days, both included, touch."""
    month = day_from.replace(day=1)
    while month <= day_to:
        yield month
        month = (month + timedelta(days=31)).replace(day=1)


def between(partition: str, month: date, day_from: date, day_to: date) -> dict[str, Any]:
    """The arguments of a query for the rows of one month's partition that lie within the days."""
    last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    first_day, last_day = max(day_from, month), min(day_to, last)
    return {
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {":pk": partition, ":first": f"{first_day:%d}#", ":last": f"{last_day:%d}$"},
    }


def _slices(entries: Sequence[Entry]) -> Iterator[tuple[int, list[Entry]]]:
    """The entries cut where the slice of time ends or one transaction would grow too large."""
    part: list[Entry] = []
    rows: dict[tuple[date, str], set[str]] = {}
    current = 0
    for entry in entries:
        second = entry.created_at_s - entry.created_at_s % _SLICE_SECONDS
        grown = {row: set(fields) for row, fields in rows.items()}
        for key in entry.counts:
            grown.setdefault((key.day, key.group), set()).add(key.field)
        full = len(grown) > _MOST_ROWS or any(len(fields) > _MOST_FIELDS for fields in grown.values())
        if part and (second != current or full):
            yield current, part
            part, grown = [], {}
            for key in entry.counts:
                grown.setdefault((key.day, key.group), set()).add(key.field)
        part.append(entry)
        rows, current = grown, second
    if part:
        yield current, part

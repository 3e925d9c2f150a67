"""The archive: a copy of the log in the data bucket, by day of receipt, that builds and analysts read.

    archive/day=YYYY-MM-DD/<first sequence number>.jsonl.gz      one object per invocation and day, one event a line

A batch that comes again writes the same object again; batches cut differently overlap, so a reader tells events apart by
shopper and message id. The log is the truth: `restore` makes a day's archive anew from it.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any, Protocol

from regulars.capture.log import EventLog
from regulars.capture.model import Event
from regulars.capture.packing import unpack
from regulars.clock import from_ms
from regulars.ids import short_hash
from regulars.storage import Storage

ROOT = "archive/"
_LINES = 50_000


class Change(Protocol):
    """A stream record: INSERT, MODIFY or REMOVE with the new image, under its sequence number."""

    @property
    def action(self) -> str: ...

    @property
    def sequence(self) -> str: ...

    @property
    def new(self) -> Mapping[str, Any]: ...


class ArchiveEvents:
    """Writes what a batch of stream records added to the log: `Change`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def __call__(self, records: Sequence[Change]) -> int:
        """How many events were written. Changes and deletions of log items add nothing."""
        days: dict[date, list[Event]] = {}
        for record in records:
            if record.action == "INSERT" and "events" in record.new:
                days.setdefault(from_ms(int(record.new["received"])).date(), []).extend(unpack(record.new["events"]))
        for day, events in sorted(days.items()):
            self._storage.put(f"{_folder(day)}{records[0].sequence}.jsonl.gz", _packed(events), "application/gzip")
        return sum(map(len, days.values()))


def read(storage: Storage, since: datetime) -> Iterator[Event]:
    """Each event received since once; day by day, unordered within a day."""
    for keys in _days(storage, _first_day(since)):
        known: set[bytes] = set()
        for key in keys:
            for event in unpacked(storage.get(key) or b""):
                identity = short_hash(event.shopper, event.message_id)
                if event.received_at >= since and identity not in known:
                    known.add(identity)
                    yield event


def objects(storage: Storage, since: datetime) -> Iterator[tuple[str, int]]:
    """(key, bytes) of the objects that may hold events received since, for those who read them side by side."""
    return ((key, size) for key, size in storage.sizes(ROOT) if _day_of(key) >= _first_day(since))


def unpacked(blob: bytes) -> Iterator[Event]:
    """The events of one object, repeats and all."""
    if blob:
        for line in gzip.decompress(blob).splitlines():
            yield Event.from_wire(json.loads(line))


def restore(log: EventLog, storage: Storage, day: date) -> int:
    """The day's archive made anew from the log; how many events. The old objects go when the new ones are in."""
    old = list(storage.list(_folder(day)))
    new: list[str] = []
    total = 0
    for number, part in enumerate(_parts(log.day(day))):
        new.append(f"{_folder(day)}log-{number:06d}.jsonl.gz")
        storage.put(new[-1], _packed(part), "application/gzip")
        total += len(part)
    for key in old:
        if key not in new:
            storage.delete(key)
    return total


def without(storage: Storage, day: date, shoppers: Collection[str]) -> int:
    """Write the day's archive anew without these shoppers' events, whatever name an event gives them; how many went."""
    gone = 0
    for key in list(storage.list(_folder(day))):
        events = list(unpacked(storage.get(key) or b""))
        kept = [event for event in events if not _names(event).intersection(shoppers)]
        if len(kept) < len(events):
            gone += len(events) - len(kept)
            if kept:
                storage.put(key, _packed(kept), "application/gzip")
            else:
                storage.delete(key)
    return gone


def oldest_day(storage: Storage) -> date | None:
    """The first day in the archive, None while it is empty."""
    return next((_day_of(key) for key in storage.list(ROOT)), None)


def _names(event: Event) -> set[str]:
    return {event.shopper, f"user:{event.user_id}", f"anon:{event.anonymous_id}", f"anon:{event.previous_id}"}


def days_before(storage: Storage, before: date) -> Iterator[str]:
    """Keys of the archive's days before `before`, oldest first; retention deletes them."""
    for key in storage.list(ROOT):
        if _day_of(key) >= before:
            return
        yield key


def _days(storage: Storage, first: date) -> Iterator[list[str]]:
    """The objects of each day from `first` on, oldest day first."""
    keys = (key for key in storage.list(ROOT) if _day_of(key) >= first)
    yield from (list(group) for _, group in groupby(keys, _day_of))


def _first_day(since: datetime) -> date:
    return since.astimezone(UTC).date()


def _folder(day: date) -> str:
    return f"{ROOT}day={day.isoformat()}/"


def _day_of(key: str) -> date:
    return date.fromisoformat(key.removeprefix(f"{ROOT}day=")[:10])


def _packed(events: Iterable[Event]) -> bytes:
    """Deterministic: no time in the gzip header."""
    lines = (json.dumps(event.to_wire(), ensure_ascii=False, separators=(",", ":")) for event in events)
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), 6, mtime=0)


def _parts(events: Iterable[Event]) -> Iterator[list[Event]]:
    part: list[Event] = []
    for event in events:
        part.append(event)
        if len(part) == _LINES:
            yield part
            part = []
    if part:
        yield part

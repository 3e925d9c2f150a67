"""Erasure: one shopper out of every table at once, and out of the archive with the next daily run.

    note        who is being erased goes into the data bucket first: a run that dies is taken up by the next
    bury        a hash of each of her names says that nothing may be kept of them (late events, re-deliveries)
    contact     without it every message that is not yet handed over is refused at its gate or fence
    ledger      without it a claim cannot be made and the fence finds no token
    the rest    timers, inbox, coupons, touches, log, profile, quarantine
    archive     the days on which events of hers came in are written anew without them; then the note goes

Her names: the one given, and the anonymous ones that joined it. What stays: hashes of suppressed addresses (an opt-out must
outlive what it was said about), counts per day, and the hash that turns away late events, for `refuse_days`. What was on its
way through a function or queue while she was erased may have been written after: so the daily run deletes everything again
before it takes the note away, `settle_minutes` or more after the erasure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from regulars.capture.archive import oldest_day, without
from regulars.clock import Clock, from_ms, to_ms
from regulars.errors import Invalid
from regulars.ids import stable_id
from regulars.privacy.config import Erasure
from regulars.privacy.ports import Forgetting, Histories, Log, Rejected
from regulars.profiles.sweep import changes_key
from regulars.storage import Storage

NOTES = "privacy/erasing/"
_LONGEST_NAME = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """An erasure under way. `names`: all of hers; `days`: those of the archive that may hold her events."""

    names: frozenset[str]
    days: frozenset[date]
    asked_at: datetime

    @property
    def key(self) -> str:
        return f"{NOTES}{stable_id('erasing', *sorted(self.names))}.json"

    def to_json(self) -> bytes:
        wire = {"names": sorted(self.names), "days": sorted(map(str, self.days)), "asked_at_ms": to_ms(self.asked_at)}
        return json.dumps(wire).encode()

    @classmethod
    def from_json(cls, blob: bytes) -> Note:
        wire = json.loads(blob)
        days = frozenset(map(date.fromisoformat, wire["days"]))
        return cls(names=frozenset(wire["names"]), days=days, asked_at=from_ms(wire["asked_at_ms"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What one run deleted, by table, and how many days of the archive wait for the daily run."""

    names: int
    deleted: Mapping[str, int]
    archive_days: int

    def to_wire(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"names": self.names, "deleted": dict(self.deleted), "archive_days_pending": self.archive_days}


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseShopper:
    """`stores`: table → what keeps records by shopper, in the order they are emptied: contacts and messages come first."""

    histories: Histories
    log: Log
    stores: Mapping[str, Forgetting]
    quarantine: Rejected
    storage: Storage
    config: Erasure
    clock: Clock

    def __call__(self, shopper: str) -> Erased:
        """Raises Invalid for what is no shopper. One nobody knows is erased as well: her late events must find it said."""
        check_shopper(shopper)
        now = self.clock()
        note = self._note(shopper, now)
        self.storage.put(note.key, note.to_json(), "application/json")
        for name in sorted(note.names):
            self.histories.bury(name, now + timedelta(days=self.config.refuse_days))
        deleted = self.empty(note.names)
        return Erased(names=len(note.names), deleted=deleted, archive_days=len(note.days))

    def finish(self) -> int:
        """The daily run: everything again, the archive, and the note away; how many erasures are done with."""
        now, done = self.clock(), 0
        settled = now - timedelta(minutes=self.config.settle_minutes)
        notes = {key: Note.from_json(self.storage.get(key) or b"") for key in list(self.storage.list(NOTES))}
        ready = {key: note for key, note in notes.items() if note.asked_at <= settled}
        by_day: dict[date, set[str]] = {}
        for note in ready.values():
            late = {day for name in note.names for day in self.log.days(name)}
            self.empty(note.names)
            for day in {*note.days, *late, *_days(note.asked_at.date(), now.date())}:
                by_day.setdefault(day, set()).update(note.names)
        for day, names in sorted(by_day.items()):
            without(self.storage, day, names)
            self._change_lists(day, names)
        for key in ready:
            self.storage.delete(key)
            done += 1
        return done

    def empty(self, names: Iterable[str]) -> dict[str, int]:
        """Table → how many records went."""
        ordered = sorted(names)
        deleted = {table: sum(store.forget(name) for name in ordered) for table, store in self.stores.items()}
        deleted["events"] = sum(self.log.forget(name) for name in ordered)
        deleted["profiles"] = sum(self.histories.forget(name) for name in ordered)
        deleted["quarantine"] = self.quarantine.forget_mentions([name.partition(":")[2] for name in ordered])
        return deleted

    def _note(self, shopper: str, now: datetime) -> Note:
        """All her names: asked for by one that joined another, it is the other who is erased."""
        known = self.histories.everything(shopper)
        if known.record.merged_into:
            shopper = known.record.merged_into
            known = self.histories.everything(shopper)
        names = frozenset({shopper, *known.aliases})
        logged = {day for name in names for day in self.log.days(name)}
        # The archive may be kept longer than the log.
        first = from_ms(known.record.first_ms).date() if known.record.first_ms else None
        oldest = oldest_day(self.storage)
        before = _days(max(first, oldest), min(logged, default=now.date())) if first and oldest else set()
        return Note(names=names, days=frozenset({*logged, *before}), asked_at=now)

    def _change_lists(self, day: date, names: set[str]) -> None:
        """The sweep's list of who changed stage that day."""
        key = changes_key(day)
        lines = (self.storage.get(key) or b"").splitlines()
        kept = [line for line in lines if json.loads(line).get("shopper") not in names]
        if len(kept) < len(lines):
            self.storage.put(key, b"".join(line + b"\n" for line in kept), "application/x-ndjson")


def check_shopper(shopper: str) -> None:
    """Raises Invalid unless it is written user:… or anon:…"""
    kind, _, identity = shopper.partition(":")
    if kind not in ("user", "anon") or not identity or len(shopper) > _LONGEST_NAME:
        raise Invalid("a shopper is user:<userId> or anon:<anonymousId>", field="shopper")


def _days(first: date, last: date) -> set[date]:
    """Both ends too; none when the last is before the first."""
    return {first + timedelta(days=number) for number in range((last - first).days + 1)}

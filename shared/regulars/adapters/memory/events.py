"""The log of events in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from regulars.capture.model import Event


class MemoryEventLog:
    """The port `EventLog`."""

    def __init__(self) -> None:
        self.units: dict[tuple[str, datetime, str], tuple[Event, ...]] = {}

    def append(self, shopper: str, unit_id: str, received_at: datetime, events: Sequence[Event], keep_days: int) -> None:
        self.units[shopper, received_at, unit_id] = tuple(events)

    def holds(self, shopper: str, unit_id: str, received_at: datetime) -> bool:
        return (shopper, received_at, unit_id) in self.units

    def read(self, shopper: str, since: datetime) -> Iterator[Event]:
        for (whose, received_at, _), events in sorted(self.units.items(), key=lambda entry: entry[0]):
            if whose == shopper and received_at >= since:
                yield from events

    def day(self, day: date) -> Iterator[Event]:
        for (_, received_at, _), events in list(self.units.items()):
            if received_at.date() == day:
                yield from events

    def delete_before(self, before: datetime, limit: int) -> int:
        old = [key for key in self.units if key[1] < before][:limit]
        for key in old:
            del self.units[key]
        return len(old)

    def days(self, shopper: str) -> set[date]:
        return {received_at.date() for whose, received_at, _ in self.units if whose == shopper}

    def forget(self, shopper: str) -> int:
        mine = [key for key in self.units if key[0] == shopper]
        for key in mine:
            del self.units[key]
        return len(mine)

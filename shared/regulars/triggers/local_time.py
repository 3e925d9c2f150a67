"""Wall clocks: from an instant to the shopper's hour and back, across DST.

A wall time that a zone skips happens once, at the first instant after the gap; a repeated one happens once, the first
time. Weekdays and days are those of the zone. Zones are IANA names (`zoneinfo`).
"""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EVERY_DAY = range(7)


def local(at: datetime, zone: ZoneInfo) -> datetime:
    """The instant on the zone's wall clock."""
    return at.astimezone(zone)


def instant(day: date, hour: int, minute: int, zone: ZoneInfo) -> datetime:
    """The one instant (UTC) at which `day` has this wall time in `zone`: every day has exactly one."""
    wall = datetime.combine(day, time(hour, minute))
    at = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == wall:
        return at
    return _end_of_gap(wall, zone)


def _end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """The transition that skips `wall`. PEP 495: the offset before it (fold 0) maps the wall time behind the transition,
    the offset after it (fold 1) before; between them the offset changes once, at a whole second."""
    late = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    early = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = late.astimezone(zone).utcoffset()
    low, high = int(early.timestamp()), int(late.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, UTC).astimezone(zone).utcoffset() == after:
            high = middle
        else:
            low = middle
    return datetime.fromtimestamp(high, UTC)


def next_local(at: datetime, zone: ZoneInfo, hour: int, minute: int = 0, *, weekdays: Container[int] = EVERY_DAY) -> datetime:
    """The first instant (UTC) not before `at` that is hour:minute in `zone` on one of `weekdays` (Monday 0)."""
    day = local(at, zone).date() - timedelta(days=1)  # yesterday's slot may have been pushed over midnight by a gap
    for _ in range(16):
        if day.weekday() in weekdays:
            candidate = instant(day, hour, minute, zone)
            if candidate >= at:
                return candidate
        day += timedelta(days=1)
    raise ValueError("no weekday to wait for")

"""The time on the wall by plain arithmetic: seconds since 1970 plus the offset in force, found by stepping through UTC.

Asks the time zone database for nothing but the offset at an instant, and knows neither weekdays, wall times nor folds of the
`datetime` module: an oracle for the code that does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

from regulars.decisions.config import Hours

DAY = 86_400
FIRST, LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2024, 2036))
_STEP = 2 * DAY


class WallClock:
    """One zone from a month before 2024 to a month after 2035. `transitions`: (instant, offset before, offset after)."""

    def __init__(self, zone: ZoneInfo) -> None:
        begin = FIRST - 31 * DAY
        self._from, self._offsets = [begin], [_offset(begin, zone)]
        self.transitions: list[tuple[int, int, int]] = []
        for probe in range(begin, LAST + 31 * DAY, _STEP):
            before, after = self._offsets[-1], _offset(probe + _STEP, zone)
            if before != after:
                at = _first(probe, probe + _STEP, zone, before)
                self._from.append(at)
                self._offsets.append(after)
                if FIRST <= at < LAST:
                    self.transitions.append((at, before, after))

    def local(self, at: int) -> int:
        """Seconds of the wall clock since the wall's 1970-01-01 00:00."""
        return at + self._offsets[bisect_right(self._from, at) - 1]

    def is_open(self, at: int, hours: Hours) -> bool:
        """1970-01-01 was a Thursday."""
        day, second = divmod(self.local(at), DAY)
        return (day + 3) % 7 + 1 in hours.weekdays and hours.opens * 3600 <= second < hours.closes * 3600

    @property
    def behaviour(self) -> tuple[tuple[int, int, int], ...]:
        """Zones of the same behaviour differ in nothing that matters here."""
        return tuple(self.transitions)


@cache
def clock(name: str) -> WallClock:
    return WallClock(ZoneInfo(name))


def distinct(names: Iterable[str]) -> list[str]:
    """One name for each behaviour."""
    return sorted({(clock(name).behaviour, clock(name).local(FIRST)): name for name in sorted(names, reverse=True)}.values())


def _offset(at: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _first(low: int, high: int, zone: ZoneInfo, before: int) -> int:
    """The first second in (low, high] at which the offset is no longer `before`."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return high

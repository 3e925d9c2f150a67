"""Calls a second that all workers share: no second, wherever it begins, holds more of a channel's calls than its quota.

Time is cut into windows of S seconds, the same for everybody; a call needs one of the window's n permits and starts within V
seconds of the window's beginning, or not at all. A worker's clock may be wrong by up to e. So the calls of window w start in
[wS − e, wS + V + e), and the windows that may have a call in a given second [t, t + 1) begin within an open interval of
1 + V + 2e seconds: with S = (1 + V + 2e) / m there are at most m of them, and n = ⌊quota / m⌋ permits each keep the second
within n·m ≤ quota. What it costs: the rate is n / S ≤ quota / (1 + V + 2e).

Among the m for which least of the quota is lost to rounding the largest is taken: short windows mean short waits and few
workers that want the same item. SES counts by its own clock when a call arrives and allows short bursts ("Managing your
Amazon SES sending limits", SES developer guide); what it refuses all the same is an outcome `Later`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from regulars.channels.config import Pacing
from regulars.channels.ports import Permits
from regulars.clock import Clock, system_clock

_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Grid:
    """`permits` calls in each window of `length`, every one started within `start_within` of its window's beginning."""

    permits: int
    length: timedelta
    start_within: timedelta

    def opens(self, number: int) -> datetime:
        """When the window of this number begins."""
        return _EPOCH + number * self.length


@dataclass(frozen=True, slots=True)
class Turn:
    """A call may start from `opens` to before `closes`."""

    opens: datetime
    closes: datetime


def grid(quota: int, pacing: Pacing) -> Grid:
    """The windows of a quota of calls a second, at least 1."""
    start_within = timedelta(milliseconds=pacing.start_within_ms)
    span = _SECOND + start_within + 2 * timedelta(milliseconds=pacing.clock_error_ms)
    windows = max(range(1, max(1, min(quota, pacing.most_windows)) + 1), key=lambda m: (quota // m * m, m))
    # Rounded up: a window shorter by part of a microsecond would let one more into the second.
    return Grid(quota // windows, -(-span // windows), start_within)


class Pace:
    """Gives a channel's calls their turns. A quota of 0, or none, is no limit and costs nothing.

    `clock` is the real one also where the shop's time is virtual: providers count real seconds.
    """

    def __init__(
        self,
        permits: Permits,
        pacing: Pacing,
        *,
        clock: Clock = system_clock,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._permits = permits
        self._waits = timedelta(milliseconds=pacing.wait_ms)
        self._looks = pacing.looks
        self._clock, self._sleep, self._chance = clock, sleep, chance
        self._grids = {channel: grid(quota, pacing) for channel, quota in pacing.quotas.items() if quota > 0}

    def turn(self, channel: str) -> Turn | None:
        """The next turn that is to be had, which may open a little later; None when none is within the time a worker waits."""
        cut, now = self._grids.get(channel), self._clock()
        if cut is None:
            return Turn(now, datetime.max.replace(tzinfo=UTC))
        first = (now - _EPOCH) // cut.length
        if now >= cut.opens(first) + cut.start_within / 2:
            first += 1  # what is left of this one might not do
        last = (now + self._waits - _EPOCH) // cut.length
        for look in range(self._looks):
            # The nearest first; then anywhere ahead, so that waiting workers do not all try the same windows in turn.
            number = first + (int(self._chance() * (last - first + 1)) if look else 0)
            if self._permits.take(channel, number, cut.permits):
                return Turn(cut.opens(number), cut.opens(number) + cut.start_within)
        return None

    def reached(self, turn: Turn) -> bool:
        """Waits until the turn is open; False when it has passed: the call must not start."""
        early = (turn.opens - self._clock()).total_seconds()
        if early > 0:
            self._sleep(early)
        return self._clock() < turn.closes

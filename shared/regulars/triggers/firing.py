"""fire_timers: the minute tick. It touches what is due and nothing else.

Per shard: read what is due between the watermark (less an overlap) and now, page by page; emit the moments; only then take
them out of the index; at last raise the watermark. A crash anywhere repeats some of it, and a moment told twice is one, by
its id. A shard that is not finished in time goes on at the next tick, from where its watermark stands.

While a sweep finds much, more has come due meanwhile: the tick sweeps again at once, as long as its time lasts. So a busy
minute does not wait for the next one, and a quiet shop pays for one sweep a minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from regulars.clock import Clock, from_ms, to_ms
from regulars.errors import TryLater
from regulars.queues import Queue
from regulars.triggers.birthdays import successor
from regulars.triggers.config import Firing
from regulars.triggers.model import Timer, moment_of
from regulars.triggers.ports import Timers


@dataclass(slots=True)
class _Shard:
    """What came of one shard. `reached`: everything due until then is out."""

    reached: datetime
    finished: bool = True
    fired: int = 0
    lapsed: int = 0
    stale: int = 0
    lateness_ms: list[int] = field(default_factory=list)


class FireTimers:
    """One call is one tick; two at a time do no harm. Raises TryLater, after all shards had their turn, when a store or the
    queue refused one of them; what that shard held stays due.

    `monotonic` measures the tick's own budget in real seconds, whatever the clock of the shop says.
    """

    def __init__(
        self,
        *,
        timers: Timers,
        moments: Queue,
        clock: Clock,
        shards: int,
        numbers: Firing,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timers = timers
        self._moments = moments
        self._clock = clock
        self._shards = shards
        self._numbers = numbers
        self._monotonic = monotonic

    def __call__(self) -> Mapping[str, Any]:
        """`due` = `fired` + `lapsed`; `behind` counts unfinished shards; `watermark` is that of the slowest; `sweeps`: how
        often the shards were read."""
        deadline = self._monotonic() + self._numbers.budget_seconds
        sweeps = [self._sweep(deadline)]
        while _fired(sweeps[-1]) >= self._numbers.again_from and self._monotonic() < deadline:
            sweeps.append(self._sweep(deadline))
        return _summary(sweeps)

    def _sweep(self, deadline: float) -> list[_Shard]:
        """Every shard once. Raises TryLater when one of them was refused."""
        now = from_ms(to_ms(self._clock()))
        marks = self._timers.watermarks()
        refused: list[TryLater] = []

        def fire(shard: int) -> _Shard | None:
            try:
                return self._fire_shard(shard, marks.get(shard), now, deadline)
            except TryLater as error:
                refused.append(error)
                return None

        done = [entry for entry in self._each(fire, self._turn(now)) if entry is not None]
        if refused:
            raise refused[0]
        return done

    def _turn(self, now: datetime) -> list[int]:
        """Another shard begins each minute, so that a tick that runs out of time starves none."""
        first = to_ms(now) // 60_000 % self._shards
        return [(first + step) % self._shards for step in range(self._shards)]

    def _each(self, fire: Callable[[int], _Shard | None], shards: list[int]) -> list[_Shard | None]:
        if self._numbers.workers <= 1:
            return [fire(shard) for shard in shards]
        with ThreadPoolExecutor(self._numbers.workers) as pool:
            return list(pool.map(fire, shards))

    def _fire_shard(self, shard: int, mark: datetime | None, now: datetime, deadline: float) -> _Shard:
        after = (mark or now - timedelta(days=self._numbers.unseen_days)) - timedelta(hours=self._numbers.overlap_hours)
        result = _Shard(reached=mark or after)
        cursor = ""
        while True:
            if self._monotonic() >= deadline:
                result.finished = False
                break
            page = self._timers.due(shard, after, now, self._numbers.page, cursor)
            result.stale += page.stale
            self._fire(shard, page.timers, now, result)
            cursor = page.cursor
            if not cursor:
                result.reached = max(result.reached, now)
                break
            if page.timers:  # others of the same millisecond may follow
                result.reached = max(result.reached, page.timers[-1].due_at - timedelta(milliseconds=1))
        if mark is None or result.reached - mark >= timedelta(minutes=self._numbers.step_minutes):
            self._timers.advance(shard, result.reached)
        return result

    def _fire(self, shard: int, timers: Sequence[Timer], now: datetime, result: _Shard) -> None:
        if not timers:
            return
        alive = [timer for timer in timers if timer.expires_at > now]
        if alive:
            self._moments.send([moment_of(timer, now) for timer in alive])
        for timer in timers:
            following = successor(timer, now)
            if following is not None:
                self._timers.set(following)
        self._timers.done(shard, timers)
        result.fired += len(alive)
        result.lapsed += len(timers) - len(alive)
        result.lateness_ms.extend(to_ms(now) - to_ms(timer.due_at) for timer in alive)


def _fired(shards: list[_Shard]) -> int:
    return sum(shard.fired for shard in shards)


def _summary(sweeps: list[list[_Shard]]) -> Mapping[str, Any]:
    """Of all sweeps; `behind` and `watermark` as the last one left them."""
    shards, last = [shard for sweep in sweeps for shard in sweep], sweeps[-1]
    lateness = sorted(late for shard in shards for late in shard.lateness_ms)
    fired, lapsed = _fired(shards), sum(shard.lapsed for shard in shards)
    return {
        "due": fired + lapsed,
        "fired": fired,
        "lapsed": lapsed,
        "stale": sum(shard.stale for shard in shards),
        "behind": sum(not shard.finished for shard in last),
        "sweeps": len(sweeps),
        "lateness_p99_seconds": lateness[(len(lateness) * 99 - 1) // 100] / 1000 if lateness else 0.0,
        "watermark": min(shard.reached for shard in last).isoformat(),
    }

"""Provider rates: however many workers send and whatever their clocks say, no second holds more calls than the quota."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.sending import SETTINGS

from regulars.adapters.memory.limits import MemoryPermits
from regulars.adapters.queues.visibility import BASE_SECONDS
from regulars.channels.pacing import Pace, grid
from regulars.channels.ports import Permits

START = datetime(2026, 7, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PACING = SETTINGS.pacing


@dataclass
class World:
    """Workers that always have something to send, on one virtual clock; `calls`: when each started."""

    quota: int
    workers: int
    seed: int
    permits: Permits = field(default_factory=MemoryPermits)
    now: datetime = START
    calls: list[datetime] = field(default_factory=list)
    refused: int = 0

    def run(self, seconds: float) -> None:
        random = Random(self.seed)
        waiting = [(START, number, self._worker(number, random)) for number in range(self.workers)]
        heapq.heapify(waiting)
        while waiting[0][0] < START + timedelta(seconds=seconds):
            self.now, number, worker = heapq.heappop(waiting)
            heapq.heappush(waiting, (self.now + timedelta(seconds=next(worker)), number, worker))

    def _worker(self, number: int, random: Random) -> Iterator[float]:
        """Every step ends in a wait. Stores and the claim take their time, now and then far too long."""
        error = timedelta(milliseconds=random.uniform(-PACING.clock_error_ms, PACING.clock_error_ms))
        slept: list[float] = []

        def clock() -> datetime:
            return self.now + error

        pacing = replace(PACING, quotas={"email": self.quota})
        pace = Pace(self.permits, pacing, clock=clock, sleep=slept.append, chance=random.random)
        yield random.random()
        while True:
            turn = pace.turn("email")
            if turn is None:
                self.refused += 1
                yield 1 + random.uniform(0, BASE_SECONDS)  # the queue brings it again
                continue
            yield random.lognormvariate(-3.5, 0.8)  # claim and rendering: 30 ms, one in a hundred 190
            yield max(0.0, (turn.opens - clock()).total_seconds())
            yield random.lognormvariate(-4, 0.8)  # fence
            if pace.reached(turn):
                self.calls.append(self.now)
                yield random.lognormvariate(-2.3, 0.5)  # the call
            assert slept == []

    @property
    def over(self) -> int:
        """Seconds, wherever they begin, that hold more calls than the quota."""
        pairs = zip(self.calls, self.calls[self.quota :], strict=False)
        return sum(1 for first, later in pairs if later - first < SECOND)


@pytest.mark.parametrize("quota", [1, 3, 14, 90])
def test_thirty_two_workers_in_ten_minutes_never_exceed_the_quota(quota: int) -> None:
    world = World(quota, workers=32, seed=quota)
    world.run(600)
    assert world.over == 0
    assert len(world.calls) >= 0.6 * quota * 600
    if quota >= 14:
        assert world.refused <= 0.1 * len(world.calls)


def test_the_check_sees_what_a_looser_grid_lets_through() -> None:
    """One permit a window too many is caught: the law above is not empty."""

    class Generous(MemoryPermits):
        def take(self, channel: str, window: int, most: int) -> bool:
            return super().take(channel, window, most + 1)

    world = World(14, workers=32, seed=1, permits=Generous())
    world.run(60)
    assert world.over > 0


@settings(max_examples=300)
@given(quota=st.integers(1, 5000), start=st.integers(1, 2000), error=st.integers(0, 100), most=st.integers(1, 60))
def test_no_second_meets_more_windows_than_the_quota_pays_for(quota: int, start: int, error: int, most: int) -> None:
    cut = grid(quota, replace(PACING, start_within_ms=start, clock_error_ms=error, most_windows=most))
    span = SECOND + timedelta(milliseconds=start + 2 * error)
    assert cut.permits >= 1
    assert -(-span // cut.length) * cut.permits <= quota  # windows that begin within an open interval of this span


def test_without_a_quota_nothing_is_asked() -> None:
    permits = MemoryPermits()
    pace = Pace(permits, replace(PACING, quotas={"email": 0}), clock=lambda: START)
    for channel in ("email", "push"):
        turn = pace.turn(channel)
        assert turn is not None
        assert pace.reached(turn)
    assert permits.asked == 0


def test_a_full_quota_is_asked_a_few_times_only() -> None:
    class Empty(MemoryPermits):
        def take(self, channel: str, window: int, most: int) -> bool:
            return super().take(channel, window, 0)

    permits = Empty()
    pace = Pace(permits, replace(PACING, quotas={"email": 14}), clock=lambda: START)
    assert pace.turn("email") is None
    assert permits.asked == PACING.looks


def test_the_worker_sleeps_until_its_turn_opens() -> None:
    times, slept = iter([START + timedelta(milliseconds=1300)] * 2 + [START + timedelta(seconds=2)]), list[float]()
    pace = Pace(
        MemoryPermits(), replace(PACING, quotas={"sms": 1}), clock=lambda: next(times), sleep=slept.append, chance=lambda: 0.0
    )
    turn = pace.turn("sms")
    assert turn is not None
    pace.reached(turn)
    assert slept == [pytest.approx((turn.opens - START).total_seconds() - 1.3)]

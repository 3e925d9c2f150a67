"""The minute tick: nothing lost, nothing told twice by another name, only what is due touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.triggers import NOW, NUMBERS, Loop, hours

from regulars.adapters.memory.timers import MemoryTimers
from regulars.errors import TryLater
from regulars.messages import Moment, QueueMessage, decode, encode
from regulars.triggers.firing import FireTimers
from regulars.triggers.model import Timer, moment_of, shard_of, timer_of
from regulars.triggers.ports import DuePage
from regulars.triggers.service import defer


def timer(shopper: str = "user:ann", subject: str = "s", due_at: datetime = NOW, **more: Any) -> Timer:
    return replace(
        Timer(
            shopper=shopper,
            kind="cart_abandoned",
            subject=subject,
            due_at=due_at,
            occurred_at=due_at - hours(4),
            expires_at=due_at + hours(20),
            facts={"items": ["mug"]},
            correlation_id="m1",
        ),
        **more,
    )


class Watched(MemoryTimers):
    """Counts what a tick does."""

    def __init__(self, shards: int) -> None:
        super().__init__(shards)
        self.entries_read = self.pages = self.advances = 0

    def due(self, shard: int, after: datetime, until: datetime, limit: int, cursor: str = "") -> DuePage:
        page = super().due(shard, after, until, limit, cursor)
        self.pages += 1
        self.entries_read += len(page.timers)
        return page

    def advance(self, shard: int, to: datetime) -> None:
        self.advances += 1
        super().advance(shard, to)


def test_a_moment_carries_what_the_timer_knew() -> None:
    loop = Loop()
    loop.timers.set(timer())
    loop.fire()
    (moment,) = loop.moments
    assert moment == decode(Moment, encode(moment))
    assert (moment.id, moment.shopper, moment.correlation_id) == ("cart_abandoned#s", "user:ann", "m1")
    assert moment == moment_of(timer(), NOW)


def test_a_deferred_moment_comes_back_the_same() -> None:
    loop = Loop()
    loop.timers.set(replace(timer(), campaign="spring"))
    loop.fire()
    assert loop.moments[0].campaign == "spring"
    defer(loop.timers, loop.moments[0], NOW + hours(3))
    loop.now += hours(2)
    loop.fire()
    assert len(loop.told) == 1
    loop.now += hours(1)
    loop.fire()
    first, second = loop.moments
    assert second == replace(first, due_at_ms=second.due_at_ms, sent_at_ms=second.sent_at_ms, deferrals=1)
    assert second.due_at_ms - first.due_at_ms == 3 * 3_600_000
    assert timer_of(second, NOW).deferrals == 2


def test_a_tick_fired_twice_adds_nothing() -> None:
    loop = Loop()
    for n in range(500):
        loop.timers.set(timer(f"user:{n}"))
    assert loop.fire()["fired"] == 500
    assert loop.fire()["fired"] == 0
    assert len(set(loop.told_by)) == len(loop.told) == 500


def test_six_missed_hours_lose_nothing() -> None:
    loop = Loop()
    loop.fire()
    for n in range(360):
        loop.timers.set(timer(f"user:{n}", due_at=NOW + timedelta(minutes=n)))
    loop.now += hours(6)
    summary = loop.fire()
    assert summary["fired"] == 360
    assert summary["lateness_p99_seconds"] == 6 * 3600 - 3 * 60
    assert summary["watermark"] == loop.now.isoformat()


def test_days_of_outage_lose_only_what_lapsed_and_count_it() -> None:
    loop = Loop()
    loop.fire()
    for n in range(240):
        loop.timers.set(timer(f"user:{n}", due_at=NOW + hours(n)))
    loop.now += hours(240)
    summary = loop.fire()
    assert (summary["due"], summary["fired"], summary["lapsed"]) == (240, 19, 221)
    assert loop.fire()["due"] == 0


def test_the_first_tick_of_all_finds_what_was_set_before_it() -> None:
    loop = Loop()
    loop.timers.set(timer(due_at=NOW - timedelta(days=6), expires_at=NOW + hours(1)))
    assert loop.fire()["fired"] == 1


def test_a_timer_set_behind_the_watermark_is_met_by_the_overlap() -> None:
    loop = Loop()
    loop.fire()
    loop.timers.set(timer(due_at=NOW - hours(10)))
    assert loop.fire()["fired"] == 1


def test_only_what_is_due_is_touched() -> None:
    timers = Watched(4)
    loop = Loop(timers)
    for n in range(2_000):
        timers.set(timer(f"user:{n}", due_at=NOW + timedelta(minutes=n + 1)))
    loop.now += timedelta(minutes=5)
    assert loop.fire()["fired"] == 5
    assert (timers.entries_read, timers.pages) == (5, 4)


def test_the_watermark_moves_in_steps_and_never_back() -> None:
    timers = Watched(4)
    loop = Loop(timers)
    for _ in range(20):
        loop.fire()
        loop.now += timedelta(minutes=1)
    assert timers.advances == 4 * 2
    timers.advance(0, NOW - hours(1))
    assert timers.watermarks()[0] == NOW + timedelta(minutes=10)
    loop.now = NOW - hours(3)
    assert loop.fire()["due"] == 0, "a clock put back fires nothing early"


class Tired:
    """A clock of real seconds on which each look costs one."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1.0
        return self.seconds


def test_a_tick_out_of_time_goes_on_at_the_next_and_starves_no_shard() -> None:
    timers = MemoryTimers(4)
    loop = Loop(timers)
    for n in range(1_000):
        timers.set(timer(f"user:{n}", due_at=NOW + timedelta(seconds=n % 60)))
    numbers = replace(NUMBERS.firing, workers=1, budget_seconds=5.0, page=50, overlap_hours=0.001)
    fired, behind, ticks = 0, 0, 0
    loop.now += timedelta(minutes=1)
    while fired < 1_000:
        tick = FireTimers(
            timers=timers, moments=loop.queue, clock=lambda: loop.now, shards=4, numbers=numbers, monotonic=Tired()
        )
        summary = tick()
        assert 0 < summary["fired"] <= 200
        fired, behind, ticks = fired + summary["fired"], behind + summary["behind"], ticks + 1
        loop.now += timedelta(minutes=1)
        assert ticks < 10
    assert behind > 0
    assert len(set(loop.told_by)) == len(loop.told) == 1_000


def test_more_of_one_millisecond_than_a_page_takes() -> None:
    timers = MemoryTimers(1)
    loop = Loop(timers, shards=1)
    for n in range(1_000):
        timers.set(timer(f"user:{n}"))
    assert loop.fire()["fired"] == 1_000
    assert len(set(loop.told_by)) == 1_000


class Refusing:
    """A queue that takes nothing of some shoppers until it is mended."""

    def __init__(self, shard: int) -> None:
        self.shard: int | None = shard
        self.taken: list[Moment] = []

    def send(self, messages: Sequence[QueueMessage], delay_seconds: int = 0) -> None:
        moments = [message for message in messages if isinstance(message, Moment)]
        if any(shard_of(moment.shopper, 4) == self.shard for moment in moments):
            raise TryLater("throttled")
        self.taken += moments


def test_a_refusing_queue_stops_its_shard_is_heard_and_loses_nothing() -> None:
    timers, queue = MemoryTimers(4), Refusing(2)
    fire = FireTimers(timers=timers, moments=queue, clock=lambda: NOW, shards=4, numbers=replace(NUMBERS.firing, workers=1))
    for n in range(400):
        timers.set(timer(f"user:{n}"))
    with pytest.raises(TryLater):
        fire()
    assert {shard_of(moment.shopper, 4) for moment in queue.taken} == {0, 1, 3}
    queue.shard = None
    fire()
    assert sorted(moment.shopper for moment in queue.taken) == sorted(f"user:{n}" for n in range(400))


class Crashing(MemoryTimers):
    """Dies when it is to clear the index, while `armed`."""

    armed = False

    def done(self, shard: int, timers: Sequence[Timer]) -> None:
        if self.armed:
            raise TryLater("crash")
        super().done(shard, timers)


def test_a_crash_before_the_index_is_cleared_repeats_and_does_not_lose() -> None:
    timers = Crashing(1)
    loop = Loop(timers, shards=1)
    timers.set(timer())
    timers.armed = True
    with pytest.raises(TryLater):
        loop.fire()
    timers.armed = False
    loop.fire()
    assert loop.told == ["cart_abandoned#s"] * 2, "one id: the ledger takes it once"


def test_shards_may_be_added() -> None:
    timers = MemoryTimers(4)
    loop = Loop(timers)
    timers.set(timer("user:early"))
    assert loop.fire()["fired"] == 1
    wider = MemoryTimers(8)
    wide = Loop(wider, shards=8)
    wider.advance(0, NOW)
    for n in range(50):
        wider.set(timer(f"user:{n}", due_at=NOW - hours(1)))
    assert wide.fire()["fired"] == 50


def test_workers_share_the_shards() -> None:
    timers = MemoryTimers(16)
    queues = Loop(timers).queue
    for n in range(300):
        timers.set(timer(f"user:{n}"))
    fire = FireTimers(timers=timers, moments=queues, clock=lambda: NOW, shards=16, numbers=NUMBERS.firing)
    summary: Mapping[str, object] = fire()
    assert summary["fired"] == 300
    assert summary["behind"] == 0


def test_no_partition_of_a_busy_day_takes_800_writes_a_second() -> None:
    """DESIGN: at 3,500 sends a second each timer is written and deleted once; the busiest of 64 shards decides."""
    counts = Counter(shard_of(f"user:{n}", 64) for n in range(100_000))
    busiest_share = max(counts.values()) / 100_000
    assert 2 * 3_500 * busiest_share < 800 / 5

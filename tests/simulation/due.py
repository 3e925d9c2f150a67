"""Promise: the sweep costs what is due, whatever waits; a tick twice adds nothing, hours without ticks lose nothing; and at
3,500 sends a second 99 of 100 moments are handed over within a minute of their time.

A hundred million shoppers are simulated by counts: the index is a function that makes the timers of a shard and minute when
the real `FireTimers` asks for them, and remembers only how far each shard is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from tests.simulation.choices import Seeded
from tests.simulation.faults import Faults
from tests.simulation.kernel import NEVER, START, Kernel, Stepping
from tests.simulation.queue import Line
from tests.simulation.shop import MINUTE, Ticks, WatchedTimers
from tests.simulation.tally import Tally
from tests.support.triggers import NUMBERS

from regulars.adapters.memory.timers import MemoryTimers
from regulars.clock import from_ms, to_ms
from regulars.messages import QueueMessage
from regulars.triggers.firing import FireTimers
from regulars.triggers.model import Timer, shard_of
from regulars.triggers.ports import DuePage

SHARDS = 64
"""TimerShards of template.yaml."""
LANES = NUMBERS.firing.workers
"""Threads of one tick. Each takes its share of the shards one after the other, so that one lane is one worker with
SHARDS / LANES shards and that part of the load."""
FAULTS = Faults(rate=0.02, again=0.05)


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of one request as assumed by the model: AWS promises single-digit ones for DynamoDB and none for SQS."""

    query: float = 5
    batch_get: float = 8
    send_batch: float = 10
    batch_write: float = 8


class CountedIndex(MemoryTimers):
    """`population` timers, due evenly over the coming `over_minutes`. A timer is made when it is asked for: `touched` counts
    them. `requests`: what DynamoTimers and SqsQueue would have asked AWS for; `spent_ms`: how long that takes."""

    def __init__(self, *, population: int, over_minutes: float, shards: int = SHARDS, latency: Latency | None = None) -> None:
        super().__init__(shards)
        self.shards, self._each = shards, population / over_minutes / shards
        self._latency = latency or Latency()
        self._done: dict[int, int] = {}
        self._minute = cache(self._make)
        self.touched = 0
        self.requests: Counter[str] = Counter()
        self.spent_ms = 0.0

    def due(self, shard: int, after: datetime, until: datetime, limit: int, cursor: str = "") -> DuePage:
        floor = max(to_ms(after), self._done.get(shard, to_ms(START)))
        found: list[Timer] = []
        minute = (floor - to_ms(START)) // 60_000
        while len(found) < limit and to_ms(START) + minute * 60_000 <= to_ms(until):
            found += [timer for timer in self._minute(shard, minute) if floor < to_ms(timer.due_at) <= to_ms(until)]
            minute += 1
        found = found[:limit]
        self._ask("query", 1 if cursor else 2)  # the first page looks at yesterday's partition too
        self._ask("batch_get", len(found) > 0)
        return DuePage(timers=found, cursor=f"{to_ms(found[-1].due_at):013d}" if len(found) == limit else "")

    def done(self, shard: int, timers: Sequence[Timer]) -> None:
        self._done[shard] = max(to_ms(timer.due_at) for timer in timers)
        self._ask("batch_write", -(-len(timers) // 25))

    def watermarks(self) -> Mapping[int, datetime]:
        self._ask("query", 1)
        return super().watermarks()

    def advance(self, shard: int, to: datetime) -> None:
        super().advance(shard, to)
        self._ask("batch_write", 1)

    def send(self, messages: Sequence[QueueMessage], delay_seconds: int = 0) -> None:
        """The queue of moments, beside: ten a request."""
        self._ask("send_batch", -(-len(messages) // 10))

    def start_at(self, watermark: datetime) -> None:
        for shard in range(self.shards):
            super().advance(shard, watermark)

    def _ask(self, what: str, times: int) -> None:
        self.requests[what] += times
        self.spent_ms += getattr(self._latency, what) * times

    def _make(self, shard: int, minute: int) -> list[Timer]:
        random = Random(f"{shard}/{minute}")
        number = max(0, round(random.gauss(self._each, self._each**0.5)))
        self.touched += number
        base = to_ms(START) + minute * 60_000
        offsets = sorted(random.sample(range(1, 60_001), min(number, 60_000)))
        return [_timer(f"user:{shard}.{minute}.{place}", from_ms(base + offset)) for place, offset in enumerate(offsets)]


def _timer(shopper: str, due_at: datetime) -> Timer:
    return Timer(
        shopper=shopper,
        kind="browse_abandoned",
        subject="1",
        due_at=due_at,
        occurred_at=due_at - timedelta(hours=4),
        expires_at=due_at + timedelta(hours=20),
    )


class Lane:
    """One thread of the tick with its share of shards; `late_seconds`: from a moment's due instant to its hand-over."""

    def __init__(self, per_minute: float, shards: int = SHARDS // LANES) -> None:
        over_minutes = 100_000_000 / LANES / per_minute
        self.index = CountedIndex(population=100_000_000 // LANES, over_minutes=over_minutes, shards=shards)
        self.index.start_at(START)
        self.now = START
        self._tick_began = 0.0
        self.late_seconds: list[float] = []
        self.fire = FireTimers(
            timers=self.index,
            moments=self,
            clock=lambda: self.now + timedelta(seconds=self._spent()),
            shards=shards,
            numbers=replace(NUMBERS.firing, workers=1, again_from=NUMBERS.firing.again_from // LANES),
            monotonic=self._spent,
        )

    def send(self, messages: Sequence[Any], delay_seconds: int = 0) -> None:
        """Ten a request, each request 10 ms after the last."""
        for start in range(0, len(messages), 10):
            self.index.send(messages[start : start + 10])
            at_ms = to_ms(self.now) + self._spent() * 1000
            for message in messages[start : start + 10]:
                self.late_seconds.append(max(at_ms + 1000 * delay_seconds - message.due_at_ms, 0) / 1000)

    def _spent(self) -> float:
        """Seconds since the tick began."""
        return (self.index.spent_ms - self._tick_began) / 1000

    def tick(self, at: datetime) -> Mapping[str, Any]:
        self.now, self._tick_began = at, self.index.spent_ms
        return self.fire()


def lateness(seed: int, *, per_second: float = 3_500, minutes: int = 4) -> Tally:
    """One lane under its share of the load, minute after minute, counted from the third tick on, when the first minutes'
    beginning is over; the ticks come `seed` (0 to 2) seconds after the full minute, as a schedule's may. What Python itself
    spends is not in it."""
    tally = Tally()
    lane = Lane(per_second * 60 / LANES)
    behind = 0
    for minute in range(1, minutes + 1):
        summary = lane.tick(START + minute * MINUTE + timedelta(seconds=seed % 3))
        behind += summary["behind"]
        if minute == 2:
            lane.late_seconds.clear()
    late = sorted(lane.late_seconds)
    p99, median = late[len(late) * 99 // 100], late[len(late) // 2]
    tally.counts.update({"moments": len(late), "shards behind": behind})
    tally.at_most("p99 seconds late", p99)
    tally.at_most("median seconds late", median)
    tally.at_most("seconds a tick works", lane.index.spent_ms / 1000 / minutes)
    return tally


def a_tick(population: int, over_minutes: float) -> tuple[int, int, Counter[str]]:
    """(moments, timers touched, requests) of the first minute's tick over all shards."""
    index = CountedIndex(population=population, over_minutes=over_minutes)
    index.start_at(START)
    fire = FireTimers(
        timers=index,
        moments=index,
        clock=lambda: START + MINUTE,
        shards=SHARDS,
        numbers=replace(NUMBERS.firing, workers=1),
        monotonic=lambda: 0.0,
    )
    return fire()["fired"], index.touched, index.requests


def spread(shoppers: int) -> float:
    """The fullest shard's part over the mean one's, for that many shoppers."""
    counts = Counter(shard_of(f"user:{number}", SHARDS) for number in range(shoppers))
    return max(counts.values()) * SHARDS / shoppers


def gaps(seed: int, *, timers: int = 150) -> Tally:
    """Ticks that crash, throttle, run twice and side by side, and six hours without any: each timer is told, in the end."""
    choices = Seeded(seed)
    kernel = Kernel(choices, FAULTS)
    index = WatchedTimers(2)
    line = Line(kernel, "moments")
    told: Counter[str] = Counter()
    line.handle = lambda moment, tries: told.update([f"{moment.shopper} {moment.id}"])
    fire = FireTimers(
        timers=Stepping(kernel, "timers", index),
        moments=Stepping(kernel, "moments", line),
        clock=kernel.clock,
        shards=2,
        numbers=replace(NUMBERS.firing, workers=1, page=20),
        monotonic=lambda: 0.0,
    )
    armed = set()
    for number in range(timers):
        timer = _timer(f"user:{number}", START + timedelta(seconds=choices.below(8 * 3600)))
        index.set(timer)
        armed.add(f"{timer.shopper} {timer.key}")
    ticks = _Outage(kernel, index, fire, began=START + timedelta(hours=1), ended=START + timedelta(hours=7))
    kernel.sources = [ticks, line]
    kernel.run()
    tally = Tally()
    lost = armed - told.keys()
    tally.check(not lost, seed, len(lost), "moments were lost, among them", sorted(lost)[:3])
    tally.check(told.keys() <= armed, seed, "told what nobody armed")
    before = line.deliveries
    again = fire()
    kernel.run()
    tally.check(again["fired"] == 0 and line.deliveries == before, seed, "another tick told", again["fired"])
    tally.counts.update({"timers": timers, "lost": len(lost), "told by another tick": again["fired"]})
    tally.counts.update(
        {"crashes": kernel.crashes, "steps": kernel.steps, "told more than once": sum(told.values()) - len(told)}
    )
    return tally


@dataclass
class _Outage(Ticks):
    """The schedule with hours in which it does not fire."""

    began: datetime = START
    ended: datetime = START

    def next_at(self) -> datetime:
        at = super().next_at()
        return self.ended if self.began <= max(at, self.kernel.now) < self.ended and at is not NEVER else at

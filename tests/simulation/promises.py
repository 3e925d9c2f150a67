"""The published promises: what is run, how much of it in CI, how much in the long form."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation import batches, caps, due, events, sends
from tests.simulation.tally import Tally, gathered


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """`world` makes one world of a seed and judges it; `short` and `long` are numbers of worlds. `shows`: the counts that
    must be 0 beside an empty list of what broke; `most`: the maxima that must not be passed."""

    says: str
    world: Callable[[int], Tally]
    short: int
    long: int
    zero: tuple[str, ...] = ()
    most: tuple[tuple[str, float], ...] = ()

    def kept(self, tally: Tally) -> bool:
        zero = all(tally.counts[name] == 0 for name in self.zero)
        return zero and not tally.broken and all(tally.most[name] <= limit for name, limit in self.most)


PROMISES: dict[str, Promise] = {
    "sends": Promise(
        says="sends under 1 % each of duplicate delivery, concurrent workers, crash before and after accept, exception and "
        "time-out after accept, lease expiry: none twice, none lost without a reason",
        world=sends.world,
        short=20,
        long=11_500,
        zero=("duplicates", "slot drift"),
    ),
    "events": Promise(
        says="events with 10 % repeats up to 28 days late, 1 % each of crash, throttle and time-out, in random order: none "
        "missing, none twice, the profile as in order",
        world=events.world,
        short=15,
        long=5_000,
        zero=("missing", "twice in the log", "other profiles"),
    ),
    "caps race": Promise(
        says="64 campaigns racing for each shopper, cap 1 to 3, eight workers: none over, no place unused",
        world=caps.race,
        short=30,
        long=2_500,
        zero=("over", "unused"),
    ),
    "caps mixed": Promise(
        says="messages refused, throttled, undecided and crashed over: each place given back exactly once",
        world=caps.mixed,
        short=30,
        long=1_500,
        zero=("over", "drift"),
    ),
    "sweep gaps": Promise(
        says="ticks that crash, throttle and run at once, six hours without any: nothing lost, another tick adds nothing",
        world=due.gaps,
        short=30,
        long=2_000,
        zero=("lost", "told by another tick"),
    ),
    "sweep lateness": Promise(
        says="3,500 sends a second: 99 of 100 moments are handed over within 60 seconds of their time",
        world=due.lateness,
        short=1,
        long=6,
        most=(("p99 seconds late", 60.0),),
    ),
    "batches": Promise(
        says="fuzzed batches: only what failed comes again, the answer is always valid, poison is a dead letter after five "
        "receives, redriving twice sends nothing again",
        world=batches.world,
        short=6,
        long=100,
        zero=("wrong answers", "sent twice"),
    ),
}


def is_long() -> bool:
    return os.environ.get("REGULARS_SIMULATE", "") == "long"


def shortly(name: str) -> Tally:
    """The short form, or the long one where REGULARS_SIMULATE=long."""
    promise = PROMISES[name]
    return gathered(promise.world, range(promise.long if is_long() else promise.short))

"""What may go wrong at a call of a store or queue, and how often."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

THROTTLE = "throttle"
"""Refused before any effect."""
LOST_ANSWER = "lost answer"
"""The effect happened; the caller hears of a time-out."""
CRASH_BEFORE = "crash before"
CRASH_AFTER = "crash after"
PAUSE = "pause"
"""The worker hangs for longer than any lease, then goes on as if nothing had been."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """`rate`: of the calls of stores and queues that go wrong, in one of `kinds`. `switch`: of the calls before which another
    worker gets its turn. `again`: of the deliveries that come a second time, `beside`: while the first is still at work.
    `provider`: of the calls of a provider for each way in which it fails; `refused`, `busy`: of the calls so answered.
    `silent`: of the messages taken of which no delivery is reported. `stale`: of the eventually consistent reads that
    answer with what was read before."""

    rate: float = 0.0
    kinds: tuple[str, ...] = (THROTTLE, LOST_ANSWER, CRASH_BEFORE, CRASH_AFTER, PAUSE)
    switch: float = 0.2
    pause: timedelta = timedelta(seconds=75)
    again: float = 0.0
    beside: float = 0.0
    provider: float = 0.0
    refused: float = 0.0
    busy: float = 0.0
    silent: float = 0.0
    stale: float = 0.0

    def without(self, *kinds: str) -> Faults:
        return replace(self, kinds=tuple(kind for kind in self.kinds if kind not in kinds))


CALM = Faults()
ONE_PERCENT = Faults(rate=0.005, again=0.01, beside=0.01, provider=0.01, refused=0.01, busy=0.01, silent=0.005, stale=0.05)
"""1 % of everything that can happen to one send; with some fifteen calls a send, one store fault in 200 calls is 1 % of
sends for each of the five kinds."""

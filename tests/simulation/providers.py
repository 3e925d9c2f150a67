"""A provider that takes messages and then does not always say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from tests.simulation.kernel import Kernel

from regulars.channels.ports import Accepted, Ambiguous, Envelope, Later, Outcome, Refused

_WAYS = (
    "crash before",
    "crash after",
    "exception after",
    "time-out after",
    "ambiguous after",
    "lease runs out",
    "time-out before",
)


class ShakyProvider:
    """Implements `regulars.channels.ports.Provider`. `taken`: message id → how often it was accepted: the number that must
    never pass one. `tell` hears of each accepted envelope, for the delivery report that follows."""

    def __init__(self, kernel: Kernel, tell: Callable[[Envelope], object]) -> None:
        self._kernel, self._tell = kernel, tell
        self.taken: Counter[str] = Counter()
        self.calls = 0
        self.ways: Counter[str] = Counter()

    def send(self, envelope: Envelope) -> Outcome:
        kernel, faults = self._kernel, self._kernel.faults
        self.calls += 1
        kernel.yield_()
        kernel.now += timedelta(milliseconds=40)
        if kernel.choices.chance(faults.busy):
            return Later("throttled", 1)
        if kernel.choices.chance(faults.refused):
            return Refused("no_such_mailbox")
        way = self._way(faults.provider)
        self.ways[way] += 1
        kernel.note("provider", way)
        if way == "crash before":
            kernel.die()
        if way == "time-out before":
            raise TimeoutError
        if way == "lease runs out":
            kernel.pass_(faults.pause)
        self._take(envelope)
        if way == "crash after":
            kernel.die()
        if way == "exception after":
            raise ConnectionResetError
        if way == "time-out after":
            raise TimeoutError
        if way == "ambiguous after":
            return Ambiguous("ReadTimeoutError")
        kernel.yield_()
        return Accepted(f"p-{self.calls}")

    def _way(self, rate: float) -> str:
        """One of the ways to fail, each in `rate` of the calls; "" for none."""
        if not self._kernel.choices.chance(rate * len(_WAYS)):
            return ""
        return _WAYS[self._kernel.choices.below(len(_WAYS))]

    def _take(self, envelope: Envelope) -> None:
        self.taken[envelope.message_id] += 1
        self._tell(envelope)

"""Workers that take turns, on one thread.

A worker is a greenlet, so the product's synchronous code runs in it unchanged. Every call of a port goes through
`Kernel.step`, which may let others run first, pass time, let the call fail before or after its effect, or kill the worker.
What a dead worker still tries (a `finally`) has no effect: its process is gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from greenlet import greenlet
from tests.simulation.choices import Choices
from tests.simulation.faults import CRASH_AFTER, CRASH_BEFORE, LOST_ANSWER, PAUSE, THROTTLE, Faults

from regulars.errors import TryLater

START = datetime(2026, 6, 10, 12, 0, tzinfo=UTC)
"""A Wednesday noon: everything is open."""
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


class Crash(BaseException):
    """The process is gone; nothing may catch it."""


class Source(Protocol):
    """Where work comes from: a queue, a schedule."""

    def next_at(self) -> datetime:
        """When there is work next, NEVER when there is none."""

    def start(self) -> None:
        """Spawn the worker for one piece of work that is due."""


class Worker:
    """One running function. `ended` is told (error or None) when it returns or raises, and not when it dies."""

    __slots__ = ("ended", "glet", "name", "number")

    def __init__(
        self, number: int, name: str, run: Callable[[], object], ended: Callable[[BaseException | None], None]
    ) -> None:
        self.number, self.name, self.ended = number, name, ended
        self.glet: Any = greenlet(run)


class Kernel:
    """Runs sources until nothing is left. `workers`: how many at once."""

    def __init__(
        self, choices: Choices, faults: Faults, *, workers: int = 3, step: timedelta = timedelta(milliseconds=5)
    ) -> None:
        self.choices, self.faults = choices, faults
        self.now = START
        self.steps = 0
        self.crashes = 0
        self.sources: list[Source] = []
        self._workers, self._step = workers, step
        self._running: list[Worker] = []
        self._dead: set[Any] = set()
        self._current: Worker | None = None
        self._spawned = 0
        self._trace = hashlib.blake2b(digest_size=16)
        self._until_switch = choices.jump(faults.switch)
        self._until_fault = choices.jump(faults.rate)

    @property
    def trace(self) -> str:
        """The hash of every step so far."""
        return self._trace.hexdigest()

    def clock(self) -> datetime:
        return self.now

    def note(self, *words: object) -> None:
        """Into the trace."""
        self._trace.update("\x1f".join(map(str, words)).encode())

    def spawn(self, name: str, run: Callable[[], object], ended: Callable[[BaseException | None], None]) -> None:
        self._spawned += 1
        self._running.append(Worker(self._spawned, name, run, ended))

    def run(self, until: datetime = NEVER) -> None:
        """Until no source has work before `until` and every worker has ended."""
        running, below = self._running, self.choices.below
        while True:
            if len(running) >= self._workers or (running and below(3) > 0):
                self._resume(running[below(len(running))])
                continue
            due = [source for source in self.sources if source.next_at() <= self.now < until]
            if due:
                due[below(len(due))].start()
            elif running:
                self._resume(running[below(len(running))])
            else:
                soonest = min((source.next_at() for source in self.sources), default=NEVER)
                if soonest >= until:
                    return
                self.now = max(self.now, soonest)

    def stepped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call` as a step."""
        label = name.encode()

        def stepping(*arguments: Any, **named: Any) -> Any:
            return self.step(label, call, arguments, named)

        return stepping

    def step(self, label: bytes, call: Callable[..., Any], arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """One call of a port. Outside a worker (setting up, judging) it is just the call."""
        worker = self._current
        if worker is None:
            return call(*arguments, **named)
        if worker.glet in self._dead:
            raise Crash
        self.steps += 1
        self.now += self._step
        self._until_switch -= 1
        if self._until_switch < 0:
            self._until_switch = self.choices.jump(self.faults.switch)
            self.yield_()
        self._until_fault -= 1
        fault = ""
        if self._until_fault < 0:
            self._until_fault = self.choices.jump(self.faults.rate)
            fault = self.faults.kinds[self.choices.below(len(self.faults.kinds))]
        self._trace.update(b"%d %b %b;" % (worker.number, label, fault.encode()))
        if not fault:
            return call(*arguments, **named)
        return self._faulty(fault, call, arguments, named)

    def yield_(self) -> None:
        """Let the others run."""
        worker = self._current
        if worker is None:
            return
        worker.glet.parent.switch()
        self._current = worker

    def pass_(self, span: timedelta) -> None:
        """This worker hangs for `span` while the others go on."""
        self.now += span
        self._trace.update(b"pause;")
        self.yield_()

    def die(self) -> None:
        """The worker's process is gone."""
        worker = self._current
        assert worker is not None
        self.crashes += 1
        self._dead.add(worker.glet)
        raise Crash

    def _faulty(self, fault: str, call: Callable[..., Any], arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
        if fault == THROTTLE:
            raise TryLater("throttled", code="throttled")
        if fault == CRASH_BEFORE:
            self.die()
        if fault == PAUSE:
            self.pass_(self.faults.pause)
        result = call(*arguments, **named)
        if fault == CRASH_AFTER:
            self.die()
        if fault == LOST_ANSWER:
            raise TryLater("no answer in time", code="timed_out")
        return result

    def _resume(self, worker: Worker) -> None:
        self._current = worker
        try:
            worker.glet.switch()
        except Crash:
            self._ended(worker)
            self._trace.update(b"%d dead;" % worker.number)
        except Exception as error:
            self._ended(worker)
            self._trace.update(b"%d %b;" % (worker.number, type(error).__name__.encode()))
            worker.ended(error)
        else:
            if worker.glet.dead:
                self._ended(worker)
                worker.ended(None)
        self._current = None

    def _ended(self, worker: Worker) -> None:
        self._running.remove(worker)
        self._dead.discard(worker.glet)
        self._current = None


class Stepping:
    """A port whose every call is a step."""

    def __init__(self, kernel: Kernel, name: str, port: Any) -> None:
        self._kernel, self._name, self._port = kernel, name, port

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._port, method)
        if callable(found):
            found = self._kernel.stepped(f"{self._name}.{method}", found)
            self.__dict__[method] = found
        return found

"""An SQS queue with its Lambda mapping, one entry a delivery: at least once, in no order, dead letters after so many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any

from tests.simulation.kernel import NEVER, Kernel

from regulars.adapters.memory.queues import MemoryQueue
from regulars.adapters.queues.visibility import wait_seconds
from regulars.errors import TryLater


@dataclass(slots=True, eq=False)
class Entry:
    """`turn`: which of its times in hiding counts; one that came later undoes those before."""

    message: Any
    receives: int = 0
    deleted: bool = False
    turn: int = 0


class Line:
    """Implements `regulars.queues.Queue` and `Source`. `handle` gets each message and how often it was received; set it before
    the kernel runs. What fails with TryLater comes again a little later, other failures after the visibility time-out.

    `visibility`: how long a received entry is hidden; `most`: receives before it is a dead letter.
    """

    def __init__(self, kernel: Kernel, name: str, *, visibility: timedelta = timedelta(seconds=180), most: int = 5) -> None:
        self._kernel, self.name = kernel, name
        self._visibility, self._most = visibility, most
        self._visible: list[Entry] = []
        self._hidden: list[tuple[datetime, int, int, Entry]] = []
        self._put = 0
        self._taken = MemoryQueue()
        self.handle: Callable[[Any, int], object] = lambda message, tries: None
        self.dead: list[Any] = []
        self.deliveries = 0
        self.endings: Counter[str] = Counter()

    def send(self, messages: Sequence[Any], delay_seconds: int = 0) -> None:
        self._taken.send(messages, delay_seconds)
        self._taken.sent.clear()
        self.put(messages, timedelta(seconds=delay_seconds))

    def put(self, messages: Sequence[Any], delay: timedelta = timedelta()) -> None:
        for message in messages:
            self._hide(Entry(message), self._kernel.now + delay)

    def redrive(self) -> int:
        """Every dead letter once more; how many."""
        letters, self.dead = self.dead, []
        self.put(letters)
        return len(letters)

    def next_at(self) -> datetime:
        if self._visible:
            return self._kernel.now
        return self._hidden[0][0] if self._hidden else NEVER

    def start(self) -> None:
        now, faults, choices = self._kernel.now, self._kernel.faults, self._kernel.choices
        while self._hidden and self._hidden[0][0] <= now:
            _, _, turn, entry = heappop(self._hidden)
            if entry.deleted or turn != entry.turn:
                continue
            if entry.receives >= self._most:
                entry.deleted = True
                self.dead.append(entry.message)
            else:
                self._visible.append(entry)
        if not self._visible:
            return
        place = choices.below(len(self._visible))
        entry = self._visible[place]
        self._visible[place] = self._visible[-1]
        self._visible.pop()
        if entry.deleted:
            return
        entry.receives += 1
        self.deliveries += 1
        beside = choices.chance(faults.beside)
        self._hide(entry, now if beside else now + self._visibility)
        tries = entry.receives
        self._kernel.spawn(self.name, lambda: self.handle(entry.message, tries), lambda error: self._ended(entry, error))

    def _ended(self, entry: Entry, error: BaseException | None) -> None:
        self.endings[type(error).__name__ if error else "done"] += 1
        if error is None:
            entry.deleted = entry.deleted or not self._kernel.choices.chance(self._kernel.faults.again)
        elif isinstance(error, TryLater) and not entry.deleted and entry not in self._visible:
            chance = self._kernel.choices.below(100) / 100
            wait = wait_seconds(entry.receives, error.retry_after_seconds, chance)
            self._hide(entry, self._kernel.now + timedelta(seconds=wait))

    def _hide(self, entry: Entry, until: datetime) -> None:
        self._put += 1
        entry.turn += 1
        heappush(self._hidden, (until, self._put, entry.turn, entry))

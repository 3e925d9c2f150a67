"""One shopper's timers while a plan is made: rules change it, the difference is what is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from regulars.triggers.model import Timer


@dataclass(frozen=True, slots=True)
class Plan:
    """`sets`: timers to write or move. `cancels`: (shopper, kind, subject) to forget."""

    sets: tuple[Timer, ...] = ()
    cancels: tuple[tuple[str, str, str], ...] = ()


class Agenda:
    """Timers by key. `known` includes fired ones, whose due instant lies in the past."""

    def __init__(self, shopper: str, known: Sequence[Timer], now: datetime) -> None:
        self.shopper = shopper
        self.now = now
        self._before = {timer.key: timer for timer in known}
        self._timers = dict(self._before)
        self._left: list[Timer] = []

    def get(self, key: str) -> Timer | None:
        return self._timers.get(key)

    def of(self, *kinds: str) -> list[Timer]:
        """Timers of these kinds, the latest deed first."""
        found = (timer for timer in self._timers.values() if timer.kind in kinds)
        return sorted(found, key=lambda timer: timer.occurred_at, reverse=True)

    def fired(self, timer: Timer) -> bool:
        """It was due before this plan: it has fired, or the tick is about to."""
        return timer.due_at <= self.now and self._before.get(timer.key) is timer

    def waiting(self, kind: str) -> Timer | None:
        """A timer of this kind that has not fired."""
        return next((timer for timer in self.of(kind) if not self.fired(timer)), None)

    def put(self, timer: Timer) -> None:
        """Add or change; what is due already is due now."""
        self._timers[timer.key] = replace(timer, due_at=max(timer.due_at, self.now))

    def drop(self, timers: Iterable[Timer]) -> None:
        for timer in timers:
            self._timers.pop(timer.key, None)

    def join(self, others: Sequence[Timer], single: Sequence[str]) -> None:
        """Take over what waits for another key of the same shopper; of a `single` kind only where none waits here."""
        for timer in others:
            self._left.append(timer)
            if timer.due_at <= self.now or timer.key in self._timers:
                continue
            if timer.kind not in single or self.waiting(timer.kind) is None:
                self.put(replace(timer, shopper=self.shopper))

    def forget(self, grace: timedelta) -> None:
        """Drop what a store's expiry should have removed long ago: expiry is a convenience, not the truth."""
        self.drop([timer for timer in self._timers.values() if timer.forget_at + grace < self.now])

    def plan(self) -> Plan:
        """The difference to what is stored; nothing for what did not change."""
        sets = tuple(timer for key, timer in self._timers.items() if self._before.get(key) != timer)
        gone = [timer for key, timer in self._before.items() if key not in self._timers] + self._left
        return Plan(sets, tuple((timer.shopper, timer.kind, timer.subject) for timer in gone))

"""What was learned of rebuying, for readers that are asked at every call: in memory, and renewed now and then. No numpy."""

from __future__ import annotations

from datetime import datetime

from regulars.clock import Clock
from regulars.errors import GiveUp, TryLater
from regulars.needs.model import CURRENT_KEY, named
from regulars.needs.rebuying import Rebuying
from regulars.storage import Storage


class RebuyingReader:
    """Keeps the newest model's part; looks for a newer one at most every `check_seconds` of `clock`, and reads a version once.

    What was read stays in use while the store is unreadable, but not beside a newer model that is damaged: that raises.
    """

    def __init__(self, storage: Storage, clock: Clock, check_seconds: int) -> None:
        self._storage = storage
        self._clock = clock
        self._check_seconds = check_seconds
        self._checked_at: datetime | None = None
        self._pointed: bytes | None = None
        self._known: Rebuying | GiveUp | None = None

    def __call__(self) -> Rebuying | None:
        """None before the first build. Raises GiveUp(broken_model) as long as the current model is damaged, and TryLater when
        the store cannot be read and nothing is known yet."""
        now = self._clock()
        # A virtual clock may be turned back; then the check is due again.
        if self._checked_at is None or not 0 <= (now - self._checked_at).total_seconds() < self._check_seconds:
            self._refresh()
            self._checked_at = now
        if isinstance(self._known, GiveUp):
            raise self._known
        return self._known

    def _refresh(self) -> None:
        try:
            pointer = self._storage.get(CURRENT_KEY)
            if pointer != self._pointed:
                self._known = _read(self._storage, pointer)
                self._pointed = pointer
        except TryLater:
            if self._known is None:
                raise


def _read(storage: Storage, pointer: bytes | None) -> Rebuying | GiveUp | None:
    if pointer is None:
        return None
    try:
        return named(storage, pointer).rebuying
    except GiveUp as error:
        return error

"""What a process knows of pauses: read again when it is older than so many seconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from regulars.channels.ports import Pauses
from regulars.clock import Clock, system_clock


class KnownPauses:
    """`standing` as `regulars.channels.ports.Pauses`, at most `seconds` old. The clock is real: a shop's may stand still."""

    def __init__(self, pauses: Pauses, seconds: float, clock: Clock = system_clock) -> None:
        self._pauses, self._keeps, self._clock = pauses, timedelta(seconds=seconds), clock
        self._known: Mapping[str, str] = {}
        self._read_at: datetime | None = None

    def standing(self) -> Mapping[str, str]:
        """Channel → why its marketing stands still."""
        now = self._clock()
        if self._read_at is None or not now - self._read_at < self._keeps:
            self._known, self._read_at = self._pauses.standing(), now
        return self._known

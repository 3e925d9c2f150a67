"""Suppressed addresses in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from regulars.decisions.addresses import normalised


class MemorySuppressions:
    """Implements `regulars.decisions.ports.Suppressions`."""

    def __init__(self) -> None:
        self._reasons: dict[tuple[str, str], str] = {}
        self._said_at: dict[tuple[str, str], datetime] = {}

    def add(self, channel: str, address: str, *, reason: str, now: datetime) -> None:
        key = (channel, normalised(channel, address))
        if self._reasons.setdefault(key, reason) == reason:
            self._said_at[key] = max(now, self._said_at.get(key, now))

    def reason(self, channel: str, address: str) -> str:
        return self._reasons.get((channel, normalised(channel, address)), "")

    def among(self, addresses: Mapping[str, str]) -> Mapping[str, str]:
        reasons = {channel: self.reason(channel, address) for channel, address in addresses.items()}
        return {channel: reason for channel, reason in reasons.items() if reason}

    def lift(self, channel: str, address: str, *, reason: str, said_at: datetime) -> bool:
        key = (channel, normalised(channel, address))
        if self._reasons.get(key) != reason or self._said_at[key] >= said_at:
            return False
        self.remove(channel, address)
        return True

    def remove(self, channel: str, address: str) -> None:
        self._reasons.pop((channel, normalised(channel, address)), None)

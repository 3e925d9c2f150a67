"""Suppressed addresses in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from regulars.decisions.addresses import normalised


class MemorySuppressions:
    """Implements `regulars.decisions.ports.Suppressions`."""

    def __init__(self) -> None:
        self._reasons: dict[tuple[str, str], str] = {}

    def add(self, channel: str, address: str, *, reason: str, now: datetime) -> None:
        self._reasons.setdefault((channel, normalised(channel, address)), reason)

    def reason(self, channel: str, address: str) -> str:
        return self._reasons.get((channel, normalised(channel, address)), "")

    def among(self, addresses: Mapping[str, str]) -> Mapping[str, str]:
        reasons = {channel: self.reason(channel, address) for channel, address in addresses.items()}
        return {channel: reason for channel, reason in reasons.items() if reason}

    def remove(self, channel: str, address: str) -> None:
        self._reasons.pop((channel, normalised(channel, address)), None)

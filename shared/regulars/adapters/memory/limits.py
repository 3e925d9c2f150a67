"""Permits, pauses and health of channels in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from regulars.channels.health import Gauge


class MemoryPermits:
    """Implements `regulars.channels.ports.Permits`. `asked`: how often, in writes."""

    def __init__(self) -> None:
        self.taken: dict[tuple[str, int], int] = {}
        self.asked = 0

    def take(self, channel: str, window: int, most: int) -> bool:
        self.asked += 1
        taken = self.taken.get((channel, window), 0)
        if taken < most:
            self.taken[channel, window] = taken + 1
        return taken < most


class MemoryPauses:
    """Implements `regulars.channels.ports.Pauses`."""

    def __init__(self) -> None:
        self._paused: dict[str, str] = {}

    def standing(self) -> Mapping[str, str]:
        return dict(self._paused)

    def pause(self, channel: str, reason: str, *, at: datetime, detail: str = "") -> bool:
        if channel in self._paused:
            return False
        self._paused[channel] = reason
        return True

    def resume(self, channel: str) -> bool:
        return self._paused.pop(channel, None) is not None


class MemoryGauges:
    """Implements `regulars.channels.ports.Gauges`."""

    def __init__(self) -> None:
        self._gauges: dict[str, Gauge] = {}

    def load(self, channel: str) -> Gauge:
        return self._gauges.get(channel) or Gauge(channel=channel)

    def save(self, gauge: Gauge) -> bool:
        if self.load(gauge.channel).version != gauge.version:
            return False
        self._gauges[gauge.channel] = replace(gauge, version=gauge.version + 1)
        return True

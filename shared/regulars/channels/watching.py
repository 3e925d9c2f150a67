"""Watches the health of channels in the ledger's stream, and pauses the marketing of one that draws too many reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from regulars.channels.config import Health
from regulars.channels.health import Gauge, Tick, counted, ticks, too_many
from regulars.channels.ports import Gauges, Pauses
from regulars.clock import Clock
from regulars.decisions.model import Message
from regulars.errors import TryLater

CHANNEL_PAUSED = "ChannelPaused"
"""Name of the metric."""
_TRIES = 5


class WatchHealth:
    """`tell` is called with (channel, reason, figures) when this pauses it.

    One write a channel and batch, of an item of some 8 KB: 0.1 write units a message in batches of a hundred. Streams hand a
    channel's messages to a few workers at once; they meet at the record's version.
    """

    def __init__(
        self, gauges: Gauges, pauses: Pauses, config: Health, clock: Clock, tell: Callable[[str, str, str], None]
    ) -> None:
        self._gauges, self._pauses, self._config, self._clock, self._tell = gauges, pauses, config, clock, tell

    def __call__(self, steps: Iterable[tuple[Message | None, Message]]) -> None:
        """Steps of the ledger, (before, after). Raises TryLater when others keep writing: the batch comes again."""
        found: dict[str, list[Tick]] = {}
        for old, new in steps:
            if of_this := ticks(old, new):
                found.setdefault(new.channel, []).extend(of_this)
        for channel, news in found.items():
            self._judge(self._count(channel, news))

    def _count(self, channel: str, news: list[Tick]) -> Gauge:
        for _ in range(_TRIES):
            gauge = self._gauges.load(channel)
            after = counted(gauge, news, self._config)
            if after == gauge or self._gauges.save(after):
                return after
        raise TryLater("the gauge of a channel keeps changing", code="busy")

    def _judge(self, gauge: Gauge) -> None:
        reason, figures = too_many(gauge, self._config)
        if reason and self._pauses.pause(gauge.channel, reason, at=self._clock(), detail=figures):
            self._tell(gauge.channel, reason, figures)


def start_afresh(gauges: Gauges, pauses: Pauses, channel: str) -> bool:
    """The operator resumes marketing: what was counted is forgotten first, so that it does not pause again at once. False
    when the channel was not paused."""
    for _ in range(_TRIES):
        gauge = gauges.load(channel)
        if gauge.version == 0 or gauges.save(Gauge(channel=channel, version=gauge.version)):
            return pauses.resume(channel)
    raise TryLater("the gauge of a channel keeps changing", code="busy")

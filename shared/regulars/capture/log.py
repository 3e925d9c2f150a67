"""The log of events: what was applied, in units, by shopper and time of receipt. It is the truth; the archive is a copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Protocol

from regulars.capture.model import Event


class EventLog(Protocol):
    def append(self, shopper: str, unit_id: str, received_at: datetime, events: Sequence[Event], keep_days: int) -> None:
        """Put the unit; the same unit again replaces itself, and the stream then tells nothing new.

        `keep_days` after receipt it may be forgotten.
        """

    def holds(self, shopper: str, unit_id: str, received_at: datetime) -> bool:
        """Whether the unit is in, strongly consistent."""

    def read(self, shopper: str, since: datetime) -> Iterator[Event]:
        """The shopper's events received since, oldest first; those of anonymous shoppers who joined lie under their ids."""

    def day(self, day: date) -> Iterator[Event]:
        """Everybody's events received on the day (UTC), in no order; a scan, for operator's tools."""

    def delete_before(self, before: datetime, limit: int) -> int:
        """Delete units received before, at most `limit` a call; how many. A scan, for retention."""

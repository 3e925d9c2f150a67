"""What erasure needs of the world."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Protocol

from regulars.profiles.writing import Stored


class Forgetting(Protocol):
    """Anything that keeps records by shopper."""

    def forget(self, shopper: str) -> int:
        """Delete all that is kept of the shopper; how many records. Repeating it deletes what has come since."""


class Histories(Protocol):
    """The profiles, as far as erasure goes."""

    def everything(self, shopper: str) -> Stored:
        """Record, orders and the anonymous shoppers who joined."""

    def bury(self, shopper: str, until: datetime) -> None:
        """Remember, by a hash, that nothing may be kept of the shopper until then."""

    def erased(self, shopper: str, now: datetime) -> bool:
        """Whether the shopper was erased, and that still holds; strongly consistent."""

    def forget(self, shopper: str) -> int: ...


class Log(Protocol):
    """The log of events, as far as erasure goes."""

    def days(self, shopper: str) -> Collection[date]:
        """On which days (UTC) units of the shopper were received."""

    def forget(self, shopper: str) -> int: ...


class Rejected(Protocol):
    """The quarantine, as far as erasure goes."""

    def forget_mentions(self, ids: Collection[str]) -> int:
        """Delete records in whose entry one of these user or anonymous ids stands; how many."""

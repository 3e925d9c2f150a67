"""What triggers need: the due index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """Due work of one shopper. `key` = `<kind>#<subject>`; one timer per shopper and key, setting it again moves it."""

    shopper: str
    kind: str
    subject: str
    due_at: datetime
    occurred_at: datetime
    expires_at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.kind}#{self.subject}"


class Timers(Protocol):
    """The due index: a partition per day and shard, ordered by due instant; plus one pointer per shopper and key."""

    def set(self, timer: Timer) -> None:
        """Write or move; idempotent."""

    def cancel(self, shopper: str, kinds: Sequence[str], *, subject: str | None = None) -> int:
        """Remove the shopper's timers of these kinds (of this subject); how many there were."""

    def pending(self, shopper: str) -> Sequence[Timer]: ...

    def due(self, shard: int, after: datetime, until: datetime, limit: int) -> Sequence[Timer]:
        """Timers of the shard with after < due_at <= until, oldest first."""

    def done(self, timer: Timer) -> None:
        """Remove a fired timer unless it was moved meanwhile."""

    def watermark(self, shard: int) -> datetime | None: ...

    def advance(self, shard: int, to: datetime) -> None:
        """Raise the shard's watermark; never lowers it."""

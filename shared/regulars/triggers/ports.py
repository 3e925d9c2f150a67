"""What triggers need: the due index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from regulars.triggers.model import Timer

__all__ = ["DuePage", "Timer", "Timers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePage:
    """Part of a shard's due timers, oldest first. `cursor` continues after them; empty when all were read.

    `stale` counts entries of cancelled or moved timers that were met and cleared away.
    """

    timers: Sequence[Timer]
    cursor: str = ""
    stale: int = 0


class Timers(Protocol):
    """The due index: partitions by due day and shard, ordered by due instant; plus one pointer per shopper and key.

    The pointer is the truth and an index entry only a hint: an entry fires while the pointer names its instant. So a crash
    between two writes, or any interleaving of set, cancel and tick, can leave a stale entry (cleared when it comes due)
    but never fires what was cancelled before the tick read it, nor loses what was set.
    """

    def set(self, timer: Timer) -> None:
        """Write or move; idempotent. A caller that fails half-way must repeat it. `due_at` must not lie in the past by more
        than the tick's overlap: use `max(due, now)`."""

    def cancel(self, shopper: str, kinds: Sequence[str], *, subject: str | None = None) -> int:
        """Forget the shopper's timers of these kinds (of this subject), fired ones too; how many there were."""

    def known(self, shopper: str) -> Sequence[Timer]:
        """Timers set and not cancelled, by due instant; fired ones (due in the past) until they are forgotten. Consistent."""

    def due(self, shard: int, after: datetime, until: datetime, limit: int, cursor: str = "") -> DuePage:
        """At most `limit` timers of the shard with after < due_at <= until that have not fired."""

    def done(self, shard: int, timers: Sequence[Timer]) -> None:
        """These, read from this shard, have fired: out of the index unless moved meanwhile; they stay known."""

    def watermarks(self) -> Mapping[int, datetime]:
        """How far each shard was read; shards never read are left out."""

    def advance(self, shard: int, to: datetime) -> None:
        """Raise the shard's watermark; never lowers it."""

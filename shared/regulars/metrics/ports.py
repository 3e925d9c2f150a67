"""What metrics needs to keep: counters that a repeat does not move, and sketches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from regulars.metrics.counts import CountKey, Counts
from regulars.metrics.sketch import Sketch


@dataclass(frozen=True, slots=True)
class Entry:
    """The counts of one stream record, with the two things that are the same whenever it is delivered."""

    sequence: str
    created_at_s: int
    counts: Counts


class Counters(Protocol):
    def add_once(self, stream: str, entries: Sequence[Entry]) -> int:
        """Add the counts of the entries whose record was not counted before, each exactly once however batches are cut,
        repeated or overlap; how many were new. Raises TryLater, and then the whole batch may come again."""

    def read(self, day_from: date, day_to: date) -> Mapping[CountKey, int]:
        """Every counter of the days, both included."""


class Sketches(Protocol):
    def add(self, day: date, name: str, members: Iterable[str]) -> None:
        """Put members into the day's sketch; idempotent."""

    def read(self, name: str, day_from: date, day_to: date) -> Sketch:
        """The union of the days, both included."""

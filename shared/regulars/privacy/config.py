"""The section `privacy` of shop.yaml."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retention:
    """Days after receipt, and how many log items one daily run deletes at most (the rest waits for the next)."""

    events_days: int
    archive_days: int
    deletions_per_run: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """`refuse_days`: how long late events of an erased shopper are turned away; `settle_minutes`: how old an erasure is, at
    least, when the daily run deletes what was under way meanwhile."""

    refuse_days: int
    settle_minutes: int


@dataclass(frozen=True, slots=True)
class Privacy:
    """The section `privacy`."""

    retention: Retention
    erasure: Erasure

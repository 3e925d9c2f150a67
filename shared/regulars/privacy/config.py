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
class Privacy:
    """The section `privacy`."""

    retention: Retention

"""Deletes what has outlived its retention. DynamoDB's TTL may be days late and is off on some stacks: this is the promise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from regulars.capture.archive import days_before
from regulars.capture.log import EventLog
from regulars.clock import Clock
from regulars.privacy.config import Retention
from regulars.storage import Storage


class Expiring(Protocol):
    def delete_expired(self, now: datetime, limit: int) -> int:
        """Delete records whose `expires_at` has passed, at most `limit`; how many."""


class EnforceRetention:
    """One daily run: erasures to be finished, log, quarantine, archive. Bounded: what one run leaves, the next takes."""

    def __init__(
        self,
        *,
        log: EventLog,
        quarantine: Expiring,
        storage: Storage,
        config: Retention,
        clock: Clock,
        erasures: Callable[[], int],
    ) -> None:
        self._log = log
        self._quarantine = quarantine
        self._storage = storage
        self._config = config
        self._clock = clock
        self._erasures = erasures

    def __call__(self) -> Mapping[str, int]:
        """How many erasures were finished and units, quarantined entries and archive objects went."""
        now, limit = self._clock(), self._config.deletions_per_run
        return {
            "erasures": self._erasures(),
            "events": self._log.delete_before(now - timedelta(days=self._config.events_days), limit),
            "quarantine": self._quarantine.delete_expired(now, limit),
            "archive": self._delete_archive(now, limit),
        }

    def _delete_archive(self, now: datetime, limit: int) -> int:
        before = (now - timedelta(days=self._config.archive_days)).date()
        old = [key for key, _ in zip(days_before(self._storage, before), range(limit), strict=False)]
        for key in old:
            self._storage.delete(key)
        return len(old)

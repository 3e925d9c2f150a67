"""Where a build runs: in this function, or, for an archive that is too long for it, on many machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from regulars.clock import Clock
from regulars.errors import GiveUp
from regulars.similarity.config import SimilaritySettings
from regulars.similarity.publishing import version_of

_MEGABYTE = 1_000_000
Log = Callable[[str, Mapping[str, Any]], None]


class Bulk(Protocol):
    def start(self, version: str) -> str:
        """Start the build of `version` on many machines and return the run's id; the same version starts one run only.
        Raises Misconfigured, or TryLater when it may work later."""


@dataclass(frozen=True, slots=True)
class BuildWhereItFits:
    """`here` builds in this function. With `bulk`, what does not fit is started there instead: at once above
    `max_archive_megabytes`, else when `here` finds too many interactions. Without, GiveUp(does_not_fit) stays an error.

    The version in bulk is the hour's first instant, so that a retry within the hour joins the run it retries.
    """

    here: Callable[[], Mapping[str, Any]]
    archive_bytes: Callable[[datetime], int]
    bulk: Bulk | None
    settings: SimilaritySettings
    clock: Clock
    log: Log

    def __call__(self) -> Mapping[str, Any]:
        """The summary of the build, or of its start in bulk: `version`, `run`, `why`."""
        if self.bulk is None:
            return self.here()
        found = self.archive_bytes(self.clock() - timedelta(days=self.settings.build.history_days)) // _MEGABYTE
        most = self.settings.bulk.max_archive_megabytes
        if found > most:
            return self._start(self.bulk, f"{found} MB of archive, bulk.max_archive_megabytes is {most}")
        try:
            return self.here()
        except GiveUp as error:
            if error.code != "does_not_fit":
                raise
            return self._start(self.bulk, error.reason)

    def _start(self, bulk: Bulk, why: str) -> dict[str, Any]:
        version = version_of(self.clock().replace(minute=0, second=0, microsecond=0))
        started = {"version": version, "run": bulk.start(version), "why": why}
        self.log("similarity is built in bulk", started)
        return started

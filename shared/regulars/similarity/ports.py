"""What the builds need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from regulars.capture.model import Event
from regulars.catalogue.snapshot import Snapshot
from regulars.similarity.model import Neighbours, Pointer, Popularity


class Archive(Protocol):
    def __call__(self, since: datetime) -> Iterator[Event]:
        """Events received since then, in any order; an event may come twice."""


class ModelStore(Protocol):
    def pointer(self) -> Pointer | None:
        """The live version; None before the first build."""

    def write(self, version: str, rows: Iterable[Neighbours], part: int = 0) -> int:
        """Store the rows of a version that nobody reads yet; returns how many. Writing one again replaces it.

        Who writes a version from several places at once gives each share of the items a `part` number of its own."""

    def flip(self, pointer: Pointer, seen: Pointer | None) -> None:
        """Make the version live; raises Conflict when the live one is no longer `seen`."""

    def roll_back(self) -> Pointer:
        """Make the previous version live again, and the live one the previous; raises NotFound without one."""

    def neighbours(self, version: str, item_ids: Iterable[str]) -> Iterable[Neighbours]:
        """The rows of a version that exist among `item_ids`."""

    def sweep(self, keep: Iterable[str], limit: int) -> int:
        """Delete rows of versions not in `keep`, about `limit` at most; returns how many. The rest falls next time."""

    def put_popularity(self, rows: Iterable[Popularity]) -> None:
        """Replace the rows of these scopes."""

    def popularity(self, scopes: Iterable[str]) -> Iterable[Popularity]:
        """The rows that exist among `scopes`."""


class SearchBuild(Protocol):
    """What the hourly build does for the search: `watching` first, then `publish`."""

    def watching(self, events: Iterable[Event], now: datetime) -> Iterator[Event]:
        """The events, unchanged, while searches are counted."""

    def publish(self, snapshot: Snapshot, heat: Mapping[str, float], now: datetime) -> Mapping[str, Any]:
        """Index the snapshot's items; `heat` is each item's share of the highest popularity. Returns what to report."""

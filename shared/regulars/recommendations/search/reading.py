"""The index in a running function: read when the first search comes, replaced when a new one was published.

What the catalogue has and the published index has not (listed since, or nothing was published yet) is indexed in memory, at
most `live_items` of it. Items that changed their words are found by the new ones after the next hourly build; prices and
stock are those of the catalogue at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from regulars.catalogue.snapshot import Snapshot
from regulars.clock import Clock
from regulars.errors import TryLater
from regulars.recommendations.search.config import SearchSettings
from regulars.recommendations.search.index import Index
from regulars.recommendations.search.indexing import extended
from regulars.recommendations.search.packing import pack, unpack
from regulars.recommendations.service import Log
from regulars.storage import Storage

BODY_KEY = "snapshots/search.bin.gz"
POINTER_KEY = "snapshots/search.json"


def publish(storage: Storage, index: Index) -> int:
    """Write the index, then the pointer to it (nobody looks for what is not there); the number of bytes."""
    body = pack(index)
    storage.put(BODY_KEY, body, "application/gzip")
    pointer = json.dumps({"version": index.version, "items": len(index)})
    storage.put(POINTER_KEY, pointer.encode(), "application/json")
    return len(body)


class IndexReader:
    """Gives the index that fits a snapshot; asks for a newer one at most every `check_seconds` of `clock`.

    What was read stays in use while the store is unreadable, and without any the catalogue itself is indexed.
    """

    def __init__(self, storage: Storage, clock: Clock, check_seconds: int, settings: SearchSettings, log: Log) -> None:
        self._storage = storage
        self._clock = clock
        self._check_seconds = check_seconds
        self._settings = settings
        self._log = log
        self._checked_at: datetime | None = None
        self._pointed = ""
        self._published = Index()
        self._fitting: tuple[Mapping[str, object], Index, Index] | None = None

    def __call__(self, snapshot: Snapshot) -> Index:
        """The index of this snapshot."""
        now = self._clock()
        # A virtual clock may be turned back; then the check is due again.
        if self._checked_at is None or not 0 <= (now - self._checked_at).total_seconds() < self._check_seconds:
            self._refresh()
            self._checked_at = now
        kept = self._fitting
        if kept is None or kept[0] is not snapshot or kept[1] is not self._published:
            self._fitting = kept = (snapshot, self._published, self._fitted(snapshot))
        return kept[2]

    def _refresh(self) -> None:
        try:
            pointer = self._storage.get(POINTER_KEY)
            pointed = pointer.decode("utf-8", "replace") if pointer else ""
            if pointed != self._pointed:
                self._published = unpack(self._storage.get(BODY_KEY) or b"")
                self._pointed = pointed
        except TryLater as error:
            self._log("search index cannot be read: going on with what there is", {"code": error.code, "reason": error.reason})

    def _fitted(self, snapshot: Snapshot) -> Index:
        published = self._published
        if published.snapshot == snapshot.version and published.version:
            return published
        known = frozenset(published.ids)
        missing = [item_id for item_id in snapshot if item_id not in known]
        if not missing:
            return published
        added = [snapshot[item_id] for item_id in islice(missing, self._settings.live_items)]
        fitted = extended(published, added, self._settings)
        fitted.left_out = len(missing) - len(added)
        if fitted.left_out:
            self._log("more new items than are indexed at once: the rest waits for the build", {"left_out": fitted.left_out})
        return fitted

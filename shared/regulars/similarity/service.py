"""The scheduled builds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from regulars.catalogue.ports import Catalogue
from regulars.catalogue.snapshot import publish
from regulars.clock import Clock, to_ms
from regulars.similarity.config import SimilaritySettings
from regulars.similarity.interactions import PURCHASE, Interactions, from_events
from regulars.similarity.kernel import TopK
from regulars.similarity.model import Neighbours, Pointer
from regulars.similarity.popularity import rank
from regulars.similarity.ports import Archive, ModelStore
from regulars.similarity.relations import build_relations, repeat_gaps
from regulars.storage import Storage

Log = Callable[[str, Mapping[str, Any]], None]
"""Told what a build does: a message and its facts."""


@dataclass(frozen=True, slots=True)
class BuildSimilarity:
    """Archive → neighbours under a new version → pointer. The version before the live one stays for going back; older
    ones are deleted at the start of a build, at most `max_deletes` rows at a time.

    What was chosen and counted is written beside, as `builds/similarity/<version>.json`.
    Without interactions the pointer still flips, to a version without rows, so that a reader knows the build ran.
    """

    archive: Archive
    models: ModelStore
    storage: Storage
    settings: SimilaritySettings
    clock: Clock
    log: Log

    def __call__(self) -> dict[str, Any]:
        """Build and publish; returns the summary that is logged. Raises GiveUp(does_not_fit) above the stated size, and
        Conflict when another build flipped the pointer meanwhile (this one's rows fall in a later sweep)."""
        now = self.clock()
        limits = self.settings.build
        seen = self.models.pointer()
        swept = self.models.sweep(_kept(seen), limits.max_deletes)
        data = from_events(self.archive(now - timedelta(days=limits.history_days)), limits.max_interactions)
        if not len(data):
            self.log("no interactions in the archive: publishing an empty model", {"history_days": limits.history_days})
        relations = build_relations(data, self.settings, now)
        version = f"{to_ms(now):013d}"
        written = self.models.write(version, model_rows(data, relations))
        counts = {
            "interactions": len(data),
            "shoppers": len(data.shopper_ids),
            "items": len(data.item_ids),
            "rows": written,
            **{f"{relation}_pairs": len(top.items) for relation, top in relations.items()},
        }
        params = {"kinds": dict(self.settings.kinds), **asdict(self.settings.relations)}
        previous = "" if seen is None else seen.previous if seen.version == version else seen.version
        report = {"version": version, "built_at": now.isoformat(), "counts": counts, "params": params}
        self.storage.put(f"builds/similarity/{version}.json", json.dumps(report).encode(), "application/json")
        self.models.flip(Pointer(version=version, built_at=now, previous=previous, params=params, counts=counts), seen)
        self.log("similarity published", report)
        return {"version": version, "previous": previous, "swept": swept, **counts}


def _kept(seen: Pointer | None) -> tuple[str, ...]:
    return (seen.version, seen.previous) if seen else ()


def model_rows(data: Interactions, relations: Mapping[str, TopK]) -> Iterator[Neighbours]:
    """The rows to store: items that have any neighbour or are rebought, with ids for numbers."""
    gaps = repeat_gaps(data.where(data.kind == PURCHASE))
    for number, item_id in enumerate(data.item_ids):
        named: dict[str, tuple[tuple[str, float], ...]] = {}
        for relation, top in relations.items():
            items, scores = top.of(number)
            if len(items):
                ids = (data.item_ids[other] for other in items.tolist())
                named[relation] = tuple(zip(ids, scores.tolist(), strict=True))
        if named or number in gaps:
            yield Neighbours(item_id, named, gaps.get(number))


@dataclass(frozen=True, slots=True)
class BuildPopularity:
    """Hourly: the full catalogue snapshot, then popularity rows, each replaced whole."""

    archive: Archive
    models: ModelStore
    catalogue: Catalogue
    storage: Storage
    settings: SimilaritySettings
    clock: Clock
    log: Log

    def __call__(self) -> dict[str, Any]:
        """Build and publish; returns the summary. Raises GiveUp(does_not_fit) above the stated size."""
        now: datetime = self.clock()
        popularity = self.settings.popularity
        snapshot = publish(self.storage, self.catalogue.scan(), now)
        since = now - timedelta(days=popularity.history_days)
        data = from_events(self.archive(since), self.settings.build.max_interactions)
        if not len(data):
            self.log("no interactions lately: popularity is empty, new arrivals stand in", {"since": since.isoformat()})
        rows = rank(data, snapshot, popularity, now)
        self.models.put_popularity(rows)
        return {"items": len(snapshot), "snapshot": snapshot.version, "interactions": len(data), "scopes": len(rows)}

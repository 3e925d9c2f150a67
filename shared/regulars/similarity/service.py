"""The scheduled builds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from regulars.catalogue.ports import Catalogue
from regulars.catalogue.snapshot import load, publish
from regulars.clock import Clock, to_ms
from regulars.similarity.choosing import choose
from regulars.similarity.config import SimilaritySettings
from regulars.similarity.content import content_neighbours, widened
from regulars.similarity.fitting import fit, habit_row, stored
from regulars.similarity.interactions import PURCHASE, Interactions, from_events
from regulars.similarity.kernel import TopK
from regulars.similarity.model import CONTENT, NEW_ARRIVALS, Neighbours
from regulars.similarity.popularity import heat, rank
from regulars.similarity.ports import Archive, ModelStore, SearchBuild
from regulars.similarity.published import published_in
from regulars.similarity.publishing import go_live, kept, version_of
from regulars.similarity.relations import repeat_gaps, support
from regulars.similarity.trials import Watching, on_trial
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
        swept = self.models.sweep(kept(seen), limits.max_deletes)
        data = from_events(self.archive(now - timedelta(days=limits.history_days)), limits.max_interactions)
        if not len(data):
            self.log("no interactions in the archive: publishing an empty model", {"history_days": limits.history_days})
        chosen = choose(data, self.settings, seen, now, self.log, partial(published_in, self.storage))
        tuned = chosen.tuned
        model = fit(data, tuned.settings, to_ms(now), stored(tuned.recipe))
        content = content_neighbours(load(self.storage), data.item_ids, support(data), self.settings.content)
        relations = {name: widened(top, len(content.item_ids)) for name, top in model.relations.items()}
        if len(content.neighbours.items):
            relations[CONTENT] = content.neighbours
        version = version_of(now)
        written = self.models.write(version, model_rows(replace(data, item_ids=content.item_ids), relations))
        self.models.put_popularity([habit_row(data, self.settings.popularity, now)])
        counts = {
            "interactions": len(data),
            "shoppers": len(data.shopper_ids),
            "items": len(data.item_ids),
            "rows": written,
            **{f"{relation}_pairs": len(top.items) for relation, top in relations.items()},
            **content.counts,
        }
        report, previous = go_live(self.models, self.storage, seen, now, chosen.params, counts)
        self.log("similarity published", report)
        return {"version": version, "previous": previous, "swept": swept, **counts}


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
    """Hourly: the full catalogue snapshot, then popularity rows, each replaced whole, then the search index."""

    archive: Archive
    models: ModelStore
    catalogue: Catalogue
    storage: Storage
    settings: SimilaritySettings
    clock: Clock
    log: Log
    search: SearchBuild

    def __call__(self) -> dict[str, Any]:
        """Build and publish; returns the summary. Raises GiveUp(does_not_fit) above the stated size."""
        now: datetime = self.clock()
        popularity = self.settings.popularity
        snapshot = publish(self.storage, self.catalogue.scan(), now)
        since = now - timedelta(days=popularity.history_days)
        watching = Watching(popularity, now)
        events = self.search.watching(watching(self.archive(since)), now)
        data = from_events(events, self.settings.build.max_interactions)
        if not len(data):
            self.log("no interactions lately: popularity is empty, new arrivals stand in", {"since": since.isoformat()})
        rows = [*rank(data, snapshot, popularity, now), *watching.contexts(popularity.keep_per_scope)]
        arrivals = next(row for row in rows if row.scope == NEW_ARRIVALS)
        rows.append(on_trial(arrivals, snapshot, watching, popularity.trials, now))
        self.models.put_popularity(rows)
        counts = {"items": len(snapshot), "snapshot": snapshot.version, "interactions": len(data), "scopes": len(rows)}
        return {**counts, **self.search.publish(snapshot, heat(data, popularity, now), now)}

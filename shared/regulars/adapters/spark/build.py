"""BuildSimilarity on many machines: the same archive, search, relations, rows, report and pointer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from regulars.adapters.spark.engine import Engine
from regulars.catalogue.snapshot import load
from regulars.similarity.blocks import Block, with_more
from regulars.similarity.choosing import Chosen, choose
from regulars.similarity.config import SimilaritySettings
from regulars.similarity.content import Content, content_neighbours, widened
from regulars.similarity.fitting import habit_from, habit_stored, stored
from regulars.similarity.kernel import TopK
from regulars.similarity.model import CONTENT, LINEAR, Pointer
from regulars.similarity.ports import ModelStore
from regulars.similarity.publishing import go_live, kept, version_of
from regulars.similarity.relations import ROWED
from regulars.similarity.service import Log, model_rows
from regulars.similarity.slices import Facts, Plan

if TYPE_CHECKING:
    from pyspark import RDD

    from regulars.similarity.interactions import Interactions


@dataclass(frozen=True, slots=True)
class BuildInBulk:
    """Archive → neighbours under a new version → pointer, as `BuildSimilarity`. `open_models` is called on every worker:
    each block's rows are written where they are made, as a part of the version with the block's number.

    The search runs on the driver, on a share of the shoppers where the log is larger than it may be; linear and content
    neighbours are made there too.
    """

    engine: Engine
    open_models: Callable[[], ModelStore]
    settings: SimilaritySettings
    log: Log

    def __call__(self, now: datetime) -> dict[str, Any]:
        """Build and publish; returns the summary. Raises Conflict when another build flipped the pointer meanwhile."""
        limits, models, storage = self.settings.build, self.open_models(), self.engine.open_storage()
        seen = models.pointer()
        swept = models.sweep(kept(seen), limits.max_deletes)
        slices = self.engine.slices_of(now - timedelta(days=limits.history_days))
        facts = self.engine.facts(slices, self.settings, now)
        if not facts.interactions:
            self.log("no interactions in the archive: publishing an empty model", {"history_days": limits.history_days})
        chosen = self._chosen(slices, facts, seen, now)
        names = stored(chosen.tuned.recipe)
        plan = self.engine.plan(facts, chosen.tuned.settings, now, tuple(name for name in names if name in ROWED))
        content = content_neighbours(load(storage), plan.item_ids, plan.support, self.settings.content)
        linear = self.engine.linear(slices, plan) if LINEAR in names and facts.interactions else None
        more = {name: top for name, top in ((LINEAR, linear), (CONTENT, content.neighbours)) if top is not None}
        written = self._written(slices, plan, content, more, now)
        habit = habit_from(*facts.columns()[1:], self.settings.popularity)
        models.put_popularity([habit_stored(habit, plan.item_ids, now)])
        counts = {
            "interactions": facts.interactions,
            "shoppers": facts.shoppers,
            "items": len(plan.item_ids),
            **written,
            **content.counts,
        }
        report, previous = go_live(models, storage, seen, now, chosen.params, counts)
        self.log("similarity published", report)
        return {"version": report["version"], "previous": previous, "swept": swept, **counts}

    def _chosen(self, slices: RDD[Interactions], facts: Facts, seen: Pointer | None, now: datetime) -> Chosen:
        share = self.settings.tuning.max_interactions / max(1, facts.interactions)
        return choose(self.engine.sample(slices, min(1.0, share)), self.settings, seen, now, self.log)

    def _written(
        self, slices: RDD[Interactions], plan: Plan, content: Content, more: Mapping[str, TopK], now: datetime
    ) -> dict[str, int]:
        """Rows and pairs written: by every block its own items', here those of the items that nobody touched yet."""
        made = self.engine.blocks_of(slices, plan)
        share, version = self.engine.context.broadcast, version_of(now)
        wide = {name: widened(top, len(content.item_ids)) for name, top in more.items()}
        others = share((wide, content.item_ids))
        work = _Write(self.open_models, version, share(plan), share(self.engine.scales(made, plan)), others)
        totals = {f"{name}_pairs": len(top.items) for name, top in more.items()}
        for written in self.engine.each(made, work):
            for name, count in written.items():
                totals[name] = totals.get(name, 0) + count
        untouched = range(len(plan.item_ids), len(content.item_ids))
        rows = with_more((), untouched, wide, content.item_ids)
        totals["rows"] += self.open_models().write(version, rows, part=self.engine.blocks)
        return {name: count for name, count in totals.items() if count or name == "rows"}


@dataclass(frozen=True)
class _Write:
    """One block's rows into the store; a try again writes the same rows again."""

    open_models: Callable[[], ModelStore]
    version: str
    plan: Any  # broadcasts: a Plan,
    scales: Any  # `Engine.scales`,
    more: Any  # (relation → TopK, item ids) of what was made on the driver

    def __call__(self, block: Block) -> Mapping[str, int]:
        found = block.neighbours(self.scales.value, self.plan.value.settings)
        more, item_ids = self.more.value
        rows = with_more(model_rows(block.bought, found), block.items[block.own].tolist(), more, item_ids)
        written = self.open_models().write(self.version, rows, part=block.number)
        return {"rows": written, **{f"{relation}_pairs": len(top.items) for relation, top in found.items()}}

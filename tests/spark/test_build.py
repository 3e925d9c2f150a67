"""The build on many machines gives what the build on one gives, to the last bit of what is stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support import retail
from tests.support.folders import FolderModels, FolderStorage
from tests.support.logs import random_log

from regulars.adapters.spark.build import BuildInBulk
from regulars.adapters.spark.engine import Engine
from regulars.capture import archive
from regulars.capture.model import Event
from regulars.catalogue.model import Item
from regulars.catalogue.snapshot import publish
from regulars.clock import to_ms
from regulars.shop import section
from regulars.similarity.choosing import digest
from regulars.similarity.config import SimilaritySettings
from regulars.similarity.model import LINEAR, Pointer
from regulars.similarity.recipe import Part, Recipe
from regulars.similarity.service import BuildSimilarity
from regulars.similarity.tuning import Tuned

NOW = datetime(2026, 8, 5, 12, tzinfo=UTC)
DEFAULTS = section(SimilaritySettings, "similarity")
SETTINGS = replace(DEFAULTS, tuning=replace(DEFAULTS.tuning, enabled=False))
pytestmark = pytest.mark.spark


@dataclass(frozen=True)
class Shop:
    """The same archive and settings for both builds; their models apart."""

    folder: Path
    context: Any
    settings: SimilaritySettings = SETTINGS

    @property
    def storage(self) -> FolderStorage:
        return FolderStorage(self.folder / "data")

    def models(self, who: str) -> FolderModels:
        return FolderModels(self.folder / who)

    def alone(self, now: datetime = NOW) -> dict[str, Any]:
        read = partial(archive.read, self.storage)
        return BuildSimilarity(read, self.models("alone"), self.storage, self.settings, lambda: now, _quiet)()

    def in_bulk(self, slices: int, blocks: int, now: datetime = NOW) -> dict[str, Any]:
        from pyspark import StorageLevel

        engine = Engine(
            self.context, partial(FolderStorage, self.folder / "data"), StorageLevel.MEMORY_AND_DISK, slices, blocks
        )
        return BuildInBulk(engine, partial(FolderModels, self.folder / "bulk"), self.settings, _quiet)(now)


def _quiet(message: str, facts: Any) -> None:
    pass


def shop_with(folder: Path, context: Any, events: Sequence[Event], settings: SimilaritySettings = SETTINGS) -> Shop:
    """The events archived in several objects that overlap."""
    shop, files = Shop(folder, context, settings), 9
    for number in range(files):
        some = [event for place, event in enumerate(events) if place % files in (number, (number + 1) % files)]
        day = NOW.date() - timedelta(days=number % 3)
        lines = "".join(f"{json.dumps(event.to_wire(), ensure_ascii=False)}\n" for event in some)
        shop.storage.put(f"archive/day={day.isoformat()}/{number:06d}.jsonl.gz", archive.gzip.compress(lines.encode()))
    return shop


@pytest.mark.parametrize(("seed", "slices", "blocks"), [(1, 4, 3), (2, 3, 7)])
def test_the_same_rows_whatever_the_pieces(tmp_path: Path, context: Any, seed: int, slices: int, blocks: int) -> None:
    shop = shop_with(tmp_path, context, random_log(seed, NOW))
    alone, bulk = shop.alone(), shop.in_bulk(slices, blocks)
    assert bulk == alone
    assert shop.models("bulk").rows(bulk["version"]) == shop.models("alone").rows(alone["version"])
    assert shop.models("bulk").pointer() == shop.models("alone").pointer()
    assert shop.models("bulk").popularity() == shop.models("alone").popularity()
    assert alone["rows"] > 30


def test_the_search_and_what_the_catalogue_knows_are_in_it(tmp_path: Path, context: Any) -> None:
    """The same search on the same log; content neighbours, also of items that nobody touched yet."""
    shelf = [Item(item_id=f"item {n} ", title=f"Mug {n % 7} in {n % 3}", category="Mugs", price_cents=900) for n in range(50)]
    settings = replace(SETTINGS, tuning=replace(SETTINGS.tuning, enabled=True, rounds=1, questions=100, least_questions=9))
    shop = shop_with(tmp_path, context, random_log(3, NOW), settings)
    publish(shop.storage, shelf, NOW)
    alone, bulk = shop.alone(), shop.in_bulk(3, 2)
    assert bulk == alone
    assert bulk["content_new_reached"] > 0
    pointer = shop.models("bulk").pointer()
    assert pointer is not None
    assert (pointer, "recipe" in pointer.params) == (shop.models("alone").pointer(), True)
    assert shop.models("bulk").rows(bulk["version"]) == shop.models("alone").rows(alone["version"])


@pytest.mark.parametrize("kind", ["ease", "next"])
def test_linear_neighbours_agree_to_rounding(tmp_path: Path, context: Any, kind: str) -> None:
    """Where the recipe that stands has them: their sums run in another order than on one machine."""
    linear = replace(SETTINGS.relations.linear, kind=kind, max_items=30, min_share=0.1, penalty=5.0)
    settings = replace(SETTINGS, relations=replace(SETTINGS.relations, linear=linear))
    shop = shop_with(tmp_path, context, random_log(3, NOW), settings)
    tuned = Tuned(settings, Recipe(parts={LINEAR: Part(weight=1.0)}), 0.1, questions=50)
    params = {**tuned.report(), "settings": digest(settings), "searched_at": to_ms(NOW)}
    for who in ("alone", "bulk"):
        shop.models(who).flip(Pointer(version="1", built_at=NOW, params=params), None)
    alone, bulk = shop.alone(NOW + timedelta(hours=1)), shop.in_bulk(3, 2, NOW + timedelta(hours=1))
    assert bulk == alone
    assert (bulk["previous"], bulk["linear_pairs"] > 100) == ("1", True)
    wanted, made = shop.models("alone").rows(alone["version"]), shop.models("bulk").rows(bulk["version"])
    assert set(made) == set(wanted)
    for item_id, row in wanted.items():
        ours, theirs = dict(made[item_id].relations), dict(row.relations)
        assert dict(ours.pop(LINEAR, ())) == pytest.approx(dict(theirs.pop(LINEAR, ())), rel=1e-4)
        assert ours == theirs


def test_an_empty_archive_publishes_an_empty_model(tmp_path: Path, context: Any) -> None:
    shop = Shop(tmp_path, context)
    alone, bulk = shop.alone(), shop.in_bulk(3, 2)
    assert bulk == alone
    assert bulk["rows"] == 0
    assert shop.models("bulk").pointer() is not None


def test_a_second_build_keeps_the_way_back(tmp_path: Path, context: Any) -> None:
    shop = shop_with(tmp_path, context, random_log(4, NOW, deeds=100))
    first = shop.in_bulk(2, 2)["version"]
    second = shop.in_bulk(2, 2, NOW + timedelta(days=1))
    assert (second["previous"], second["version"] > first) == (first, True)
    report = json.loads(shop.storage.get(f"builds/similarity/{second['version']}.json") or b"")
    assert report["counts"]["rows"] == second["rows"]


@pytest.mark.skipif(not retail.LINES.exists(), reason=f"Online Retail II is missing: {retail.LINES}")
def test_online_retail(tmp_path: Path, context: Any) -> None:
    """A month of a real shop; `tests/bench/bench_spark.py` compares all of it."""
    shop = Shop(tmp_path, context)
    lines = retail.archive_orders(shop.storage, retail.END - timedelta(days=30))
    alone, bulk = shop.alone(retail.END), shop.in_bulk(4, 4, retail.END)
    assert bulk == alone
    assert alone["interactions"] > 0.9 * lines > 40_000
    assert shop.models("bulk").rows(bulk["version"]) == shop.models("alone").rows(alone["version"])

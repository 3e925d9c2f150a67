"""The build on many machines beside the build on one, on all of Online Retail II: do they agree, and what does each cost?

    python tests/bench/bench_spark.py [--slices N] [--blocks N] [--cores N]

Takes the extra `spark` and Java 17. Both read the same archive, one object a day, and write the same model; Spark runs in
local mode, so that its time is what carrying the data about costs, not what many machines save. Agreement is of the rows
as they are stored: every list with its order and scores.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "shared")]

from tests.support import retail  # noqa: E402
from tests.support.folders import FolderModels, FolderStorage  # noqa: E402

from regulars.adapters.spark.build import BuildInBulk  # noqa: E402
from regulars.adapters.spark.engine import Engine  # noqa: E402
from regulars.capture import archive  # noqa: E402
from regulars.shop import section  # noqa: E402
from regulars.similarity.config import SimilaritySettings  # noqa: E402
from regulars.similarity.model import Neighbours  # noqa: E402
from regulars.similarity.service import BuildSimilarity  # noqa: E402


def main() -> int:
    """0 when all stored rows are the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=8)
    parser.add_argument("--blocks", type=int, default=8)
    parser.add_argument("--cores", type=int, default=2)
    chosen = parser.parse_args()
    if not retail.LINES.exists():
        print(f"bench_spark: skipped, Online Retail II is not at {retail.LINES}")
        return 0
    try:
        import pyspark
    except ImportError:
        print("bench_spark: skipped, pyspark is missing: uv sync --extra spark")
        return 0
    with tempfile.TemporaryDirectory() as place:
        return compare(Path(place), chosen, pyspark)


def compare(place: Path, chosen: argparse.Namespace, pyspark: Any) -> int:
    """Both builds over one archive; prints what was found."""
    storage = FolderStorage(place / "data")
    settings = section(SimilaritySettings, "similarity")
    settings = replace(settings, tuning=replace(settings.tuning, enabled=False))  # the search is the same code on one machine
    lines = retail.archive_orders(storage, retail.END.replace(year=2009))
    size = sum(size for _, size in storage.sizes("archive/")) / 1e6
    print(f"Online Retail II: {lines:,} lines of named buyers, {size:.1f} MB of archive")
    begun = perf_counter()
    one = BuildSimilarity(
        partial(archive.read, storage), FolderModels(place / "one"), storage, settings, lambda: retail.END, _quiet
    )()
    alone = perf_counter() - begun
    print(f"one machine   {alone:6.1f} s  {_told(one)}")
    os.environ |= {"PYTHONPATH": os.pathsep.join((str(ROOT / "shared"), str(ROOT))), "PYSPARK_PYTHON": sys.executable}
    quiet = {"spark.driver.host": "127.0.0.1", "spark.log.level": "ERROR"}
    quiet |= dict.fromkeys(("spark.ui.enabled", "spark.ui.showConsoleProgress"), "false")
    configuration = pyspark.SparkConf().setMaster(f"local[{chosen.cores}]").setAppName("bench").setAll(quiet.items())
    begun = perf_counter()
    with pyspark.SparkContext(conf=configuration) as context:
        ready = perf_counter() - begun
        level = pyspark.StorageLevel.MEMORY_AND_DISK
        engine = Engine(context, partial(FolderStorage, place / "data"), level, chosen.slices, chosen.blocks)
        many = BuildInBulk(engine, partial(FolderModels, place / "many"), settings, _quiet)(retail.END)
    spark = perf_counter() - begun
    print(f"Spark         {spark:6.1f} s  {_told(many)}  ({ready:.1f} s of it to start, {chosen.cores} cores)")
    print(f"Spark takes {spark / alone:.1f} times as long here")
    return agreement(FolderModels(place / "one").rows(one["version"]), FolderModels(place / "many").rows(many["version"]))


def agreement(one: dict[str, Neighbours], many: dict[str, Neighbours]) -> int:
    """Prints how many lists are the same; 0 when all are."""
    lists = [(item_id, relation) for item_id, row in one.items() for relation in row.relations]
    same = sum(
        item_id in many and many[item_id].relations.get(relation) == one[item_id].relations[relation]
        for item_id, relation in lists
    )
    rows = sum(many.get(item_id) == row for item_id, row in one.items())
    print(f"same lists    {same:,} of {len(lists):,}; same rows {rows:,} of {len(one):,}")
    print(f"rows that Spark alone wrote: {len(many.keys() - one)}")
    return 0 if rows == len(one) == len(many) else 1


def _told(summary: dict[str, Any]) -> str:
    pairs = sum(count for name, count in summary.items() if name.endswith("_pairs"))
    return f"{summary['interactions']:,} interactions, {summary['items']:,} items, {summary['rows']:,} rows, {pairs:,} pairs"


def _quiet(message: str, facts: Any) -> None:
    pass


if __name__ == "__main__":
    sys.exit(main())

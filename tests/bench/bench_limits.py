"""How much one function holds: processor seconds and peak memory of the whole scheduled build, archive to rows, by size.

    python tests/bench/bench_limits.py [--shoppers N …] [--items N] [--searched] [--json FILE]

The archive is written as `capture` writes it, from the shoppers of synthetic.py: 31.7 deeds each, of which 8 in 100 are
carts and 7 in 100 purchases, over two months. The build reads it from files and counts its rows instead of storing them;
S3 and DynamoDB come on top. Each size has a fresh process. The line through the sizes gives the bytes an interaction, and
from those the interactions that fit a function's memory with a fifth of it to spare.
`--searched` also chooses parameters, as the first build of a week does: its time hardly grows with the size.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "shared"), str(HERE)]

from build_engines import peak_bytes  # noqa: E402
from synthetic import ITEMS, matrix  # noqa: E402
from tests.support.folders import FolderStorage  # noqa: E402

from regulars.adapters.memory.models import MemoryModels  # noqa: E402
from regulars.capture import names  # noqa: E402
from regulars.capture.archive import read  # noqa: E402
from regulars.capture.model import Event  # noqa: E402
from regulars.clock import from_ms, to_ms  # noqa: E402
from regulars.shop import section  # noqa: E402
from regulars.similarity.config import SimilaritySettings  # noqa: E402
from regulars.similarity.model import Neighbours  # noqa: E402
from regulars.similarity.service import BuildSimilarity  # noqa: E402

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
DAYS = 60
PER_OBJECT = 20_000
MEMORIES = (3_008, 5_308, 7_076, 10_240)
"""Megabytes: as it is deployed, 3 and 4 processors, and the most Lambda offers."""
SPARE = 0.2

Row = dict[str, Any]


class Counted(MemoryModels):
    """Rows are fitted and counted, not kept: on Lambda they go to DynamoDB."""

    def write(self, version: str, rows: Iterable[Neighbours], part: int = 0) -> int:
        return sum(1 for _ in rows)


def write_archive(shoppers: int, items: int, folder: Path) -> int:
    """Events of a day one object after the other; how many."""
    starts, columns = matrix(shoppers, items)
    dice = np.random.default_rng(5)
    shopper = np.repeat(np.arange(shoppers), np.diff(starts))
    at = to_ms(NOW) - (dice.random(len(columns)) * DAYS * 86_400_000).astype(np.int64)
    order = np.argsort(at)
    kinds = dice.choice(3, len(columns), p=(0.85, 0.08, 0.07))
    for number, part in enumerate(np.array_split(order, -(-len(order) // PER_OBJECT))):
        lines = [
            json.dumps(_event(number * PER_OBJECT + line, *map(int, entry)).to_wire(), separators=(",", ":"))
            for line, entry in enumerate(zip(shopper[part], columns[part], kinds[part], at[part], strict=True))
        ]
        day = from_ms(int(at[part[0]])).date()
        body = gzip.compress("".join(f"{line}\n" for line in lines).encode(), 1)
        FolderStorage(folder).put(f"archive/day={day}/{number:08d}.jsonl.gz", body)
    return len(columns)


def _event(number: int, shopper: int, item: int, kind: int, at_ms: int) -> Event:
    product = {"product_id": f"sku-{item:06d}", "price": 19.9, "quantity": 1}
    name = (names.PRODUCT_VIEWED, names.PRODUCT_ADDED, names.ORDER_COMPLETED)[kind]
    properties = {"order_id": f"o{number}", "products": [product]} if kind == 2 else product
    at = from_ms(at_ms)
    return Event(
        message_id=f"m{number}",
        type="track",
        name=name,
        shopper=f"user:{shopper:07d}",
        user_id=f"{shopper:07d}",
        anonymous_id="",
        at=at,
        received_at=at,
        properties=properties,
    )


def build(folder: Path, searched: bool) -> Row:
    """The build of this process."""
    settings = section(SimilaritySettings, "similarity", {})
    limits = replace(settings.build, max_interactions=10**9)
    settings = replace(settings, build=limits, tuning=replace(settings.tuning, enabled=searched))
    storage, read_at = FolderStorage(folder), 0.0

    def archive(since: datetime) -> Iterator[Event]:
        nonlocal read_at
        yield from read(storage, since)
        read_at = process_time()

    run = BuildSimilarity(archive, Counted(), storage, settings, lambda: NOW + timedelta(hours=1), lambda *_: None)
    begun = process_time()
    counts = run()
    ended = process_time()
    return {
        "interactions": counts["interactions"],
        "items": counts["items"],
        "read_seconds": read_at - begun,
        "build_seconds": ended - read_at,
        "peak_mb": peak_bytes() / 1e6,
    }


def main() -> None:
    """Print the table and what follows from it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shoppers", type=int, nargs="+", default=[8_000, 31_546, 126_000])
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--searched", action="store_true")
    parser.add_argument("--json", type=Path, help="write the table here too")
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.build:
        print(json.dumps(build(chosen.build, chosen.searched)))
        return
    rows = []
    print(f"{'interactions':>12} {'archive MB':>10} {'read s':>7} {'build s':>8} {'peak MB':>8}")
    for shoppers in chosen.shoppers:
        with TemporaryDirectory() as place:
            write_archive(shoppers, chosen.items, Path(place))
            size = sum(path.stat().st_size for path in Path(place).rglob("*.gz"))
            command = [sys.executable, __file__, "--build", place, *(["--searched"] if chosen.searched else [])]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
        row = {**json.loads(done.stdout.splitlines()[-1]), "archive_mb": size / 1e6}
        rows.append(row)
        print(
            f"{row['interactions']:12,} {row['archive_mb']:10.1f} {row['read_seconds']:7.1f} {row['build_seconds']:8.1f}"
            f" {row['peak_mb']:8.0f}"
        )
    if len(rows) > 1:
        tell(rows)
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


def tell(rows: list[Row]) -> None:
    """Bytes an interaction between the last two sizes, and what fits."""
    less, more = rows[-2], rows[-1]
    grown = more["interactions"] - less["interactions"]
    each = (more["peak_mb"] - less["peak_mb"]) * 1e6 / grown
    base = more["peak_mb"] - more["interactions"] * each / 1e6
    busy = sum(more[name] - less[name] for name in ("read_seconds", "build_seconds")) / grown * 1e6
    print(f"{each:.0f} bytes an interaction beside {base:.0f} MB; {busy:.0f} processor seconds a million")
    for memory in MEMORIES:
        print(f"{memory:6} MB hold {(memory * (1 - SPARE) * 1.048576 - base) / each:5.1f} million interactions")


if __name__ == "__main__":
    main()

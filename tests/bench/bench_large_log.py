"""A log of ten million lines on a small machine: seconds and peak memory of `regulars evaluate`, defaults, one processor.

    python tests/bench/bench_large_log.py [--lines N] [--items N] [--protocol P …] [--limit-mb N] [--json FILE]

The CSV has the shoppers and items of synthetic.py, over a year, as `user,item,ts,event`. Every protocol has a fresh process,
whose peak of resident memory is printed. `--limit-mb` takes away what lies above it (RLIMIT_DATA, which also counts memory
that was asked for and never touched): then the command must say so in one line. A machine of that size is better played by a
memory cgroup, where `systemd-run --scope -p MemoryMax=1900M -p MemorySwapMax=0 make bench-large-log` sets one up.
`--repurchase` adds `regulars evaluate-repurchase`.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PATHS = [str(ROOT / "shared"), str(ROOT / "infra" / "ops"), str(HERE)]
sys.path[:0] = PATHS

from synthetic import ITEMS, matrix  # noqa: E402

from regulars.clock import to_ms  # noqa: E402

PROTOCOLS = ("last-one", "time-new", "session-prefix", "next-basket")
ENDS = datetime(2026, 11, 21, tzinfo=UTC)
DAYS = 365
PER_SHOPPER = 31.7
AT_ONCE = 500_000
EVENTS = ("Product Viewed", "Product Added", "Order Completed")


def write_log(path: Path, lines: int, items: int) -> int:
    """Rows in the order of time; how many were written (`lines` at most)."""
    starts, columns = matrix(round(lines / PER_SHOPPER * 1.01), items)
    dice = np.random.default_rng(7)
    shopper = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    at = to_ms(ENDS) - (dice.random(len(columns)) * DAYS * 86_400_000).astype(np.int64)
    kind = dice.choice(3, len(columns), p=(0.85, 0.08, 0.07))
    order = np.argsort(at)[:lines]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("user", "item", "ts", "event"))
        for low in range(0, len(order), AT_ONCE):
            part = order[low : low + AT_ONCE]
            columns_of = (shopper[part].tolist(), columns[part].tolist(), at[part].tolist(), kind[part].tolist())
            writer.writerows((f"u{u}", f"sku-{i}", t, EVENTS[k]) for u, i, t, k in zip(*columns_of, strict=True))
    return len(order)


def run(arguments: list[str], limit_mb: int) -> dict[str, Any]:
    """One command in a process of its own."""

    def small_machine() -> None:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        if limit_mb:
            resource.setrlimit(resource.RLIMIT_DATA, (limit_mb << 20, limit_mb << 20))

    path = os.pathsep.join(PATHS)
    begun = perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "regulars_ops.main", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=small_machine,  # this process has no threads
    ) as process:
        told, said = process.communicate()
    seconds = perf_counter() - begun
    if process.returncode:
        lines = (said or told).strip().splitlines() or ["without a word"]
        return {"seconds": seconds, "failed": f"{lines[-1][:300]} (exit {process.returncode})"}
    return {"seconds": seconds, "told": json.loads(told)}


def main() -> None:
    """Write the log, ask every protocol, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--protocol", nargs="*", choices=PROTOCOLS, default=list(PROTOCOLS))
    parser.add_argument("--repurchase", action="store_true", help="also `regulars evaluate-repurchase`")
    parser.add_argument("--limit-mb", type=int, default=0, help="0: no limit")
    parser.add_argument("--json", type=Path, help="write the table here too")
    parser.add_argument("--log", type=Path, help="measure on this log instead of a synthetic one")
    chosen = parser.parse_args()
    with TemporaryDirectory() as place:
        path = chosen.log or Path(place) / "log.csv"
        if not chosen.log:
            lines = write_log(path, chosen.lines, chosen.items)
            print(f"{lines:,} lines, {path.stat().st_size / 1e6:,.0f} MB of CSV", flush=True)
        commands = {name: ["evaluate", str(path), "--protocol", name, "--json"] for name in chosen.protocol}
        if chosen.repurchase:
            commands["repurchase"] = ["evaluate-repurchase", str(path), "--json"]
        rows = []
        print(f"{'protocol':15} {'seconds':>8} {'peak MB':>8} {'queries':>9} {'NDCG@10':>8}")
        for name, arguments in commands.items():
            done = run(arguments, chosen.limit_mb)
            rows.append({"protocol": name, **done})
            if "failed" in done:
                print(f"{name:15} {done['seconds']:8.0f} failed: {done['failed']}", flush=True)
                continue
            told = done["told"]
            score = f"{told['ndcg@10']:8.4f}" if "ndcg@10" in told else f"{'':8}"
            queries, peak = told.get("queries", ""), told["peak_megabytes"]
            print(f"{name:15} {done['seconds']:8.0f} {peak:8} {queries:>9} {score}", flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    if any("failed" in row for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()

"""Neighbours of every item of a large synthetic matrix: seconds, peak memory and lists, beside two compiled peers.

    python tests/bench/bench_build.py [--users N] [--items N] [--threads N …] [--rounds N] [--small] [--json FILE]

Top-100 cosine on 1,000,000 × 100,000 with 31.7 million interactions (synthetic.py). Every build has a fresh process
(build_engines.py); rounds alternate, the fastest of each counts. Lists are the same when the scores at every rank agree
with implicit's within 1e-5 and nothing that scores above a list's last is missing; ties may swap. `capped` is the option
of the newest 100 items a shopper, and says which share of the full lists it still has.

Then the time of our build over the number of interactions, from a million on: more shoppers, same items, same density.
Peers are in the dependency group `bench` (`uv sync --group bench`); one that is missing is left out.
Goals: 1.5 × as fast as the faster peer at equal threads, no more memory than either, exponent at most 1.1.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from synthetic import ITEMS, matrix  # noqa: E402

KEEP = 100
TOLERANCE = 1e-5
PEERS = ("implicit", "sparse_dot_topn")
OURS = ("regulars", "plain", "capped")
GROWTH = (31_546, 100_000, 316_000)
"""Shoppers: 1, 3.2 and 10 million interactions; the table's own matrix is the last step."""

Row = dict[str, Any]
Lists = tuple[NDArray[Any], NDArray[Any]]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="a tenth of the shoppers")
    parser.add_argument("--json", type=Path, help="write both tables here too")
    chosen = parser.parse_args()
    users = 100_000 if chosen.small else chosen.users
    with TemporaryDirectory() as place:
        folder = Path(place)
        facts = write_matrix(users, chosen.items, folder)
        print("{shoppers:,} × {items:,}, {interactions:,} interactions, {multiply_adds:.3g} multiply-adds".format(**facts))
        rows = list(compare(folder, chosen.items, chosen.threads, chosen.rounds))
        fastest = min(row["seconds"] for row in rows if row["engine"] == "regulars")
        growth = list(grow(folder, chosen.items, users, max(chosen.threads), chosen.rounds))
    if chosen.json:
        chosen.json.write_text(json.dumps({"matrix": facts, "builds": rows, "growth": growth}, indent=1) + "\n", "utf-8")
    print(f"{facts['multiply_adds'] / fastest / 1e9:.2f}e9 multiply-adds of the full product a second")


def write_matrix(users: int, items: int, folder: Path) -> Row:
    """The matrix as files; what it holds."""
    starts, columns = matrix(users, items)
    np.save(folder / "starts", starts)
    np.save(folder / "columns", columns)
    np.save(folder / "items", items)
    squares = float((np.diff(starts).astype(np.float64) ** 2).sum())
    return {"shoppers": users, "items": items, "interactions": len(columns), "multiply_adds": squares}


def run(engine: str, folder: Path, threads: int, lists: Path | None = None) -> Row:
    """One build in a process of its own."""
    command = [sys.executable, str(HERE / "build_engines.py"), engine, str(folder), str(threads), str(KEEP)]
    done = subprocess.run([*command, *([str(lists)] if lists else [])], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{engine}: {done.stderr[-2000:]}")
    answer: Row = json.loads(done.stdout.splitlines()[-1])
    return answer


def compare(folder: Path, items: int, threads: Sequence[int], rounds: int) -> Iterator[Row]:
    """The first table, printed as it grows."""
    peers = [peer for peer in PEERS if find_spec(peer)]
    for peer in sorted(set(PEERS) - set(peers)):
        print(f"{peer} is not installed: uv sync --group bench")
    print(f"{'engine':16} {'threads':>7} {'seconds':>8} {'CPU s':>7} {'peak MB':>8} {'ratio':>6}  same lists as implicit")
    for count in threads:
        best: dict[str, Row] = {}
        for _ in range(rounds):
            for engine in (*peers, *OURS):
                answer = run(engine, folder, count, folder / engine)
                known = best.setdefault(engine, answer)
                known["seconds"] = min(known["seconds"], answer["seconds"])
                known["cpu_seconds"] = min(known["cpu_seconds"], answer["cpu_seconds"])
                known["peak_mb"] = max(known["peak_mb"], answer["peak_mb"])
        yardstick = min((best[peer]["seconds"] for peer in peers), default=math.nan)
        for engine, row in best.items():
            said = verdict(engine, folder, items, peers)
            row |= {"engine": engine, "threads": count, "ratio": yardstick / row["seconds"], "lists": said}
            print(
                f"{engine:16} {count:7} {row['seconds']:8.1f} {row['cpu_seconds']:7.1f} {row['peak_mb']:8.0f}"
                f" {row['ratio']:6.2f}  {said}"
            )
            yield row


def verdict(engine: str, folder: Path, items: int, peers: Sequence[str]) -> str:
    """ "yes" or "no" against implicit's lists; of capped histories the share of the full lists' items that they still have."""
    if engine == "capped":
        full, short = (read_lists(folder / name, items)[0] for name in ("regulars", "capped"))
        return f"{held(full, short)[full >= 0].mean():.2f} of the full lists"
    if "implicit" not in peers:
        return "not compared"
    mine, theirs = (read_lists(folder / name, items) for name in (engine, "implicit"))
    if same_lists(mine, theirs):
        return "yes"
    apart = np.abs(mine[1] - theirs[1]) / np.maximum(theirs[1], np.finfo(np.float64).tiny)
    return f"no, scores differ by up to {apart.max():.1e}"


def read_lists(folder: Path, items: int) -> Lists:
    """(neighbours, scores) as items × KEEP, best first, without the item itself; -1 and 0 where a list ends."""
    starts, found, scores = (np.load(folder / f"{name}.npy") for name in ("starts", "items", "scores"))
    item = np.repeat(np.arange(items), np.diff(starts))
    place = np.arange(len(item)) - starts[item]
    neighbours, values = np.full((items, KEEP + 1), -1), np.zeros((items, KEEP + 1))
    counts = (found != item) & (scores > 0)
    neighbours[item[counts], place[counts]] = found[counts]
    values[item[counts], place[counts]] = scores[counts]
    order = np.argsort(-values, axis=1, kind="stable")[:, :KEEP]
    return np.take_along_axis(neighbours, order, axis=1), np.take_along_axis(values, order, axis=1)


def same_lists(mine: Lists, theirs: Lists) -> bool:
    """Whether all scores agree rank by rank, and each item above a list's last score is in both lists."""
    if not np.allclose(mine[1], theirs[1], rtol=TOLERANCE, atol=0):
        return False
    for (one, scores), (other, _) in ((mine, theirs), (theirs, mine)):
        above = scores > scores[:, -1:] * (1 + 3 * TOLERANCE)
        if not held(one, other)[above & (one >= 0)].all():
            return False
    return True


def held(lists: NDArray[Any], others: NDArray[Any]) -> NDArray[np.bool_]:
    """Which neighbours are in the other list of the same item; -1 in a list that ends early never is."""
    rows = np.arange(len(lists))[:, None] * (len(lists) + 1) + 1
    keys = (rows + np.sort(others, axis=1)).ravel()  # -1 sorts below the row's items and above the last row's
    wanted = rows + lists
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.asarray((keys[places] == wanted) & (lists >= 0))


def grow(folder: Path, items: int, users: int, threads: int, rounds: int) -> Iterator[Row]:
    """The second table: the exponent of each step, and from the first to the last."""
    print(f"{'interactions':>12} {'threads':>7} {'seconds':>8} {'CPU s':>7} {'peak MB':>8}  exponent")
    known: list[Row] = []
    for shoppers in (*(count for count in GROWTH if count < users), users):
        facts = write_matrix(shoppers, items, folder)
        answers = [run("regulars", folder, threads) for _ in range(max(rounds, 1 if shoppers == users else 3))]
        row = {
            "interactions": facts["interactions"],
            "threads": threads,
            "seconds": min(answer["seconds"] for answer in answers),
            "cpu_seconds": min(answer["cpu_seconds"] for answer in answers),
            "peak_mb": max(answer["peak_mb"] for answer in answers),
        }
        row["exponent"] = exponent(known[-1], row) if known else None
        said = f"{row['exponent']:.2f}" if known else ""
        times = f"{row['seconds']:8.2f} {row['cpu_seconds']:7.2f}"
        print(f"{row['interactions']:12,} {threads:7} {times} {row['peak_mb']:8.0f}  {said}")
        known.append(row)
        yield row
    if len(known) > 1:
        print(f"exponent from first to last: {exponent(known[0], known[-1]):.2f}")


def exponent(less: Row, more: Row) -> float:
    """b of seconds ~ interactions^b."""
    return math.log(more["seconds"] / less["seconds"]) / math.log(more["interactions"] / less["interactions"])


if __name__ == "__main__":
    main()

"""`python -m tests.simulation [names …]`: the long form of every promise, on all cores; `make simulate` is the same.

Prints a table and writes .local/simulate.json. After the promises of this package it runs the other simulations and the random
operations on both adapters in their long form. `--seed N name` repeats one world and says what broke in it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.simulation import figures
from tests.simulation.promises import PROMISES
from tests.simulation.tally import Tally, gathered
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[2]
OTHERS = ("tests/simulation", "tests/conformance/test_random_operations.py")
_CHUNKS = 200


def main(arguments: Sequence[str]) -> int:
    """0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"which: {', '.join(PROMISES)}, others; all when none is named"
    )
    parser.add_argument("--short", action="store_true", help="as many worlds as CI runs")
    parser.add_argument("--part", type=float, default=1.0, help="this part of the long form's worlds")
    parser.add_argument("--seed", type=int, help="only this world of the one named promise")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, default=ROOT / ".local" / "simulate.json")
    given = parser.parse_args(arguments)
    unknown = set(given.names) - {*PROMISES, "others"}
    if unknown or (given.seed is not None and len(given.names) != 1):
        parser.error(f"no promise {', '.join(sorted(unknown))}" if unknown else "--seed takes one name")
    if given.seed is not None:
        tally = PROMISES[given.names[0]].world(given.seed)
        print(dict(tally.counts), tally.most, *tally.broken, sep="\n")
        return bool(tally.broken)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    os.environ[figures.FILE] = str(given.json)
    worlds = {name: entry.short if given.short else max(1, round(entry.long * given.part)) for name, entry in PROMISES.items()}
    kept = [_run(name, worlds[name], given.processes) for name in given.names or PROMISES if name in PROMISES]
    if not given.names or "others" in given.names:
        kept.append(_others(given.short))
    print(f"\nfigures in {given.json}")
    return 0 if all(kept) else 1


def _run(name: str, worlds: int, processes: int) -> bool:
    """One promise; a part of the table."""
    promise = PROMISES[name]
    began = time.monotonic()
    total = Tally()
    with multiprocessing.Pool(processes) as pool:
        parts = list(_parts(name, worlds))
        for tally in tqdm(pool.imap_unordered(_part, parts), total=len(parts), desc=name, disable=not sys.stderr.isatty()):
            total.add(tally)
    seconds = round(time.monotonic() - began)
    kept = promise.kept(total)
    counts = {**dict(sorted(total.counts.items())), **{key: round(value, 1) for key, value in total.most.items()}}
    figures.tell(name, says=promise.says, kept=kept, worlds=worlds, seconds=seconds, **counts)
    print(f"\n{name}: {'kept' if kept else 'BROKEN'} in {worlds:,} worlds, {seconds:,} s: {promise.says}")
    for key, count in counts.items():
        print(f"    {count:>14,}  {key}")
    for line in total.broken:
        print(f"    ! {line}")
    sys.stdout.flush()
    return kept


def _parts(name: str, worlds: int) -> Iterator[tuple[str, int, int]]:
    size = max(1, worlds // _CHUNKS)
    return ((name, start, min(start + size, worlds)) for start in range(0, worlds, size))


def _part(part: tuple[str, int, int]) -> Tally:
    name, start, end = part
    return gathered(PROMISES[name].world, range(start, end))


def _others(short: bool) -> bool:
    """The simulations that are tests of their own, in their long form."""
    environment = {**os.environ, "REGULARS_SIMULATE": "" if short else "long"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--ignore",
        "tests/simulation/test_promises.py",
        "--durations",
        "0",
        "-vv",
        *OTHERS,
    ]
    began = time.monotonic()
    code = subprocess.run([*command, "-p", "no:cacheprovider"], cwd=ROOT, env=environment).returncode
    figures.tell("others", kept=code == 0, seconds=round(time.monotonic() - began), command=" ".join(command[1:]))
    return code == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m tests.mutants [names …]`: every planted bug against the tests that must catch it; `make mutants` is the same.

Exit code 0 when all were caught. A name may be a part of one. Writes .local/mutants.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

from tests.mutants.mutant import ROOT, Mutant, Result, copied, tested, tried
from tests.mutants.planted import MUTANTS


def main(arguments: Sequence[str]) -> int:
    """Prints a line a bug; what survives, with the last of its tests' output."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help="bugs whose name holds this; all when none is named")
    parser.add_argument("--list", action="store_true", help="say the names and nothing more")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--json", type=Path, default=ROOT / ".local" / "mutants.json")
    given = parser.parse_args(arguments)
    chosen = [mutant for mutant in MUTANTS if not given.names or any(name in mutant.name for name in given.names)]
    if not chosen:
        parser.error(f"no planted bug is called {', '.join(given.names)}")
    if given.list:
        print(*(mutant.name for mutant in chosen), sep="\n")
        return 0
    began = time.monotonic()
    results = run(chosen, given.processes)
    survived = [result for result in results if not result.caught]
    print(f"\n{len(results) - len(survived)} of {len(results)} planted bugs caught in {time.monotonic() - began:,.0f} s")
    for result in survived:
        print(f"\n--- {result.mutant.name}: {result.verdict}\n{result.output[-2000:]}")
    if not given.names:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        told = {result.mutant.name: {"verdict": result.verdict, "promise": result.mutant.promise} for result in results}
        given.json.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    return 1 if survived else 0


def run(mutants: Sequence[Mutant], processes: int) -> list[Result]:
    """Each worker has a copy of the product of its own, and puts one bug in at a time."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies: Queue[Path] = Queue()
        for number in range(processes):
            copies.put(copied(Path(folder) / str(number)))

        def attempt(mutant: Mutant) -> Result:
            shared = copies.get()
            try:
                result = tried(mutant, shared)
            finally:
                copies.put(shared)
            print(f"{result.verdict:>10}  {mutant.name}  ({mutant.promise})", flush=True)
            return result

        with ThreadPoolExecutor(processes) as pool:
            return list(pool.map(attempt, mutants))


def sound(mutants: Sequence[Mutant]) -> str:
    """What the tests named say of the product without any bug: "" when they pass, as they must for a catch to mean anything."""
    wanted = tuple(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        code, output = tested(wanted, copied(Path(folder)))
    return "" if code == 0 else output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

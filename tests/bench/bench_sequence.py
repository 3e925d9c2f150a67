"""What a sequence model adds to the CPU of one recommendation: the whole handler over recorded I/O, with and without it.

    OPENBLAS_NUM_THREADS=1 python tests/bench/bench_sequence.py [--items 100000] [--dim 64] [--length 50] [--calls 1000]

The model's numbers are random: how long they take does not depend on them. One thread, as a Lambda function of 1 GB has less
than one processor.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2]), *(str(Path(__file__).parents[2] / name) for name in ("shared", "infra/ops"))]

from tests.bench.bench_recommend import fastest_loop, measure  # noqa: E402
from tests.bench.recorded_shop import RECIPE, World  # noqa: E402

from regulars.similarity.model import SEQUENCE, sequence_key  # noqa: E402
from regulars.similarity.recipe import Part  # noqa: E402
from regulars.similarity.sequence import SequenceModel, from_bytes, shapes  # noqa: E402


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--length", type=int, default=50)
    parser.add_argument("--shoppers", type=int, default=500)
    parser.add_argument("--calls", type=int, default=1000)
    chosen = parser.parse_args()
    dice = np.random.default_rng(0)
    made = shapes(chosen.items, chosen.length, chosen.dim, 2)
    arrays = {name: (dice.standard_normal(shape) * chosen.dim**-0.5).astype(np.float32) for name, shape in made.items()}
    names = tuple(f"item-{number:06d}" for number in range(chosen.items))
    body = SequenceModel(names, arrays, 0, 200).to_bytes()
    began = time.process_time()
    from_bytes(body)
    print(f"{len(body) / 1e6:.1f} MB, read in {(time.process_time() - began) * 1000:.0f} ms of CPU, once a version")
    found = {}
    with_model = replace(RECIPE, parts={**RECIPE.parts, SEQUENCE: Part(weight=0.5)})
    for text, recipe in (("without", RECIPE), ("with the sequence model", with_model)):
        world = World(chosen.items, 20, chosen.shoppers, recipe=recipe)
        world.storage.put(sequence_key("1"), body)
        call = world.handler(1_000_000)
        for number in range(chosen.shoppers):
            call(number)
            world.recorded.last.clear()
        found[text] = measure(world, call, chosen.calls)
    for text, entry in found.items():
        print(entry.line(text, fastest_loop()))


if __name__ == "__main__":
    main()

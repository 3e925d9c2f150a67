"""How much CPU one recommendation takes: the whole handler over recorded I/O, a different shopper at every call.

    python tests/bench/bench_recommend.py [--items 100000] [--recent 20] [--calls 3000] [--json FILE]

Recorded means: DynamoDB's HTTP answers are made beforehand as bytes and handed to `http.client` in place of a socket, so that
signing, HTTP, JSON, unpacking, blending, placing and Chalice are all in the figure, and only the kernel and TLS are not. The
recorder's own time is taken off. Time passes at ten calls a second, so that what is the same for everybody is read again as
often as in a busy function. Each item has four relations of 50 to 100 neighbours, cut to the 4 KB of a row.

    warm       every row is in the function's memory; an answer of twenty items
    ten        as warm, an answer of ten items: what the API gives when nobody says how many
    cold       no row is: twenty come with every call (which ids they name was seen before)
    mixed      a new function meets shoppers with long-tailed interest
    sequence   as ten, and as warm, with a trained sequence model in the blend (64 numbers an item)
    unrelated  as warm, with histories and neighbours drawn from the whole catalogue: hardly two lists share an item

Each is measured in a process of its own, as a function has its own: what another handler left of its memory would lie between.

Printed: p50 and p99 in milliseconds of `time.process_time` (goal: ≤ 3 and ≤ 10), and as the yardstick of the same run what
`json.loads` of one call's DynamoDB answers takes by itself and, where it is installed, `implicit`'s `recommend` for the same
histories over the same neighbours. `--json` writes every figure. A Python built with profile-guided optimisation (that of
Debian) is about a tenth faster than one without (pyenv's default).

On a rented machine the other hardware thread of the core may work for somebody else: process time then goes up by half, for
milliseconds or minutes. So a small fixed loop is timed between the calls, and the figures are given twice: of all calls, and of
those around which the loop took at most a fifth more than where it was fastest (its second percentile in the run); a
measurement goes on until there are enough of these. The longer a call, the likelier it is disturbed: the second p99 leans low,
and its goal is held against the first.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tqdm import tqdm

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from tests.bench.recorded_shop import RECIPE, World  # noqa: E402
from tests.support.prices import GB_SECOND, HTTP_API_REQUEST, LAMBDA_REQUEST, READ_UNIT  # noqa: E402

from regulars.shop import section  # noqa: E402
from regulars.similarity.config import SimilaritySettings  # noqa: E402
from regulars.similarity.model import SEQUENCE, sequence_key  # noqa: E402
from regulars.similarity.recipe import Part  # noqa: E402

BILLED_SECONDS, MEMORY_GB = 0.015, 1.0
"""Two reads of about four milliseconds and less than four of work, rounded up."""


_DISTURBED = 1.2
"""The loop around a call took so many times what it takes on a core of its own."""
_ENOUGH, _PATIENCE = 500, 4
"""Calls that had the core to themselves; until there are so many, a measurement goes on, to so many times its calls."""
_LOOPS: list[float] = []
"""Every loop of this run."""


def _loop() -> float:
    """Milliseconds of CPU of a fixed piece of work that needs no memory."""
    began, total = time.process_time(), 0
    for number in range(2000):
        total += number & 7
    _LOOPS.append((time.process_time() - began) * 1000)
    return _LOOPS[-1]


def fastest_loop() -> float:
    """What the loop takes on a core of its own: the second percentile of the run."""
    return percentile(_LOOPS, 0.02)


def percentile(values: list[float], share: float) -> float:
    """The value below which this share lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


@dataclass
class Measured:
    """Milliseconds of CPU a call, in order of calling; read units in all."""

    milliseconds: list[float]
    loops: list[float]
    """The longer of the loops before and after each."""
    units: float = 0.0
    further: list[tuple[float, float]] = field(default_factory=list)
    """(milliseconds, loop) of more calls, for the sake of those that had the core to themselves."""

    def at(self, share: float) -> float:
        """A percentile of all calls."""
        return percentile(self.milliseconds, share)

    def undisturbed(self, fastest: float) -> list[float]:
        """Milliseconds of the calls that had the core to themselves, the loop taking `fastest` there."""
        pairs = [*zip(self.milliseconds, self.loops, strict=True), *self.further]
        return [value for value, loop in pairs if loop <= _DISTURBED * fastest]

    def line(self, name: str, fastest: float) -> str:
        """For people."""
        alone = self.undisturbed(fastest)
        text = f"{name:34} p50 {self.at(0.5):5.2f}  p99 {self.at(0.99):5.2f}  {len(self.milliseconds):5} calls"
        if not alone:
            return f"{text}   core never to itself"
        return f"{text}   p50 {percentile(alone, 0.5):5.2f}  p99 {percentile(alone, 0.99):5.2f}  {len(alone):5} calls"

    @property
    def dollars(self) -> float:
        """Per million answers, with HTTP API and Lambda."""
        reads = self.units / len(self.milliseconds) * READ_UNIT
        return reads + HTTP_API_REQUEST + LAMBDA_REQUEST + BILLED_SECONDS * MEMORY_GB * GB_SECOND


def measure(world: World, call: Callable[[int], Any], calls: int, patience: int = _PATIENCE) -> Measured:
    """One shopper after the other, each once before any comes twice; on until enough had the core to themselves. Units and all
    calls are those of the first round."""
    gc.collect()
    units, first = world.recorded.units, _round(world, call, 0, calls)
    first.units = world.recorded.units - units
    for number in range(1, patience):
        if len(first.undisturbed(fastest_loop())) >= _ENOUGH:
            break
        more = _round(world, call, number * calls, calls)
        first.further += zip(more.milliseconds, more.loops, strict=True)
    return first


def _round(world: World, call: Callable[[int], Any], begin: int, calls: int) -> Measured:
    recorded, taken, loops = world.recorded, [], []
    for number in range(begin, begin + calls):
        before = _loop()
        spent, began = recorded.spent, time.process_time()
        reply = call(number % world.shoppers)
        taken.append((time.process_time() - began - (recorded.spent - spent)) * 1000)
        loops.append(max(before, _loop()))
        recorded.last.clear()
        if reply["statusCode"] != 200:
            raise SystemExit(f"the handler answered {reply}")
    return Measured(taken, loops)


def _warmed(world: World, shoppers: int, calls: int, limit: int = 20) -> Measured:
    """Calls of a function that has met every shopper before."""
    call = world.handler(1_000_000, limit)
    for number in range(shoppers):
        call(number)
        world.recorded.last.clear()
    return measure(world, call, calls)


def yardstick(world: World, calls: int) -> Measured:
    """`json.loads` of what DynamoDB answers to one cold call."""
    taken, call, loops = [], world.handler(0), []
    for number in range(calls):
        world.recorded.last.clear()
        call(number % world.shoppers)
        before, began = _loop(), time.process_time()
        for content in world.recorded.last:
            json.loads(content)
        taken.append((time.process_time() - began) * 1000)
        loops.append(max(before, _loop()))
    return Measured(taken, loops)


def peer(world: World, calls: int) -> Measured | None:
    """implicit's `recommend` of twenty for the same histories over the sum of the same neighbours; None without implicit."""
    try:
        from implicit._nearest_neighbours import NearestNeighboursScorer  # type: ignore[import-not-found]
        from implicit.nearest_neighbours import ItemItemRecommender  # type: ignore[import-not-found]
        from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
    except ImportError:
        return None
    places = [
        (item, other, 1 / (place + 1))
        for item, lists in world.near.items()
        for others in lists.values()
        for place, other in enumerate(others)
    ]
    rows, columns, values = zip(*places, strict=True)
    model = ItemItemRecommender(K=300)
    model.similarity = csr_matrix((values, (rows, columns)), shape=(world.n_items, world.n_items))
    model.scorer = NearestNeighboursScorer(model.similarity)
    taken, loops = [], []
    for number in range(calls):
        history = world.histories[number % world.shoppers]
        asked = csr_matrix(([1.0] * len(history), ([0] * len(history), history)), shape=(1, world.n_items))
        before, began = _loop(), time.process_time()
        model.recommend(0, asked, N=20)
        taken.append((time.process_time() - began) * 1000)
        loops.append(max(before, _loop()))
    return Measured(taken, loops)


def _world(chosen: argparse.Namespace, unrelated: bool = False) -> World:
    return World(chosen.items, chosen.recent, chosen.shoppers, unrelated=unrelated)


def _listening(chosen: argparse.Namespace) -> World:
    """With a sequence model of the settings' size. Its numbers are random: what it names lies all over the catalogue, as far
    apart in memory as can be."""
    import numpy as np  # the other cases do without

    from regulars.similarity.sequence import SequenceModel, shapes

    settings = section(SimilaritySettings, "similarity", {}).sequence
    world = World(
        chosen.items, chosen.recent, chosen.shoppers, recipe=replace(RECIPE, parts={**RECIPE.parts, SEQUENCE: Part(weight=0.5)})
    )
    dice, names = np.random.default_rng(0), tuple(f"item-{number:06d}" for number in range(chosen.items))
    arrays = {
        name: (dice.standard_normal(shape) * settings.dim**-0.5).astype(np.float32)
        for name, shape in shapes(chosen.items, settings.max_length, settings.dim, settings.blocks).items()
    }
    world.storage.put(sequence_key("1"), SequenceModel(names, arrays, 0, settings.keep).to_bytes())
    return world


_CASES: dict[str, Callable[[argparse.Namespace], Measured | None]] = {
    "ten": lambda chosen: _warmed(_world(chosen), chosen.shoppers, chosen.calls, 10),
    "warm": lambda chosen: _warmed(_world(chosen), chosen.shoppers, chosen.calls),
    "cold": lambda chosen: measure(world := _world(chosen), world.handler(0), chosen.calls),
    # later calls are no first ones: patience is of no use
    "mixed": lambda chosen: measure(world := _world(chosen), world.handler(1_000_000), chosen.calls, patience=1),
    "unrelated": lambda chosen: _warmed(_world(chosen, unrelated=True), chosen.shoppers, chosen.calls),
    "sequence": lambda chosen: _warmed(_listening(chosen), chosen.shoppers, chosen.calls, 10),
    "sequence, twenty": lambda chosen: _warmed(_listening(chosen), chosen.shoppers, chosen.calls),
    "json.loads": lambda chosen: yardstick(_world(chosen), min(chosen.calls, 500)),
    "implicit": lambda chosen: peer(_world(chosen), min(chosen.calls, 500)),
}


def _write(measured: Measured | None, file: Path) -> None:
    file.write_text(json.dumps({"measured": measured and asdict(measured), "loops": _LOOPS}), "utf-8")


def _apart(name: str, chosen: argparse.Namespace) -> Measured | None:
    """What a process of its own measures."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "measured.json"
        numbers = [f"--{word}={getattr(chosen, word)}" for word in ("items", "recent", "calls", "shoppers")]
        # A function of 1 GB has less than one processor.
        alone = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        subprocess.run([sys.executable, __file__, f"--case={name}", f"--json={file}", *numbers], check=True, env=alone)
        told = json.loads(file.read_text("utf-8"))
    _LOOPS.extend(told["loops"])
    return Measured(**told["measured"]) if told["measured"] else None


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--recent", type=int, default=20)
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--shoppers", type=int, default=2000)
    parser.add_argument("--json", type=Path, help="write every figure there")
    parser.add_argument("--case", choices=_CASES, help="measure this alone and write it to --json")
    chosen = parser.parse_args()
    if chosen.case:
        _write(_CASES[chosen.case](chosen), chosen.json)
        return
    print(
        f"{chosen.items} items, {chosen.recent} recent ones, {chosen.shoppers} shoppers; Python {' '.join(sys.version.split())}"
    )
    measured = {name: _apart(name, chosen) for name in tqdm(_CASES, unit="case")}
    found = {name: entry for name, entry in measured.items() if entry is not None}
    words = {
        "ten": "rows in memory, ten items",
        "warm": "rows in memory, twenty items",
        "cold": "no row in memory",
        "mixed": "a function's first calls",
        "unrelated": "rows in memory, no two lists alike",
        "sequence": "with a sequence model, ten items",
        "sequence, twenty": "with a sequence model, twenty",
        "json.loads": "json.loads of the answers alone",
        "implicit": "implicit's recommend alone",
    }
    fastest = fastest_loop()
    print(f"{'milliseconds':34} all calls{'':24}   core to itself (the loop takes {fastest:.3f})")
    for name, text in words.items():
        if name in found:
            print(found[name].line(text, fastest))
    for name in ("warm", "cold", "mixed"):
        each = found[name].units / len(found[name].milliseconds)
        print(f"{words[name]:34} {each:5.2f} read units, {found[name].dollars:.2f} USD per million answers")
    alone = {name: entry.undisturbed(fastest) for name, entry in found.items()}
    if all(alone[name] for name in ("json.loads", "ten", "warm", "cold")):
        base = percentile(alone["json.loads"], 0.5)
        ratios = ", ".join(f"{name} {percentile(alone[name], 0.5) / base:.2f}" for name in ("ten", "warm", "cold"))
        print(f"{'median, in json.loads':34} {ratios} (core to itself)")
    if chosen.json:
        document = {
            "items": chosen.items,
            "recent": chosen.recent,
            "goal": {"p50": 3.0, "p99": 10.0},
            "milliseconds": {name: [round(value, 4) for value in entry.milliseconds] for name, entry in found.items()},
            "undisturbed": {name: [round(value, 4) for value in values] for name, values in alone.items()},
            "p50": {name: round(entry.at(0.5), 3) for name, entry in found.items()},
            "p99": {name: round(entry.at(0.99), 3) for name, entry in found.items()},
            "read_units": {name: round(found[name].units / chosen.calls, 3) for name in ("warm", "cold", "mixed")},
            "usd_per_million": {name: round(found[name].dollars, 3) for name in ("warm", "cold", "mixed")},
        }
        chosen.json.write_text(json.dumps(document), "utf-8")


if __name__ == "__main__":
    main()

"""Repurchase on open data: who buys again, when, what, and which categories will be needed; one run, one set of tables.

    python tests/bench/bench_repurchase.py [cdnow] [retail] [groceries] [--json FILE]

Ours: `regulars evaluate-repurchase` with its own defaults, nothing tuned by hand. Cuts of the published figures: 90 days from
1997-10-01 (CDNOW), 2011-09-10 (Online Retail II), 2017-10-01 (Complete Journey); pairs for 14 days from 2011-11-01 and
2017-12-01. Targets: area under the curve of at least .778 / .801 / .889, average precision of at least .450 / .349. The peer is
lifetimes' ModifiedBetaGeoFitter on the same histories: parameters, expected purchases, and time as a ratio.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "shared"), str(ROOT / "infra" / "ops")]

import numpy as np  # noqa: E402
from tests.support.open_data import cdnow, complete_journey, complete_journey_categories, online_retail  # noqa: E402

from regulars.needs import mbg  # noqa: E402
from regulars.needs.config import NeedsSettings  # noqa: E402
from regulars.needs.evaluation import Measured  # noqa: E402
from regulars.needs.expecting import Mbg  # noqa: E402
from regulars.needs.purchases import DAY_MS, Purchases, habits_at  # noqa: E402
from regulars.shop import section  # noqa: E402
from regulars_ops.evaluate_repurchase import evaluate, history_of  # noqa: E402
from regulars_ops.table_times import day_ms  # noqa: E402
from regulars_ops.tables import Table, read_table  # noqa: E402

SETTINGS = section(NeedsSettings, "needs")
HORIZON_DAYS = 90


@dataclass(frozen=True, slots=True)
class Case:
    """One data set, its cuts and its targets (None: none is set)."""

    title: str
    load: Callable[[Path], Path | None]
    cut: str
    pairs_cut: str
    auc: float
    precision: float | None


CASES = {
    "cdnow": Case("CDNOW", cdnow, "1997-10-01", "1997-10-01", 0.778, None),
    "retail": Case("Online Retail II", online_retail, "2011-09-10", "2011-11-01", 0.801, 0.450),
    "groceries": Case("Complete Journey", complete_journey, "2017-10-01", "2017-12-01", 0.889, 0.349),
}
WITHOUT_ITEMS = ("dates", "pairs", "demand")
"""Tables that say nothing where a log names no items."""


def table_of(case: Case, file: Path) -> Table:
    """The table; Complete Journey with its product categories."""
    table = read_table(file)
    if case.load is not complete_journey:
        return table
    known = complete_journey_categories()
    names = sorted({*known.values(), ""})
    place = {name: number for number, name in enumerate(names)}
    of_item = np.array([place[known.get(item, "")] for item in table.item_ids], dtype=np.int32)
    return replace(table, categories=of_item[table.items], category_names=names)


def peer(purchases: Purchases, cut: int) -> dict[str, Any]:
    """lifetimes on the same histories; empty, and said, where it is not installed or does not run."""
    _, habit = habits_at(purchases, cut)
    x, recency, span = habit.purchases - 1, habit.active, habit.span
    begun = perf_counter()
    ours = mbg.fit(x, recency, span, most=SETTINGS.returning.max_histories)
    own = perf_counter() - begun
    try:
        from lifetimes import ModifiedBetaGeoFitter
    except ImportError as error:
        print(f"SKIPPED lifetimes: {error}; `make bench` installs it", file=sys.stderr)
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        begun = perf_counter()
        theirs = ModifiedBetaGeoFitter()
        try:
            theirs.fit(x, recency, span)
        except Exception as error:  # whatever it raises where it does not converge
            print(f"SKIPPED lifetimes: {type(error).__name__}: {str(error)[:100]}", file=sys.stderr)
            return {}
        took = perf_counter() - begun
        told = theirs.conditional_expected_number_of_purchases_up_to_time(HORIZON_DAYS, x, recency, span)
    same = Mbg(*(float(theirs.params_[name]) for name in ("r", "alpha", "a", "b")))
    expected = mbg.expected(same, x, recency, span, HORIZON_DAYS)
    return {
        "ours": [round(value, 3) for value in (ours.r, ours.alpha, ours.a, ours.b)],
        "lifetimes": [round(float(theirs.params_[name]), 3) for name in ("r", "alpha", "a", "b")],
        "largest_difference_at_its_parameters": float(f"{np.nanmax(np.abs(expected - np.asarray(told))):.1e}"),
        "lifetimes_seconds_over_ours": round(took / own, 1),
    }


def bench(case: Case, folder: Path) -> dict[str, Any] | None:
    """The tables of one data set; None where its data is missing, which is said."""
    file = case.load(folder)
    if file is None:
        print(
            f"SKIPPED {case.title}: its data is not on this machine; `make bench` installs what is a package", file=sys.stderr
        )
        return None
    begun = perf_counter()
    history = history_of(table_of(case, file), SETTINGS)
    cut, pairs_cut = (day_ms(text) // DAY_MS for text in (case.cut, case.pairs_cut))
    found = evaluate(history, SETTINGS, cut=cut, pairs_cut=pairs_cut, horizon_days=HORIZON_DAYS)
    tables = {name: table for name, table in found.items() if isinstance(table, Measured) and not _bare(history.item_ids, name)}
    return {
        "data": case.title,
        "seconds": round(perf_counter() - begun, 1),
        "by": history.by,
        **{name: {"rows": table.rows, "facts": table.facts} for name, table in tables.items()},
        "peer": peer(history.purchases, cut),
    }


def _bare(items: list[str], name: str) -> bool:
    return len(items) < 2 and name in WITHOUT_ITEMS


def show(case: Case, made: dict[str, Any]) -> None:
    """One data set for people, its targets beside."""
    print(f"\n{case.title} ({made['seconds']} s): cut {case.cut}, pairs {case.pairs_cut}, demand by {made['by']}")
    for name in ("returns", "values", "dates", "pairs", "demand"):
        if name not in made:
            continue
        rows = made[name]["rows"]
        columns = list(next(iter(rows.values())))
        print(f"  {name:42}" + "".join(f"{column:>18}" for column in columns))
        for row, figures in rows.items():
            print(f"    {row:40}" + "".join(f"{figures[column]:18.3f}" for column in columns))
    facts = made["returns"]["facts"]
    print(f"  MAE of MBG/NBD: {facts['mae_horizon']:.3f} in {HORIZON_DAYS} days, {facts['mae_to_the_end']:.3f} to the end")
    _goal("AUC", made["returns"]["rows"]["chosen"]["auc"], case.auc)
    if case.precision is not None:
        _goal("average precision", made["pairs"]["rows"]["logistic"]["average_precision"], case.precision)
    if "demand" in made:
        published = made["demand"]["rows"]["published"]
        _goal("accuracy, stable needs", published["stable"], 0.85)
        _goal("accuracy, dynamic needs", published["dynamic"], 0.70)
    if made["peer"]:
        print(f"  lifetimes: {made['peer']}")


def _goal(name: str, value: float, target: float) -> None:
    print(f"  {name} {value:.4f}, target {target:.3f}: {'reached' if value >= target else 'MISSED'}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cases", nargs="*", help=", ".join(CASES))
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    if unknown := set(chosen.cases) - set(CASES):
        parser.error(f"no case {', '.join(sorted(unknown))}: {', '.join(CASES)}")
    tables = []
    for name in chosen.cases or CASES:
        made = bench(CASES[name], ROOT / ".local" / "bench")
        if made is not None:
            show(CASES[name], made)
            tables.append(made)
    if chosen.json:
        chosen.json.write_text(json.dumps(tables, indent=1, default=float))


if __name__ == "__main__":
    main()

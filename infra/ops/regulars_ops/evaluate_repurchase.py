"""`regulars evaluate-repurchase`: who buys again, when, and what; on a log of one's own, everything learned before a cut and
asked after it. The figures are those of `regulars.needs.evaluation`; `--export` writes what they can be recomputed from."""

from __future__ import annotations

import argparse
import csv
import json
import math
import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from tqdm import tqdm

from regulars.errors import Invalid
from regulars.needs import demand
from regulars.needs.config import NeedsSettings
from regulars.needs.evaluation import Measured, order_values, who_returns
from regulars.needs.evaluation_demand import demand_ahead, series_for
from regulars.needs.evaluation_items import what_is_rebought, when_it_is_rebought
from regulars.needs.pairs import Lines, lines_of
from regulars.needs.purchases import DAY_MS, Purchases, purchases_of
from regulars.shop import section
from regulars.similarity.interactions import PURCHASE
from regulars_ops.logs import kind_of
from regulars_ops.overrides import overrides_of
from regulars_ops.table_times import day_ms, iso_day
from regulars_ops.tables import NEEDED, OPTIONAL, Table, read_table

PAIRS_DAYS = 30
_TITLES = {
    "returns": "buys again within {horizon} days, cut {cut}",
    "values": "what an order is worth, cut {cut}",
    "dates": "next purchase of an item within ± 7 days, given that it comes, cut {cut}",
    "pairs": "which pairs are bought again within {pairs_horizon} days, cut {pairs_cut}",
    "demand": "purchases {first_day} to {last_day} days ahead, by {by}, cut {cut}: accuracy (1 − WAPE of the window)",
}


@dataclass(frozen=True, slots=True)
class History:
    """The log as purchases, lines and series; `by` says what a series is."""

    purchases: Purchases
    lines: Lines
    series: Callable[[int], demand.Series]
    by: str
    shopper_ids: list[str] = field(repr=False)
    item_ids: list[str] = field(repr=False)
    last_day: int = 0
    first_day: int = 0
    notes: tuple[str, ...] = ()


def add_command(commands: Any) -> None:
    """`regulars evaluate-repurchase FILE`."""
    command = commands.add_parser(
        "evaluate-repurchase", help="who would have bought again, what and when? on a log of your own"
    )
    command.add_argument("file", type=Path, help=f"CSV or Parquet: {', '.join(NEEDED)}[, {', '.join(OPTIONAL)}]")
    command.add_argument("--cut", metavar="DATE", help="learn before, ask from then on; default a horizon before the log ends")
    command.add_argument(
        "--pairs-cut", metavar="DATE", help=f"of the pairs' table; default {PAIRS_DAYS} days before the log ends"
    )
    command.add_argument("--horizon", type=int, default=90, metavar="DAYS", help="of `buys again within`")
    command.add_argument("--column", action="append", default=[], metavar="OURS=THEIRS", help="what the file calls a column")
    command.add_argument("--settings", type=Path, help="a shop.yaml whose `needs` section holds")
    command.add_argument("--json", action="store_true")
    command.add_argument("--export", type=Path, metavar="FILE", help="write table,shopper,item,score,outcome as CSV")
    command.set_defaults(run=run, needs_stack=False)


def run(_: object, chosen: argparse.Namespace) -> int:
    """Evaluate and print; a table that the log does not allow says why, and Invalid is raised when none is left."""
    if chosen.horizon < 1:
        raise Invalid("--horizon must be at least a day", field="horizon")
    started = perf_counter()
    rename = dict(_pair(text) for text in chosen.column)
    settings = section(NeedsSettings, "needs", overrides_of(chosen.settings))
    history = history_of(read_table(chosen.file, rename=rename, show=True), settings)
    cuts = _cuts(chosen, history)
    tables = evaluate(history, settings, cut=cuts[0], pairs_cut=cuts[1], horizon_days=chosen.horizon)
    if all(isinstance(found, str) for found in tables.values()):
        raise Invalid("nothing could be measured: " + "; ".join(f"{name}: {why}" for name, why in tables.items()))
    if chosen.export:
        _export(chosen.export, tables, history)
    told = _wire(tables, history, settings, cuts, chosen.horizon) | {
        "seconds": round(perf_counter() - started, 1),
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(told, ensure_ascii=False, indent=2) if chosen.json else text_of(told))
    return 0


def history_of(table: Table, settings: NeedsSettings) -> History:
    """Purchases of a table. Raises Invalid where ts tells no dates, where events are named and none is a purchase, and where
    everything happens on one day."""
    if not table.dated:
        raise Invalid("ts holds order numbers: repurchase needs dates", field="ts")
    notes = list(table.notes)
    bought = np.ones(len(table), dtype=np.bool_)
    if table.events is not None:
        names = [name for name in table.event_names if kind_of(name) == PURCHASE]
        if not names:
            raise Invalid(f"no event is a purchase: {', '.join(table.event_names)}"[:200], field="event")
        bought = np.isin(table.events, [table.event_names.index(name) for name in names])
        notes.append(f"purchases: rows whose event is {', '.join(names)}"[:200])
    if table.quantity is not None:
        bought &= ~(table.quantity <= 0)
        notes.append("rows with a quantity of nought or less are no purchases")
    if not bought.any():
        raise Invalid("no row is a purchase", field="quantity")
    day = table.ts[bought] // DAY_MS
    if day.min() == day.max():
        raise Invalid(
            f"everything happens on {iso_day(int(day[0]) * DAY_MS)}: there is no next purchase to ask for", field="ts"
        )
    shopper, item = table.users[bought], table.items[bought]
    value = None if table.value is None else table.value[bought]
    by, category, names = "item", item, table.item_ids
    if table.categories is not None:
        by, category, names = "category", table.categories[bought], table.category_names
    shopper_ids, item_ids = table.user_ids, table.item_ids
    day = day.astype(np.int32)
    del table, bought  # ten million lines must fit: the columns are held once

    def series(cut: int) -> demand.Series:
        return series_for(shopper, day, cut, settings, category, names)

    return History(
        purchases=purchases_of(shopper, day, value),
        lines=lines_of(shopper, item, day),
        series=series,
        by=by,
        shopper_ids=shopper_ids,
        item_ids=item_ids,
        last_day=int(day.max()),
        first_day=int(day.min()),
        notes=tuple(notes),
    )


def evaluate(
    history: History, settings: NeedsSettings, *, cut: int, pairs_cut: int, horizon_days: int, show: bool = True
) -> dict[str, Measured | str]:
    """Table → what was measured, or why it could not be. Days are days since 1970."""
    tasks: dict[str, Callable[[], Measured]] = {
        "returns": lambda: who_returns(history.purchases, cut, settings, horizon_days),
        "values": lambda: order_values(history.purchases, cut, settings, horizon_days),
        "dates": lambda: when_it_is_rebought(history.lines, cut, settings.rebuying),
        "pairs": lambda: what_is_rebought(history.lines, pairs_cut, settings.rebuying),
        "demand": lambda: demand_ahead(history.series(cut), cut, settings),
    }
    found: dict[str, Measured | str] = {}
    with tqdm(tasks.items(), desc="measuring", unit="table", disable=not (show and sys.stderr.isatty())) as bar:
        for name, task in bar:
            bar.set_postfix_str(name)
            try:
                found[name] = task()
            except Invalid as error:
                found[name] = error.reason
    return found


def _cuts(chosen: argparse.Namespace, history: History) -> tuple[int, int]:
    end = history.last_day + 1
    cut = day_ms(chosen.cut) // DAY_MS if chosen.cut else end - chosen.horizon
    pairs_cut = day_ms(chosen.pairs_cut) // DAY_MS if chosen.pairs_cut else max(cut, end - PAIRS_DAYS)
    if not chosen.cut and cut <= history.first_day:
        raise Invalid(
            f"the log spans {end - history.first_day} days, no more than --horizon {chosen.horizon}: there is nothing to learn"
            " from before the last of them; give a smaller --horizon, or a longer log",
            field="horizon",
        )
    for name, day in (("cut", cut), ("pairs-cut", pairs_cut)):
        if not history.first_day < day < end:
            raise Invalid(
                f"--{name} {iso_day(day * DAY_MS)} leaves nothing before or after it: the log spans"
                f" {iso_day(history.first_day * DAY_MS)} to {iso_day(history.last_day * DAY_MS)}",
                field=name,
            )
    return cut, pairs_cut


def _pair(text: str) -> tuple[str, str]:
    ours, found, theirs = text.partition("=")
    if not found or not theirs:
        raise Invalid(f"--column {text}: write OURS=THEIRS", field="column")
    return ours, theirs


def _wire(
    tables: Mapping[str, Measured | str], history: History, settings: NeedsSettings, cuts: tuple[int, int], horizon: int
) -> dict[str, Any]:
    words = {
        "cut": iso_day(cuts[0] * DAY_MS),
        "pairs_cut": iso_day(cuts[1] * DAY_MS),
        "horizon": horizon,
        "pairs_horizon": settings.rebuying.horizon_days,
        "first_day": settings.demand.first_day,
        "last_day": settings.demand.last_day,
        "by": history.by,
    }
    told: dict[str, Any] = {}
    for name, found in tables.items():
        title = _TITLES[name].format(**words)
        if isinstance(found, str):
            told[name] = {"title": title, "not_measured": found}
        else:
            told[name] = {"title": title, "rows": _rounded(found.rows), "facts": _rounded(found.facts)}
    return {**words, "notes": list(history.notes), "tables": told}


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value


def text_of(told: Mapping[str, Any]) -> str:
    """For people."""
    lines = [f"note: {note}" for note in told["notes"]]
    for table in told["tables"].values():
        lines += ["", table["title"]]
        if "not_measured" in table:
            lines.append(f"  not measured: {table['not_measured']}")
            continue
        columns = list(next(iter(table["rows"].values())))
        width = max(map(len, table["rows"]))
        lines.append(f"  {'':{width}}  " + "  ".join(f"{name:>17}" for name in columns))
        for name, row in table["rows"].items():
            cells = ("–" if row[key] is None else f"{row[key]:.3f}" for key in columns)
            lines.append(f"  {name:{width}}  " + "  ".join(f"{cell:>17}" for cell in cells))
        lines += [f"  {key.replace('_', ' ')}: {_fact(value)}" for key, value in table["facts"].items()]
    lines += ["", f"{told['seconds']} s, {told['peak_megabytes']} MB"]
    return "\n".join(lines)


def _fact(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_fact(entry)}" for key, entry in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(_fact, value))
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}" if isinstance(value, float) else str(value)


def _export(file: Path, tables: Mapping[str, Measured | str], history: History) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("table", "shopper", "item", "score", "outcome"))
        for name, found in tables.items():
            if isinstance(found, str) or found.behind is None:
                continue
            shoppers, items, scores, outcomes = (column.tolist() for column in found.behind)
            for shopper, item, score, outcome in zip(shoppers, items, scores, outcomes, strict=True):
                named = history.item_ids[item] if item >= 0 else ""
                writer.writerow((name, history.shopper_ids[shopper], named, f"{score:.6g}", int(outcome)))

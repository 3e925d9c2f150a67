"""`regulars evaluate`: would it have shown the right thing? Four protocols on any log, the parameters chosen by the build's
own search on an earlier slice, figures that anybody can recompute from `--export`."""

from __future__ import annotations

import argparse
import csv
import json
import resource
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from tqdm import tqdm

from regulars.clock import to_ms
from regulars.errors import Invalid
from regulars.shop import section
from regulars.similarity.config import SimilaritySettings
from regulars.similarity.fitting import fit, sampled, served, stored
from regulars.similarity.interactions import Interactions, Ints
from regulars.similarity.metrics import summary
from regulars.similarity.model import SEQUENCE
from regulars.similarity.protocols import (
    NEXT_BASKET,
    PROTOCOLS,
    SESSION_PREFIX,
    TIME_NEW,
    Split,
    SplitSettings,
    earlier,
    split,
    validation,
)
from regulars.similarity.relations import kind_weights
from regulars.similarity.scoring import Asked, answers
from regulars.similarity.tuning import Tuned, tune, unsearched
from regulars_ops.deep import Evaluated, trainer_of
from regulars_ops.logs import Log, log_of
from regulars_ops.memory import give_back, give_back_large
from regulars_ops.overrides import overrides_of
from regulars_ops.tables import read_table

PLACES = 20
_MIN_BUYERS = {TIME_NEW: 5, NEXT_BASKET: 10}
_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures, what was chosen and how, and the lists themselves (questions × 20, −1 for nothing)."""

    metrics: Mapping[str, float]
    queries: int
    fit_seconds: float
    peak_megabytes: float
    chosen: Mapping[str, Any]
    log: Mapping[str, int]
    notes: tuple[str, ...]
    rows: Iterator[tuple[str, int, str, float]] = field(repr=False)

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "queries": self.queries,
            **{name: round(value, 5) for name, value in self.metrics.items()},
            "fit_seconds": round(self.fit_seconds, 2),
            "peak_megabytes": round(self.peak_megabytes),
            "log": dict(self.log),
            "notes": list(self.notes),
            "chosen": self.chosen,
        }


def add_command(commands: Any) -> None:
    """`regulars evaluate FILE --protocol …`."""
    command = commands.add_parser("evaluate", help="how good would recommendations have been? on a log of your own")
    command.add_argument("file", type=Path, help="CSV or Parquet: user, item, ts[, event, session, quantity, value]")
    command.add_argument("--protocol", required=True, choices=tuple(PROTOCOLS))
    command.add_argument("--cut", type=instant, metavar="DATE", help="what is on or after it is asked for (UTC)")
    command.add_argument("--validation-cut", type=instant, metavar="DATE", help="likewise, to choose parameters by")
    command.add_argument("--min-buyers", type=int, help="items with fewer buyers before the cut are not shown")
    command.add_argument("--min-baskets", type=int, default=3, help="next-basket: shoppers with fewer are not asked")
    command.add_argument("--settings", type=Path, help="a shop.yaml whose `similarity` section holds; tuning starts from it")
    command.add_argument("--no-tuning", action="store_true", help="the settings as they are, without the search")
    command.add_argument("--deep", action="store_true", help="with a sequence model (trained here; takes the extra `deep`)")
    command.add_argument("--json", action="store_true")
    command.add_argument("--export", type=Path, metavar="FILE", help="write query,rank,item,score as CSV")
    command.set_defaults(run=run, needs_stack=False)


def instant(text: str) -> int:
    """Epoch ms of an ISO date or time (a bare one is UTC)."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ISO date or time") from error
    return to_ms(at if at.tzinfo else at.replace(tzinfo=UTC))


def run(_: object, chosen: argparse.Namespace) -> int:
    """Evaluate and print."""
    give_back_large()
    table = read_table(chosen.file, show=True)
    log = log_of(table, chosen.protocol)
    left_out = tuple(f"left out: {rows:,} rows with {why}" for why, rows in table.left_out.items())
    del table
    settings = section(SimilaritySettings, "similarity", overrides_of(chosen.settings))
    if chosen.no_tuning:
        settings = replace(settings, tuning=replace(settings.tuning, enabled=False))
    asked = _split_settings(chosen, log)
    made = evaluate(log, chosen.protocol, asked, settings, chosen.validation_cut, deep=chosen.deep)
    made = replace(made, notes=(*left_out, *made.notes))
    if chosen.export:
        _export(made, chosen.export)
    print(json.dumps(made.to_wire(), ensure_ascii=False, indent=2) if chosen.json else text_of(made))
    return 0


def _split_settings(chosen: argparse.Namespace, log: Log) -> SplitSettings:
    if chosen.cut is not None and not log.dated:
        raise Invalid("ts holds no dates: --cut cannot be applied; without it everybody's last event or basket is asked for")
    buyers = chosen.min_buyers if chosen.min_buyers is not None else _MIN_BUYERS.get(chosen.protocol, 1)
    span = int(log.data.at.max()) + 1 - chosen.cut if chosen.cut is not None and len(log.data) else 0
    if chosen.cut is not None and span <= 0:
        last = datetime.fromtimestamp(int(log.data.at.max()) / 1000, UTC)
        raise Invalid(f"nothing happens on or after the cut: the log ends {last:%Y-%m-%d %H:%M}", field="cut")
    return SplitSettings(cut_ms=chosen.cut, min_buyers=buyers, min_baskets=chosen.min_baskets, span_ms=span)


def evaluate(
    log: Log,
    protocol: str,
    asked: SplitSettings,
    settings: SimilaritySettings,
    validation_cut: int | None = None,
    *,
    deep: bool = False,
) -> Evaluation:
    """Split, choose, fit, ask; `deep`: a sequence model may join the blend. The log is used up. Raises Invalid when it does not
    allow the protocol (it says why), Misconfigured when a sequence model is wanted without PyTorch."""
    begun = perf_counter()
    trainer = Evaluated(trainer_of(settings.sequence)) if deep else None
    sizes = _sizes(log.data)
    made = split(log.used_up(), protocol, asked)
    give_back()
    notes = list(log.notes)
    tuned = _chosen(made, protocol, asked, settings, validation_cut, notes, trainer)
    voices = {SEQUENCE: trainer.whole(made)} if trainer and SEQUENCE in tuned.recipe.parts else {}
    give_back()
    print("fitting and asking …", file=sys.stderr)
    model = served(fit(made.learn, tuned.settings, made.cut_ms, stored(tuned.recipe)), log.data.item_ids)
    fitted = perf_counter()
    kinds = kind_weights(settings.kinds)
    lists = np.full((len(made.queries), PLACES), -1, dtype=np.int64)
    scores = np.zeros((len(made.queries), PLACES))
    begins = range(0, len(made.queries), _AT_ONCE)
    for low in tqdm(begins, desc="asking", unit_scale=_AT_ONCE, disable=not sys.stderr.isatty()):
        part = np.arange(low, min(len(made.queries), low + _AT_ONCE))
        ready = Asked.of(made.queries.take(part), made.candidates, tuned.recipe.history_items, kinds)
        ready = replace(ready, voices={name: ask(ready.queries, ready.candidates) for name, ask in voices.items()})
        lists[part], scores[part] = answers(ready, tuned.recipe, model, PLACES)
    return Evaluation(
        metrics=summary(lists, made.queries, made.candidates),
        queries=len(made.queries),
        fit_seconds=fitted - begun,
        peak_megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        chosen={**tuned.report(), "recipe": tuned.recipe.to_wire()},
        log=sizes,
        notes=tuple(notes),
        rows=_rows(log.data, made.queries.labels, made.queries.steps, lists, scores, protocol),
    )


def _chosen(
    made: Split,
    protocol: str,
    asked: SplitSettings,
    settings: SimilaritySettings,
    cut: int | None,
    notes: list[str],
    trainer: Evaluated | None,
) -> Tuned:
    """By the search on the validation slice; the settings' own numbers where there is none, which is noted."""
    if not settings.tuning.enabled:
        return unsearched(settings, protocol)
    known = replace(made, learn=sampled(made.learn, settings.tuning.max_interactions))
    try:
        slice_ = validation(known, protocol, asked, cut)
        voices = {SEQUENCE: trainer.held_out(slice_)} if trainer else {}
        with tqdm(desc="choosing", bar_format="{desc} {elapsed} {postfix}", disable=not sys.stderr.isatty()) as bar:
            # A sequence model has learned what earlier slices ask for: with it the newest chooses alone.
            before = [] if trainer else earlier(slice_, protocol, asked, settings.tuning.slices - 1)
            return tune(slice_, settings, protocol, bar.set_postfix_str, voices, before)
    except Invalid as error:
        notes.append(f"nothing to choose by ({error.reason}): the settings' own numbers were taken")
        return unsearched(settings, protocol)


def _sizes(data: Interactions) -> dict[str, int]:
    return {"interactions": len(data), "shoppers": len(data.shopper_ids), "items": len(data.item_ids)}


def _rows(
    data: Interactions, labels: Ints, steps: Ints, lists: Ints, scores: Any, protocol: str
) -> Iterator[tuple[str, int, str, float]]:
    for number, label in enumerate(labels.tolist()):
        name = data.shopper_ids[label]
        query = f"{name}#{steps[number]}" if protocol == SESSION_PREFIX else name
        for place, item in enumerate(lists[number].tolist()):
            if item >= 0:
                yield query, place + 1, data.item_ids[item], float(scores[number, place])


def _export(made: Evaluation, file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("query", "rank", "item", "score"))
        writer.writerows((query, rank, item, f"{score:.6g}") for query, rank, item, score in made.rows)


def text_of(made: Evaluation) -> str:
    """For people."""
    recipe, validated = made.chosen["recipe"], made.chosen["validation"]
    lines = [f"{made.queries:,} queries; {made.log['interactions']:,} interactions, {made.log['items']:,} items"]
    lines += [f"  {name:14} {value:.4f}" for name, value in made.metrics.items()]
    lines += [f"  {'fit seconds':14} {made.fit_seconds:.1f}", f"  {'peak memory':14} {made.peak_megabytes:.0f} MB"]
    lines.append(f"chosen on {validated['questions']:,} validation questions (mean NDCG@10 and @20: {validated['ndcg']:.4f}):")
    for name, part in recipe["parts"].items():
        alone = validated["alone"].get(name, 0.0)
        fading = f"(1+rank)^-{part['rank_power']:g}, half-life {part['half_life_days'] or '∞'} d"
        fading = "by a model of the whole sequence" if name == SEQUENCE else fading
        lines.append(f"  {name:10} weight {part['weight']:g}, {fading}; alone {alone:.4f}")
    lines += [f"  {name:10} weight {weight:g}" for name, weight in recipe["popularity"].items() if weight]
    if again := recipe["repeat"]:
        habit = f"habit^{recipe['habit_power']:g} with {recipe['habit_weight']:g} of it ahead"
        lines.append(f"  {'repeat':10} weight {again['weight']:g}, half-life {again['half_life_days']:g} d, {habit}")
    lines.append(f"  the newest {recipe['history_items']} items of a history count")
    lines += [f"note: {note}" for note in made.notes]
    return "\n".join(lines)

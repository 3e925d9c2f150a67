"""Interactions → all that a recipe blends: relations, popularity, habits. The build, its search and the evaluator fit here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from regulars.clock import from_ms, to_ms
from regulars.similarity.config import PopularitySettings, SimilaritySettings
from regulars.similarity.interactions import PURCHASE, Floats, Interactions, Ints
from regulars.similarity.kernel import TopK
from regulars.similarity.linear import linear_neighbours
from regulars.similarity.model import EVERYWHERE, HABIT, LINEAR, NEXT, RELATIONS, SIMILAR, TOGETHER, Popularity, Scored
from regulars.similarity.packing import FULL, LIST_BYTES, room_for
from regulars.similarity.packing import fit as fit_row
from regulars.similarity.popularity import rank
from regulars.similarity.recipe import Recipe
from regulars.similarity.relations import build_relation, kind_weights, next_steps
from regulars.similarity.scoring import Model

DAY_MS = 86_400_000
_PRIOR_BUYERS = 5
"""An item's habit is drawn to the shop's average as if this many average buyers had bought it too."""
_UNIT = 1000
"""What a purchase of today counts in faded sums."""
_DAYS = 2**24
"""More than there are days in any log: with it two numbers make one key."""
WEEK, TREND = "week", "trend"
FITTED = tuple(name for name in RELATIONS if name != "content")
"""Relations that come from what shoppers do."""
_SCENES = (SIMILAR, TOGETHER, NEXT)


def fit(data: Interactions, settings: SimilaritySettings, now_ms: int, relations: Iterable[str] = FITTED) -> Model:
    """The model of the log up to `now_ms`, with the named relations."""
    made = {name: relation_of(data, settings, now_ms, name) for name in relations}
    heat = heat_of(data, settings.popularity, from_ms(now_ms))
    found = {name: top for name, top in made.items() if top is not None and len(top.items)}
    return Model(found, heat, habit_of(data, settings.popularity, now_ms), len(data.item_ids))


def stored(recipe: Recipe) -> tuple[str, ...]:
    """The relations a version holds: those the recipe blends, and those the scenes ask for by name."""
    return tuple(name for name in FITTED if name in recipe.parts or name in _SCENES)


def served(model: Model, item_ids: Sequence[str]) -> Model:
    """The model as readers get it: lists cut to what one row holds, scores in sixteen bits."""
    per_id = np.array([len(item_id.encode()) + 3 for item_id in item_ids], dtype=np.int64)
    taken = np.zeros(model.n_items, dtype=np.int64)
    for top in model.relations.values():
        cumulated = np.concatenate(([0], np.cumsum(per_id[top.items])))
        taken += cumulated[top.starts[1:]] - cumulated[top.starts[:-1]] + LIST_BYTES * (np.diff(top.starts) > 0)
    room = np.array([room_for(item_id) for item_id in item_ids], dtype=np.int64)
    cut: dict[str, Ints] = {name: np.diff(top.starts) for name, top in model.relations.items()}
    for item in np.flatnonzero(taken > room).tolist():
        lists = {name: _named(top, item, item_ids) for name, top in model.relations.items()}
        for name, scored in fit_row(lists, int(room[item])).items():
            cut[name][item] = len(scored)
    return replace(model, relations={name: _shortened(top, cut[name]) for name, top in model.relations.items()})


def _named(top: TopK, item: int, item_ids: Sequence[str]) -> Scored:
    items, scores = top.of(item)
    return tuple(zip((item_ids[other] for other in items.tolist()), scores.tolist(), strict=True))


def _shortened(top: TopK, lengths: Ints) -> TopK:
    whole = np.diff(top.starts)
    place = np.arange(len(top.items)) - np.repeat(top.starts[:-1], whole)
    kept = place < np.repeat(lengths, whole)
    highest = np.repeat(top.scores[np.minimum(top.starts[:-1], len(top.scores) - 1)], whole) if len(top.scores) else top.scores
    rounded = np.round(top.scores / highest * FULL) * (highest.astype(np.float32).astype(np.float64) / FULL)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    return TopK(starts, top.items[kept], rounded[kept])


def relation_of(data: Interactions, settings: SimilaritySettings, now_ms: int, name: str) -> TopK | None:
    """One relation; None where the log does not allow it."""
    if not len(data):
        return None
    if name == LINEAR:
        return linear_neighbours(data, settings.relations.linear, kind_weights(settings.kinds), settings.build, now_ms)
    return build_relation(stepped(data, settings, name), settings, now_ms, name)


def stepped(data: Interactions, settings: SimilaritySettings, name: str) -> Interactions:
    """What the relation is learned from: where `next` would make more than `max_steps` steps, each some 40 bytes on the way, a
    share of the shoppers."""
    if name != NEXT or not len(data):
        return data
    steps = next_steps(data, settings.relations.next)
    return sampled(data, len(data) * settings.build.max_steps // steps) if steps > settings.build.max_steps else data


def sampled(data: Interactions, most: int) -> Interactions:
    """The log, or where it is larger than `most` the share of its shoppers that a hash of their number picks: those with the
    lowest of the shoppers it has, for it may be a sample already."""
    if len(data) <= most:
        return data
    # Knuth's multiplicative hash: spread evenly, the same in every run.
    rank = np.arange(len(data.shopper_ids), dtype=np.uint64) * np.uint64(2654435761) % np.uint64(2**32)
    there = np.unique(data.shopper)
    kept = there[np.argsort(rank[there], kind="stable")[: int(len(there) * most / len(data))]]
    picked = np.zeros(len(rank), dtype=bool)
    picked[kept] = True
    return data.where(picked[data.shopper])


def heat_of(data: Interactions, settings: PopularitySettings, now: datetime) -> dict[str, tuple[Ints, Floats]]:
    """`week` and `trend` of the whole shop, as they are stored: (item numbers, shares)."""
    rows = rank(data, {}, settings, now) if len(data) else [Popularity(EVERYWHERE)]
    whole = next(row for row in rows if row.scope == EVERYWHERE)
    number = {item_id: place for place, item_id in enumerate(data.item_ids)}
    lists = {WEEK: whole.week, TREND: whole.trend}
    return {
        name: (np.array([number[item_id] for item_id, _ in scored], dtype=np.int64), np.array([score for _, score in scored]))
        for name, scored in lists.items()
    }


def habit_of(data: Interactions, settings: PopularitySettings, now_ms: int) -> Floats:
    """Days with the item per buyer of it, beside the shop's average, times how demand for it stands lately beside what is
    usual (a season, an offer); for the `keep_habits` items of most weight, 1 else."""
    return habit_from(*habit_counts(data, settings, now_ms), settings)


def habit_counts(data: Interactions, settings: PopularitySettings, now_ms: int) -> tuple[Ints, Ints, Ints, Ints]:
    """(days on which one of its buyers bought it, its buyers, those days faded fast, those days faded slowly) of each item, the
    faded ones in thousandths: whole numbers add up to the same over any split by shopper."""
    n_items = len(data.item_ids)
    bought = data.where(data.kind == PURCHASE)
    if not len(bought):
        nothing = np.zeros(n_items, dtype=np.int64)
        return nothing, nothing, nothing, nothing
    pair = bought.shopper.astype(np.int64) * n_items + bought.item
    days = np.unique(pair * _DAYS + bought.at // DAY_MS)
    item, age = days // _DAYS % n_items, np.maximum(now_ms // DAY_MS - days % _DAYS, 0)

    def faded(half_life_days: float) -> Ints:
        weights = np.round(_UNIT * 0.5 ** (age / half_life_days))
        return np.bincount(item, weights, n_items).astype(np.int64)

    counted = np.bincount(item, minlength=n_items), np.bincount(np.unique(pair) % n_items, minlength=n_items)
    return *counted, faded(settings.lately_days), faded(settings.usual_days)


def habit_from(baskets: Ints, buyers: Ints, lately: Ints, usual: Ints, settings: PopularitySettings) -> Floats:
    """`habit_of` by its counts."""
    habit = np.ones(len(baskets))
    if not buyers.any():
        return habit
    average = baskets.sum() / buyers.sum()
    ratio = (baskets / average + _PRIOR_BUYERS) / (buyers + _PRIOR_BUYERS)
    if lately.any():
        prior, expected = _UNIT * _PRIOR_BUYERS, usual * (lately.sum() / usual.sum())
        ratio *= (lately + prior) / (expected + prior)
    weighty = np.argsort(-baskets * np.abs(np.log(ratio)), kind="stable")[: settings.keep_habits]
    habit[weighty] = ratio[weighty]
    return habit


def habit_row(data: Interactions, settings: PopularitySettings, now: datetime) -> Popularity:
    """`habit_of` as it is stored."""
    return habit_stored(habit_of(data, settings, to_ms(now)), data.item_ids, now)


def habit_stored(habit: Floats, item_ids: Sequence[str], now: datetime) -> Popularity:
    """What differs from 1, as shares of the highest."""
    named = np.flatnonzero(habit != 1.0)
    highest = float(habit[named].max(initial=1.0))
    order = named[np.argsort(-habit[named], kind="stable")]
    scored = tuple((item_ids[number], float(habit[number]) / highest) for number in order.tolist())
    return Popularity(HABIT, scored, (), now, highest)

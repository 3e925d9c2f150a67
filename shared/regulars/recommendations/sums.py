"""Scores as plain dictionaries: adding up, dividing, keeping the best."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import field
from itertools import islice
from operator import itemgetter

from regulars.recommendations.history import Deed
from regulars.recommendations.ports import Row
from regulars.similarity.recipe import Recipe
from regulars.values import value

Scores = dict[str, float]
Seeds = list[tuple[str, float]]
"""(item id, weight), best first."""
POOL = 300
"""Candidates that stay after blending."""
REPEAT = "repeat"
"""The part of a score that comes of having bought the item before."""
SLACK = 20
_SAMPLE = 16
_NOTHING: Mapping[str, Mapping[str, float]] = {}


@value(frozen=True, slots=True)
class Voice:
    """One part of the formula: `factor` · `scores` is what it gives each item, from the weighted items `seeds`."""

    name: str
    factor: float
    scores: Mapping[str, float]
    seeds: Seeds = field(default_factory=list)


Loud = tuple[float, str, str]
"""How loud, the name of the voice, and which item of the history speaks."""
Loudest = Callable[[Collection[str]], dict[str, Loud]]
"""Item → what speaks loudest for it of all relations, of equals the first; none for what no relation names."""


@value(frozen=True, slots=True)
class Ranking:
    """The best items with their scores, and the parts these are the sums of. Without `near` voices nothing is known of what the
    shopper did. `loudest` is asked about items of `scores` only."""

    scores: Scores
    near: tuple[Voice, ...]
    popular: tuple[Voice, ...]
    loudest: Loudest


@value(frozen=True, slots=True, kw_only=True)
class Question:
    """What the formula is asked. `deeds` are the shopper's newest items, `rows` their neighbours, `popularity` maps "week" and
    "trend" to shares, `again` items to how much was bought of them (`history.again`), `spoken` the parts of the recipe that are
    no relations to what they say. Items in `hidden`, or of which `may_show` says no, neither count nor are shown;
    `may_show_all` is a quick yes for many items at once (False: each is asked for). The best `count` are wanted."""

    deeds: Sequence[Deed]
    rows: Mapping[str, Row]
    recipe: Recipe
    popularity: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: _NOTHING)
    again: Mapping[str, float] = field(default_factory=dict)
    hidden: Collection[str] = frozenset()
    may_show: Callable[[str], bool] = lambda item_id: True
    may_show_all: Callable[[Collection[str]], bool] = lambda item_ids: False
    count: int = POOL
    spoken: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: _NOTHING)


def nearness(seeds: Iterable[tuple[str, float]], rows: Mapping[str, Row], relation: str) -> Scores:
    """Σ over seeds of seed weight · score in one relation; not divided by anything."""
    scores: Scores = {}
    for seed, weight in seeds:
        ranked = rows[seed].relations.get(relation) if seed in rows else None
        if ranked is None or weight <= 0:
            continue
        factor = weight * ranked.scale
        for item_id, share in zip(ranked.ids, ranked.shares, strict=False):
            # Not `get` with a default: calls cost more than looking twice.
            if item_id in scores:
                scores[item_id] += factor * share
            else:
                scores[item_id] = factor * share
    return scores


def summed(voices: Iterable[Voice]) -> Scores:
    """Σ factor · score of every item that any voice speaks of."""
    total: Scores = {}
    for voice in voices:
        factor = voice.factor
        if not total:
            total = {item_id: factor * score for item_id, score in voice.scores.items()}
            continue
        for item_id, score in voice.scores.items():
            if item_id in total:
                total[item_id] += factor * score
            else:
                total[item_id] = factor * score
    return total


def shown(scores: Scores, count: int, may_show: Callable[[str], bool]) -> Scores:
    """The `count` best of those that may be shown. Few may not, so a few more than wanted are asked before all are."""
    pool = best(scores, count + SLACK)
    kept = {item_id: score for item_id, score in pool.items() if may_show(item_id)}
    if len(kept) < count and len(pool) < len(scores):
        kept = {item_id: score for item_id, score in scores.items() if may_show(item_id)}
    return best(kept, count)


def best(scores: Mapping[str, float], count: int) -> Scores:
    """The `count` highest; ties in order of first sight, which equal questions have equal.

    A look at every sixteenth score says below which none of the best can lie, so that few have to be sorted.
    """
    if len(scores) <= count:
        return dict(scores)
    sample = sorted(islice(scores.values(), 0, None, _SAMPLE), reverse=True)
    place = 2 * count // _SAMPLE + 4
    floor = sample[place] if place < len(sample) else sample[-1]
    pairs = [(item_id, score) for item_id, score in scores.items() if score >= floor]
    if len(pairs) < count:
        pairs = list(scores.items())
    pairs.sort(key=itemgetter(1), reverse=True)
    return dict(pairs[:count])


def normalised(scores: Mapping[str, float]) -> Scores:
    """Divided by the highest; empty stays empty."""
    highest = max(scores.values(), default=0.0)
    return {item_id: score / highest for item_id, score in scores.items()} if highest > 0 else {}


def blended(parts: Iterable[tuple[float, Mapping[str, float]]]) -> Scores:
    """Σ weight · score over the parts."""
    total: Scores = {}
    for weight, scores in parts:
        if weight:
            for item_id, score in scores.items():
                total[item_id] = total.get(item_id, 0.0) + weight * score
    return total

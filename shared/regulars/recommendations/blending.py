"""Weighted neighbours and popularity → scores, each with its main cause.

Plain dictionaries in three passes: add everything up (twenty items with two hundred neighbours are four thousand
additions), cut to the best, and only of those ask what may be shown and why. Nothing is made per candidate before the cut.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from operator import itemgetter

from regulars.catalogue.model import Item
from regulars.profiles.model import tag_value
from regulars.recommendations.ports import Row

Scores = dict[str, float]
Seeds = list[tuple[str, float]]
"""(item id, weight), best first."""
POOL = 300
"""Candidates that stay after blending."""


def near(seeds: Seeds, rows: Mapping[str, Row], weights: Mapping[str, float], hidden: Collection[str]) -> Scores:
    """Σ over relations of weight · (Σ over seeds of seed weight · score, divided by its highest); the best `POOL`.

    Items in `hidden` are left out before anything is divided.
    """
    total: Scores = {}
    for relation, weight in weights.items():
        scores = _spread(seeds, rows, relation)
        for item_id in scores.keys() & hidden:
            del scores[item_id]
        highest = max(scores.values(), default=0.0)
        if weight > 0 and highest > 0:
            share = weight / highest
            if not total:
                total = {item_id: share * score for item_id, score in scores.items()}
                continue
            known = total.get
            for item_id, score in scores.items():
                total[item_id] = known(item_id, 0.0) + share * score
    return best(total, POOL)


def _spread(seeds: Seeds, rows: Mapping[str, Row], relation: str) -> Scores:
    scores: Scores = {}
    known = scores.get
    for seed, weight in seeds:
        ranked = rows[seed].relations.get(relation) if seed in rows else None
        if ranked is None:
            continue
        factor = weight * ranked.scale
        for item_id, share in zip(ranked.ids, ranked.shares, strict=False):
            scores[item_id] = known(item_id, 0.0) + factor * share
    return scores


def causes(seeds: Seeds, rows: Mapping[str, Row], relations: Iterable[str], among: Collection[str]) -> dict[str, str]:
    """For each item of `among` that some relation names, the seed that speaks loudest for it; the first relation wins."""
    found: dict[str, str] = {}
    for relation in relations:
        loudest: Scores = {}
        named: dict[str, str] = {}
        for seed, weight in seeds:
            ranked = rows[seed].relations.get(relation) if seed in rows else None
            if ranked is None:
                continue
            factor = weight * ranked.scale
            shares = dict(zip(ranked.ids, ranked.shares, strict=False))
            for item_id in shares.keys() & among:
                if factor * shares[item_id] > loudest.get(item_id, 0.0):
                    loudest[item_id] = factor * shares[item_id]
                    named[item_id] = seed
        found = {**named, **found}
    return found


def best(scores: Mapping[str, float], count: int) -> Scores:
    """The `count` highest; ties in order of first sight, which equal questions have equal."""
    if len(scores) <= count:
        return dict(scores)
    return dict(sorted(scores.items(), key=itemgetter(1), reverse=True)[:count])


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


def liking(item: Item, taste: Mapping[tuple[str, str], float]) -> float:
    """How much the shopper's tags speak for the item's category and brand, 0 to 1."""
    return max(taste.get(("category", _spelled(item.category)), 0.0), taste.get(("brand", _spelled(item.brand)), 0.0))


_spelled = lru_cache(maxsize=10_000)(tag_value)

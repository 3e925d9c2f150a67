"""Weighted neighbours and popularity → scores, each with its main cause. Plain dictionaries: twenty items with a hundred
neighbours are some thousand additions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from regulars.catalogue.model import Item
from regulars.profiles.model import tag_value
from regulars.recommendations.ports import Row

Scores = dict[str, float]
Causes = dict[str, str]


def spread(
    seeds: Iterable[tuple[str, float]], rows: Mapping[str, Row], relation: str, may_show: Callable[[str], bool]
) -> tuple[Scores, Causes]:
    """Σ over seeds of weight · score of the neighbour, and for each neighbour the seed that gave most.

    Scores are divided by their highest; neighbours that may not be shown are left out before that.
    """
    scores: Scores = {}
    causes: Causes = {}
    most: Scores = {}
    for seed, weight in seeds:
        row = rows.get(seed)
        if row is None or weight <= 0:
            continue
        for item_id, score in row.relations.get(relation, ()):
            part = weight * score
            scores[item_id] = scores.get(item_id, 0.0) + part
            if part > most.get(item_id, 0.0):
                most[item_id] = part
                causes[item_id] = seed
    return normalised({item_id: score for item_id, score in scores.items() if may_show(item_id)}), causes


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
    if not taste:
        return 0.0
    return max(taste.get(("category", _spelled(item.category)), 0.0), taste.get(("brand", _spelled(item.brand)), 0.0))


_spelled = lru_cache(maxsize=10_000)(tag_value)

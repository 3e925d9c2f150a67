"""Closed-form linear item–item models, for catalogues small enough to solve.

    ease  B = I − P · diag(P)⁻¹ with P = (XᵀX + λI)⁻¹: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019;
          X holds what a shopper has, each interaction halved by its age
    next  B = (SᵀS + λI)⁻¹ SᵀT: what came next (T) from the decayed window before it (S); Choe et al., "Session-aware Linear
          Item-Item Models for Session-based Recommendation", WWW 2021, without its session constraint

Only the `max_items` items with most interactions take part, and only where they hold `min_share` of all interactions.
Of B the `keep` highest positive entries of a row stay: they are what is stored, evaluated and served.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from regulars.similarity.config import BuildLimits, LinearWeighting, NextWeighting, Weighting
from regulars.similarity.interactions import PURCHASE, VIEW, Floats, Interactions, Ints
from regulars.similarity.kernel import Rows, TopK
from regulars.similarity.relations import next_rows, support, weighted_distinct

_PAIRS = 4_000_000
"""Products added up at once."""
_ROWS = 1024
"""Rows made dense at once."""
_DENSE = 100
"""Multiplications of a matrix product that take as long as one addition to a scattered place."""
EASE, NEXT_ITEM = "ease", "next"


@dataclass(frozen=True, slots=True)
class Products:
    """XᵀX (or SᵀS) and, for `next`, SᵀT over the chosen items; they add up over any split of the log by shopper."""

    items: Ints
    gram: Floats
    following: Floats | None

    def __add__(self, other: Products) -> Products:
        both = None if self.following is None or other.following is None else self.following + other.following
        return Products(self.items, self.gram + other.gram, both)


def linear_neighbours(
    data: Interactions, weighting: LinearWeighting, kinds: Floats, limits: BuildLimits, now_ms: int
) -> TopK | None:
    """The relation `linear`; None where too few interactions fall on items that can be solved for."""
    items = solvable(support(data), weighting, limits)
    if items is None:
        return None
    made = products(data, items, weighting, kinds, limits, now_ms, bool((data.kind == PURCHASE).any()))
    return solve(made, support(data), weighting)


def solvable(support_of_items: Ints, weighting: LinearWeighting, limits: BuildLimits) -> Ints | None:
    """Numbers of the items that take part, ascending; ties in support to the lower number."""
    known = np.flatnonzero(support_of_items >= limits.min_interactions)
    chosen = known[np.argsort(-support_of_items[known], kind="stable")[: weighting.max_items]]
    total = support_of_items.sum()
    if len(chosen) < 2 or support_of_items[chosen].sum() < weighting.min_share * total:
        return None
    return np.sort(chosen)


def products(
    data: Interactions,
    items: Ints,
    weighting: LinearWeighting,
    kinds: Floats,
    limits: BuildLimits,
    now_ms: int,
    purchases: bool,
) -> Products:
    """The sums over the shoppers of `data`. `purchases` says whether anybody in the whole log bought."""
    place = np.full(len(data.item_ids), -1, dtype=np.int64)
    place[items] = np.arange(len(items))
    if weighting.kind == EASE:
        rows = weighted_distinct(data.shopper, data, kinds[data.kind], _as_rows(weighting), limits, now_ms)
        left = _only(rows, place)
        return Products(items, crossed(left, left, len(items)), None)
    followed = data.where(data.kind != VIEW) if purchases else data
    before, after = next_rows(followed, _as_next(weighting), limits, now_ms)
    left, right = _only(before, place), _only(after, place)
    return Products(items, crossed(left, left, len(items)), crossed(left, right, len(items)))


def _as_rows(weighting: LinearWeighting) -> Weighting:
    return Weighting(
        keep=weighting.keep,
        half_life_days=weighting.half_life_days,
        length_power=weighting.length_power,
        popularity_power=0.0,
        source_power=0.0,
        shrink=0.0,
    )


def _as_next(weighting: LinearWeighting) -> NextWeighting:
    return NextWeighting(
        **asdict(_as_rows(weighting)),
        window=weighting.window,
        within_days=0,
        gap_power=weighting.gap_power,
        backward=0.0,
        views=False,
    )


def _only(rows: Rows, place: Ints) -> Rows:
    """The rows with chosen items only, renumbered."""
    kept = place[rows.columns] >= 0
    starts = np.concatenate(([0], np.cumsum(kept)))[rows.starts]
    return Rows(starts, place[rows.columns[kept]], rows.values[kept])


def crossed(left: Rows, right: Rows, n_items: int) -> Floats:
    """LᵀR, dense n × n: long rows by matrix product, short ones pair by pair; whichever takes less."""
    pairs = float((left.lengths() * right.lengths()).sum())
    return _multiplied(left, right, n_items) if left.count * n_items**2 < _DENSE * pairs else _paired(left, right, n_items)


def _multiplied(left: Rows, right: Rows, n_items: int) -> Floats:
    total = np.zeros((n_items, n_items))
    for low in range(0, left.count, _ROWS):
        total += _dense(left, low, n_items).T @ _dense(right, low, n_items)
    return total


def _dense(rows: Rows, low: int, n_items: int) -> Floats:
    high = min(rows.count, low + _ROWS)
    part = slice(rows.starts[low], rows.starts[high])
    made = np.zeros((high - low, n_items))
    made[np.repeat(np.arange(high - low), rows.lengths()[low:high]), rows.columns[part]] = rows.values[part]
    return made


def _paired(left: Rows, right: Rows, n_items: int) -> Floats:
    """Pairs are added up row by row, `_PAIRS` at once."""
    total = np.zeros(n_items * n_items)
    owner = left.row_of_entry()
    sizes = right.lengths()[owner]
    ends = np.cumsum(sizes)
    low = 0
    while low < len(sizes):
        high = max(low + 1, int(np.searchsorted(ends, (ends[low - 1] if low else 0) + _PAIRS, side="right")))
        part = slice(low, high)
        length = sizes[part]
        entries = np.arange(int(length.sum())) + np.repeat(right.starts[owner[part]] - (np.cumsum(length) - length), length)
        keys = np.repeat(left.columns[part] * n_items, length) + right.columns[entries]
        np.add.at(total, keys, np.repeat(left.values[part], length) * right.values[entries])
        low = high
    return total.reshape(n_items, n_items)


def solve(made: Products, support_of_items: Ints, weighting: LinearWeighting) -> TopK:
    """The best `keep` positive weights of each item, in the item numbers of the whole catalogue."""
    gram = made.gram.copy()
    gram[np.diag_indices_from(gram)] += weighting.penalty
    if made.following is None:
        inverse = np.linalg.inv(gram)
        weights: Floats = np.asarray(inverse / -np.diag(inverse)[None, :], dtype=np.float64)
    else:
        weights = np.asarray(np.linalg.solve(gram, made.following), dtype=np.float64)
    np.fill_diagonal(weights, 0.0)
    if weighting.popularity_power:
        weights = np.asarray(weights * (1.0 + support_of_items[made.items]) ** -weighting.popularity_power, dtype=np.float64)
    return _pruned(weights, made.items, len(support_of_items), weighting.keep)


def _pruned(weights: Floats, items: Ints, n_items: int, keep: int) -> TopK:
    keep = min(keep, len(items) - 1)
    picked = np.argpartition(-weights, keep - 1, axis=1)[:, :keep]
    scores = np.take_along_axis(weights, picked, axis=1)
    order = np.lexsort((picked, -scores), axis=1)
    picked, scores = np.take_along_axis(picked, order, axis=1), np.take_along_axis(scores, order, axis=1)
    positive = scores > 0
    lengths = np.zeros(n_items, dtype=np.int64)
    lengths[items] = positive.sum(axis=1)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    return TopK(starts, items[picked[positive]], scores[positive])

"""The kernel in numpy alone, for machines where kernel.c could not be compiled, and to hold the compiled one against.

Items are taken one by one: the rows that hold i are gathered from R and added up by column, so memory grows with the
longest gather, not with items². Sums are double precision here.
"""

from __future__ import annotations

import numpy as np

from regulars.similarity.rows import AnyFloats, Floats, Ints, Rows, TopK

_GATHER = 4_000_000
"""Products added up at once: 32 MB a temporary array."""
_LEAST = np.finfo(np.float32).tiny
_NONE: tuple[Ints, Floats] = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64))


def top_neighbours(left: Rows, right: Rows, source_scale: Floats, target_scale: Floats, keep: int) -> TopK:
    """As `kernel.top_neighbours` says; scales are not negative."""
    n_items = len(target_scale)
    by_item = np.argsort(left.columns, kind="stable")
    bounds = np.searchsorted(left.columns[by_item], np.arange(n_items + 1))
    holder = left.row_of_entry()[by_item]
    weight = left.values[by_item].astype(np.float64)
    lengths = right.lengths()
    found: list[tuple[Ints, Floats]] = []
    for item in range(n_items):
        part = slice(bounds[item], bounds[item + 1])
        if source_scale[item] <= 0 or bounds[item] == bounds[item + 1]:
            found.append(_NONE)
            continue
        columns, sums = _gather(holder[part], weight[part], lengths, right, n_items)
        scores = (sums * source_scale[item] * target_scale[columns]).astype(np.float32).astype(np.float64)
        scores[columns == item] = 0.0
        found.append(_best(columns, scores, keep))
    starts = np.concatenate(([0], np.cumsum([len(items) for items, _ in found]))).astype(np.int64)
    items = np.concatenate([_NONE[0], *(items for items, _ in found)])
    values = np.concatenate([_NONE[1], *(scores for _, scores in found)])
    return TopK(starts, items, values)


def _gather(rows: Ints, weights: AnyFloats, lengths: Ints, right: Rows, n_items: int) -> tuple[Ints, Floats]:
    """(columns, sums) of the weighted rows of `right`; columns ascend."""
    total = int(lengths[rows].sum())
    if total > _GATHER and len(rows) > 1:
        dense = np.zeros(n_items)
        for piece in np.array_split(np.arange(len(rows)), min(len(rows), -(-total // _GATHER))):
            columns, sums = _gather_at_once(rows[piece], weights[piece], lengths, right, n_items)
            dense[columns] += sums
        columns = np.flatnonzero(dense)
        return columns, dense[columns]
    return _gather_at_once(rows, weights, lengths, right, n_items)


def _gather_at_once(rows: Ints, weights: AnyFloats, lengths: Ints, right: Rows, n_items: int) -> tuple[Ints, Floats]:
    sizes = lengths[rows]
    ends = np.cumsum(sizes)
    total = int(ends[-1])
    entries = np.arange(total) + np.repeat(right.starts[rows] - (ends - sizes), sizes)
    columns = right.columns[entries]
    products = right.values[entries] * np.repeat(weights, sizes)
    if total * 8 < n_items:
        touched, place = np.unique(columns, return_inverse=True)
        return touched.astype(np.int64), np.bincount(place, products, len(touched)).astype(np.float64)
    dense = np.bincount(columns, products, n_items)
    touched = np.flatnonzero(dense)
    return touched.astype(np.int64), dense[touched].astype(np.float64)


def _best(columns: Ints, scores: Floats, keep: int) -> tuple[Ints, Floats]:
    positive = scores > _LEAST
    columns, scores = columns[positive], scores[positive]
    if len(scores) > keep:
        least = np.partition(scores, len(scores) - keep)[len(scores) - keep]
        above = np.flatnonzero(scores > least)
        level = np.flatnonzero(scores == least)[: keep - len(above)]
        picked = np.concatenate((above, level))
        columns, scores = columns[picked], scores[picked]
    order = np.lexsort((columns, -scores))
    return columns[order], scores[order]

"""The kernel: weighted sparse rows in, the best K neighbours of every item out. Plain arrays, no framework.

With L and R two sparse matrices of the same rows (shoppers, sessions, orders) and items as columns,

    c_ij = Σ_row L_row,i · R_row,j        score_ij = c_ij · source_scale_i · target_scale_j        (i ≠ j)

Items are taken one by one: the rows that hold i are gathered from R and added up by column, so memory grows with the
longest gather, not with items². Ties are broken by the lower column, so that equal input gives equal lists.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_GATHER = 4_000_000
"""Products added up at once: 32 MB a temporary array."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A sparse matrix by rows: row r holds `columns[starts[r]:starts[r+1]]` with `values` likewise."""

    starts: Ints
    columns: Ints
    values: Floats

    @classmethod
    def from_entries(cls, row: Ints, column: Ints, value: Floats) -> Rows:
        """Of triplets in any order; row numbers may have gaps, which vanish."""
        order = np.argsort(row, kind="stable")
        _, counts = np.unique(row, return_counts=True)
        starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        return cls(starts, column[order].astype(np.int64), value[order].astype(np.float64))

    @property
    def count(self) -> int:
        return len(self.starts) - 1

    def lengths(self) -> Ints:
        """Entries of each row."""
        lengths: Ints = np.diff(self.starts)
        return lengths

    def row_of_entry(self) -> Ints:
        """The row number of each entry."""
        rows: Ints = np.repeat(np.arange(self.count, dtype=np.int64), self.lengths())
        return rows


def stack(parts: list[Rows]) -> Rows:
    """All rows of the parts, one below the other."""
    offsets = np.cumsum([0] + [len(part.columns) for part in parts])
    starts = [part.starts[:-1] + offset for part, offset in zip(parts, offsets[:-1], strict=True)]
    return Rows(
        np.concatenate([*starts, offsets[-1:]]).astype(np.int64),
        np.concatenate([part.columns for part in parts]),
        np.concatenate([part.values for part in parts]),
    )


@dataclass(frozen=True, slots=True)
class TopK:
    """Neighbours of item i: `items[starts[i]:starts[i+1]]`, best first, with `scores` likewise."""

    starts: Ints
    items: Ints
    scores: Floats

    def of(self, item: int) -> tuple[Ints, Floats]:
        part = slice(self.starts[item], self.starts[item + 1])
        return self.items[part], self.scores[part]


def top_neighbours(left: Rows, right: Rows, source_scale: Floats, target_scale: Floats, keep: int) -> TopK:
    """The `keep` best neighbours of every item; an item with a zero source scale has none, nor is one with zero target."""
    n_items = len(target_scale)
    by_item = np.argsort(left.columns, kind="stable")
    bounds = np.searchsorted(left.columns[by_item], np.arange(n_items + 1))
    holder = left.row_of_entry()[by_item]
    weight = left.values[by_item]
    lengths = right.lengths()
    found: list[tuple[Ints, Floats]] = []
    for item in range(n_items):
        part = slice(bounds[item], bounds[item + 1])
        if source_scale[item] <= 0 or bounds[item] == bounds[item + 1]:
            found.append(_NONE)
            continue
        columns, sums = _gather(holder[part], weight[part], lengths, right, n_items)
        scores = sums * target_scale[columns] * source_scale[item]
        scores[columns == item] = 0.0
        found.append(_best(columns, scores, keep))
    starts = np.concatenate(([0], np.cumsum([len(items) for items, _ in found]))).astype(np.int64)
    items = np.concatenate([items for items, _ in found]) if found else _NONE[0]
    values = np.concatenate([scores for _, scores in found]) if found else _NONE[1]
    return TopK(starts, items, values)


_NONE: tuple[Ints, Floats] = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64))


def _gather(rows: Ints, weights: Floats, lengths: Ints, right: Rows, n_items: int) -> tuple[Ints, Floats]:
    """(columns, sums) of the weighted rows of `right`; columns ascend."""
    ends = np.cumsum(lengths[rows])
    total = int(ends[-1])
    if total > _GATHER and len(rows) > 1:
        dense = np.zeros(n_items)
        for piece in np.array_split(np.arange(len(rows)), min(len(rows), -(-total // _GATHER))):
            columns, sums = _gather_at_once(rows[piece], weights[piece], lengths, right, n_items)
            dense[columns] += sums
        columns = np.flatnonzero(dense)
        return columns, dense[columns]
    return _gather_at_once(rows, weights, lengths, right, n_items)


def _gather_at_once(rows: Ints, weights: Floats, lengths: Ints, right: Rows, n_items: int) -> tuple[Ints, Floats]:
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
    positive = scores > 0
    columns, scores = columns[positive], scores[positive]
    if len(scores) > keep:
        least = np.partition(scores, len(scores) - keep)[len(scores) - keep]
        above = np.flatnonzero(scores > least)
        level = np.flatnonzero(scores == least)[: keep - len(above)]
        picked = np.concatenate((above, level))
        columns, scores = columns[picked], scores[picked]
    order = np.lexsort((columns, -scores))
    return columns[order], scores[order]

"""Sparse rows, and lists of neighbours: what goes into the kernel and what comes out. Plain arrays, no framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
AnyInts = NDArray[np.signedinteger[Any]]
AnyFloats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Rows:
    """A sparse matrix by rows: row r holds `columns[starts[r]:starts[r+1]]` with `values` likewise. A column that comes
    twice in a row counts with the sum of its values. int32 columns and float32 values take half the memory, and the kernel
    reads them where they are."""

    starts: Ints
    columns: AnyInts
    values: AnyFloats

    @classmethod
    def from_entries(cls, row: AnyInts, column: AnyInts, value: AnyFloats) -> Rows:
        """Of triplets in any order; row numbers may have gaps, which vanish. Keeps the width of the numbers."""
        order = np.argsort(row, kind="stable")
        _, counts = np.unique(row, return_counts=True)
        starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        return cls(starts, column[order], value[order])

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

    def shortened(self, most: int) -> Rows:
        """The first `most` entries of each row: the newest, where rows are in that order. The work of the kernel grows with
        the squares of the lengths, and the longest rows say least about likeness."""
        lengths = self.lengths()
        long = np.flatnonzero(lengths > most)
        turns = np.zeros(len(self.columns) + 1, dtype=np.int8)  # one byte an entry: +1 where a row is cut, -1 where it ends
        turns[self.starts[long] + most] = 1
        turns[self.starts[long + 1]] -= 1
        kept = np.cumsum(turns[:-1], dtype=np.int8) == 0
        starts = np.concatenate(([0], np.cumsum(np.minimum(lengths, most)))).astype(np.int64)
        return Rows(starts, self.columns[kept], self.values[kept])


def stack(parts: list[Rows]) -> Rows:
    """All rows of the parts, one below the other; a part alone is not copied."""
    if len(parts) == 1:
        return parts[0]
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

    def only(self, items: AnyInts) -> TopK:
        """The lists of these items; those of the others are empty."""
        lengths, wanted = np.diff(self.starts), np.zeros(len(self.starts) - 1, dtype=bool)
        wanted[items] = True
        kept = np.repeat(wanted, lengths)
        starts = np.concatenate(([0], np.cumsum(np.where(wanted, lengths, 0))))
        return TopK(starts, self.items[kept], self.scores[kept])

"""The kernel's loops in C, called through ctypes, which lets other threads run meanwhile.

    rank        items by popularity
    holders     by item: which rows hold it, with what value
    entries     the right rows by rank; sorted when the product is symmetric, so that the part behind an item is at hand
    find_best   item by item: add up, compare with what the lists already hold, keep candidates
    lists       sort, cut, number by column again

Every step but the first is shared out among the threads. `infra/local/regulars_local/kernel.py` compiles kernel.c.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.similarity.library import FOLDER, SOURCES, Library, file_name, here, library
from regulars.similarity.rows import Floats, Ints, Rows, TopK

__all__ = ["FOLDER", "SOURCES", "Library", "file_name", "here", "library", "processors", "top_neighbours"]
_BLOCK = 16  # as in kernel.c
_FOUND = 4
"""An item's candidates are cut to `keep` whenever they are this many times as many."""
_SPARSE = 0.5
"""Items that meet fewer entries than this share of the items are scanned by marks. Measured: .25 to 1 make no difference."""
_FEW = 200_000
"""Entries below which threads cost more than they bring."""
_ENTRY = np.dtype([("rank", "<i4"), ("value", "<f4")])
_ITEM = np.dtype(
    [
        ("source", "<f8"),
        ("target", "<f8"),
        ("column", "<i4"),
        ("count", "<i4"),
        ("begin", "<i8"),
        ("space", "<i4"),
        ("busy", "<i4"),
    ]
)
_ARRAYS = ("entries", "begin", "from", "length", "weight", "item", "target", "limit", "candidates", "next")

Array = NDArray[Any]


class _Job(ctypes.Structure):
    """As in kernel.c. The arrays must outlive it: it holds their addresses."""

    _fields_ = (
        ("items", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in _ARRAYS),
        ("sparse_below", ctypes.c_int64),
        *((name, ctypes.c_int32) for name in ("keep", "symmetric", "threads", "space")),
    )


def processors() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def top_neighbours(
    library: Library, left: Rows, right: Rows, source_scale: Floats, target_scale: Floats, keep: int, threads: int
) -> TopK:
    """As `kernel.top_neighbours` says; scales are not negative."""
    if len(right.columns) < _FEW:
        threads = 1
    with ThreadPoolExecutor(threads or processors()) as pool:
        return _Run(library, pool, threads or processors(), len(target_scale), keep)(left, right, source_scale, target_scale)


class _Run:
    """One call: what all steps need."""

    def __init__(self, library: Library, pool: ThreadPoolExecutor, threads: int, n_items: int, keep: int) -> None:
        self.library, self.pool, self.threads, self.n_items, self.keep = library, pool, threads, n_items, keep

    def __call__(self, left: Rows, right: Rows, source_scale: Floats, target_scale: Floats) -> TopK:
        symmetric = left is right
        columns = _narrow(right.columns, np.int32)
        held = columns if symmetric else _narrow(left.columns, np.int32)
        counts = self._counts(columns)
        order = np.argsort(-counts, kind="stable")
        rank = np.empty(self.n_items, dtype=np.int32)
        rank[order] = np.arange(self.n_items, dtype=np.int32)
        item = np.zeros(self.n_items, dtype=_ITEM)
        item["source"], item["target"], item["column"] = source_scale[order], target_scale[order], order
        begin = np.concatenate(([0], np.cumsum((counts if symmetric else self._counts(held))[order])))
        arrays = self._holders(left, right, held, rank, begin, item)
        arrays["entries"] = self._entries(right, columns, rank, arrays, symmetric)
        candidates = self._find_best(item, arrays, right, symmetric)
        del arrays, held, columns  # before the lists are written beside the candidates
        return self._lists(item, rank, candidates)

    def _counts(self, columns: Array) -> Ints:
        counts = np.zeros(self.n_items, dtype=np.int64)
        self._call("count_columns", columns, len(columns), counts)
        return counts

    def _holders(self, left: Rows, right: Rows, columns: Array, rank: Array, begin: Ints, item: Array) -> dict[str, Array]:
        """The left matrix by item. The entries an item meets bound its candidates: fills `space` and `begin` of those."""
        values = _narrow(left.values, np.float32)
        cursor, met = begin[:-1].copy(), np.zeros(self.n_items, dtype=np.int64)
        holder, weight = np.empty(len(columns), dtype=np.int32), np.empty(len(columns), dtype=np.float32)
        matrix, into = (left.starts, columns, values, left.count), (cursor, met, holder, weight)
        self._parallel(
            lambda first, last: self._call("list_holders", *matrix, rank, right.starts, first, last, *into),
            self._even_cuts(begin),
        )
        item["space"] = np.minimum(met, 2 * self.keep)
        item["begin"][1:] = np.cumsum(item["space"][:-1], dtype=np.int64)
        return {"begin": begin, "length": holder, "weight": weight}

    def _entries(self, right: Rows, columns: Array, rank: Array, arrays: dict[str, Array], symmetric: bool) -> Array:
        """The right rows by rank; holders' row numbers give way to where their entries are and how many."""
        entries, begin = np.empty(len(columns), dtype=_ENTRY), arrays["begin"]
        place, holder = np.empty(len(arrays["length"]), dtype=np.int32), arrays["length"]
        if symmetric:
            cursor, weight = right.starts[:-1].copy(), arrays.pop("weight")
            self._parallel(
                lambda first, last: self._call(
                    "sort_rows", begin, self.n_items, holder, weight, first, last, cursor, entries, place
                ),
                self._even_cuts(right.starts),
            )
        else:
            values = _narrow(right.values, np.float32)
            self._parallel(
                lambda first, last: self._call("rank_entries", columns, values, first, last, rank, entries),
                self._shares(len(columns)),
            )
        measure = "measure_behind" if symmetric else "measure_whole"
        self._parallel(
            lambda first, last: self._call(measure, right.starts, first, last, place, holder), self._shares(len(holder))
        )
        arrays["from"] = place
        return entries

    def _find_best(self, item: Array, arrays: dict[str, Array], right: Rows, symmetric: bool) -> Array:
        """The candidates; fills `count` of each item."""
        padded = -(-self.n_items // _BLOCK) * _BLOCK
        limit = np.full(padded, np.finfo(np.float32).tiny, dtype=np.float32)
        limit[: self.n_items][item["source"] <= 0] = np.inf
        target = np.zeros(padded, dtype=np.float32)
        target[: self.n_items] = item["target"]
        arrays |= {"item": item, "limit": limit, "target": target, "next": np.zeros(1, dtype=np.int64)}
        arrays["candidates"] = np.empty(int(item["space"].sum(dtype=np.int64)), dtype=np.uint64)
        lengths = right.lengths().astype(np.float64)
        met = float((lengths**2).sum()) / max(len(right.columns), 1) / (2 if symmetric else 1)
        job = _Job(
            items=self.n_items,
            sparse_below=int(_SPARSE * self.n_items / max(met, 1.0)),
            keep=self.keep,
            symmetric=symmetric,
            threads=self.threads,
            space=_FOUND * self.keep,
            **{name: arrays[name].ctypes.data for name in _ARRAYS if name in arrays},
        )

        def work(_first: int, _last: int) -> None:
            sums, marks = np.zeros(padded, dtype=np.float32), np.zeros(padded // _BLOCK + 7, dtype=np.uint8)
            self._call("find_best", job, sums, marks, np.empty(_FOUND * self.keep, dtype=np.uint64))

        self._parallel(work, range(self.threads + 1))
        return arrays["candidates"]

    def _lists(self, item: Array, rank: Array, candidates: Array) -> TopK:
        cuts = self._shares(self.n_items)
        self._parallel(lambda first, last: self._call("sort_lists", item, candidates, self.keep, first, last), cuts)
        starts = np.concatenate(([0], np.cumsum(item["count"][rank], dtype=np.int64)))
        items, scores = np.empty(starts[-1], dtype=np.int64), np.empty(starts[-1], dtype=np.float64)
        self._parallel(
            lambda first, last: self._call("write_lists", item, candidates, rank, starts, first, last, items, scores), cuts
        )
        return TopK(starts, items, scores)

    def _shares(self, count: int) -> list[int]:
        """Cuts of 0..count into a part for each thread."""
        return [count * thread // self.threads for thread in range(self.threads + 1)]

    def _even_cuts(self, begins: Ints) -> list[int]:
        """Cuts of a list of parts, of which part p spans `begins[p]:begins[p+1]`, into about equal work."""
        inner = np.searchsorted(begins, self._shares(int(begins[-1]))[1:-1])
        return [0, *np.minimum(inner, len(begins) - 1).tolist(), len(begins) - 1]

    def _parallel(self, step: Callable[[int, int], None], cuts: Iterable[int]) -> None:
        """`step(first, last)` of every part, all at once; the first error is raised."""
        edges = list(cuts)
        for _ in self.pool.map(step, edges[:-1], edges[1:]):
            pass

    def _call(self, name: str, *arguments: Any) -> None:
        getattr(self.library, name)(*(_passed(argument) for argument in arguments))


def _passed(argument: Any) -> Any:
    if isinstance(argument, np.ndarray):
        return ctypes.c_void_p(argument.ctypes.data)
    return ctypes.byref(argument) if isinstance(argument, _Job) else ctypes.c_int64(argument)


def _narrow(numbers: Array, width: type[np.int32] | type[np.float32]) -> Array:
    """Contiguous and of that width; the array itself where it is so already."""
    return np.ascontiguousarray(numbers, dtype=width)

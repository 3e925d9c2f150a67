"""Vectors rounded to eight bits tell which of them may give the highest products with another one; the loop is sequence.c.

    x ≈ step · q      q whole, −127 … 127; a step for each vector: its largest number ÷ 127
    u ≈ unit · v      v whole, as wide as leaves the sum of products in 32 bits
    |x·u − step·unit·(q·v)|  ≤  ½·step·‖u‖₁ + ½·unit·step·‖q‖₁

So a vector whose rounded product, and what rounding can hide, is below `keep` others' rounded product less the same is surely
none of the `keep` best. The few hundred that are left are for the caller to multiply in full. Of 100,000 vectors of 64 numbers
6.4 MB are read, not 25.6.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.similarity import library

Vectors = NDArray[np.float32]
_LEVELS = 127
_SMALLEST = 1e-30
"""A step below which single precision would no longer tell how small it is."""
_SIDE = 16  # as in sequence.c
_WIDEST, _LARGEST = 2**15 - 1, 2**31 - 1


class _Search(ctypes.Structure):
    """As in sequence.c. The arrays must outlive it: it holds their addresses."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("count", "width", "keep")),
        *((name, ctypes.c_double) for name in ("unit", "reach")),
        *((name, ctypes.c_void_p) for name in ("items", "steps", "state", "shut", "floors", "found", "ceilings")),
    )


@cache
def loop() -> Any:
    """The loop with its types told; None where it was not compiled for this machine."""
    compiled = library.library()
    if compiled is None:
        return None
    found = compiled.sequence_candidates
    found.argtypes, found.restype = [ctypes.POINTER(_Search)], ctypes.c_int64
    return found


@dataclass(frozen=True)
class Rounded:
    """`numbers`: items × width, filled up with zeros; `steps`: by item; `longest`: the largest ‖q‖₁; `slack`: what sums in
    single precision, in any order, add to an error (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, 3.1)."""

    numbers: NDArray[np.int8]
    steps: Vectors
    longest: int
    slack: float

    def candidates(self, state: Vectors, keep: int, shut: NDArray[np.int64]) -> NDArray[np.int32]:
        """Numbers of all items, but `shut`, that can be among the `keep` whose product with `state` (d) is highest, in single
        precision too where that does not underflow; ascending. 1 ≤ keep ≤ items. All of them for a state that is not finite."""
        count, width = self.numbers.shape
        levels = min(_WIDEST, _LARGEST // max(1, self.longest))
        unit = float(np.abs(state).max()) / levels or 1.0
        whole = np.zeros(width, dtype=np.int16)
        whole[: len(state)] = np.rint(state.astype(np.float64) / unit)
        reach = (float(np.abs(state).sum(dtype=np.float64)) + unit * self.longest) * (0.5 + self.slack)
        closed = np.zeros(count, dtype=np.uint8)
        closed[shut] = 1
        floors, found, ceilings = np.empty(keep), np.empty(count, dtype=np.int32), np.empty(count)
        arrays = (self.numbers, self.steps, whole, closed, floors, found, ceilings)
        search = _Search(count, width, keep, unit, reach, *(array.ctypes.data for array in arrays))
        kept: int = loop()(search)
        return found[:kept]


def rounded(vectors: Vectors) -> Rounded | None:
    """Of finite vectors (items × d); None without the loop."""
    if loop() is None:
        return None
    count, dim = vectors.shape
    steps = np.maximum(np.abs(vectors).max(axis=1, initial=0.0) / _LEVELS, _SMALLEST, dtype=np.float32)
    scaled = vectors / steps[:, np.newaxis]
    np.clip(np.rint(scaled, out=scaled), -_LEVELS, _LEVELS, out=scaled)
    numbers = np.zeros((count, -(-dim // _SIDE) * _SIDE), dtype=np.int8)
    numbers[:, :dim] = scaled
    longest = int(np.abs(numbers).sum(axis=1, dtype=np.int64).max(initial=0))
    return Rounded(numbers, steps, longest, _LEVELS * dim * 2.0**-22)

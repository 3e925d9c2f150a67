"""The kernel: weighted sparse rows in, the best K neighbours of every item out.

With L and R two sparse matrices of the same rows (shoppers, sessions, orders) and items as columns,

    c_ij = Σ_row L_row,i · R_row,j        score_ij = c_ij · source_scale_i · target_scale_j        (i ≠ j)

Sums run over the rows in ascending order, so that they do not depend on which other rows there are. Scores are rounded to
single precision before they are compared, ties are broken by the lower column: equal input gives equal lists. Products and
sums are single precision (24 bits: whole numbers below 16.7 million are exact); values that differ by more than 1e18 do not
meet in one sum.

The loops are C (kernel.c), compiled when the project is set up or built and called through `compiled`. Where that has not
been done, `uncompiled` gives the same lists with numpy alone, 10 to 20 times as slowly, and a warning is logged.
"""

from __future__ import annotations

import numpy as np

from regulars.errors import GiveUp, Invalid
from regulars.similarity import compiled, uncompiled
from regulars.similarity.rows import AnyFloats, AnyInts, Floats, Ints, Rows, TopK, stack

__all__ = ["AnyFloats", "AnyInts", "Floats", "Ints", "Rows", "TopK", "stack", "top_neighbours"]

_MOST_ENTRIES = 2**31 - 1
"""Places of entries are 32-bit numbers."""


def top_neighbours(left: Rows, right: Rows, source_scale: Floats, target_scale: Floats, keep: int, *, threads: int = 0) -> TopK:
    """The `keep` best neighbours of every item, scores above zero only; an item whose source scale is not positive has none,
    nor is one with such a target scale.

    The same object as `left` and `right` takes half the work. `threads` 0 means all processors of this process. Peak memory:
    24 bytes an entry and 24 `keep` bytes an item, beside the input. Raises Invalid when the arrays do not fit together,
    GiveUp(does_not_fit) above 2^31 entries.
    """
    _check(left, right, source_scale, target_scale, keep)
    sources, targets = (np.maximum(np.nan_to_num(scale, nan=0.0), 0.0) for scale in (source_scale, target_scale))
    library = compiled.library()
    if library is None:
        return uncompiled.top_neighbours(left, right, sources, targets, keep)
    return compiled.top_neighbours(library, left, right, sources, targets, keep, threads)


def _check(left: Rows, right: Rows, source_scale: Floats, target_scale: Floats, keep: int) -> None:
    if keep < 1:
        raise Invalid(f"keep is {keep}: at least one neighbour", field="keep")
    if len(source_scale) != len(target_scale):
        raise Invalid(f"{len(source_scale)} source scales, {len(target_scale)} target scales", field="source_scale")
    if left.count != right.count:
        raise Invalid(f"left has {left.count} rows, right {right.count}", field="right")
    for name, rows in (("left", left),) if left is right else (("left", left), ("right", right)):
        if len(rows.columns) > _MOST_ENTRIES:
            raise GiveUp(
                f"{len(rows.columns)} entries: one kernel takes {_MOST_ENTRIES}; shorten the rows or the history",
                code="does_not_fit",
            )
        whole = rows.starts[0] == 0 and rows.starts[-1] == len(rows.columns) == len(rows.values)
        if not whole or (np.diff(rows.starts) < 0).any():
            raise Invalid("row starts must ascend from 0 to the number of entries", field=name)
        if len(rows.columns) and not 0 <= rows.columns.min() <= rows.columns.max() < len(target_scale):
            raise Invalid(f"columns lie outside the {len(target_scale)} items", field=name)

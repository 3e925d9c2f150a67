"""Logs as arrays, in few words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from regulars.similarity.interactions import PURCHASE, Interactions
from regulars.similarity.protocols import DAY_MS

Row = tuple[str, str, float]
"""Shopper, item, day; with a fourth and fifth entry: session or basket, kind."""


def interactions(
    rows: Sequence[tuple[str, str, float] | tuple[str, str, float, int] | tuple[str, str, float, int, int]],
) -> Interactions:
    """Sorted by shopper and day; equal days keep their order. Numbers follow the sorted ids."""
    shoppers = sorted({row[0] for row in rows})
    items = sorted({row[1] for row in rows})
    ordered = sorted(rows, key=lambda row: (row[0], row[2]))
    return Interactions(
        np.array([shoppers.index(row[0]) for row in ordered], dtype=np.int64),
        np.array([items.index(row[1]) for row in ordered], dtype=np.int64),
        np.array([row[4] if len(row) > 4 else PURCHASE for row in ordered], dtype=np.int64),
        np.array([int(row[2] * DAY_MS) for row in ordered], dtype=np.int64),
        np.array([row[3] if len(row) > 3 else -1 for row in ordered], dtype=np.int64),
        tuple(shoppers),
        tuple(items),
    )

"""A seeded matrix of shoppers and items, for timing builds: lognormal row lengths, Zipf-like popularity.

1,000,000 × 100,000 gives 31.7 million distinct interactions and Σ length² = 3.28e9, the multiply-adds of the full product of
the items. Other sizes keep the items, the popularity and the distribution of the lengths: more shoppers, same density.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

ITEMS = 100_000
LOG_MEAN, LOG_SPREAD = 2.8651, 1.0877
"""Of the natural logarithm of a row's length. Lengths are the quantiles of the distribution, not draws from it, so that
their totals do not depend on the seed: 31.7 a row, the squares 3,280 a row."""
OFFSET = 100.0
"""The item of popularity rank r is drawn in proportion to 1 / (r + OFFSET) (Zipf-Mandelbrot): the most popular item is with
four or five shoppers of a hundred, half of the items with fewer than one of ten thousand."""


def lengths(shoppers: int, seed: int = 1) -> NDArray[np.int64]:
    """Items of each shopper, at least one."""
    normal = NormalDist()
    middle = (np.arange(shoppers) + 0.5) / shoppers
    quantiles = np.fromiter(map(normal.inv_cdf, middle.tolist()), np.float64, shoppers)
    rounded = np.rint(np.exp(LOG_MEAN + LOG_SPREAD * quantiles)).astype(np.int64)
    return np.random.default_rng(seed).permutation(np.clip(rounded, 1, ITEMS // 10))


def matrix(shoppers: int, items: int = ITEMS, seed: int = 1) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """(starts, columns) of the rows; the columns of a row are distinct and in random order."""
    dice = np.random.default_rng(seed)
    wanted = lengths(shoppers, seed)
    share = np.cumsum(1 / (np.arange(items) + OFFSET))
    names = dice.permutation(items)
    keys = np.empty(0, dtype=np.int64)
    missing = wanted
    while missing.any():
        shopper = np.repeat(np.arange(shoppers), missing)
        drawn = np.searchsorted(share, dice.random(len(shopper)) * share[-1])
        keys = np.sort(np.concatenate((keys, shopper * items + drawn)))
        keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))]
        missing = wanted - np.bincount(keys // items, minlength=shoppers)
    starts = np.concatenate(([0], np.cumsum(wanted)))
    columns = names[keys % items].astype(np.int32)
    return starts, columns[_shuffled(starts, dice)]


def _shuffled(starts: NDArray[np.int64], dice: np.random.Generator) -> NDArray[np.int64]:
    """Places of the entries, each row's among themselves in random order."""
    row = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    order: NDArray[np.int64] = np.argsort(row + dice.random(len(row)))
    return order

"""Purchases as arrays: one row per shopper and distinct purchase day, and the habits of all shoppers at a cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.needs.habits import RECENT_DAYS, Habit

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Purchases:
    """Sorted by shopper, then day. `shopper` counts from 0 below `shoppers`; `day` is days since 1970; `value` what the
    shopper spent that day, NaN counted as nothing."""

    shopper: Ints
    day: Ints
    value: Floats
    shoppers: int

    def __len__(self) -> int:
        return len(self.day)

    def before(self, cut: int) -> Purchases:
        return self._where(self.day < cut)

    def counts(self, start: int, end: int) -> Ints:
        """Purchase days of every shopper in [start, end)."""
        return np.bincount(self.shopper[(self.day >= start) & (self.day < end)], minlength=self.shoppers)

    def _where(self, mask: NDArray[np.bool_]) -> Purchases:
        return Purchases(self.shopper[mask], self.day[mask], self.value[mask], self.shoppers)


def purchases_of(shopper: NDArray[np.integer], day: NDArray[np.integer], value: NDArray[np.floating] | None) -> Purchases:
    """One row per shopper and day out of lines in any order."""
    if not len(day):
        return Purchases(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), 0)
    first, width = int(day.min()), int(day.max()) - int(day.min()) + 1
    keys, where = np.unique(shopper.astype(np.int64) * width + (day - first), return_inverse=True)
    spent = np.zeros(len(keys))
    if value is not None:
        spent += np.bincount(where, np.nan_to_num(value.astype(np.float64)), len(keys))
    return Purchases(keys // width, keys % width + first, spent, int(shopper.max()) + 1)


def habits_at(purchases: Purchases, cut: int) -> tuple[Ints, Habit]:
    """(shoppers with a purchase before the cut, their habits on that day)."""
    known = purchases.before(cut)
    who, start, count = np.unique(known.shopper, return_index=True, return_counts=True)
    n = count.astype(np.float64)
    first, last = known.day[start], known.day[start + count - 1]
    span, active = (cut - first).astype(np.float64), (last - first).astype(np.float64)
    row = np.repeat(np.arange(len(who)), count)
    gaps, of = np.diff(known.day), row[1:]
    inside = of == row[:-1]
    gaps, of = gaps[inside].astype(np.float64), of[inside]
    several = count > 1
    mean = np.where(several, active / np.maximum(n - 1, 1), span)
    spread = np.bincount(of, gaps**2, len(who)) / np.maximum(n - 1, 1) - mean**2
    recent = [np.bincount(row[known.day >= cut - days], minlength=len(who)).astype(np.float64) for days in RECENT_DAYS]
    last_gap = span.copy()
    last_gap[several] = (last - known.day[np.maximum(start + count - 2, 0)])[several]
    return who, Habit(
        purchases=n,
        silence=(cut - last).astype(np.float64),
        span=span,
        active=active,
        mean_gap=mean,
        median_gap=np.where(several, medians(of, gaps, len(who)), span),
        last_gap=last_gap,
        deviation=np.sqrt(np.maximum(0.0, np.where(count > 2, spread, 0.0))),
        last_30=recent[0],
        last_90=recent[1],
        last_365=recent[2],
        value=np.maximum(0.0, np.bincount(row, known.value, len(who)) / n),
    )


def medians(group: Ints, gaps: Floats, groups: int) -> Floats:
    """Median of each group's gaps (whole days, not negative); NaN for a group without. One sort of whole numbers: ten times
    as fast as sorting by two keys."""
    found = np.full(groups, np.nan)
    if not len(gaps):
        return found
    count = np.bincount(group, minlength=groups)
    width = int(gaps.max()) + 1
    ordered = np.sort(group * width + gaps.astype(np.int64)) % width
    start = np.cumsum(count) - count
    some = count > 0
    found[some] = (ordered[(start + (count - 1) // 2)[some]] + ordered[(start + count // 2)[some]]) / 2
    return found

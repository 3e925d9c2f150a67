"""Demand of categories some days ahead: purchases (shopper-days) of each day of a window, by the method each series earned.

Methods, all of them level × share of the weekday:

    naive       the same weekday last week: the baseline, and what stays where nothing beats it
    weeks       mean of the same weekday over `profile_weeks`, level as it was
    level_<h>   exponentially weighted level with half-life h days: Σ w·y / Σ w·share, so that closed days count as such
    yearly      the middle level, times what the same window rose or fell a year ago (square root of it, as one year tells
                little), where there is more than a year of history

Exponential smoothing with fixed weekday shares: Hyndman & Athanasopoulos, "Forecasting: Principles and Practice" (3rd ed.),
sections 5.2 and 8. A series takes the method with the lowest error over rolling origins, its own error mixed with that of
all series, among those that are not worse than naive on its own. Errors are of the window's total, absolute.
Stable needs are series whose weeks vary little (coefficient of variation at most `stable_variation`), the rest are dynamic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regulars.needs.config import DemandSettings
from regulars.needs.purchases import Floats, Ints

NAIVE = "naive"
WEEK = 7
_YEAR = 364


@dataclass(frozen=True, slots=True)
class Series:
    """`counts` (series, days): purchases of each day, the first column on `start` (days since 1970)."""

    names: tuple[str, ...]
    start: int
    counts: Floats

    @property
    def end(self) -> int:
        """The first day after the last column."""
        return self.start + int(self.counts.shape[1])


def series_of(
    names: Sequence[str],
    category: NDArray[np.integer],
    shopper: NDArray[np.integer],
    day: NDArray[np.integer],
    settings: DemandSettings,
    cut: int,
) -> Series:
    """Categories with at least `min_daily` purchases a day over the last weeks before `cut`, biggest first, `max_series` at
    most. A purchase is a distinct (shopper, day) of a category."""
    if not len(day):
        return Series((), cut, np.zeros((0, 0)))
    start, days, shoppers = int(day.min()), int(day.max()) - int(day.min()) + 1, int(shopper.max()) + 1
    keys = np.unique((category.astype(np.int64) * shoppers + shopper) * days + (day - start))
    of, on = keys // (days * shoppers), keys % days
    recent = (on >= cut - start - settings.profile_weeks * WEEK) & (on < cut - start)
    weight = np.bincount(of[recent], minlength=len(names)) / (settings.profile_weeks * WEEK)
    ranked = np.argsort(-weight, kind="stable")
    kept = ranked[weight[ranked] >= settings.min_daily][: settings.max_series]
    place = np.full(len(names), -1)
    place[kept] = np.arange(len(kept))
    inside = place[of] >= 0
    cells = place[of[inside]] * days + on[inside]
    counts = np.bincount(cells, minlength=len(kept) * days).reshape(len(kept), days).astype(np.float64)
    return Series(tuple(names[number] for number in kept), start, counts)


def until(series: Series, today: int) -> Series:
    """The series with a column for every day before `today`: days without any purchase are nought, not missing."""
    missing = today - series.end
    if missing <= 0 or not series.names:
        return series
    return replace(series, counts=np.pad(series.counts, ((0, 0), (0, missing))))


def forecasts(series: Series, today: int, settings: DemandSettings) -> Mapping[str, Floats]:
    """Method → (series, days of the window), knowing what came before `today`; the window is `first_day` to `last_day` days
    after yesterday."""
    known = today - series.start
    counts = series.counts[:, :known]
    ahead = known - 1 + np.arange(settings.first_day, settings.last_day + 1)
    profile = _profile(counts, settings)
    found = {NAIVE: counts[:, ahead - WEEK * ((ahead - known) // WEEK + 1)]}
    window = profile[:, ahead % WEEK]
    flat = (np.arange(known) >= known - settings.profile_weeks * WEEK).astype(np.float64)
    weights = [flat, *(_fading(known, half_life) for half_life in settings.level_half_lives)]
    names = ["weeks", *(f"level_{half_life:g}" for half_life in settings.level_half_lives)]
    levels = _levels(counts, profile, np.stack(weights))
    found |= {name: level * window for name, level in zip(names, levels, strict=True)}
    if known > _YEAR + settings.min_history_days:
        middle = settings.level_half_lives[len(settings.level_half_lives) // 2]
        found["yearly"] = found[f"level_{middle:g}"] * _rise(counts, profile, ahead, middle, settings.profile_weight)
    found["mean"] = np.mean([found[name] for name in found if name != NAIVE], axis=0)
    return found


def _profile(counts: Floats, settings: DemandSettings) -> Floats:
    """(series, 7): share of each weekday (by column number modulo 7), the shop's mixed in."""
    recent = counts[:, -settings.profile_weeks * WEEK :]
    weekday = (counts.shape[1] - recent.shape[1] + np.arange(recent.shape[1])) % WEEK
    sums = np.stack([recent[:, weekday == number].sum(axis=1) for number in range(WEEK)], axis=1)
    whole = sums.sum(axis=0)
    shop = whole / max(whole.sum(), 1e-9)
    mixed: Floats = (sums + settings.profile_weight * shop) / np.maximum(
        sums.sum(axis=1, keepdims=True) + settings.profile_weight, 1e-9
    )
    return mixed


def _fading(known: int, half_life: float) -> Floats:
    weight: Floats = 0.5 ** (np.arange(known)[::-1] / half_life)
    return weight


def _levels(counts: Floats, profile: Floats, weights: Floats) -> Floats:
    """(weightings, series, 1): purchases a week, each day counting what `weights` (weightings, days) gives it."""
    days = weights.shape[1]
    by_weekday = np.stack([weights[:, np.arange(days) % WEEK == number].sum(axis=1) for number in range(WEEK)])
    bought, shares = counts[:, :days] @ weights.T, profile @ by_weekday
    levels: Floats = (bought / np.maximum(shares, 1e-9)).T[:, :, None]
    return levels


def _rise(counts: Floats, profile: Floats, ahead: Ints, half_life: float, weight: float) -> Floats:
    """(series, 1): √ of last year's window over what its level promised then, between ½ and 2; `weight` purchases of the
    shop's own ratio are mixed in."""
    (promised,) = _levels(counts, profile, _fading(counts.shape[1] - _YEAR, half_life)[None, :])
    promise = promised[:, 0] * profile[:, ahead % WEEK].sum(axis=1)
    came = counts[:, ahead - _YEAR].sum(axis=1)
    shop = came.sum() / max(promise.sum(), 1e-9)
    ratio = (came + weight * shop) / (promise + weight)
    rise: Floats = np.sqrt(np.clip(ratio, 0.25, 4.0))[:, None]
    return rise


def actual(series: Series, today: int, settings: DemandSettings) -> Floats:
    """(series, days of the window): what came; `today` + `last_day` − 1 must lie within the series."""
    at = today - series.start - 1
    return series.counts[:, at + settings.first_day : at + settings.last_day + 1]

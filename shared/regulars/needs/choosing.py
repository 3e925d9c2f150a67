"""Which method forecasts which series, and whether its need is stable.

A series takes the method with the lowest error over rolling origins, its own error mixed with the usual one of its kind
(stable or dynamic), among those that are not worse than naive on its own. Errors are of the window's total, absolute. Stable
needs are series whose weeks vary little (coefficient of variation at most `stable_variation`); the rest are dynamic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.needs import demand
from regulars.needs.config import DemandSettings
from regulars.needs.purchases import Floats

_STABILITY_WEEKS = 13


@dataclass(frozen=True, slots=True)
class Chosen:
    """Per series: the method, whether it is stable, and its validation error as a share of what was bought (WAPE) beside
    naive's; NaN where nothing was bought."""

    methods: tuple[str, ...]
    stable: NDArray[np.bool_]
    error: Floats
    naive_error: Floats


def choose(series: demand.Series, today: int, settings: DemandSettings) -> Chosen:
    """The method of each series, judged on the windows that ended before `today`; naive where history is too short."""
    known = today - series.start
    origins = range(
        max(settings.min_history_days, known - settings.last_day - settings.validation_days), known - settings.last_day + 1
    )
    stable = _stable(series.counts[:, :known], settings)
    errors, bought = _judged(series, origins, settings)
    if not errors:
        blank = np.full(len(series.names), np.nan)
        return Chosen((demand.NAIVE,) * len(series.names), stable, blank, blank)
    names = list(errors)
    table = np.stack([errors[name] for name in names])
    base = np.maximum(errors[demand.NAIVE], 1e-9)
    mixed = settings.own_weight * table / base
    for group in (stable, ~stable):
        if group.any():
            mixed[:, group] += (1 - settings.own_weight) * np.median(table[:, group] / base[group], axis=1, keepdims=True)
    mixed[table > base] = np.inf
    best = np.argmin(mixed, axis=0)
    share = np.where(bought > 0, bought, np.nan)
    error = table[best, np.arange(len(best))] / share
    return Chosen(tuple(names[number] for number in best), stable, error, errors[demand.NAIVE] / share)


def _judged(series: demand.Series, origins: range, settings: DemandSettings) -> tuple[dict[str, Floats], Floats]:
    """(method → summed absolute error of the window's total, what was bought) per series; only methods known at every
    origin."""
    errors: dict[str, list[Floats]] = {}
    bought = np.zeros(len(series.names))
    for known in origins:
        came = demand.actual(series, series.start + known, settings).sum(axis=1)
        bought += came
        for name, forecast in demand.forecasts(series, series.start + known, settings).items():
            errors.setdefault(name, []).append(np.abs(forecast.sum(axis=1) - came))
    return {name: np.sum(parts, axis=0) for name, parts in errors.items() if len(parts) == len(origins)}, bought


def _stable(counts: Floats, settings: DemandSettings) -> NDArray[np.bool_]:
    weeks = min(_STABILITY_WEEKS, counts.shape[1] // demand.WEEK)
    if weeks < 2:
        return np.zeros(len(counts), dtype=np.bool_)
    totals = counts[:, -weeks * demand.WEEK :].reshape(len(counts), weeks, demand.WEEK).sum(axis=2)
    steady: NDArray[np.bool_] = totals.std(axis=1) <= settings.stable_variation * np.maximum(totals.mean(axis=1), 1e-9)
    return steady


def forecast(series: demand.Series, today: int, chosen: Chosen, settings: DemandSettings) -> Floats:
    """(series, days of the window) by each one's method."""
    found = demand.forecasts(series, today, settings)
    rows = [found.get(method, found[demand.NAIVE])[number] for number, method in enumerate(chosen.methods)]
    return np.stack(rows) if rows else np.zeros((0, settings.last_day - settings.first_day + 1))

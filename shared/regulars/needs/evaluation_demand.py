"""Would the forecasts of demand have been right: categories, or items where a log names no category."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.errors import Invalid
from regulars.needs import choosing, demand
from regulars.needs.config import NeedsSettings
from regulars.needs.evaluation import Measured
from regulars.needs.purchases import Floats

_RECHOSEN_DAYS = 7


def demand_ahead(series: demand.Series, cut: int, settings: NeedsSettings) -> Measured:
    """Accuracy (1 − WAPE of the windows' totals) of every method and of what would have been published: methods chosen anew
    every week from what was known then. Raises Invalid where no series sells enough or too little follows the cut."""
    chosen_by = settings.demand
    if not series.names:
        raise Invalid(f"no series has {chosen_by.min_daily:g} purchases a day in the weeks before the cut")
    if cut - series.start < chosen_by.min_history_days + chosen_by.last_day:
        raise Invalid(
            f"{cut - series.start} days before the cut: demand needs {chosen_by.min_history_days + chosen_by.last_day}"
        )
    origins = range(cut, series.end - chosen_by.last_day + 1)
    if not len(origins):
        raise Invalid(f"fewer than {chosen_by.last_day} days follow the cut")
    errors: dict[str, Floats] = {}
    bought = np.zeros(len(series.names))
    chosen = first = choosing.choose(series, cut, chosen_by)
    for today in origins:
        if (today - cut) % _RECHOSEN_DAYS == 0:
            chosen = choosing.choose(series, today, chosen_by)
        came = demand.actual(series, today, chosen_by).sum(axis=1)
        bought += came
        told = {"published": choosing.forecast(series, today, chosen, chosen_by), **demand.forecasts(series, today, chosen_by)}
        for name, forecast in told.items():
            if today == cut or name in errors:  # a year may have passed since: then it is no method of this cut
                errors[name] = errors.get(name, 0.0) + np.abs(forecast.sum(axis=1) - came)
    groups = {"stable": first.stable, "dynamic": ~first.stable, "all": np.ones(len(bought), dtype=np.bool_)}
    naive = errors[demand.NAIVE]
    rows = {
        name: {group: _accuracy(error[mask], bought[mask]) for group, mask in groups.items()}
        | {"of_naive": float(error.sum() / max(naive.sum(), 1e-9))}
        for name, error in errors.items()
    }
    facts = {"series": len(series.names), "stable": int(first.stable.sum()), "origins": len(origins)}
    return Measured(rows, facts)


def _accuracy(error: Floats, bought: Floats) -> float:
    return float(1 - error.sum() / bought.sum()) if bought.sum() > 0 else float("nan")


def series_for(
    shopper: NDArray[Any], day: NDArray[Any], cut: int, settings: NeedsSettings, category: NDArray[Any], names: Sequence[str]
) -> demand.Series:
    """Of the categories given, without those that have no name."""
    named = np.array([bool(name) for name in names], dtype=np.bool_)[category] if len(names) else np.zeros(0, np.bool_)
    return demand.series_of(names, category[named], shopper[named], day[named], settings.demand, cut)

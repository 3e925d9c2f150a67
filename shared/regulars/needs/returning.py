"""Who buys again within a horizon: candidates fitted on earlier cuts, and the one that validation prefers.

All candidates are linear in the fourteen features of `habits` (thirteen of recency, frequency, money and gaps; the log of
what MBG/NBD expects), so that the chosen one is fifteen numbers:

    expected   MBG/NBD's expected purchases alone, put on the scale of odds
    logistic   the thirteen
    stacked    all fourteen
    average    the mean of the odds of `expected` and `logistic`

Training rows are all shoppers at `training_cuts` earlier days, the newest a horizon before the cut: nothing after the cut is
seen. The same, a horizon earlier still, is judged by the area under the curve at the newest training day; `average` stands
unless another is better by `least_gain`, as it does where the past is too short to judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.errors import Invalid
from regulars.needs import mbg
from regulars.needs.config import ReturningSettings
from regulars.needs.expecting import Mbg
from regulars.needs.habits import FEATURES, Habit, features
from regulars.needs.logistic import Fitted, area_under_curve, fit
from regulars.needs.purchases import Floats, Ints, Purchases, habits_at

DEFAULT = "average"
_THIRTEEN = len(FEATURES)


@dataclass(frozen=True, slots=True)
class Returning:
    """What was learned at a cut. `candidates`: name → log odds over the fourteen features; `chosen` is one of them;
    `validation`: name → area under the curve a horizon earlier, empty where the past was too short."""

    horizon_days: int
    mbg: Mbg
    candidates: Mapping[str, Fitted]
    chosen: str
    validation: Mapping[str, float]

    def score(self, habit: Habit, name: str = "") -> Floats:
        """Log odds of buying within the horizon, by the chosen candidate or `name`."""
        return self.candidates[name or self.chosen].score(matrix(habit, self.mbg, self.horizon_days))


def learn(purchases: Purchases, cut: int, settings: ReturningSettings, horizon_days: int = 0) -> Returning:
    """The model at `cut` (days since 1970), for the settings' horizon unless given. Raises Invalid for too few shoppers and
    for a past shorter than the horizon."""
    horizon = horizon_days or settings.horizon_days
    known = purchases.before(cut)
    if len(np.unique(known.shopper)) < settings.min_shoppers:
        raise Invalid(
            f"{len(np.unique(known.shopper))} shoppers bought before the cut: at least {settings.min_shoppers} are needed"
        )
    candidates = _candidates(known, cut, settings, horizon)
    if candidates is None:
        days = cut - int(known.day.min())
        raise Invalid(
            f"{days} days of purchases before the cut: learning who returns within {horizon} days needs"
            f" {horizon + settings.min_history_days}; give a later cut or a shorter horizon"
        )
    _, habit = habits_at(known, cut)
    validation = _validate(known, cut - horizon, settings, horizon)
    best = max(validation, key=lambda name: validation[name], default=DEFAULT)
    worth_it = validation and validation[best] >= validation[DEFAULT] + settings.least_gain
    model = fit_mbg(habit, settings.max_histories)
    return Returning(horizon, model, candidates, best if worth_it else DEFAULT, validation)


def fit_mbg(habit: Habit, most: int) -> Mbg:
    """MBG/NBD of these shoppers."""
    return mbg.fit(habit.purchases - 1, habit.active, habit.span, most=most)


def matrix(habit: Habit, model: Mbg, horizon_days: float) -> Floats:
    """(shoppers, 14)."""
    expected = mbg.expected(model, habit.purchases - 1, habit.active, habit.span, horizon_days)
    return np.column_stack(features(habit, expected, np.log1p))


def _candidates(known: Purchases, cut: int, settings: ReturningSettings, horizon: int) -> dict[str, Fitted] | None:
    """Fitted on labels that end at `cut`; None where the past is too short."""
    start = int(known.day.min())
    days = [cut - horizon - step * settings.training_step_days for step in range(settings.training_cuts)]
    days = [day for day in days if day - start >= settings.min_history_days]
    if not days:
        return None
    parts = [_rows(known, day, settings, horizon) for day in days]
    rows, happened = (np.concatenate([part[n] for part in parts]) for n in (0, 1))
    thirteen, ridge = rows[:, :_THIRTEEN], settings.ridge
    logistic = fit(thirteen, happened, ridge)
    logistic = Fitted(logistic.intercept, np.append(logistic.weights, 0.0))
    alone = fit(rows[:, _THIRTEEN:], happened, ridge)
    if alone.weights[0] <= 0:  # who is expected to buy more cannot be less likely to: too little was seen to learn from
        alone = Fitted(0.0, np.ones(1))
    alone = Fitted(alone.intercept, np.concatenate([np.zeros(_THIRTEEN), alone.weights]))
    average = Fitted((logistic.intercept + alone.intercept) / 2, (logistic.weights + alone.weights) / 2)
    return {"average": average, "stacked": fit(rows, happened, ridge), "logistic": logistic, "expected": alone}


def _rows(known: Purchases, day: int, settings: ReturningSettings, horizon: int) -> tuple[Floats, NDArray[np.bool_]]:
    who, habit = habits_at(known, day)
    model = fit_mbg(habit, settings.max_histories)
    return matrix(habit, model, horizon), returned(known, who, day, horizon)


def _validate(known: Purchases, day: int, settings: ReturningSettings, horizon: int) -> dict[str, float]:
    past = known.before(day)
    if not len(past):
        return {}
    candidates = _candidates(past, day, settings, horizon)
    if candidates is None:
        return {}
    rows, happened = _rows(known, day, settings, horizon)
    found = {name: area_under_curve(fitted.score(rows), happened) for name, fitted in candidates.items()}
    return {} if np.isnan(found[DEFAULT]) else found


def returned(purchases: Purchases, who: Ints, day: int, horizon: int) -> NDArray[np.bool_]:
    """Which of `who` buy in [day, day + horizon)."""
    happened: NDArray[np.bool_] = purchases.counts(day, day + horizon)[who] > 0
    return happened

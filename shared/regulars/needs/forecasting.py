"""One shopper's forecast, out of the model and her orders: what the daily sweep keeps as facts of her profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log1p

from regulars.needs.config import NeedsSettings, ValueSettings
from regulars.needs.habits import Habit, features, habit_of
from regulars.needs.model import Return, load
from regulars.needs.rebuying import shrunk
from regulars.needs.worth import OrderValue
from regulars.storage import Storage

_FARTHEST = 30.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """`purchases` expected within the model's horizon and the `chance` of any; the day number of the next (never past), and
    what she will bring over the value horizon, discounted, in the unit of the order values."""

    purchases: float
    chance: float
    next_day: int
    lifetime_value: float


def outlook(
    days: Sequence[int],
    values: Sequence[float],
    today: int,
    returning: Return,
    order_value: OrderValue,
    settings: ValueSettings,
    trusted_gaps: int,
) -> Outlook | None:
    """From distinct purchase days (day numbers, in order) and the worth of each; None without one before `today`."""
    known = [(day, value) for day, value in zip(days, values, strict=True) if day < today]
    if not known:
        return None
    habit = habit_of([day for day, _ in known], [value for _, value in known], today)
    expected = _expected(habit, returning, returning.horizon_days)
    told = zip(returning.weights, features(habit, expected, log1p), strict=True)
    odds = returning.intercept + sum(weight * feature for weight, feature in told)
    gaps = min(habit.purchases - 1, trusted_gaps)
    gap = shrunk(habit.median_gap if gaps else 0.0, gaps, returning.usual_gap_days, trusted_gaps)
    worth = order_value.expected(habit.purchases, habit.value)
    return Outlook(
        purchases=expected,
        chance=1 / (1 + exp(-max(-_FARTHEST, min(_FARTHEST, odds)))),
        next_day=max(today, known[-1][0] + round(gap)),
        lifetime_value=_discounted(habit, returning, settings) * worth,
    )


@dataclass(frozen=True, slots=True)
class Forecaster:
    """The current model, ready for one shopper after another."""

    version: str
    returning: Return
    order_value: OrderValue
    settings: NeedsSettings

    def __call__(self, days: Sequence[int], values: Sequence[float], today: int) -> Outlook | None:
        """See `outlook`."""
        chosen = self.settings
        return outlook(days, values, today, self.returning, self.order_value, chosen.value, chosen.rebuying.trusted_gaps)


def forecaster(storage: Storage, settings: NeedsSettings) -> Forecaster | None:
    """None before the first build and while too little is known to learn from; raises GiveUp(broken_model)."""
    model = load(storage)
    if model is None or model.returning is None or model.order_value is None:
        return None
    return Forecaster(model.version, model.returning, model.order_value, settings)


def _expected(habit: Habit, returning: Return, horizon_days: float) -> float:
    return returning.mbg.expected(habit.purchases - 1, habit.active, habit.span, horizon_days)


def _discounted(habit: Habit, returning: Return, settings: ValueSettings) -> float:
    """Purchases over the value horizon, those of each step discounted from its middle."""
    total = before = 0.0
    start = 0
    while start < settings.horizon_days:
        end = min(settings.horizon_days, start + settings.step_days)
        until = _expected(habit, returning, end)
        total += (until - before) * (1 + settings.yearly_discount) ** (-(start + end) / 2 / 365)
        before, start = until, end
    return total

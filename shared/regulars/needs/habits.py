"""A shopper's rhythm: what the days of her purchases and their worth say, and the thirteen features made of it.

The same formulas serve one shopper (floats, `math.log1p`) and all of them (arrays, `numpy.log1p`): whoever makes a `Habit`
settles the special cases, so that the features are arithmetic only. A purchase is a distinct day with an order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import median
from typing import Any

FEATURES = (
    "purchases",
    "silence",
    "span",
    "mean_gap",
    "median_gap",
    "last_gap",
    "gap_deviation",
    "overdue",
    "first_timer",
    "last_30_days",
    "last_90_days",
    "last_365_days",
    "mean_value",
)
EXPECTED = "expected"
"""The fourteenth: log of the purchases that MBG/NBD expects."""
RECENT_DAYS = (30, 90, 365)
_LEAST_EXPECTED = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """One shopper (floats) or many (arrays of one length). Days: `silence` since the last purchase, `span` since the first,
    `active` between the two; gaps between purchases, all of them `span` for who bought once, the deviation 0 below
    three purchases. `value`: mean worth of a purchase, never negative."""

    purchases: Any
    silence: Any
    span: Any
    active: Any
    mean_gap: Any
    median_gap: Any
    last_gap: Any
    deviation: Any
    last_30: Any
    last_90: Any
    last_365: Any
    value: Any


def habit_of(days: Sequence[int], values: Sequence[float], today: int) -> Habit:
    """The rhythm of one shopper: distinct purchase days (any day number) in order, the worth of each, all before `today`."""
    span, active = float(today - days[0]), float(days[-1] - days[0])
    gaps = [float(later - earlier) for earlier, later in pairwise(days)]
    mean = active / len(gaps) if gaps else span
    spread = sum(gap * gap for gap in gaps) / len(gaps) - mean * mean if len(gaps) > 1 else 0.0
    return Habit(
        purchases=float(len(days)),
        silence=float(today - days[-1]),
        span=span,
        active=active,
        mean_gap=mean,
        median_gap=float(median(gaps)) if gaps else span,
        last_gap=gaps[-1] if gaps else span,
        deviation=sqrt(max(0.0, spread)),
        last_30=float(sum(day >= today - RECENT_DAYS[0] for day in days)),
        last_90=float(sum(day >= today - RECENT_DAYS[1] for day in days)),
        last_365=float(sum(day >= today - RECENT_DAYS[2] for day in days)),
        value=max(0.0, sum(values) / len(days)),
    )


def features(habit: Habit, expected: Any, log1p: Callable[[Any], Any]) -> tuple[Any, ...]:
    """`FEATURES`, then `EXPECTED`; `expected` are MBG/NBD's purchases within the horizon."""
    return (
        log1p(habit.purchases),
        log1p(habit.silence),
        log1p(habit.span),
        log1p(habit.mean_gap),
        log1p(habit.median_gap),
        log1p(habit.last_gap),
        log1p(habit.deviation),
        log1p(habit.silence / (habit.mean_gap + 1)),
        (habit.purchases == 1) * 1.0,
        log1p(habit.last_30),
        log1p(habit.last_90),
        log1p(habit.last_365),
        log1p(habit.value),
        log1p(expected + _LEAST_EXPECTED - 1),
    )

"""Would the forecasts have been right? The tables of `regulars evaluate-repurchase`: everything is learned before a cut and
asked after it.

A purchase is a distinct day a shopper bought on. Here: who returns, and what an order is worth; items in `evaluation_items`,
demand in `evaluation_demand`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.errors import Invalid
from regulars.needs import mbg, returning, spending
from regulars.needs.config import NeedsSettings
from regulars.needs.logistic import area_under_curve
from regulars.needs.purchases import Purchases, habits_at

WINBACK_DAYS = 90
Outcome = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One table: `rows` name → figures, facts around it, and (shopper, item or −1, score, outcome) behind its first row."""

    rows: Mapping[str, Mapping[str, float]]
    facts: Mapping[str, Any]
    behind: Outcome | None = None


def who_returns(purchases: Purchases, cut: int, settings: NeedsSettings, horizon_days: int) -> Measured:
    """Area under the curve of "buys again within the horizon", of all and of the silent, by model; mean absolute errors of
    the purchases MBG/NBD expects, within the horizon and until the log ends. Raises Invalid where the log is too short."""
    end = int(purchases.day.max()) + 1 if len(purchases) else cut
    if end <= cut:
        raise Invalid("nobody buys after the cut")
    model = returning.learn(purchases, cut, settings.returning, horizon_days)
    who, habit = habits_at(purchases, cut)
    happened = returning.returned(purchases, who, cut, horizon_days)
    x, active, span = habit.purchases - 1, habit.active, habit.span
    chosen = model.score(habit)
    scores = {
        "chosen": chosen,
        **{name: model.score(habit, name) for name in ("logistic", "stacked", "average")},
        "expected purchases (MBG/NBD)": model.score(habit, "expected"),
        "recency only": -habit.silence,
        "overdue ratio": -habit.silence / np.maximum(habit.mean_gap, 1),
        "P(alive)": mbg.alive(model.mbg, x, active, span),
    }
    silent = habit.silence >= WINBACK_DAYS
    rows = {
        name: {
            "auc": area_under_curve(score, happened),
            "winback_auc": area_under_curve(score[silent], happened[silent]),
        }
        for name, score in scores.items()
    }
    errors = {}
    for name, days in (("horizon", horizon_days), ("to_the_end", end - cut)):
        came = purchases.counts(cut, cut + days)[who]
        errors[f"mae_{name}"] = float(np.abs(mbg.expected(model.mbg, x, active, span, days) - came).mean())
    facts = {
        "shoppers": len(who),
        "returned": float(happened.mean()),
        "silent": int(silent.sum()),
        "chosen": model.chosen,
        "validation_auc": dict(model.validation),
        "mbg": [model.mbg.r, model.mbg.alpha, model.mbg.a, model.mbg.b],
        "days_to_the_end": end - cut,
        **errors,
    }
    if end - cut < horizon_days:
        facts["note"] = f"only {end - cut} days follow the cut"
    return Measured(rows, facts, (who, np.full(len(who), -1), chosen, happened))


def order_values(purchases: Purchases, cut: int, settings: NeedsSettings, horizon_days: int) -> Measured:
    """`order_error`: mean absolute error of what an order is worth after the cut, of shoppers who came back, as a share of the
    mean. `spend_error`, `spend_total`: of what each known shopper spends (expected purchases × value), and the sum foretold
    as a share of the sum that came. Raises Invalid without values."""
    if not np.any(purchases.value > 0):
        raise Invalid("no column `value`, or nothing in it")
    who, habit = habits_at(purchases, cut)
    after = replace_window(purchases, cut, cut + horizon_days)
    spent = np.bincount(after.shopper, after.value, purchases.shoppers)[who]
    times = purchases.counts(cut, cut + horizon_days)[who]
    came = (times > 0) & (spent > 0)
    if not came.any():
        raise Invalid("nobody known spends anything after the cut")
    fitted = spending.fit(habit.purchases, habit.value, settings.value)
    model = returning.fit_mbg(habit, settings.returning.max_histories)
    expected = mbg.expected(model, habit.purchases - 1, habit.active, habit.span, horizon_days)
    shrunk = spending.shrunk_mean(habit.purchases, habit.value, settings.value)
    chosen = spending.learn(purchases.before(cut), cut, settings.value, horizon_days)
    per_order = spent[came] / times[came]
    guesses = {
        "chosen": chosen.expected(habit.purchases, habit.value),
        "gamma-gamma": fitted.expected(habit.purchases, habit.value),
        "shrunk mean": shrunk.expected(habit.purchases, habit.value),
        "own mean": habit.value,
        "shop's mean": np.full(len(who), shrunk.mean),
    }
    rows = {
        name: {
            "order_error": float(np.abs(guess[came] - per_order).mean() / per_order.mean()),
            "spend_error": float(np.abs(guess * expected - spent).mean() / max(spent.mean(), 1e-9)),
            "spend_total": float((guess * expected).sum() / max(spent.sum(), 1e-9)),
        }
        for name, guess in guesses.items()
    }
    facts = {"shoppers": len(who), "came_back": int(came.sum()), "chosen": chosen.model, "mean_counts_as": chosen.counts_as}
    return Measured(rows, facts)


def replace_window(purchases: Purchases, start: int, end: int) -> Purchases:
    """The purchases in [start, end)."""
    mask = (purchases.day >= start) & (purchases.day < end)
    return replace(purchases, shopper=purchases.shopper[mask], day=purchases.day[mask], value=purchases.value[mask])

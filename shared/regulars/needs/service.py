"""The scheduled build of the needs model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import isfinite
from typing import Any

import numpy as np

from regulars.catalogue.snapshot import load as load_snapshot
from regulars.clock import Clock, to_ms
from regulars.errors import Invalid
from regulars.needs import choosing, demand, pairs, returning, spending
from regulars.needs.config import NeedsSettings
from regulars.needs.model import CategoryNeed, NeedsModel, Return, publish
from regulars.needs.orders import Orders, read
from regulars.needs.purchases import DAY_MS, Purchases, habits_at
from regulars.needs.rebuying import ItemFacts, Rebuying
from regulars.similarity.ports import Archive
from regulars.storage import Storage

Log = Callable[[str, Mapping[str, Any]], None]
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class ForecastNeeds:
    """Archive → who returns, what orders are worth, what is rebought, which categories will be needed → the data bucket.

    A part that too little is known for is left out and says why; the rest is published all the same.
    """

    archive: Archive
    storage: Storage
    settings: NeedsSettings
    clock: Clock
    log: Log

    def __call__(self) -> dict[str, Any]:
        """Build and publish; returns the summary. Raises GiveUp(does_not_fit) above `max_orders`."""
        now = self.clock()
        settings = self.settings
        orders = read(self.archive(now - timedelta(days=settings.history_days)), settings.max_orders)
        today = to_ms(now) // DAY_MS
        learned, why, validation = _returning(orders.purchases, today, settings)
        value = spending.learn(orders.purchases, today, settings.value, settings.returning.horizon_days) if learned else None
        rebuying = _rebuying(orders, today, settings)
        categories = _categories(orders, self._category_of(orders), today, settings)
        report = {
            "orders": orders.orders,
            "shoppers": orders.purchases.shoppers,
            "items_rebought": len(rebuying.items),
            "rebuying": "logistic" if rebuying.weights else "rule",
            "returning": learned.chosen if learned else why,
            "validation_auc": validation,
            "order_value": value.model if value else "",
            **_accuracy(categories),
        }
        version = f"{to_ms(now):013d}"
        publish(self.storage, NeedsModel(version, now, learned, value, rebuying, categories, report, why))
        self.log("needs published", {"version": version, **report})
        return {"version": version, **report}

    def _category_of(self, orders: Orders) -> Sequence[str]:
        """Of each item: what its orders said, else the catalogue."""
        snapshot = load_snapshot(self.storage)
        return [
            orders.categories.get(item, "") or (snapshot[item].category if item in snapshot else "") for item in orders.item_ids
        ]


def _returning(purchases: Purchases, today: int, settings: NeedsSettings) -> tuple[Return | None, str, Mapping[str, float]]:
    """(the model, why there is none, validation)."""
    try:
        learned = returning.learn(purchases, today, settings.returning)
    except Invalid as error:
        return None, error.reason, {}
    _, habit = habits_at(purchases, today)
    again = habit.purchases > 1
    usual = float(np.median(habit.median_gap[again])) if again.any() else settings.rebuying.default_gap_days
    best = learned.candidates[learned.chosen]
    model = Return(learned.horizon_days, learned.mbg, best.intercept, tuple(best.weights.tolist()), usual, learned.chosen)
    return model, "", {name: round(value, 4) for name, value in learned.validation.items()}


def _rebuying(orders: Orders, today: int, settings: NeedsSettings) -> Rebuying:
    chosen = settings.rebuying
    fitted = pairs.learn(pairs.sampled(orders.lines, chosen.max_lines)[0], today, chosen)
    facts, usual = pairs.item_facts(orders.lines, today, chosen)
    columns = {name: getattr(facts, name) for name in ItemFacts.__dataclass_fields__}
    rebought = np.argsort(-facts.rebuyers, kind="stable")[: chosen.max_items]
    return Rebuying(
        horizon_days=chosen.horizon_days,
        intercept=fitted.intercept if fitted else 0.0,
        weights=tuple(fitted.weights.tolist()) if fitted else (),
        items={
            orders.item_ids[number]: ItemFacts(**{name: float(column[number]) for name, column in columns.items()})
            for number in rebought.tolist()
            if facts.rebuyers[number] > 0
        },
        usual_gap_days=usual,
        trusted_gaps=chosen.trusted_gaps,
    )


def _categories(orders: Orders, category_of: Sequence[str], today: int, settings: NeedsSettings) -> tuple[CategoryNeed, ...]:
    names = sorted({*category_of} - {""})
    place = {name: number for number, name in enumerate(names)}
    of_item = np.array([place.get(category, -1) for category in category_of], dtype=np.int64)
    lines = orders.lines.before(today)
    category = of_item[lines.item] if len(lines.item) else lines.item
    named = category >= 0
    series = demand.series_of(names, category[named], lines.shopper[named], lines.day[named], settings.demand, today)
    series = demand.until(series, today)
    if not series.names or today - series.start < settings.demand.min_history_days:
        return ()
    chosen = choosing.choose(series, today, settings.demand)
    told = choosing.forecast(series, today, chosen, settings.demand)
    first = _iso(today - 1 + settings.demand.first_day)
    return tuple(
        CategoryNeed(
            category=name,
            stable=bool(chosen.stable[number]),
            method=chosen.methods[number],
            first_day=first,
            purchases=tuple(round(float(amount), 2) for amount in told[number]),
            accuracy=round(1 - float(chosen.error[number]), 4) if isfinite(chosen.error[number]) else None,
        )
        for number, name in enumerate(series.names)
    )


def _accuracy(categories: Sequence[CategoryNeed]) -> dict[str, Any]:
    """Mean validation accuracy of stable and dynamic categories, weighed by what is expected (P9's two goals)."""
    told: dict[str, Any] = {"categories": len(categories)}
    for name, stable in (("stable", True), ("dynamic", False)):
        group = [
            (sum(need.purchases), need.accuracy) for need in categories if need.stable is stable and need.accuracy is not None
        ]
        weight = sum(amount for amount, _ in group)
        told[f"accuracy_{name}"] = round(sum(amount * accuracy for amount, accuracy in group) / weight, 4) if weight else None
    return told


def _iso(day: int) -> str:
    return date.fromordinal(_EPOCH + day).isoformat()

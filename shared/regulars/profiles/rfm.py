"""Recency, frequency, money (P4) and value tiers (P6)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from regulars.profiles.config import Bounds, Rfm, Tiers
from regulars.profiles.model import Order


@dataclass(frozen=True, slots=True)
class Bought:
    """A shopper's orders of a window: days since the last, how many, how much."""

    days_since_last: float
    orders: int
    spent_cents: int


@dataclass(frozen=True, slots=True)
class RfmLines:
    """Where H and M begin: days at most, orders and cents at least."""

    recency_days: Bounds
    orders: Bounds
    spent_cents: Bounds

    def letters(self, bought: Bought | None) -> str:
        """Three letters out of H, M, L, recency first; "" without an order in the window."""
        if bought is None:
            return ""
        recency = _letter(-bought.days_since_last, -self.recency_days.high, -self.recency_days.mid)
        frequency = _letter(bought.orders, self.orders.high, self.orders.mid)
        return recency + frequency + _letter(bought.spent_cents, self.spent_cents.high, self.spent_cents.mid)


def bought(orders: Sequence[Order], now: datetime, window_days: int) -> Bought | None:
    """The orders of the last `window_days`; None when there are none."""
    since = now - timedelta(days=window_days)
    recent = [order for order in orders if order.at >= since]
    if not recent:
        return None
    days = max(0.0, (now - recent[-1].at).total_seconds() / 86400)
    return Bought(days, len(recent), sum(order.value_cents for order in recent))


def lines(config: Rfm, everybody: Sequence[Bought]) -> RfmLines:
    """The configured lines, or those that cut this shop's buyers at the configured quantiles."""
    if config.mode == "thresholds" or not everybody:
        return RfmLines(config.recency_days, config.orders, config.spent_cents)
    days = sorted(-entry.days_since_last for entry in everybody)
    return RfmLines(
        recency_days=Bounds(-_quantile(days, config.quantiles.high), -_quantile(days, config.quantiles.mid)),
        orders=_cut(sorted(float(entry.orders) for entry in everybody), config.quantiles),
        spent_cents=_cut(sorted(float(entry.spent_cents) for entry in everybody), config.quantiles),
    )


class TierLines:
    """The fewest shoppers, biggest spenders first, who bring the high share of revenue are high; then mid; the rest low.

    Of shoppers who spent alike all fall on the same side, the upper. Who spent nothing is low.
    """

    def __init__(self, config: Tiers, spent_cents: Sequence[int]) -> None:
        ordered = sorted((cents for cents in spent_cents if cents > 0), reverse=True)
        self.high_cents = _reaching(ordered, config.high_share)
        self.mid_cents = _reaching(ordered, config.mid_share)

    def tier(self, spent_cents: int) -> str:
        if spent_cents <= 0:
            return "low"
        return "high" if spent_cents >= self.high_cents else "mid" if spent_cents >= self.mid_cents else "low"


def _reaching(ordered: Sequence[int], share: float) -> int:
    """The spending at which the sum from above reaches `share` of all."""
    wanted, total = share * sum(ordered), 0
    for cents in ordered:
        total += cents
        if total >= wanted:
            return cents
    return 0


def _cut(values: Sequence[float], quantiles: Bounds) -> Bounds:
    return Bounds(_quantile(values, quantiles.high), _quantile(values, quantiles.mid))


def _quantile(values: Sequence[float], share: float) -> float:
    """The smallest value with at least `share` of all at or below it (nearest rank)."""
    rank = min(len(values), max(1, math.ceil(share * len(values)))) - 1
    return values[rank]


def _letter(value: float, high: float, mid: float) -> str:
    return "H" if value >= high else "M" if value >= mid else "L"

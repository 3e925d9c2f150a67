"""Who came back, counted at the edges of the periods."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from regulars.profiles.model import Order
from regulars.profiles.record import Standing
from regulars.profiles.retention import Retention, high_value

NOW = datetime(2026, 8, 5, tzinfo=UTC)


def orders(*days_ago: float) -> tuple[Order, ...]:
    return tuple(Order(f"o{days}", NOW - timedelta(days=days), 1000) for days in sorted(days_ago, reverse=True))


def test_periods_of_ninety_days() -> None:
    retention = Retention(NOW)
    for history in (orders(), orders(1), orders(100), orders(100, 10), orders(180, 90), orders(181, 5), orders(90.01)):
        retention.add(history)
    assert retention.numbers() == {"buyers": 6, "repeat_buyers": 3, "retainable_90_days": 4, "retained_90_days": 2}


def test_the_high_tier_and_who_of_it_leaves() -> None:
    standings = [
        Standing(tier="high", stage="loyal"),
        Standing(tier="high", stage="churn-risk"),
        Standing(tier="high", stage="won-back"),
        Standing(tier="mid", stage="loyal"),
    ]
    assert high_value(standings) == {"high_value": 3, "high_value_retained": 2}

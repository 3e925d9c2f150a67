"""Who came back: the counts behind the retention KPIs, gathered while the sweep passes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from regulars.profiles.model import Order
from regulars.profiles.record import Standing

_PERIOD = timedelta(days=90)
_LEAVING = frozenset(("churn-risk", "dormant", "lost"))


class Retention:
    """Counts shoppers by their standing orders; nothing of a shopper is kept."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._buyers = self._repeat_buyers = self._retainable = self._retained = 0

    def add(self, orders: Sequence[Order]) -> None:
        """One shopper."""
        self._buyers += bool(orders)
        self._repeat_buyers += len(orders) >= 2
        start = self._now - _PERIOD
        if any(start - _PERIOD <= order.at < start for order in orders):
            self._retainable += 1
            self._retained += any(start <= order.at <= self._now for order in orders)

    def numbers(self) -> dict[str, int]:
        """`retainable_90_days`: ordered in the 90 days before the last 90; `retained_90_days`: and in the last 90 again."""
        return {
            "buyers": self._buyers,
            "repeat_buyers": self._repeat_buyers,
            "retainable_90_days": self._retainable,
            "retained_90_days": self._retained,
        }


def high_value(standings: Iterable[Standing]) -> dict[str, int]:
    """The high tier, and those of it who are not on their way out."""
    high = [standing for standing in standings if standing.tier == "high"]
    return {"high_value": len(high), "high_value_retained": sum(standing.stage not in _LEAVING for standing in high)}

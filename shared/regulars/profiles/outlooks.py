"""What a shopper is expected to do, as a fact of her profile: made by the daily sweep out of the needs model and her orders.

Expectations move a little every day for everybody. To write everybody every day would cost more than the sweep, so a fact
stays as it was told until it is off by more than `tolerance`, or its day has passed or moved by more than `date_days`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from regulars.needs.config import FactSettings
from regulars.needs.forecasting import Forecaster
from regulars.profiles.model import Expected, Order


def expected_of(orders: Iterable[Order], now: datetime, forecaster: Forecaster) -> Expected | None:
    """None without an order before today (UTC, as the model learned it)."""
    spent: dict[int, int] = {}
    for order in orders:
        spent[order.at.toordinal()] = spent.get(order.at.toordinal(), 0) + order.value_cents
    days = sorted(spent)
    outlook = forecaster(days, [float(spent[day]) for day in days], now.toordinal())
    if outlook is None:
        return None
    return Expected(
        purchases=round(outlook.purchases, 3),
        horizon_days=forecaster.returning.horizon_days,
        chance=round(outlook.chance, 3),
        next_day=date.fromordinal(outlook.next_day),
        lifetime_cents=round(outlook.lifetime_value),
    )


def told(known: Expected | None, found: Expected | None, today: date, settings: FactSettings) -> Expected | None:
    """The fact to keep: `known` while it says about the same as `found`."""
    if known is None or found is None or known.horizon_days != found.horizon_days:
        return found
    moved = abs((known.next_day - found.next_day).days) > settings.date_days or known.next_day < today
    pairs = ((known.purchases, found.purchases), (known.chance, found.chance), (known.lifetime_cents, found.lifetime_cents))
    differs = any(abs(old - new) > settings.tolerance * max(abs(old), abs(new)) for old, new in pairs)
    return found if moved or differs else known

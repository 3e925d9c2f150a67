"""The archive's orders as plain columns: who bought what on which day for how much, refunds and cancellations counted.

An order is what `regulars.profiles.orders` says it is. Orders of an anonymous shopper belong to the user she turned out to be.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from regulars.capture.model import Event
from regulars.errors import GiveUp
from regulars.needs.pairs import Lines, lines_of
from regulars.needs.purchases import DAY_MS, Ints, Purchases, purchases_of
from regulars.profiles.orders import OrderRecord, joined, order_told
from regulars.profiles.tagging import product_id, products_of
from regulars.similarity.interactions import joins


@dataclass(frozen=True, slots=True)
class Orders:
    """`purchases` by shopper and day (values in cents), `lines` by shopper, item and day; `categories`: item → what the
    events called its category, "" for none. Days are UTC, since 1970."""

    purchases: Purchases
    lines: Lines
    item_ids: tuple[str, ...]
    categories: Mapping[str, str]
    orders: int = 0


@dataclass(slots=True)
class _Reading:
    orders: dict[tuple[str, str], OrderRecord] = field(default_factory=dict)
    joins: dict[str, tuple[int, str]] = field(default_factory=dict)
    categories: dict[str, str] = field(default_factory=dict)


def read(events: Iterable[Event], max_orders: int) -> Orders:
    """Raises GiveUp(does_not_fit) above `max_orders`."""
    reading = _Reading()
    for event in events:
        for anonymous, join in joins(event):
            reading.joins[anonymous] = max(join, reading.joins.get(anonymous, join))
        told = order_told(event) if event.type == "track" else None
        if told is None:
            continue
        key = (event.shopper, told.order_id)
        known = reading.orders.get(key)
        reading.orders[key] = joined(known, told) if known else told
        for product in products_of(event):
            if isinstance(category := product.get("category"), str) and category:
                reading.categories[product_id(product)] = category
        if len(reading.orders) > max_orders:
            raise GiveUp(
                f"more than {max_orders} orders do not fit one function: lower needs.history_days", code="does_not_fit"
            )
    return _columns(reading)


def _columns(reading: _Reading) -> Orders:
    shoppers, items = dict[str, int](), dict[str, int]()
    of_order, days, cents = array("q"), array("q"), array("d")
    of_line, line_days, line_items = array("q"), array("q"), array("q")
    counting = 0
    for (shopper, _), order in reading.orders.items():
        if not order.counts:
            continue
        counting += 1
        known = reading.joins.get(shopper)
        number, day = shoppers.setdefault(known[1] if known else shopper, len(shoppers)), order.at_ms // DAY_MS
        of_order.append(number)
        days.append(day)
        cents.append(order.value_cents)
        for item in order.items:
            of_line.append(number)
            line_days.append(day)
            line_items.append(items.setdefault(item, len(items)))
    return Orders(
        purchases=purchases_of(_ints(of_order), _ints(days), np.frombuffer(cents, dtype=np.float64)),
        lines=lines_of(_ints(of_line), _ints(line_items), _ints(line_days)),
        item_ids=tuple(items),
        categories=reading.categories,
        orders=counting,
    )


def _ints(column: array[int]) -> Ints:
    return np.frombuffer(column, dtype=np.int64)

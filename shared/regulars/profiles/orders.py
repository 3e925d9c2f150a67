"""Orders and refunds: kept one by one beside the record, since frequency, money and purchases must be exact.

An order is known by its id: the same order told twice is one order; the later word about its total and items stands; it
was placed when it was first said to be. Refunds are told by message: each counts once. All of it commutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import date

from regulars.capture import names
from regulars.capture.model import Event
from regulars.clock import from_ms
from regulars.profiles.model import Order
from regulars.profiles.record import OrderFacts
from regulars.profiles.tagging import deed_ms, number, product_id, products_of
from regulars.values import value

ALL = -1
"""A refund of everything."""


@value(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """An order, or what one event says of it: two of them join (`joined`) whatever comes first.

    `placed_ms`: when it was said to be paid. `told_ms`: when `cents` and `items` were told, 0 when they were not.
    `refunds`: message id → cents, or `ALL`.
    """

    order_id: str
    placed_ms: frozenset[int] = frozenset()
    told_ms: int = 0
    cents: int = 0
    items: tuple[str, ...] = ()
    refunds: Mapping[str, int] = field(default_factory=dict)

    @property
    def at_ms(self) -> int:
        return min(self.placed_ms, default=0)

    @property
    def value_cents(self) -> int:
        """Net of refunds."""
        if not self.refunds:
            return max(0, self.cents)
        if ALL in self.refunds.values():
            return 0
        return max(0, self.cents - sum(self.refunds.values()))

    @property
    def counts(self) -> bool:
        """Placed and not given back: an order paid with nothing (a free sample) counts too."""
        return bool(self.placed_ms) and (not self.refunds or self.value_cents > 0)


def order_facts(orders: Iterable[OrderRecord]) -> OrderFacts:
    """Of the orders that count."""
    counting = [order for order in orders if order.counts]
    days = purchases(counting)
    return OrderFacts(
        count=len(counting),
        total_cents=sum(order.value_cents for order in counting),
        last_ms=max((order.at_ms for order in counting), default=0),
        items=len(days),
        most_days=max(map(len, days.values()), default=0),
    )


def order_told(event: Event) -> OrderRecord | None:
    """What `event` says of an order; None for anything else."""
    order_id = str(event.properties.get("order_id") or "")
    if not order_id or event.name not in _READERS:
        return None
    placed, tells, refunded = _READERS[event.name]
    at_ms = deed_ms(event)
    content = _content(event) if tells else None
    refund = ALL if refunded == "all" else _refund(event) if refunded else 0
    return OrderRecord(
        order_id=order_id,
        placed_ms=frozenset({at_ms}) if placed else frozenset(),
        told_ms=at_ms if content else 0,
        cents=content[0] if content else 0,
        items=content[1] if content else (),
        refunds={event.message_id: refund} if refund else {},
    )


def joined(one: OrderRecord, other: OrderRecord) -> OrderRecord:
    """Both words about one order; commutative, and repeating a word changes nothing: what every store must do."""
    told = other if (other.told_ms, other.cents) > (one.told_ms, one.cents) else one
    return OrderRecord(
        order_id=one.order_id,
        placed_ms=one.placed_ms | other.placed_ms,
        told_ms=told.told_ms,
        cents=told.cents,
        items=told.items,
        refunds={**one.refunds, **other.refunds},
    )


def standing_orders(orders: Iterable[OrderRecord]) -> tuple[Order, ...]:
    """The orders that count, oldest first."""
    counting = sorted((order.at_ms, order.order_id, order.value_cents) for order in orders if order.counts)
    return tuple(Order(order_id, from_ms(at_ms), cents) for at_ms, order_id, cents in counting)


def purchases(orders: Iterable[OrderRecord]) -> dict[str, tuple[date, ...]]:
    """Item → distinct days (UTC) it was bought on, in order; cancelled orders left out."""
    found: dict[str, list[date]] = {}
    for at_ms, items in sorted((order.at_ms, order.items) for order in orders if order.counts):
        day = from_ms(at_ms).date()
        for item in items:
            days = found.get(item)
            if days is None:
                found[item] = [day]
            elif days[-1] != day:
                days.append(day)
    return {item: tuple(days) for item, days in found.items()}


# Event name → (places the order, tells total and items, refunds nothing, something or all)
_READERS: Mapping[str, tuple[bool, bool, str]] = {
    names.ORDER_COMPLETED: (True, True, ""),
    names.ORDER_UPDATED: (False, True, ""),
    names.ORDER_REFUNDED: (False, False, "some"),
    names.ORDER_CANCELLED: (False, False, "all"),
}


def _content(event: Event) -> tuple[int, tuple[str, ...]] | None:
    """(cents, items); None for an update that tells neither, as one of the status only."""
    items = tuple(sorted({product_id(product) for product in products_of(event)}))
    amount = _amount(event)
    if amount is None and not items and event.name == names.ORDER_UPDATED:
        return None
    return amount if amount is not None else _sum_of_products(event), items


def _refund(event: Event) -> int:
    """The amount named, else the sum of the products named, else everything (Segment: a full refund names nothing)."""
    amount = _amount(event)
    if amount is not None:
        return amount
    return _sum_of_products(event) or ALL


def _amount(event: Event) -> int | None:
    for key in ("total", "revenue", "value"):
        if isinstance(event.properties.get(key), int | float):
            return round(number(event.properties[key]) * 100)
    return None


def _sum_of_products(event: Event) -> int:
    listed = event.properties.get("products")
    products = products_of(event) if listed else []
    return round(sum(number(p.get("price")) * number(p.get("quantity"), 1.0) for p in products) * 100)

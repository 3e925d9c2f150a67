"""What planning reads out of an event: products, money, the order, the birthday. Capture has checked the types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from regulars.capture.model import Event


@dataclass(frozen=True, slots=True)
class Line:
    """One product of an event; `value_cents` is price × quantity, 0 when no price is told."""

    item_id: str
    category: str
    value_cents: int


def lines(event: Event) -> list[Line]:
    """The products an event names: its `products`, else the one it is about."""
    products = event.properties.get("products")
    told = products if isinstance(products, list) else [event.properties]
    return [_line(product) for product in told if product.get("product_id")]


def _line(product: Mapping[str, Any]) -> Line:
    value = Decimal(str(product.get("price", 0))) * product.get("quantity", 1) * 100
    category = product.get("category", "")
    return Line(
        str(product["product_id"]),
        category if isinstance(category, str) else "",
        int(value.to_integral_value(ROUND_HALF_UP)),
    )


def order_id(event: Event) -> str:
    """The order an event is about, "" when it names none."""
    return str(event.properties.get("order_id") or "")


def cart_id(event: Event) -> str:
    """The shop's own name of the cart, "" when it has none."""
    return str(event.properties.get("cart_id") or "")


def month_day(traits: Mapping[str, Any]) -> str:
    """`MM-DD` of the trait `birthday` (an ISO-8601 date), "" without a sound one."""
    told = traits.get("birthday")
    try:
        return date.fromisoformat(told[:10]).strftime("%m-%d") if isinstance(told, str) else ""
    except ValueError:
        return ""


def zone_name(event: Event) -> str:
    """The time zone an identify tells: of the shopper, else of her device."""
    told = event.traits.get("timezone") or event.context.get("timezone")
    return told if isinstance(told, str) else ""


def joined(event: Event) -> list[str]:
    """Keys of the shoppers whose history an identify or alias joins to this one."""
    if event.type not in ("identify", "alias") or not event.user_id:
        return []
    anonymous = dict.fromkeys(given for given in (event.anonymous_id, event.previous_id) if given)
    return [f"anon:{given}" for given in anonymous]

"""What a coupon saves on an order, in whole minor units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regulars.errors import Invalid, Unmet
from regulars.offers.config import Offer

_MOST_CENTS = 10**12
_MOST_LINES = 500
_MOST_TEXT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an order; `category` a path such as `home/kitchen`."""

    item_id: str
    price_cents: int
    quantity: int = 1
    category: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """The order as the shop's server tells it, before the coupon. `shipping_cents` None: not told."""

    order_id: str
    total_cents: int
    currency: str
    shipping_cents: int | None = None
    lines: tuple[Line, ...] = ()
    shopper: str = ""
    device: str = ""
    address: str = ""


def discount_of(offer: Offer, basket: Basket) -> int:
    """What the offer takes off. Raises Unmet(wrong_currency | nothing_applies | minimum_not_reached), Invalid(items_needed |
    shipping_needed)."""
    if offer.currency and offer.currency != basket.currency:
        raise Unmet(f"the offer is in {offer.currency}, the order in {basket.currency}", code="wrong_currency")
    basis = _basis(offer, basket)
    if basis < offer.minimum_cents:
        missing = offer.minimum_cents - basis
        raise Unmet(f"{missing} more (minor units) make the minimum of {offer.minimum_cents}", code="minimum_not_reached")
    if offer.kind == "free_shipping":
        if basket.shipping_cents is None:
            raise Invalid("free shipping needs shipping_cents", field="shipping_cents", code="shipping_needed")
        off = basket.shipping_cents
    elif offer.kind == "percent":
        off = basis * offer.percent // 100
    else:
        off = min(offer.off_cents, basis)
    return off if offer.most_discount_cents is None else min(off, offer.most_discount_cents)


def _basis(offer: Offer, basket: Basket) -> int:
    """The part of the order that the offer is about; never more than its total."""
    if not (offer.items or offer.categories):
        return basket.total_cents
    if not basket.lines:
        raise Invalid("the offer is for certain items: send items", field="items", code="items_needed")
    sums = [line.price_cents * line.quantity for line in basket.lines if _applies(offer, line)]
    if not sums:
        raise Unmet("the order holds nothing the offer is for", code="nothing_applies")
    return min(sum(sums), basket.total_cents)


def _applies(offer: Offer, line: Line) -> bool:
    below = any(line.category == category or line.category.startswith(f"{category}/") for category in offer.categories)
    return line.item_id in offer.items or below


def basket_of(body: Any) -> Basket:
    """The order in a request's JSON; raises Invalid naming the field."""
    if not isinstance(body, Mapping):
        raise Invalid("expected an object with order_id, total_cents and currency", code="invalid_order")
    lines = body.get("items", [])
    if not isinstance(lines, list) or len(lines) > _MOST_LINES:
        raise Invalid(f"items is a list of at most {_MOST_LINES}", field="items", code="invalid_order")
    currency = _text(body, "currency")
    if len(currency) != len("GBP") or not currency.isalpha() or not currency.isupper():
        raise Invalid("currency is an ISO 4217 code such as GBP", field="currency", code="invalid_order")
    return Basket(
        order_id=_text(body, "order_id"),
        total_cents=_cents(body, "total_cents"),
        currency=currency,
        shipping_cents=_cents(body, "shipping_cents") if body.get("shipping_cents") is not None else None,
        lines=tuple(_line(entry, n) for n, entry in enumerate(lines)),
        **{name: _text(body, name) for name in ("shopper", "device", "address") if body.get(name) not in (None, "")},
    )


def order_of(body: Any) -> str:
    """`order_id` of a request's JSON."""
    if not isinstance(body, Mapping):
        raise Invalid("expected an object with order_id", code="invalid_order")
    return _text(body, "order_id")


def _line(entry: Any, n: int) -> Line:
    if not isinstance(entry, Mapping):
        raise Invalid("an item is an object", field=f"items[{n}]", code="invalid_order")
    quantity = entry.get("quantity", 1)
    if not _is_whole(quantity) or not 1 <= quantity <= _MOST_CENTS:
        raise Invalid("quantity is a whole number from 1", field=f"items[{n}].quantity", code="invalid_order")
    return Line(
        item_id=_text(entry, "item_id", f"items[{n}]."),
        price_cents=_cents(entry, "price_cents", f"items[{n}]."),
        quantity=quantity,
        category=_text(entry, "category", f"items[{n}].") if entry.get("category") else "",
    )


def _text(body: Mapping[str, Any], name: str, where: str = "") -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > _MOST_TEXT:
        raise Invalid(f"{name} is a text of 1 to {_MOST_TEXT} characters", field=f"{where}{name}", code="invalid_order")
    return value


def _cents(body: Mapping[str, Any], name: str, where: str = "") -> int:
    value = body.get(name)
    if not isinstance(value, int) or not _is_whole(value) or not 0 <= value <= _MOST_CENTS:
        raise Invalid(f"{name} is a whole number of minor units", field=f"{where}{name}", code="invalid_order")
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)

"""What a coupon saves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.offers import basket

from regulars.errors import Invalid, Unmet
from regulars.offers.config import Offer
from regulars.offers.rules import Basket, Line, basket_of, discount_of, order_of

LINES = (
    Line(item_id="mug", price_cents=800, quantity=2, category="home/kitchen"),
    Line(item_id="tea", price_cents=350, category="food"),
)


def off(total: int, offer: Offer, **more: Any) -> int:
    return discount_of(offer, basket(total=total, **more))


def test_spend_100_and_save_30() -> None:
    offer = Offer(kind="threshold", minimum_cents=10_000, off_cents=3_000, currency="GBP")
    assert off(10_000, offer) == 3_000
    with pytest.raises(Unmet, match="1 more") as raised:
        off(9_999, offer)
    assert raised.value.code == "minimum_not_reached"


def test_percent_is_rounded_down_once_and_capped() -> None:
    assert off(999, Offer(kind="percent", percent=15)) == 149
    assert off(99_900, Offer(kind="percent", percent=15, most_discount_cents=5_000, currency="GBP")) == 5_000


def test_a_fixed_sum_never_exceeds_the_order() -> None:
    offer = Offer(kind="fixed", off_cents=500, currency="GBP")
    assert (off(2_000, offer), off(300, offer)) == (500, 300)


def test_free_shipping_is_what_shipping_costs() -> None:
    offer = Offer(kind="free_shipping", most_discount_cents=800, currency="GBP")
    assert (off(100, offer, shipping_cents=450), off(100, offer, shipping_cents=900)) == (450, 800)
    with pytest.raises(Invalid, match="shipping_cents"):
        off(100, offer)


def test_another_currency_is_refused() -> None:
    with pytest.raises(Unmet) as raised:
        off(100, Offer(kind="fixed", off_cents=1, currency="CNY"))
    assert raised.value.code == "wrong_currency"


def test_only_what_it_applies_to_counts() -> None:
    half = Offer(kind="percent", percent=50, categories=("home",))
    assert off(1_950, half, lines=LINES) == 800
    assert off(1_000, half, lines=LINES) == 500  # never more than was paid
    assert off(1_950, Offer(kind="percent", percent=50, items=("tea",)), lines=LINES) == 175
    with pytest.raises(Unmet, match="nothing"):
        off(1_950, Offer(kind="percent", percent=50, categories=("hom",)), lines=LINES)
    with pytest.raises(Invalid, match="send items"):
        off(1_950, half)
    with pytest.raises(Unmet, match="minimum"):
        off(1_950, Offer(kind="fixed", off_cents=1, minimum_cents=1_601, currency="GBP", categories=("home",)), lines=LINES)


@given(
    st.sampled_from(["threshold", "percent", "fixed"]),
    st.integers(0, 10**9),
    st.integers(1, 100),
    st.integers(1, 10**6),
    st.none() | st.integers(1, 10**6),
)
def test_no_coupon_saves_more_than_the_order(kind: str, total: int, percent: int, amount: int, most: int | None) -> None:
    offer = Offer(kind=kind, percent=percent, off_cents=amount, most_discount_cents=most)
    assert 0 <= off(total, offer) <= min(total, most or total)


WIRE: dict[str, Any] = {"order_id": "o", "total_cents": 10, "currency": "GBP"}


def test_an_order_is_read() -> None:
    items = [{"item_id": "mug", "price_cents": 800, "quantity": 2, "category": "home/kitchen"}]
    read = basket_of({**WIRE, "shopper": "user:a", "device": "d", "address": "", "shipping_cents": 0, "items": items})
    assert read == Basket(
        order_id="o", total_cents=10, currency="GBP", shipping_cents=0, lines=LINES[:1], shopper="user:a", device="d"
    )
    assert order_of(WIRE) == "o"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"order_id": ""}, "order_id"),
        ({"order_id": 5}, "order_id"),
        ({"order_id": "x" * 257}, "order_id"),
        ({"total_cents": -1}, "total_cents"),
        ({"total_cents": 1.5}, "total_cents"),
        ({"total_cents": True}, "total_cents"),
        ({"total_cents": 10**13}, "total_cents"),
        ({"currency": "gbp"}, "currency"),
        ({"currency": None}, "currency"),
        ({"shipping_cents": "free"}, "shipping_cents"),
        ({"shopper": 7}, "shopper"),
        ({"items": {}}, "items"),
        ({"items": [{}] * 501}, "items"),
        ({"items": ["mug"]}, "items[0]"),
        ({"items": [{"item_id": "mug"}]}, "items[0].price_cents"),
        ({"items": [{"item_id": "mug", "price_cents": 1, "quantity": 0}]}, "items[0].quantity"),
        ({"items": [{"price_cents": 1}]}, "items[0].item_id"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        basket_of({**WIRE, **changes})
    assert raised.value.field == field


@pytest.mark.parametrize("body", [None, [], "x", 3])
def test_an_order_is_an_object(body: object) -> None:
    with pytest.raises(Invalid):
        basket_of(body)
    with pytest.raises(Invalid):
        order_of(body)

"""What a message takes along."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.decisions import EVENING, message
from tests.support.offers import Market, settings

from regulars.adapters.memory.offers import MemoryOffers
from regulars.decisions.budgets import MICRO
from regulars.decisions.config import Decisions
from regulars.decisions.gate import stamp
from regulars.decisions.model import Message
from regulars.errors import Conflict, GiveUp
from regulars.offers.model import NOTHING, Coupon
from regulars.offers.reserving import Reserving
from regulars.shop import section

TERMS: dict[str, Any] = {"kind": "percent", "percent": 20, "days": 3}


class Silent:
    """A store that nobody may ask."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


def reserving(store: Any = None, budget: dict[str, Any] | None = None, **terms: Any) -> tuple[Reserving, Market]:
    shop = Market(store or MemoryOffers(), settings({"gift": {**TERMS, **terms}}))
    shop.clock.now = EVENING
    decisions = section(Decisions, "decisions", {"decisions": {"budgets": {"all": budget} if budget else {}}})
    return Reserving(shop.issuing, shop.store, decisions, shop.clock), shop


def bringing(offer: str = "gift", cost_cents: int = 0, **more: Any) -> Message:
    content = {"template": "x", "offer": {"name": offer}, **stamp("mid", "Europe/London", cost_cents)}
    return message(content=content, **more)


def test_most_messages_take_nothing_and_ask_nobody() -> None:
    reserve, _ = reserving(Silent())
    assert reserve.reserve(message(), now=EVENING, attempt=0) is NOTHING


def test_an_offer_without_limit_asks_nobody_either() -> None:
    reserve, shop = reserving(Silent())
    coupon = reserve.reserve(bringing(), now=EVENING, attempt=0).coupon
    assert coupon is not None
    assert (coupon.offer, coupon.shopper, coupon.moment_id) == ("gift", bringing().shopper, bringing().moment_id)
    assert coupon.code == shop.codes.make(coupon.shopper, "gift", "", coupon.expires_at)
    assert reserve.reserve(bringing(), now=EVENING, attempt=0).coupon == coupon


def test_a_moment_is_an_edition() -> None:
    reserve, _ = reserving(edition="moment")
    short = reserve.reserve(bringing(subject="cart-7"), now=EVENING, attempt=0).coupon
    long = reserve.reserve(bringing(subject="很" * 300), now=EVENING, attempt=0).coupon
    assert isinstance(short, Coupon)
    assert isinstance(long, Coupon)
    assert (short.edition, len(long.edition)) == ("cart-7", 26)


def test_an_empty_shard_has_neighbours_until_all_are_empty() -> None:
    reserve, shop = reserving(stock=3, claims_per_second=300)
    for n in range(3):
        for attempt in range(9):
            reservation = reserve.reserve(bringing(shopper=f"user:{n}"), now=EVENING, attempt=attempt)
            try:
                shop.store.issue(reservation)
                break
            except Conflict:
                continue
    assert shop.taken("stock/gift") == 3
    with pytest.raises(GiveUp) as raised:
        reserve.reserve(bringing(shopper="user:late"), now=EVENING, attempt=1)
    assert raised.value.code == "sold_out"


def test_the_coupon_she_has_is_found() -> None:
    reserve, shop = reserving(edition="month")
    assert reserve.held(bringing()) is None
    assert reserve.held(message()) is None
    reservation = reserve.reserve(bringing(), now=EVENING, attempt=0)
    shop.store.issue(reservation)
    assert reserve.held(bringing()) == reservation.coupon


@pytest.mark.parametrize("terms", [{"until": "2020-01-01"}, {"starts": "2090-01-01"}])
def test_a_closed_offer_keeps_the_message_back(terms: dict[str, Any]) -> None:
    reserve, _ = reserving(**terms)
    for offer in ("gift", "dropped"):
        with pytest.raises(GiveUp) as raised:
            reserve.reserve(bringing(offer), now=EVENING, attempt=0)
        assert raised.value.code == "offer_closed"


BUDGET = {"limit_cents": 500, "per": "month", "shards": 1}


def test_the_coupons_part_of_a_budget_comes_back_with_it() -> None:
    reserve, shop = reserving(budget=BUDGET, cost_cents=200, currency="GBP", stock=9)
    reservation = reserve.reserve(bringing(cost_cents=200), now=EVENING, attempt=0)
    assert reservation.coupon is not None
    money = reservation.coupon.takes[1]
    (price,) = reservation.spends
    assert (money.amount, money.pool) == (200 * MICRO, price.pool)
    assert [take.amount for take in reservation.takes] == [1, 200 * MICRO + price.amount]
    shop.store.issue(reservation)
    assert shop.store.expire([reservation.coupon], reservation.coupon.expires_at) == 1
    assert (shop.taken("stock/gift"), shop.store.taken(price.pool, 1)) == (0, [price.amount])


def test_money_that_is_spent_is_said_and_another_shard_is_found_first() -> None:
    reserve, shop = reserving(budget={**BUDGET, "limit_cents": 600, "shards": 3}, cost_cents=150, currency="GBP")
    for n in range(3):
        for attempt in range(3):
            reservation = reserve.reserve(bringing(cost_cents=150, shopper=f"user:{n}"), now=EVENING, attempt=attempt)
            try:
                shop.store.issue(reservation)
                break
            except Conflict:
                continue
        else:
            raise AssertionError("no shard was found")
    with pytest.raises(GiveUp) as raised:
        reserve.reserve(bringing(cost_cents=150, shopper="user:9"), now=EVENING, attempt=1)
    assert raised.value.code == "over_budget"

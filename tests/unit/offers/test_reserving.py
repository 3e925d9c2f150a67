"""What a message takes along."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.decisions import EVENING, message
from tests.support.offers import Market, settings

from regulars.adapters.memory.offers import MemoryOffers
from regulars.decisions.budgets import MICRO, MOST_PARTS, Purse, part_of, spread
from regulars.decisions.config import Decisions
from regulars.decisions.gate import stamp
from regulars.decisions.model import Message
from regulars.errors import Conflict, GiveUp
from regulars.offers.model import NOTHING, Coupon, Take
from regulars.offers.reserving import Reserving
from regulars.shop import section

TERMS: dict[str, Any] = {"kind": "percent", "percent": 20, "days": 3}


class Silent:
    """A store that nobody may ask."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


def reserving(
    store: Any = None, budget: dict[str, Any] | None = None, paid_in: str = "GBP", **terms: Any
) -> tuple[Reserving, Market]:
    shop = Market(store or MemoryOffers(), settings({"gift": {**TERMS, **terms}}))
    shop.clock.now = EVENING
    own = {"currency": paid_in, "budgets": {"all": budget} if budget else {}}
    decisions = section(Decisions, "decisions", {"decisions": own})
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


def issued(reserve: Reserving, shop: Market, shopper: str, cost_cents: int) -> Coupon:
    """A coupon with its money, as a claim takes them; raises GiveUp when nothing is left."""
    for attempt in range(3):
        reservation = reserve.reserve(bringing(cost_cents=cost_cents, shopper=shopper), now=EVENING, attempt=attempt)
        try:
            shop.store.issue(reservation)
        except Conflict:
            continue
        assert reservation.coupon is not None
        return reservation.coupon
    raise AssertionError("no shard was found")


def test_an_amount_larger_than_any_shard_is_paid_from_several() -> None:
    """600 on four shards: 150 each; a coupon of 190 fits in none, and three of them leave less than one."""
    reserve, shop = reserving(budget={**BUDGET, "limit_cents": 600, "shards": 4}, cost_cents=190, currency="GBP")
    coupons = [issued(reserve, shop, f"user:{n}", 190) for n in range(3)]
    pool = coupons[0].takes[0].pool
    taken = shop.store.taken(pool, 4)
    assert all(units <= 150 * MICRO for units in taken)
    assert 570 * MICRO <= sum(taken) < 571 * MICRO
    with pytest.raises(GiveUp) as raised:
        issued(reserve, shop, "user:late", 190)
    assert raised.value.code == "over_budget"
    prices = sum(taken) - sum(take.amount for coupon in coupons for take in coupon.takes)
    assert shop.store.expire(coupons, coupons[0].expires_at) == 3
    assert sum(shop.store.taken(pool, 4)) == prices  # the coupons' part came back, once, the messages' price is spent
    assert issued(reserve, shop, "user:late", 190)


@given(
    limit=st.integers(0, 1_000),
    shards=st.integers(1, 12),
    parts=st.integers(1, 12),
    amounts=st.lists(st.integers(1, 400), max_size=40),
    back=st.sets(st.integers(0, 39)),
)
def test_no_shard_is_overdrawn_and_nothing_is_refused_that_lies_in_reach(
    limit: int, shards: int, parts: int, amounts: list[int], back: set[int]
) -> None:
    purse = Purse("all", "all", limit, shards)
    taken = [0] * shards
    for number, amount in enumerate(amounts):
        own = number % shards
        take = Take(pool="all", shard=own, amount=amount, limit=part_of(limit, shards, own))
        rooms = sorted((part_of(limit, shards, shard) - taken[shard] for shard in range(shards)), reverse=True)
        takes = spread(take, purse, taken, parts)
        assert bool(takes) == (sum(rooms[:parts]) >= amount)
        if not takes:
            continue
        assert (sum(part.amount for part in takes), len({part.shard for part in takes})) == (amount, len(takes))
        assert len(takes) <= parts
        assert len(takes) == 1 or rooms[0] < amount
        for part in takes:
            taken[part.shard] += part.amount
            assert 0 < part.amount <= part.limit == part_of(limit, shards, part.shard)
        assert all(taken[shard] <= part_of(limit, shards, shard) for shard in range(shards))
        if number in back:
            for part in takes:
                taken[part.shard] -= part.amount
    assert sum(taken) <= limit


def test_a_message_pays_from_no_more_shards_than_a_transaction_takes() -> None:
    reserve, _ = reserving(budget={**BUDGET, "limit_cents": 1_000, "shards": 1_000}, cost_cents=78, currency="GBP")
    coupon = reserve.reserve(bringing(cost_cents=78), now=EVENING, attempt=0).coupon
    assert coupon is not None
    assert len(coupon.takes) <= MOST_PARTS
    with pytest.raises(GiveUp) as raised:
        reserve.reserve(bringing(cost_cents=MOST_PARTS), now=EVENING, attempt=0)
    assert raised.value.code == "over_budget"


@pytest.mark.parametrize("paid_in", ["USD", ""])
def test_a_budget_in_another_currency_pays_for_no_coupon(paid_in: str) -> None:
    reserve, shop = reserving(budget=BUDGET, paid_in=paid_in, cost_cents=200, currency="GBP", stock=9)
    with pytest.raises(GiveUp) as raised:
        reserve.reserve(bringing(cost_cents=200), now=EVENING, attempt=0)
    assert raised.value.code == "over_budget"
    assert shop.taken("stock/gift") == 0
    assert reserve.reserve(bringing(), now=EVENING, attempt=0).coupon is not None  # one that costs nothing needs none

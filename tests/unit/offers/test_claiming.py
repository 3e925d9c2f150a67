"""Coupons that shoppers take themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.support.offers import ANN, BEN, FLASH, FLASH_TERMS, NOON, Market, basket, settings

from regulars.adapters.memory.offers import MemoryOffers
from regulars.errors import Conflict, Gone, NotFound, TryLater
from regulars.offers.model import Reservation
from regulars.offers.standing import SoldOut


def market(tier: str = "mid", **terms: Any) -> Market:
    return Market(config=settings({FLASH: {**FLASH_TERMS, **terms}}), tier=tier)


def refusal(where: Market, shopper: str = ANN, offer: str = FLASH) -> str:
    with pytest.raises(Conflict) as raised:
        where.claiming.claim(shopper, offer)
    return raised.value.code


def test_asking_again_is_the_same_coupon_also_when_it_was_used() -> None:
    shop = market()
    coupon = shop.claiming.claim(ANN, FLASH)
    assert shop.worker().claim(ANN, FLASH) == coupon
    shop.pass_(days=10)
    assert shop.claiming.claim(ANN, FLASH).code == coupon.code
    assert shop.claiming.wallet(ANN)["coupons"][0]["state"] == "EXPIRED"


def test_whoever_logs_in_gets_the_coupon_that_she_took_before() -> None:
    shop = market(stock=5)
    tablets, phones = (shop.claiming.claim(device, FLASH) for device in ("anon:tablet", "anon:phone"))
    shop.joined |= {"anon:tablet": ANN, "anon:phone": ANN}
    shop.redeeming.redeem(tablets.code, basket())
    assert shop.claiming.claim(ANN, FLASH).code == tablets.code
    shop.redeeming.take_back(tablets.code, "o-1")
    shop.redeeming.redeem(phones.code, basket("o-2"))
    assert shop.claiming.claim(ANN, FLASH).code == phones.code
    assert shop.taken(f"stock/{FLASH}") == 2
    assert shop.claiming.claim(BEN, FLASH).shopper == BEN


def test_a_device_that_is_hers_is_not_shown_her_coupon() -> None:
    """Whoever holds it now may have logged out."""
    shop = market()
    own = shop.claiming.claim(ANN, FLASH)
    shop.joined["anon:tablet"] = ANN
    assert shop.claiming.claim("anon:tablet", FLASH).code != own.code


@pytest.mark.parametrize("held", [True, False], ids=["half erased", "erased"])
def test_whoever_was_erased_claims_nothing_until_the_erasure_is_long_over(held: bool) -> None:
    shop = market(stock=2)
    if held:
        shop.claiming.claim(ANN, FLASH)
    taken, coupons = shop.taken(f"stock/{FLASH}"), shop.store.coupons(ANN)
    shop.profiles.bury(ANN, NOON + timedelta(days=30))
    with pytest.raises(Gone) as raised:
        shop.claiming.claim(ANN, FLASH)
    assert raised.value.code == "erased"
    assert (shop.taken(f"stock/{FLASH}"), shop.store.coupons(ANN)) == (taken, coupons)
    shop.store.forget(ANN)
    shop.pass_(days=30)
    assert shop.claiming.claim(ANN, FLASH).shopper == ANN


def test_the_last_piece_goes_once_and_the_next_is_told_so_without_a_write() -> None:
    shop = market(stock=1)
    shop.claiming.claim(ANN, FLASH)
    assert refusal(shop, BEN) == "sold_out"
    calls: list[str] = []
    shop.store.taken = lambda *_: calls.append("taken") or [1]  # type: ignore[method-assign,func-returns-value]
    shop.store.issue = lambda *_: calls.append("issue")  # type: ignore[method-assign]
    assert refusal(shop, "user:eve") == "sold_out"
    assert calls == []
    shop.pass_(seconds=6)
    assert refusal(shop, "user:eve") == "sold_out"
    assert calls == ["taken"]


def test_a_piece_that_came_back_is_found() -> None:
    shop = market(stock=1)
    shop.claiming.claim(ANN, FLASH)
    assert refusal(shop, BEN) == "sold_out"
    shop.store.forget(ANN)
    shop.pass_(seconds=6)
    assert shop.claiming.claim(BEN, FLASH).shopper == BEN


def test_a_year_and_a_month_have_their_own_coupon_and_stock() -> None:
    shop = market(edition="month", stock=1)
    first = shop.claiming.claim(ANN, FLASH)
    assert refusal(shop, BEN) == "sold_out"
    shop.pass_(days=31)
    assert shop.claiming.claim(ANN, FLASH).edition == "2026-08"
    assert first.edition == "2026-07"
    assert refusal(shop, BEN) == "sold_out"


def test_it_begins_and_ends() -> None:
    shop = market(starts="2026-07-01T13:00", until="2026-07-02", days=None)
    assert refusal(shop) == "offer_closed"
    shop.pass_(hours=1)
    assert shop.claiming.claim(ANN, FLASH).expires_at == NOON + timedelta(hours=36)
    shop.pass_(hours=34, minutes=1)
    assert refusal(shop, BEN) == "offer_closed"


def test_a_coupon_ends_on_a_full_hour_not_before_its_days_are_over() -> None:
    shop = market(days=3)
    shop.pass_(minutes=1)
    assert shop.claiming.claim(ANN, FLASH).expires_at == NOON + timedelta(days=3, hours=1)


def test_some_offers_are_for_some() -> None:
    assert refusal(market(claimable=False)) == "not_claimable"
    assert refusal(market(tiers=["high"])) == "not_for_tier"
    assert market("high", tiers=["high"]).claiming.claim(ANN, FLASH)
    with pytest.raises(NotFound):
        market().claiming.claim(ANN, "nothing")


def test_a_budget_is_a_stock() -> None:
    shop = market(stock=None, budget_cents=1_000, cost_cents=400, currency="GBP")
    for shopper in (ANN, BEN):
        shop.claiming.claim(shopper, FLASH)
    assert refusal(shop, "user:eve") == "sold_out"
    assert shop.standing(FLASH)["expected_cost_cents"] == 800


def test_without_a_limit_nothing_is_counted_out() -> None:
    shop = market(stock=None)
    assert shop.claiming.claim(ANN, FLASH).takes == ()
    assert (shop.standing(FLASH)["stock"], shop.standing(FLASH)["taken"]) == (None, None)


def test_more_stock_needs_no_write_and_less_takes_nothing_away() -> None:
    store = MemoryOffers()
    few = Market(store, settings({FLASH: {**FLASH_TERMS, "stock": 3, "claims_per_second": 300}}))
    for n in range(3):
        few.claiming.claim(f"user:{n}", FLASH)
    more = Market(store, settings({FLASH: {**FLASH_TERMS, "stock": 5, "claims_per_second": 9_000}}))
    more.claiming.claim("user:3", FLASH)
    more.claiming.claim("user:4", FLASH)
    assert refusal(more, "user:5") == "sold_out"
    assert (store.shards(f"stock/{FLASH}"), more.taken(f"stock/{FLASH}")) == (3, 5)
    less = Market(store, settings({FLASH: {**FLASH_TERMS, "stock": 2}}))
    assert refusal(less, "user:6") == "sold_out"
    assert less.standing(FLASH)["left"] == 0


def test_when_others_are_always_in_the_way_it_says_so() -> None:
    class Busy(MemoryOffers):
        def issue(self, reservation: Reservation) -> None:
            raise TryLater("conflict")

    with pytest.raises(TryLater) as raised:
        Market(Busy()).claiming.claim(ANN, FLASH)
    assert raised.value.code == "busy"


def test_decisions_learn_that_it_is_sold_out() -> None:
    shop = market(stock=1)
    from datetime import UTC

    sold_out = SoldOut(shop.config, UTC, shop.store, shop.clock)
    assert not sold_out(FLASH)
    assert not sold_out("winback_25")
    assert not sold_out("nothing")
    shop.claiming.claim(ANN, FLASH)
    assert not sold_out(FLASH)
    shop.pass_(seconds=1)
    assert sold_out(FLASH)

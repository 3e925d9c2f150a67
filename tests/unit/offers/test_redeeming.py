"""Redemption, return, and those who take more than their share."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from tests.support.offers import ANN, BEN, DAY, FLASH, FLASH_TERMS, NOON, Market, basket, settings

from regulars.errors import Conflict, Gone, Invalid, NotFound, RegularsError, Unmet
from regulars.offers.model import Coupon, Reservation
from regulars.offers.rules import Basket


def market(abuse: dict[str, Any] | None = None, **terms: Any) -> Market:
    return Market(config=settings({FLASH: {**FLASH_TERMS, **terms}}, **({"abuse": abuse} if abuse else {})))


def held(shop: Market, shopper: str = ANN) -> Coupon:
    return shop.claiming.claim(shopper, FLASH)


def refusal(shop: Market, coupon: Coupon, kind: type[RegularsError] = Conflict, **order: Any) -> str:
    with pytest.raises(kind) as raised:
        shop.redeeming.redeem(coupon.code, basket(**order))
    return raised.value.code


def test_once_an_order_and_once_a_coupon() -> None:
    shop = market()
    coupon = held(shop)
    told = shop.redeeming.redeem(coupon.code, basket(total=1_999))
    assert told["discount_cents"] == 999
    assert shop.redeeming.redeem(coupon.code, basket(total=5)) == told
    assert refusal(shop, coupon, order="o-2") == "redeemed_before"
    shop.pass_(days=30)
    assert shop.redeeming.redeem(coupon.code, basket()) == told  # a client that asks again late


def test_its_end_counts_when_it_comes() -> None:
    shop = market()
    coupon = held(shop)
    shop.pass_(days=3, seconds=-1)
    shop.redeeming.redeem(coupon.code, basket())
    shop.redeeming.take_back(coupon.code, "o-1")
    shop.pass_(seconds=1)
    assert refusal(shop, coupon, Gone) == "expired"


def test_an_undone_order_gives_it_back_while_there_is_time() -> None:
    shop = market()
    coupon = held(shop)
    with pytest.raises(Conflict, match="not redeemed"):
        shop.redeeming.take_back(coupon.code, "o-1")
    shop.redeeming.redeem(coupon.code, basket())
    with pytest.raises(Conflict, match="another order"):
        shop.redeeming.take_back(coupon.code, "o-2")
    assert shop.redeeming.take_back(coupon.code, "o-1")["state"] == "ISSUED"
    assert shop.redeeming.take_back(coupon.code, "o-1")["state"] == "ISSUED"
    shop.redeeming.redeem(coupon.code, basket("o-2"))
    assert shop.standing(FLASH)["redeemed"] == 1
    shop.pass_(days=4)
    assert shop.redeeming.take_back(coupon.code, "o-2")["state"] == "EXPIRED"
    assert shop.redeeming.take_back(coupon.code, "o-2")["state"] == "EXPIRED"
    assert (shop.taken(f"stock/{FLASH}"), shop.standing(FLASH)["cost_cents"]) == (0, 0)


def test_unless_the_offer_says_otherwise() -> None:
    shop = market(comes_back=False)
    coupon = held(shop)
    shop.redeeming.redeem(coupon.code, basket())
    with pytest.raises(Conflict) as raised:
        shop.redeeming.take_back(coupon.code, "o-1")
    assert raised.value.code == "stays_used"


def test_a_personal_coupon_is_hers_alone() -> None:
    shop = market()
    coupon = held(shop)
    assert refusal(shop, coupon, shopper=BEN) == "another_shopper"
    assert refusal(shop, coupon, Invalid, shopper="") == "shopper_needed"
    assert shop.standing(FLASH)["refused"] == {"another_shopper": 1}
    anybodys = market(personal=False)
    assert anybodys.redeeming.redeem(held(anybodys).code, basket(shopper=BEN))


def test_a_coupon_from_before_her_login_is_hers_after_it() -> None:
    shop = market()
    coupon = held(shop, "anon:device")
    assert refusal(shop, coupon) == "another_shopper"
    shop.joined["anon:device"] = ANN
    assert refusal(shop, coupon, shopper=BEN) == "another_shopper"
    assert shop.redeeming.redeem(coupon.code, basket())["state"] == "REDEEMED"


HERS = ("anon:device", "anon:tablet", ANN)


@pytest.mark.parametrize("order", list(permutations(HERS)))
def test_of_the_coupons_from_before_her_login_and_her_own_one_is_redeemed(order: tuple[str, ...]) -> None:
    shop = market()
    coupons = {shopper: held(shop, shopper) for shopper in HERS}
    shop.joined |= dict.fromkeys(HERS[:2], ANN)
    first, *others = (coupons[shopper] for shopper in order)
    told = shop.redeeming.redeem(first.code, basket())
    assert [refusal(shop, other, order="o-2") for other in others] == ["offer_used"] * 2
    assert refusal(shop, others[0]) == "offer_used"  # with the same order too
    assert shop.redeeming.redeem(first.code, basket()) == told
    assert shop.standing(FLASH)["refused"] == {"offer_used": 3}
    shop.redeeming.take_back(first.code, "o-1")
    assert shop.redeeming.redeem(others[0].code, basket("o-2"))


def test_a_coupon_that_a_guest_redeemed_counts_when_she_logs_in() -> None:
    shop = market()
    guests, own = held(shop, "anon:device"), held(shop)
    shop.redeeming.redeem(guests.code, basket(shopper="anon:device"))
    shop.joined["anon:device"] = ANN
    assert refusal(shop, own, order="o-2") == "offer_used"


def test_another_occasion_is_another_coupon() -> None:
    shop = market(edition="month", days=40)
    july = held(shop, "anon:device")
    shop.joined["anon:device"] = ANN
    shop.redeeming.redeem(july.code, basket())
    shop.pass_(days=31)
    assert shop.redeeming.redeem(held(shop).code, basket("o-2"))


@pytest.mark.parametrize("names", [(ANN, ANN), ("anon:device", ANN)])
def test_two_of_hers_at_two_tills_at_once(names: tuple[str, str]) -> None:
    """The count of her orders, which every redemption of hers writes, keeps them apart."""
    shop = market()
    before, own = held(shop, "anon:device"), held(shop)
    shop.joined["anon:device"] = ANN
    real, others = shop.store.held, iter([own])

    def meanwhile(*asked: Any) -> Any:
        found = real(*asked)
        for other in others:
            shop.redeeming.redeem(other.code, basket("o-2", shopper=names[1]))
        return found

    shop.store.held = meanwhile  # type: ignore[method-assign]
    assert refusal(shop, before, shopper=names[0]) == "offer_used"


def test_whoever_has_the_code_of_an_offer_that_is_nobodys_own() -> None:
    shop = market(personal=False)
    before, own = held(shop, "anon:device"), held(shop)
    shop.joined["anon:device"] = ANN
    for number, coupon in enumerate((before, own)):
        assert shop.redeeming.redeem(coupon.code, basket(f"o-{number}", shopper=""))


def test_a_refusal_leaves_the_coupon_as_it_was() -> None:
    shop = market(minimum_cents=5_000, currency="GBP")
    coupon = held(shop)
    assert refusal(shop, coupon, Unmet, total=4_999) == "minimum_not_reached"
    assert shop.store.coupon(*coupon.key) == coupon


def test_an_offer_that_the_shop_dropped_is_gone() -> None:
    shop = market()
    orphan = replace(
        held(shop, BEN), shopper=ANN, offer="dropped", code=shop.codes.make(ANN, "dropped", "", NOON + DAY), takes=()
    )
    shop.store.issue(Reservation(coupon=orphan))
    assert refusal(shop, orphan, Gone) == "offer_gone"
    assert "kind" not in shop.claiming.to_wire(orphan)


def test_an_unknown_or_mistyped_code() -> None:
    shop = market()
    code = shop.codes.make(ANN, FLASH, "", shop.clock())
    with pytest.raises(NotFound):
        shop.redeeming.redeem(code, basket())
    with pytest.raises(Invalid):
        shop.redeeming.redeem(code[:-1], basket())


@pytest.mark.parametrize("check", ["device", "address"])
def test_one_device_or_address_redeems_so_many_coupons(check: str) -> None:
    def order(n: int, where: str) -> Basket:
        plain = basket(f"o-{n}", shopper=f"user:{n}")
        return replace(plain, device=where) if check == "device" else replace(plain, address=where)

    shop = market({check: {"uses": 2, "days": 7}})
    coupons = [held(shop, f"user:{n}") for n in range(4)]
    for n in range(2):
        shop.redeeming.redeem(coupons[n].code, order(n, "Same One"))
    with pytest.raises(Conflict) as raised:
        shop.redeeming.redeem(coupons[2].code, order(2, "same  one"))
    assert raised.value.code == f"{check}_limit"
    assert shop.redeeming.redeem(coupons[2].code, order(2, "another"))
    assert shop.standing(FLASH)["refused"] == {f"{check}_limit": 1}


def test_the_limit_is_a_rolling_one_by_orders_not_by_coupons() -> None:
    shop = market({"device": {"uses": 1, "days": 1}}, days=30)
    coupons = [held(shop, f"user:{n}") for n in range(3)]
    shop.redeeming.redeem(coupons[0].code, basket("o-1", shopper="user:0", device="d"))
    assert shop.redeeming.redeem(coupons[1].code, basket("o-1", shopper="user:1", device="d"))
    shop.pass_(hours=23, minutes=59)
    assert refusal(shop, coupons[2], order="o-2", shopper="user:2", device="d") == "device_limit"
    shop.pass_(minutes=1)
    assert shop.redeeming.redeem(coupons[2].code, basket("o-2", shopper="user:2", device="d"))


def test_redeem_and_return_again_and_again_counts() -> None:
    shop = market({"shopper": {"uses": 2, "days": 7}})
    coupon = held(shop)
    for n in range(2):
        shop.redeeming.redeem(coupon.code, basket(f"o-{n}"))
        shop.redeeming.take_back(coupon.code, f"o-{n}")
    assert refusal(shop, coupon, order="o-9") == "shopper_limit"

"""The sweep: what nobody used goes back once, whatever run was missed, repeated or cut short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count

import pytest
from tests.support.offers import ANN, FLASH, Market

from regulars.adapters.memory.offers import MemoryOffers
from regulars.decisions.content import held_offer
from regulars.errors import TryLater
from regulars.offers.codes import LANES
from regulars.offers.expiring import ExpireCoupons
from regulars.offers.model import Coupon

POOL = f"stock/{FLASH}"


def sold(shoppers: int = 40, store: MemoryOffers | None = None) -> Market:
    shop = Market(store or MemoryOffers())
    shop.sweep()
    for n in range(shoppers):
        shop.claiming.claim(f"user:{n}", FLASH)
    return shop


def test_not_before_the_hour_has_closed() -> None:
    shop = sold()
    shop.pass_(days=3, minutes=9)
    assert (shop.sweep()["expired"], shop.taken(POOL)) == (0, 40)
    shop.pass_(minutes=1)
    assert (shop.sweep()["expired"], shop.taken(POOL)) == (40, 0)
    assert (shop.sweep()["expired"], shop.taken(POOL)) == (0, 0)


def test_missed_runs_lose_nothing() -> None:
    shop = sold()
    shop.pass_(days=33)
    assert (shop.sweep()["expired"], shop.taken(POOL)) == (40, 0)


def test_an_hour_is_read_once() -> None:
    shop = sold()
    shop.pass_(days=3, hours=1)
    shop.sweep()
    asked: list[int] = []
    reading = shop.store.ending

    def counting(hour: int, lane: int, limit: int, cursor: str = "") -> tuple[Sequence[Coupon], str]:
        asked.append(hour)
        return reading(hour, lane, limit, cursor)

    shop.store.ending = counting  # type: ignore[method-assign]
    shop.sweep()
    assert asked == []
    shop.pass_(hours=1)
    shop.sweep()
    assert len(asked) == 2 * LANES  # what ended, and what will


def test_a_run_that_is_out_of_time_leaves_the_rest_to_the_next() -> None:
    shop = sold()
    shop.pass_(days=3, hours=1)
    ticks = count()
    hasty = ExpireCoupons(
        config=shop.config, store=shop.store, moments=shop.outbox, clock=shop.clock, monotonic=lambda: next(ticks) * 200.0
    )
    first = hasty()
    assert first["behind"] > 0
    assert first["expired"] < 40
    assert first["expired"] + shop.sweep()["expired"] == 40
    assert shop.taken(POOL) == 0


def test_a_run_that_fails_half_way_is_repeated_without_harm() -> None:
    class Failing(MemoryOffers):
        left = 1_000

        def expire(self, coupons: Sequence[Coupon], now: datetime) -> int:
            if self.left == 0:
                raise TryLater("conflict")
            self.left -= bool(coupons)
            return super().expire(coupons, now)

    store = Failing()
    shop = sold(store=store)
    shop.pass_(days=3, hours=1)
    store.left = 3
    with pytest.raises(TryLater):
        shop.sweep()
    assert 0 < shop.taken(POOL) < 40
    store.left = 1_000
    shop.sweep()
    assert shop.taken(POOL) == 0
    assert shop.standing(FLASH)["expired"] == 40


def test_she_is_reminded_once_of_what_she_did_not_use() -> None:
    shop = sold(3)
    from tests.support.offers import basket

    used = shop.store.coupon("user:1", FLASH, "")
    assert used is not None
    shop.redeeming.redeem(used.code, basket(shopper="user:1"))
    for _ in range(3 * 24):
        shop.pass_(hours=1)
        shop.sweep()
    assert sorted(moment.shopper for moment in shop.outbox.moments) == ["user:0", "user:2"]
    moment = shop.outbox.moments[0]
    assert (moment.id, moment.subject) == (f"coupon_expiring#{FLASH}", FLASH)
    assert moment.facts["held"]["text"] == {"en": "Half price for the first hundred."}
    assert moment.expires_at_ms == int(used.expires_at.timestamp() * 1000)


def test_a_late_sweep_does_not_remind_of_what_is_over() -> None:
    shop = sold(3)
    shop.pass_(days=3)
    shop.sweep()
    assert shop.outbox.moments == []


def test_nobody_is_reminded_of_what_is_new_to_her() -> None:
    from tests.support.offers import FLASH_TERMS, settings

    shop = Market(config=settings({FLASH: {**FLASH_TERMS, "days": 1}}))
    shop.claiming.claim(ANN, FLASH)
    shop.sweep()
    shop.pass_(hours=1)
    shop.sweep()
    assert shop.outbox.moments == []


def test_the_reminder_shows_the_coupon_she_holds() -> None:
    from tests.support.decisions import Desk

    from regulars.offers.codes import shown

    shop = sold(1)
    shop.pass_(days=2, minutes=1)
    shop.sweep()
    (moment,) = shop.outbox.moments
    desk = Desk()
    desk.now = shop.clock()
    offer = held_offer(moment, "zh", desk.config)
    coupon = shop.store.coupon("user:0", FLASH, "")
    assert coupon is not None
    assert offer == {"code": shown(coupon.code), "text": "Half price for the first hundred."}
    assert held_offer(replace(moment, facts={}), "en", desk.config) == {}

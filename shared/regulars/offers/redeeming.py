"""Redemption: the shop's server shows a code and an order, and learns what it saves. Once an order, once a coupon.

    ISSUED     checked against the offer and the abuse limits, then REDEEMED in one transaction with the counts
    REDEEMED   by this order: the same answer again · by another: refused
    over       refused; the sweep gives its piece back

A personal coupon may have come to her before she was known, on any of her devices: all her names are one shopper, who redeems
one of an offer and occasion.

A refusal that smells of abuse is counted by its code beside the offer, so that the operator sees it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from regulars.clock import Clock, to_ms
from regulars.errors import Conflict, Gone, Invalid, NotFound, TryLater
from regulars.offers.claiming import state_at
from regulars.offers.codes import Codes, parse, place_of, shown
from regulars.offers.config import Offer, OfferSettings
from regulars.offers.model import Coupon, CouponState, Uses
from regulars.offers.ports import Names, Offers
from regulars.offers.rules import Basket, discount_of

_TRIES = 5
COUNTED = ("another_shopper", "device_limit", "address_limit", "shopper_limit", "redeemed_before", "offer_used")
"""Refusals that are counted."""


class Redeeming:
    """Redeems and takes back."""

    def __init__(self, config: OfferSettings, codes: Codes, store: Offers, clock: Clock, names_of: Names) -> None:
        self._names_of = names_of
        self._config = config
        self._codes = codes
        self._store = store
        self._clock = clock

    def redeem(self, text: str, basket: Basket) -> Mapping[str, Any]:
        """What the order saves. Raises Invalid(bad_code | shopper_needed | …), NotFound(unknown_coupon), Gone(expired),
        Unmet(…), Conflict(redeemed_before | another_shopper | offer_used | device_limit | address_limit | shopper_limit)."""
        code = parse(text)
        for _ in range(_TRIES):
            coupon = self._found(code)
            if coupon.state is CouponState.REDEEMED and coupon.order_id == basket.order_id:
                return self._told(coupon)
            try:
                return self._told(self._redeem(coupon, basket))
            except Conflict as conflict:
                if conflict.code in COUNTED:
                    self._store.count(coupon.offer, place_of(code)[1], conflict.code)
                if conflict.code not in ("coupon_changed", "uses_changed"):
                    raise
        raise TryLater("the coupon is being redeemed elsewhere", code="busy")

    def take_back(self, text: str, order_id: str) -> Mapping[str, Any]:
        """The order was undone: the coupon is good again, or over when its end has passed. Repeating it changes nothing.
        Raises Conflict(not_redeemed | redeemed_before | stays_used), NotFound(unknown_coupon)."""
        code = parse(text)
        for _ in range(_TRIES):
            coupon, now = self._found(code), self._clock()
            if coupon.state is not CouponState.REDEEMED and coupon.returned_order == order_id:
                return self._told(coupon)
            if coupon.state is not CouponState.REDEEMED:
                raise Conflict("the coupon is not redeemed", code="not_redeemed")
            if coupon.order_id != order_id:
                raise Conflict("the coupon was redeemed with another order", code="redeemed_before")
            offer = self._config.offers.get(coupon.offer)
            if offer and not offer.comes_back:
                raise Conflict("this offer's coupons stay used", code="stays_used")
            to = CouponState.ISSUED if now < coupon.expires_at else CouponState.EXPIRED
            try:
                self._store.undo(coupon, to=to, now=now)
            except Conflict:
                continue
            return self._told(replace(coupon, state=to, order_id="", discount_cents=0, returned_order=order_id))
        raise TryLater("the coupon is changing elsewhere", code="busy")

    def _found(self, code: str) -> Coupon:
        coupon = self._store.find(code)
        if coupon is None:
            raise NotFound("no such coupon", code="unknown_coupon")
        return coupon

    def _redeem(self, coupon: Coupon, basket: Basket) -> Coupon:
        now = self._clock()
        offer = self._usable(coupon, now)
        names = self._hers(coupon, basket) if offer.personal else ()
        discount = discount_of(offer, basket)
        # Read first: of two redemptions of hers at once one finds the count of her orders changed, and looks again.
        uses = self._uses(basket, names[0] if names else basket.shopper or coupon.shopper, now)
        self._check_others(coupon, names)
        self._store.redeem(coupon, order_id=basket.order_id, discount_cents=discount, now=now, uses=uses)
        done = {"order_id": basket.order_id, "discount_cents": discount, "redeemed_at": now}
        return replace(coupon, state=CouponState.REDEEMED, **done)  # type: ignore[arg-type]

    def _usable(self, coupon: Coupon, now: datetime) -> Offer:
        if coupon.state is CouponState.REDEEMED:
            raise Conflict("the coupon was redeemed with another order", code="redeemed_before")
        if state_at(coupon, now) is CouponState.EXPIRED:
            raise Gone(f"the coupon ended at {coupon.expires_at.isoformat()}", code="expired")
        offer = self._config.offers.get(coupon.offer)
        if offer is None:
            raise Gone(f"the shop has no offer {coupon.offer!r} any more", code="offer_gone")
        return offer

    def _hers(self, coupon: Coupon, basket: Basket) -> Sequence[str]:
        """All names of the shopper whose coupon it is; raises when the basket is another's."""
        if not basket.shopper:
            raise Invalid("a personal coupon: name the shopper", field="shopper", code="shopper_needed")
        names = self._names_of(coupon.shopper)
        if basket.shopper not in (coupon.shopper, names[0]):
            raise Conflict("the coupon belongs to another shopper", code="another_shopper")
        return names

    def _check_others(self, coupon: Coupon, names: Sequence[str]) -> None:
        others = [name for name in names if name != coupon.shopper]
        held = self._store.held(others, coupon.offer, coupon.edition) if others else ()
        if any(other.state is CouponState.REDEEMED for other in held):
            raise Conflict("she has redeemed another coupon of this offer and occasion", code="offer_used")

    def _uses(self, basket: Basket, shopper: str, now: datetime) -> Sequence[Uses]:
        """The uses to write, this order among them; raises Conflict(<check>_limit)."""
        who = {"device": basket.device, "address": basket.address, "shopper": shopper}
        asked = [(check, self._codes.conceal(check, who[check])) for check in self._config.abuse if who[check]]
        made = []
        for found in self._store.uses(asked) if asked else ():
            limit = self._config.abuse[found.check]
            since = to_ms(now - timedelta(days=limit.days))
            others = {order: at for order, at in found.orders.items() if at > since and order != basket.order_id}
            if len(others) >= limit.uses:
                reason = f"{limit.uses} orders with coupons within {limit.days:g} days by one {found.check} are enough"
                raise Conflict(reason, code=f"{found.check}_limit")
            made.append(replace(found, orders={**others, basket.order_id: to_ms(now)}))
        return made

    def _told(self, coupon: Coupon) -> Mapping[str, Any]:
        offer = self._config.offers.get(coupon.offer)
        told: dict[str, Any] = {"code": shown(coupon.code), "offer": coupon.offer, "state": coupon.state.value}
        if coupon.state is CouponState.REDEEMED:
            told |= {"order_id": coupon.order_id, "discount_cents": coupon.discount_cents}
            if coupon.redeemed_at:
                told["redeemed_at"] = coupon.redeemed_at.isoformat()
        if offer and offer.currency:
            told["currency"] = offer.currency
        return told

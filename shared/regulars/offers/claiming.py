"""Coupons that shoppers take themselves, and their wallet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from regulars.clock import Clock
from regulars.errors import Conflict, GiveUp, Gone, TryLater
from regulars.offers.codes import shown
from regulars.offers.config import Offer, OfferSettings
from regulars.offers.issuing import Issuing
from regulars.offers.model import Coupon, CouponState, Reservation
from regulars.offers.ports import Names, Offers

Tier = Callable[[str], str]


class Claiming:
    """One coupon a shopper and edition, however often she asks. `tier_of` reads a shopper's value tier; `erased`: whether
    nothing may be kept of a shopper as of an instant. Whoever has logged in gets the coupon that she took before."""

    def __init__(
        self,
        config: OfferSettings,
        issuing: Issuing,
        store: Offers,
        clock: Clock,
        tier_of: Tier,
        erased: Callable[[str, datetime], bool],
        names_of: Names,
    ) -> None:
        self._names_of = names_of
        self._config = config
        self._issuing = issuing
        self._store = store
        self._clock = clock
        self._tier_of = tier_of
        self._erased = erased

    def claim(self, shopper: str, name: str) -> Coupon:
        """Hers, new or held before. Raises NotFound(unknown_offer), Conflict(not_claimable | offer_closed | sold_out |
        not_for_tier), TryLater when others are in the way; Gone(erased), as a token outlives an erasure."""
        offer, now = self._issuing.offer(name), self._clock()
        if not offer.claimable:
            raise Conflict(f"offer {name!r} comes with a message, it cannot be claimed", code="not_claimable")
        if self._erased(shopper, now):
            raise Gone("the shopper was erased", code="erased")
        edition = self._issuing.edition(offer, "", now)
        held = self._store.coupon(shopper, name, edition)
        if held:
            return held
        try:
            # Before the profile is read: a flash sale's crowd mostly finds it sold out.
            self._issuing.expiry(name, now)
            self._check_tier(offer, shopper)
            return self._issue(shopper, name, edition, now)
        except GiveUp as error:
            raise Conflict(error.reason, code=error.code) from error

    def wallet(self, shopper: str) -> Mapping[str, Any]:
        """Her coupons, the newest first, and in which state they are now."""
        now = self._clock()
        found = self._store.coupons(shopper)[: self._config.wallet_page]
        return {"coupons": [self.to_wire(coupon, now) for coupon in found]}

    def to_wire(self, coupon: Coupon, now: datetime | None = None) -> dict[str, Any]:
        """JSON of a coupon; what the offer says is added while the shop still has it."""
        at = now or self._clock()
        offer = self._config.offers.get(coupon.offer)
        wire: dict[str, Any] = {
            "offer": coupon.offer,
            "code": shown(coupon.code),
            "state": state_at(coupon, at).value,
            "issued_at": coupon.issued_at.isoformat(),
            "expires_at": coupon.expires_at.isoformat(),
        }
        if coupon.edition:
            wire["edition"] = coupon.edition
        if coupon.state is CouponState.REDEEMED:
            wire |= {"order_id": coupon.order_id, "discount_cents": coupon.discount_cents}
        return wire | (_terms(offer) if offer else {})

    def _check_tier(self, offer: Offer, shopper: str) -> None:
        if offer.tiers and self._tier_of(shopper) not in offer.tiers:
            raise GiveUp(f"for value tiers {', '.join(offer.tiers)} only", code="not_for_tier")

    def _issue(self, shopper: str, name: str, edition: str, now: datetime) -> Coupon:
        for attempt in range(self._config.sharding.tries):
            coupon = self._issuing.make(name, shopper, edition, now, attempt=attempt)
            if attempt == 0 and (before := self._from_before(coupon)):
                return before
            try:
                self._store.issue(Reservation(coupon=coupon))
                return coupon
            except Conflict as conflict:
                if conflict.code == "coupon_held":
                    held = self._store.coupon(shopper, name, edition)
                    if held:
                        return held
                if conflict.code == "pool_empty":
                    for take in coupon.takes:
                        self._issuing.stock.full(take, now)
            except TryLater:
                continue  # another claim of the same shard at the same instant: the next try is another shard's
        raise TryLater("many are claiming this offer, try again", code="busy")

    def _from_before(self, coupon: Coupon) -> Coupon | None:
        """The coupon in place of this one, of an anonymous shopper who joined her: used if one is, else the last to end. Asked
        for once there is one to be had, as a crowd is mostly too late; and only for her, as a device may have changed hands."""
        names = self._names_of(coupon.shopper) if coupon.shopper.startswith("user:") else ()
        held = self._store.held(names[1:], coupon.offer, coupon.edition) if names[1:] else ()
        return max(held, key=lambda found: (found.state is CouponState.REDEEMED, found.expires_at), default=None)


def state_at(coupon: Coupon, now: datetime) -> CouponState:
    """Its end counts when it comes, not when the sweep has noticed."""
    over = coupon.state is CouponState.ISSUED and coupon.expires_at <= now
    return CouponState.EXPIRED if over else coupon.state


def _terms(offer: Offer) -> dict[str, Any]:
    """What it gives and on what; amounts in minor units."""
    terms: dict[str, Any] = {"kind": offer.kind, "text": dict(offer.text)}
    for name in ("currency", "percent", "off_cents", "minimum_cents", "most_discount_cents"):
        if value := getattr(offer, name):
            terms[name] = value
    for name in ("items", "categories"):
        if value := getattr(offer, name):
            terms[name] = list(value)
    return terms

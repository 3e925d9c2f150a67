"""What offers need of the world: one store of coupons, pools and counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from regulars.offers.model import Coupon, CouponState, Reservation, Uses

Names = Callable[[str], Sequence[str]]
"""Of a shopper: the one whom she has joined since, or herself, and then all anonymous ones who joined."""


class Offers(Protocol):
    """Coupons by shopper, by code and by the hour of their end; pools by shard. Reads are strongly consistent, but `taken`."""

    def coupon(self, shopper: str, offer: str, edition: str) -> Coupon | None: ...

    def held(self, shoppers: Sequence[str], offer: str, edition: str) -> Sequence[Coupon]:
        """Those that any of `shoppers` has of the offer and occasion, in any order."""

    def coupons(self, shopper: str) -> Sequence[Coupon]:
        """All of a shopper's coupons, the newest first."""

    def find(self, code: str) -> Coupon | None:
        """The coupon of a code as `regulars.offers.codes.parse` returns it."""

    def issue(self, reservation: Reservation) -> None:
        """The coupon and all it takes, or nothing. Raises Conflict(coupon_held | pool_empty); TryLater when another claim
        of the same shard stood in the way."""

    def redeem(self, coupon: Coupon, *, order_id: str, discount_cents: int, now: datetime, uses: Sequence[Uses]) -> None:
        """ISSUED → REDEEMED with the counts of the offer, and `uses` written where their version stands. Raises
        Conflict(coupon_changed | uses_changed), and nothing happened."""

    def undo(self, coupon: Coupon, *, to: CouponState, now: datetime) -> None:
        """REDEEMED by `coupon.order_id` → ISSUED, or → EXPIRED with all it took given back. Raises Conflict(coupon_changed)."""

    def expire(self, coupons: Sequence[Coupon], now: datetime) -> int:
        """Those that are still ISSUED → EXPIRED and all they took given back, in one transaction (more, when one cannot hold it
        all); how many. At most 30."""

    def ending(self, hour: int, lane: int, limit: int, cursor: str = "") -> tuple[Sequence[Coupon], str]:
        """Coupons whose end is that hour (`codes.place_of`), in any state, and where to read on ("" at the end)."""

    def mark(self, name: str, lane: int) -> int | None:
        """The last hour that the sweep `name` finished in this lane."""

    def advance(self, name: str, lane: int, hour: int) -> None:
        """Raise the mark; never lowers it."""

    def shards(self, pool: str) -> int | None:
        """Into how many shards the pool is split, None while nothing was ever taken of it."""

    def split(self, pool: str, wanted: int) -> int:
        """Split the pool into `wanted` shards unless it is split already; into how many it is. For good: another number of
        shards would forget what is taken."""

    def taken(self, pool: str, shards: int) -> Sequence[int]:
        """Units taken of each shard, as it was a moment ago."""

    def uses(self, asked: Sequence[tuple[str, str]]) -> Sequence[Uses]:
        """The orders known of each (check, hash), in the order asked."""

    def count(self, offer: str, lane: int, word: str) -> None:
        """One more of `word` (a refusal) for the offer."""

    def counts(self, offer: str) -> Mapping[str, int]:
        """redeemed, discount_cents, returned, expired, and refusals by code."""

    def forget(self, shopper: str) -> int:
        """Erase a shopper's coupons; what unused ones took is given back. How many there were."""

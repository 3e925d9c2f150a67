"""Coupons and pools in memory: one thread, every step whole."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from regulars.errors import Conflict
from regulars.offers.codes import place_of
from regulars.offers.model import Coupon, CouponState, Reservation, Take, Uses


class MemoryOffers:
    """Implements `regulars.offers.ports.Offers`, and what claims and finishes of the memory ledger take and give back.

    `coupons_by_key`: (shopper, offer, edition) → coupon. `taken_of`: (pool, shard) → units.
    """

    def __init__(self) -> None:
        self.coupons_by_key: dict[tuple[str, str, str], Coupon] = {}
        self.taken_of: dict[tuple[str, int], int] = {}
        self._codes: dict[str, tuple[str, str, str]] = {}
        self._of: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        self._ending: dict[tuple[int, int], list[str]] = defaultdict(list)
        self._marks: dict[tuple[str, int], int] = {}
        self._shards: dict[str, int] = {}
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._uses: dict[tuple[str, str], Uses] = {}

    def lacks(self, reservation: Reservation) -> str:
        """The code of what stands against taking it all, "" for nothing."""
        coupon = reservation.coupon
        if coupon and coupon.key in self.coupons_by_key:
            return "coupon_held"
        full = coupon is not None and coupon.code in self._codes
        full = full or any(
            self.taken_of.get((take.pool, take.shard), 0) + take.amount > take.limit for take in reservation.takes
        )
        return "pool_empty" if full else ""

    def take(self, reservation: Reservation) -> None:
        """The reservation's part of a claim, after `lacks` found nothing."""
        if coupon := reservation.coupon:
            self.coupons_by_key[coupon.key] = coupon
            self._of[coupon.shopper].append(coupon.key)
            self._codes[coupon.code] = coupon.key
            insort(self._ending[place_of(coupon.code)], coupon.code)
        for take in reservation.takes:
            self.taken_of[(take.pool, take.shard)] = self.taken_of.get((take.pool, take.shard), 0) + take.amount

    def give_back(self, reservation: Reservation) -> None:
        """The reservation's part of a finish that says nothing was sent. A coupon that is gone or not ISSUED any more has given
        back its piece already."""
        if reservation.coupon and not self._is(reservation.coupon):
            reservation = replace(reservation, coupon=None)
        if reservation.coupon:
            self._remove(reservation.coupon)
        self._give_back(reservation.takes)

    def coupon(self, shopper: str, offer: str, edition: str) -> Coupon | None:
        return self.coupons_by_key.get((shopper, offer, edition))

    def held(self, shoppers: Sequence[str], offer: str, edition: str) -> Sequence[Coupon]:
        return [found for shopper in shoppers if (found := self.coupon(shopper, offer, edition))]

    def coupons(self, shopper: str) -> Sequence[Coupon]:
        found = [self.coupons_by_key[key] for key in self._of.get(shopper, ())]
        return sorted(found, key=lambda coupon: (coupon.issued_at, coupon.code), reverse=True)

    def find(self, code: str) -> Coupon | None:
        key = self._codes.get(code)
        return self.coupons_by_key[key] if key else None

    def issue(self, reservation: Reservation) -> None:
        if lacks := self.lacks(reservation):
            raise Conflict("the coupon cannot be issued", code=lacks)
        self.take(reservation)

    def redeem(self, coupon: Coupon, *, order_id: str, discount_cents: int, now: datetime, uses: Sequence[Uses]) -> None:
        self._check(coupon)
        if any(self._uses.get((entry.check, entry.hash), Uses(check="", hash="")).version != entry.version for entry in uses):
            raise Conflict("somebody else was first", code="uses_changed")
        for entry in uses:
            self._uses[(entry.check, entry.hash)] = replace(entry, version=entry.version + 1)
        self._put(
            replace(coupon, state=CouponState.REDEEMED, order_id=order_id, redeemed_at=now, discount_cents=discount_cents)
        )
        self._counts[coupon.offer].update({"redeemed": 1, "discount_cents": discount_cents})

    def undo(self, coupon: Coupon, *, to: CouponState, now: datetime) -> None:
        self._check(coupon)
        undone = replace(coupon, state=to, order_id="", redeemed_at=None, discount_cents=0, returned_order=coupon.order_id)
        self._put(undone)
        self._counts[coupon.offer].update({"redeemed": -1, "discount_cents": -coupon.discount_cents, "returned": 1})
        if to is CouponState.EXPIRED:
            self._give_back(coupon.takes)
            self._counts[coupon.offer].update({"expired": 1})

    def expire(self, coupons: Sequence[Coupon], now: datetime) -> int:
        left = [coupon for coupon in coupons if coupon.state is CouponState.ISSUED and self._is(coupon)]
        for coupon in left:
            self._put(replace(self.coupons_by_key[coupon.key], state=CouponState.EXPIRED))
            self._give_back(coupon.takes)
            self._counts[coupon.offer].update({"expired": 1})
        return len(left)

    def ending(self, hour: int, lane: int, limit: int, cursor: str = "") -> tuple[Sequence[Coupon], str]:
        codes = self._ending.get((hour, lane), [])
        start = bisect_right(codes, cursor)
        page = codes[start : start + limit]
        more = page[-1] if start + limit < len(codes) else ""
        return [self.coupons_by_key[self._codes[code]] for code in page], more

    def mark(self, name: str, lane: int) -> int | None:
        return self._marks.get((name, lane))

    def advance(self, name: str, lane: int, hour: int) -> None:
        self._marks[(name, lane)] = max(hour, self._marks.get((name, lane), hour))

    def shards(self, pool: str) -> int | None:
        return self._shards.get(pool)

    def split(self, pool: str, wanted: int) -> int:
        return self._shards.setdefault(pool, wanted)

    def taken(self, pool: str, shards: int) -> Sequence[int]:
        return [self.taken_of.get((pool, shard), 0) for shard in range(shards)]

    def uses(self, asked: Sequence[tuple[str, str]]) -> Sequence[Uses]:
        return [self._uses.get(key, Uses(check=key[0], hash=key[1])) for key in asked]

    def count(self, offer: str, lane: int, word: str) -> None:
        self._counts[offer][word] += 1

    def counts(self, offer: str) -> Mapping[str, int]:
        return Counter(self._counts.get(offer, {}))

    def forget(self, shopper: str) -> int:
        coupons = self.coupons(shopper)
        for coupon in coupons:
            self._remove(coupon)
            if coupon.state is CouponState.ISSUED:
                self._give_back(coupon.takes)
        return len(coupons)

    def _is(self, coupon: Coupon) -> bool:
        """It stands as it was read: the same code, state and order."""
        standing = self.coupons_by_key.get(coupon.key)
        return standing is not None and (standing.code, standing.state, standing.order_id) == (
            coupon.code,
            coupon.state,
            coupon.order_id,
        )

    def _check(self, coupon: Coupon) -> None:
        if not self._is(coupon):
            raise Conflict("somebody else was first", code="coupon_changed")

    def _put(self, coupon: Coupon) -> None:
        self.coupons_by_key[coupon.key] = coupon

    def _remove(self, coupon: Coupon) -> None:
        del self.coupons_by_key[coupon.key]
        del self._codes[coupon.code]
        self._of[coupon.shopper].remove(coupon.key)
        self._ending[place_of(coupon.code)].remove(coupon.code)

    def _give_back(self, takes: Sequence[Take]) -> None:
        for take in takes:
            self.taken_of[(take.pool, take.shard)] = self.taken_of.get((take.pool, take.shard), 0) - take.amount

"""Coupons and pools in memory."""

from __future__ import annotations

from regulars.offers.model import Coupon, Reservation


class MemoryOffers:
    """What claims and finishes take and give back. `taken`: (pool, shard) → units."""

    def __init__(self) -> None:
        self.coupons: dict[tuple[str, str, str], Coupon] = {}
        self.taken: dict[tuple[str, int], int] = {}

    def lacks(self, reservation: Reservation) -> str:
        """The code of what stands against taking it all, "" for nothing."""
        coupon = reservation.coupon
        if coupon and (coupon.shopper, coupon.offer, coupon.edition) in self.coupons:
            return "coupon_held"
        full = any(self.taken.get((take.pool, take.shard), 0) + take.amount > take.limit for take in reservation.takes)
        return "pool_empty" if full else ""

    def take(self, reservation: Reservation) -> None:
        """The reservation's part of a claim, after `lacks` found nothing."""
        if coupon := reservation.coupon:
            self.coupons[(coupon.shopper, coupon.offer, coupon.edition)] = coupon
        for take in reservation.takes:
            self.taken[(take.pool, take.shard)] = self.taken.get((take.pool, take.shard), 0) + take.amount

    def give_back(self, reservation: Reservation) -> None:
        """The reservation's part of a finish that says nothing was sent. A coupon that is gone (erased) is no obstacle."""
        if coupon := reservation.coupon:
            self.coupons.pop((coupon.shopper, coupon.offer, coupon.edition), None)
        for take in reservation.takes:
            self.taken[(take.pool, take.shard)] = self.taken.get((take.pool, take.shard), 0) - take.amount

"""What is limited, and what one message or one shopper takes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class CouponState(StrEnum):
    """ISSUED → REDEEMED → (order undone) ISSUED; ISSUED → EXPIRED, which gives the stock back."""

    ISSUED = "ISSUED"
    REDEEMED = "REDEEMED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """`amount` units of one shard of a pool that holds `limit` of them. Stock counts pieces, money micro-cents."""

    pool: str
    shard: int
    amount: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """One shopper's coupon. Key: shopper + offer + edition (the occasion, "" for once in a lifetime).

    `takes`: what expiry gives back. `moment_id`: the message that brought it, "" when it was claimed through the API.
    """

    shopper: str
    offer: str
    edition: str
    code: str
    issued_at: datetime
    expires_at: datetime
    moment_id: str = ""
    state: CouponState = CouponState.ISSUED
    order_id: str = ""
    redeemed_at: datetime | None = None
    takes: tuple[Take, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """All that one message takes along: a coupon (with its stock) and parts of budgets. All of it, or nothing."""

    coupon: Coupon | None = None
    spends: tuple[Take, ...] = field(default=())

    @property
    def takes(self) -> tuple[Take, ...]:
        """Stock first, then money."""
        return (*(self.coupon.takes if self.coupon else ()), *self.spends)


NOTHING = Reservation()

"""What is limited, and what one message or one shopper takes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class CouponState(StrEnum):
    """ISSUED → REDEEMED → (order undone) ISSUED; ISSUED → EXPIRED, which gives the stock back; REDEEMED → EXPIRED when the
    order is undone after the coupon's end."""

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
    `expires_at` is a full hour. `discount_cents`: what it saved on `order_id`; `returned_order`: the order it came back from.
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
    discount_cents: int = 0
    returned_order: str = ""
    takes: tuple[Take, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        return self.shopper, self.offer, self.edition


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """All that one message takes along: a coupon (with its stock) and parts of budgets. All of it, or nothing."""

    coupon: Coupon | None = None
    spends: tuple[Take, ...] = field(default=())

    @property
    def takes(self) -> tuple[Take, ...]:
        """Stock first, then money; one entry a shard, as a transaction names an item once."""
        sums: dict[tuple[str, int], Take] = {}
        for take in (*(self.coupon.takes if self.coupon else ()), *self.spends):
            known = sums.get((take.pool, take.shard))
            sums[(take.pool, take.shard)] = replace(take, amount=take.amount + known.amount) if known else take
        return tuple(sums.values())


NOTHING = Reservation()


@dataclass(frozen=True, slots=True, kw_only=True)
class Uses:
    """Orders with a coupon from one device, address or shopper (`check`), known by a hash. `orders`: order id → epoch ms.

    `version` rises with every change: what a redemption is conditional on.
    """

    check: str
    hash: str
    version: int = 0
    orders: Mapping[str, int] = field(default_factory=dict)

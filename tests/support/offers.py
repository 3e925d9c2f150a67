"""A shop with offers on any store, and a clock that a test moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.sending import Hand

from regulars.adapters.memory.offers import MemoryOffers
from regulars.adapters.memory.profiles import MemoryProfiles
from regulars.messages import Moment, QueueMessage
from regulars.offers.claiming import Claiming
from regulars.offers.codes import Codes
from regulars.offers.config import OfferSettings
from regulars.offers.expiring import ExpireCoupons
from regulars.offers.issuing import Issuing
from regulars.offers.model import Take
from regulars.offers.ports import Offers
from regulars.offers.redeeming import Redeeming
from regulars.offers.rules import Basket
from regulars.offers.standing import Standing
from regulars.offers.stock import Stock
from regulars.shop import section

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
ANN, BEN = "user:ann", "user:ben"
SECRET = b"s" * 48
FLASH = "first_100"
FLASH_TERMS: Mapping[str, Any] = {
    "kind": "percent",
    "percent": 50,
    "days": 3,
    "stock": 100,
    "claimable": True,
    "claims_per_second": 10_000,
    "text": {"en": "Half price for the first hundred."},
}


def settings(offers: Mapping[str, Any] | None = None, **more: Any) -> OfferSettings:
    """The defaults, the flash offer, and what the test adds."""
    return section(OfferSettings, "offers", {"offers": {"offers": {FLASH: FLASH_TERMS, **(offers or {})}, **more}})


def basket(order: str = "o-1", total: int = 12_000, shopper: str = ANN, **more: Any) -> Basket:
    return Basket(order_id=order, total_cents=total, currency="GBP", shopper=shopper, **more)


@dataclass
class Outbox:
    """The moments queue."""

    moments: list[Moment] = field(default_factory=list)

    def send(self, messages: Sequence[QueueMessage], delay_seconds: int = 0) -> None:
        self.moments += [message for message in messages if isinstance(message, Moment)]


class Market:
    """Everything that offers do, over `store`."""

    def __init__(self, store: Offers | None = None, config: OfferSettings | None = None, tier: str = "mid") -> None:
        self.store: Offers = store or MemoryOffers()
        self.config = config or settings()
        self.clock = Hand(NOON)
        self.codes = Codes(SECRET)
        self.issuing = Issuing(self.config, self.codes, Stock(self.store, self.config.sharding), UTC)
        self.profiles = MemoryProfiles()
        self.claiming = self._claiming(self.issuing, tier)
        self.joined: dict[str, str] = {}
        self.redeeming = Redeeming(self.config, self.codes, self.store, self.clock, self.names_of)
        self.standing = Standing(self.issuing, self.store, self.clock)
        self.outbox = Outbox()
        self.sweep = ExpireCoupons(
            config=self.config, store=self.store, moments=self.outbox, clock=self.clock, monotonic=lambda: 0.0
        )

    def worker(self) -> Claiming:
        """Another worker, with its own picture of the pools."""
        issuing = Issuing(self.config, self.codes, Stock(self.store, self.config.sharding), UTC)
        return self._claiming(issuing, "mid")

    def _claiming(self, issuing: Issuing, tier: str) -> Claiming:
        erased = self.profiles.erased
        return Claiming(self.config, issuing, self.store, self.clock, lambda shopper: tier, erased, self.names_of)

    def names_of(self, shopper: str) -> tuple[str, ...]:
        """Her name and those that `joined` her."""
        she = self.joined.get(shopper, shopper)
        return she, *(anonymous for anonymous, known in self.joined.items() if known == she)

    def taken(self, pool: str) -> int:
        return sum(self.store.taken(pool, self.store.shards(pool) or 0))

    def pass_(self, **span: float) -> None:
        self.clock.pass_(**span)


def piece(pool: str = "p", shard: int = 0, amount: int = 1, limit: int = 1) -> Take:
    return Take(pool=pool, shard=shard, amount=amount, limit=limit)


HOUR, DAY = timedelta(hours=1), timedelta(days=1)

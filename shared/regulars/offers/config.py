"""Offers, as types; `defaults.yaml` holds the values, `shop.yaml` section `offers` adds and overrides them.

Money is in minor units of the offer's currency (cents, fen, yen); nothing is rounded in the shopper's disfavour twice: the
discount is rounded down to a whole unit once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from regulars.errors import Invalid

KINDS = ("threshold", "percent", "fixed", "free_shipping")
EDITIONS = ("once", "year", "month", "moment")
CHECKS = ("device", "address", "shopper")
TIERS = ("low", "mid", "high")
USES_DAYS = 90
"""How long uses are known, and so the longest that an abuse limit may look back."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CURRENCY = re.compile(r"[A-Z]{3}")
Instant = datetime | date | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One offer. One coupon a shopper and `edition` (once in a lifetime; a calendar year or month of the shop's clock; moment).

    `kind`: threshold (`off_cents` from `minimum_cents` on), percent (`percent` off), fixed (`off_cents` off, whatever the
    order), free_shipping. `most_discount_cents` caps any of them. `minimum_cents`: least value of what the offer applies to.
    `items` and `categories` (a category holds those below it): what it applies to, empty for everything.

    Valid for `days` from issue, and never beyond `until`; not issued before `starts`. Dates and naive instants are the shop's
    clock; a date counts whole. An expiry is rounded up to the full hour.

    `stock`: coupons in all (of an edition, when that is a calendar one), None for no limit. `budget_cents`: what they may cost
    together at the expected `cost_cents` each; the narrower of both counts. `claims_per_second`: the peak that its shards are
    made for, fixed with the first coupon. `claimable`: shoppers may take it themselves (flash, "first 100").
    `personal`: good for the shopper it was issued to, whom the shop names when she redeems. `tiers`: value tiers that may claim
    it. `comes_back`: an undone order makes it good again.
    """

    kind: str
    text: Mapping[str, str] = field(default_factory=dict)
    currency: str = ""
    percent: int = 0
    off_cents: int = 0
    minimum_cents: int = 0
    most_discount_cents: int | None = None
    items: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    days: float | None = None
    starts: Instant = None
    until: Instant = None
    edition: str = "once"
    stock: int | None = None
    budget_cents: int | None = None
    cost_cents: int = 0
    claims_per_second: int = 100
    claimable: bool = False
    personal: bool = True
    tiers: tuple[str, ...] = ()
    comes_back: bool = True

    @property
    def pieces(self) -> int | None:
        """How many coupons there may be, None for no limit."""
        limits = [] if self.stock is None else [self.stock]
        if self.budget_cents is not None:
            limits.append(self.budget_cents // self.cost_cents)
        return min(limits, default=None)

    def starts_at(self, zone: tzinfo) -> datetime | None:
        """The instant from which it is issued."""
        return _instant(self.starts, zone, whole_day=False)

    def ends_at(self, zone: tzinfo) -> datetime | None:
        """The instant at which all its coupons have ended; a date's is the midnight after it."""
        return _instant(self.until, zone, whole_day=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharding:
    """`writes_per_second`: transactional writes that one item is planned for. DynamoDB gives an item 1,000 write units a
    second and takes two for a transactional write, so 500 is the ceiling ("Read/write capacity mode", "Transactions").

    `view_seconds`: how old a worker's picture of the shards may be; `sold_out_seconds`: how long it refuses without looking,
    once none has room; `tries`: how many shards one claim may try.
    """

    writes_per_second: int
    view_seconds: float
    sold_out_seconds: float
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `uses` orders with a coupon within any `days` days."""

    uses: int
    days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """`closing_minutes` after its hour a coupon is given back (longer than any request lasts); a first run looks back
    `look_back_hours`; `remind_hours` before the end an unused coupon is a moment `coupon_expiring`, 0 for never."""

    closing_minutes: float
    look_back_hours: int
    seconds_per_run: float
    together: int
    remind_hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferSettings:
    """The section `offers`. `least_hours`: an offer that ends sooner is not issued any more. `issue_page`: coupons shown."""

    offers: Mapping[str, Offer]
    sharding: Sharding
    abuse: Mapping[str, Limit]
    sweep: Sweep
    least_hours: float
    wallet_page: int

    def __post_init__(self) -> None:
        for name, offer in self.offers.items():
            if reason := _against(name, offer):
                raise Invalid(f"offers.offers.{name}: {reason}", field=f"offers.offers.{name}")
        for check, limit in self.abuse.items():
            if check not in CHECKS or limit.uses < 1 or not 0 < limit.days <= USES_DAYS:
                reason = f"checks are {', '.join(CHECKS)}, each with uses of 1 or more and days above 0 and at most {USES_DAYS}"
                raise Invalid(f"offers.abuse.{check}: {reason}", field=f"offers.abuse.{check}")
        if not 1 <= self.sharding.writes_per_second <= 400 or self.sharding.tries < 1:
            raise Invalid("offers.sharding: writes_per_second is 1 to 400, tries 1 or more", field="offers.sharding")
        if self.least_hours * 60 <= self.sweep.closing_minutes or not 1 <= self.sweep.together <= 30:
            reason = "least_hours is longer than closing_minutes, together is 1 to 30"
            raise Invalid(f"offers.sweep: {reason}", field="offers.sweep")


def _against(name: str, offer: Offer) -> str:
    """What is wrong with an offer, "" for nothing."""
    amounts = (offer.off_cents, offer.minimum_cents, offer.cost_cents, offer.stock or 0, offer.budget_cents or 0)
    most = 1 if offer.most_discount_cents is None else offer.most_discount_cents
    claimed_for_nothing = offer.claimable and offer.edition == "moment"
    return next(
        (
            reason
            for wrong, reason in (
                (not _NAME.fullmatch(name), "a name is a lower-case letter, then up to 39 of a-z, 0-9 and _"),
                (offer.kind not in KINDS, f"kind is one of {', '.join(KINDS)}"),
                (offer.edition not in EDITIONS, f"edition is one of {', '.join(EDITIONS)}"),
                (min(amounts) < 0 or most < 1, "amounts are not negative"),
                (offer.kind == "percent" and not 1 <= offer.percent <= 100, "percent is 1 to 100"),
                (offer.kind in ("threshold", "fixed") and offer.off_cents < 1, "off_cents is missing"),
                (offer.kind == "threshold" and offer.minimum_cents < offer.off_cents, "minimum_cents is below off_cents"),
                (_has_amounts(offer) and not _CURRENCY.fullmatch(offer.currency), "amounts need a currency (ISO 4217)"),
                (offer.days is None and offer.until is None, "it needs days or until"),
                (offer.days is not None and not 0 < offer.days <= 3660, "days are above 0 and at most 3660"),
                (not set(offer.tiers) <= set(TIERS), f"tiers are {', '.join(TIERS)}"),
                (offer.budget_cents is not None and offer.cost_cents < 1, "a budget needs cost_cents"),
                (offer.claims_per_second < 1, "claims_per_second is 1 or more"),
                (claimed_for_nothing, "what is claimed has no moment: edition is once, year or month"),
                (not (_readable(offer.starts) and _readable(offer.until)), "starts and until are ISO 8601 dates or instants"),
            )
            if wrong
        ),
        "",
    )


def _has_amounts(offer: Offer) -> bool:
    return bool(offer.off_cents or offer.minimum_cents or offer.most_discount_cents or offer.cost_cents)


def _readable(value: Instant) -> bool:
    try:
        _instant(value, UTC, whole_day=False)
    except ValueError:
        return False
    return True


def _instant(value: Instant, zone: tzinfo, *, whole_day: bool) -> datetime | None:
    if isinstance(value, str):
        value = date.fromisoformat(value) if len(value) == len("2026-12-31") else datetime.fromisoformat(value)
    if value is None:
        return None
    if not isinstance(value, datetime):
        value = datetime.combine(value + timedelta(days=1) if whole_day else value, time())
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)

"""The numbers of the arbiter, as types; `defaults.yaml` holds the values, `shop.yaml` section `decisions` overrides them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from regulars.clock import zone_named
from regulars.decisions.limits import PER_CAMPAIGN, PER_DAY, PER_MONTH, Budget, Holdout, Vendors
from regulars.errors import Invalid

_CURRENCY = re.compile(r"[A-Z]{3}")
CAP_SUBJECTS = ("", "channel", "kind", "topic", "campaign")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of moment. `priority` 1 is the highest; `waits_hours` the longest it waits for the best hour.

    `answered_by_order`: an order after it makes it pointless. `needs_items`: without an item to show it says nothing.
    `item_reason`: the reason shown beside the moment's items (`newest_last` if so ordered); `picks_items`: recommended
    items fill the places that the moment leaves.
    `benefit`: tone → language → wording; `offer_code` is the coupon code shown beside it, one for everybody; `offer` names
    an offer of the section `offers` instead: a coupon of her own, with its text.
    `slot`: the hours it waits for (weekday evenings) instead of the best hour learned.
    """

    priority: int = 9
    topic: str = "offers"
    transactional: bool = False
    answered_by_order: bool = False
    needs_items: bool = False
    item_reason: str = ""
    newest_last: bool = False
    picks_items: bool = False
    waits_hours: float = 24.0
    channels: tuple[str, ...] = ("push", "email", "inapp", "sms")
    benefit: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    offer_code: str = ""
    offer: str = ""
    slot: Hours | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most so many messages within any `hours` hours, by value tier.

    `per`: "" counts all marketing messages, else those of the same "channel", "kind", "topic" (of the kind) or "campaign" (of
    a standing trigger its kind); `only` names those it is for (empty: each). `usual` is the lower figure of a range such as
    "2–3 a month": what ordinary kinds may use up; the places between it and `at_most` are kept for the kinds of priority
    `reserve_priority` and higher. Absent, all kinds share `at_most`.
    """

    hours: float
    at_most: Mapping[str, int]
    usual: Mapping[str, int] = field(default_factory=dict)
    per: str = ""
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Open from `opens` to before `closes`, local wall time in hours (0–24), on ISO `weekdays` (1 = Monday)."""

    opens: float
    closes: float
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Legal:
    """The hours a country's law leaves to marketing on `channels`."""

    hours: Hours
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the shop is, and how a country is told from a telephone number (longest prefix wins) or a lower-case name.

    `time_zone` and `country` stand in for shoppers of whom nothing is known; both empty: those are not written to.
    """

    time_zone: str
    country: str
    language: str
    languages: tuple[str, ...]
    phone_prefixes: Mapping[str, str]
    country_names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """`learn`: the hours among which a best hour is learned; `otherwise`: when none is learned yet.

    `least_weight`: how much activity (sum of hour weights) it takes to believe a habit.
    """

    learn: Hours
    otherwise: Hours
    least_weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """`response` is the prior share of messages answered, `cost_cents` the price of one message, in cents.

    `quiet_exempt`: a transactional message may go out here at any hour.
    """

    response: float
    cost_cents: float
    items: int
    quiet_exempt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How channels are ranked: response × (1 + `affinity` × the shopper's share of use) − cost / `answer_worth_cents`."""

    affinity: float
    answer_worth_cents: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spacing:
    """`hours` between two marketing messages to one shopper, in which only a higher priority may follow."""

    hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """A tone is taken when its `tags` weigh at least `least` together; a rule tag weighs that much by itself."""

    tags: tuple[str, ...]
    least: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """All of it. `keep_days`: how long the ledger remembers. `reserve_priority`: see Cap.
    `closing_margin_minutes`: nothing is decided so shortly before hours close, as it would be sent after.
    `most_deferrals`: a moment put off more often than this lapses. `currency` (ISO 4217): of the prices of channels and of the
    budgets; "" will do while no budget pays for coupons."""

    kinds: Mapping[str, Kind]
    caps: Mapping[str, Cap]
    reserve_priority: int
    quiet: Hours
    legal: Mapping[str, Legal]
    place: Place
    timing: Timing
    channels: Mapping[str, Channel]
    choice: Choice
    spacing: Spacing
    holdout: Holdout
    vendors: Vendors
    budgets: Mapping[str, Budget]
    tones: Mapping[str, Tone]
    mute_traits: tuple[str, ...]
    future_tolerance_minutes: float
    closing_margin_minutes: float
    most_deferrals: int
    keep_days: int
    currency: str = ""

    def __post_init__(self) -> None:
        """Raises Invalid with the path of what the types cannot tell."""
        zone = self.place.time_zone
        _demand("place.time_zone", not zone or zone_named(zone) is not None, f"{zone!r} is no IANA time zone")
        for name, cap in self.caps.items():
            _demand(f"caps.{name}.per", cap.per in CAP_SUBJECTS, f"{cap.per!r} is none of {', '.join(CAP_SUBJECTS[1:])}")
            _demand(f"caps.{name}.at_most", bool(cap.at_most), "names no value tier")
        for path, share in {
            "holdout.share": self.holdout.share,
            **{f"holdout.campaigns.{name}.share": control.share for name, control in self.holdout.campaigns.items()},
        }.items():
            _demand(path, 0 <= share <= 1, "must lie between 0 and 1")
        _demand("currency", not self.currency or bool(_CURRENCY.fullmatch(self.currency)), "is an ISO 4217 code such as GBP")
        for name, budget in self.budgets.items():
            periods = (PER_DAY, PER_MONTH, PER_CAMPAIGN)
            _demand(f"budgets.{name}.per", budget.per in periods, f"{budget.per!r} is none of {', '.join(periods)}")
            _demand(f"budgets.{name}.limit_cents", budget.limit_cents >= 0, "must not be negative")
            _demand(f"budgets.{name}.shards", 1 <= budget.shards <= 1000, "must lie between 1 and 1000")


def _demand(path: str, sound: bool, wrong: str) -> None:
    if not sound:
        raise Invalid(f"decisions.{path}: {wrong}", field=f"decisions.{path}")

"""What is known of a shopper, as every other stage reads it.

Weights are forward-decayed (Cormode et al., "Forward Decay", ICDE 2009): stored as Σ wᵢ·2^((tᵢ−L)/h), read as that sum
times 2^(−(now−L)/h), so that updates commute and late events land right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from regulars.values import value

LIFECYCLE_STAGES = ("new", "active", "loyal", "churn-risk", "dormant", "lost", "won-back")
VALUE_TIERS = ("high", "mid", "low")
TAG_LAYERS = ("base", "behaviour", "preference", "occasion")

_RUNS = re.compile(r"[^\w]+")


def tag_value(text: str) -> str:
    """The one spelling of a tag's value: case-folded, everything but letters and digits one hyphen, at most 40 characters.

    `Home / Mugs` is `home-mugs`; `礼盒` stays.
    """
    return _RUNS.sub("-", text.casefold().replace("_", "-")).strip("-")[:40].rstrip("-")


def age_of(traits: Mapping[str, Any], today: date) -> int | None:
    """Whole years, 1 to 129; None when neither `birthday` (ISO) nor `age` says."""
    birthday, age = traits.get("birthday"), traits.get("age")
    if isinstance(birthday, str):
        try:
            born = date.fromisoformat(birthday[:10])
        except ValueError:
            return None
        age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return age if isinstance(age, int) and not isinstance(age, bool) and 0 < age < 130 else None


@value(frozen=True, slots=True)
class Order:
    """One paid order; `value_cents` net of refunds."""

    order_id: str
    at: datetime
    value_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a shopper is expected to do: `purchases` (days with an order) within `horizon_days` and the `chance` of any, the day
    of the next, and what she will bring within the value horizon (a year by default), discounted."""

    purchases: float
    horizon_days: int
    chance: float
    next_day: date
    lifetime_cents: int


@value(frozen=True, slots=True, kw_only=True)
class Profile:
    """One shopper now. `tags` maps `layer/family/value` to its weight at `as_of`; `items` maps item id to interest.

    `purchases`: item id → distinct purchase days in order. `cart` and `wishlist`: item id → when added.
    `rfm` is three letters out of H, M, L (recency first), empty before the first sweep; `expected` None before an order, or
    the first model of needs.
    """

    shopper: str
    as_of: datetime
    tags: Mapping[str, float] = field(default_factory=dict)
    rule_tags: frozenset[str] = frozenset()
    items: Mapping[str, float] = field(default_factory=dict)
    item_seen_at: Mapping[str, datetime] = field(default_factory=dict)
    purchases: Mapping[str, tuple[date, ...]] = field(default_factory=dict)
    orders: tuple[Order, ...] = ()
    cart: Mapping[str, datetime] = field(default_factory=dict)
    wishlist: Mapping[str, datetime] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)
    channel_weights: Mapping[str, float] = field(default_factory=dict)
    hour_weights: Mapping[int, float] = field(default_factory=dict)
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    stage: str = "new"
    tier: str = "low"
    rfm: str = ""
    expected: Expected | None = None
    aliases: frozenset[str] = frozenset()

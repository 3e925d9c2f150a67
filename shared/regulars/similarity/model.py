"""What a build leaves for its readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

SIMILAR, TOGETHER, NEXT = "similar", "together", "next"
RELATIONS = (SIMILAR, TOGETHER, NEXT)
"""similar: seen or bought by the same shoppers (substitutes). together: bought in one order, or by one shopper nearby.
next: got after."""

EVERYWHERE = "all"
NEW_ARRIVALS = "new"

Scored = tuple[tuple[str, float], ...]
"""Item ids with scores, best first."""


def category_scope(category: str) -> str:
    """The popularity scope of one category."""
    return f"category:{category}"


def region_scope(country: str) -> str:
    """The popularity scope of one country (upper-cased code or name)."""
    return f"region:{country.upper()}"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The neighbours of one item, by relation; `gap_days` is the median time until a shopper buys it again, if any did."""

    item_id: str
    relations: Mapping[str, Scored]
    gap_days: float | None = None


@dataclass(frozen=True, slots=True)
class Popularity:
    """What sells in one scope: `trend` decayed, `week` over the last seven days; scores are shares of the scope's best."""

    scope: str
    trend: Scored = ()
    week: Scored = ()
    built_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """Which version is live. `previous` is kept whole, so that `ModelStore.roll_back` can return to it."""

    version: str
    built_at: datetime
    previous: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

"""What a build leaves for its readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

SIMILAR, TOGETHER, NEXT, LINEAR, CONTENT = "similar", "together", "next", "linear", "content"
SEQUENCE = "sequence"
"""The part of a recipe that a trained sequence model speaks; no relation, for it has no rows."""
RELATIONS = (SIMILAR, TOGETHER, NEXT, LINEAR, CONTENT)
"""similar: seen or bought by the same shoppers (substitutes). together: bought in one order, or by one shopper nearby.
next: got after."""

EVERYWHERE = "all"
NEW_ARRIVALS = "new"
HABIT = "habit"
"""Items bought more, or less, often than others: `trend` holds the days with an item per buyer of it, beside the shop's
average, as shares of the highest, which is `deeds`. An item that is not named is average."""
ON_TRIAL = "trials"
"""New arrivals that few have seen: `trend` and `week` are the α and β of a Beta belief in how many of those who see an item
look at it (`regulars.similarity.trials`)."""

Scored = tuple[tuple[str, float], ...]
"""Item ids with scores, best first."""


def sequence_key(version: str) -> str:
    """Where the arrays of a sequence model lie in the data bucket."""
    return f"models/sequence/{version}.npz"


def category_scope(category: str) -> str:
    """The popularity scope of one category."""
    return f"category:{category}"


def region_scope(country: str) -> str:
    """The popularity scope of one country (upper-cased code or name)."""
    return f"region:{country.upper()}"


def device_scope(kind: str) -> str:
    """The popularity scope of one kind of device (`regulars.similarity.contexts.DEVICE_KINDS`)."""
    return f"device:{kind}"


def daypart_scope(part: str) -> str:
    """The popularity scope of one part of the local day (`regulars.similarity.contexts.part_of_day`)."""
    return f"daypart:{part}"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The neighbours of one item, by relation; `gap_days` is the median time until a shopper buys it again, if any did."""

    item_id: str
    relations: Mapping[str, Scored]
    gap_days: float | None = None


@dataclass(frozen=True, slots=True)
class Popularity:
    """What sells in one scope: `trend` decayed, `week` over the last seven days; scores are shares of the scope's best.

    `deeds` is Σ of the decayed weights that were counted, by which readers judge how far to trust a scope; None: not said.
    """

    scope: str
    trend: Scored = ()
    week: Scored = ()
    built_at: datetime | None = None
    deeds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """Which version is live. `previous` is kept whole, so that `ModelStore.roll_back` can return to it."""

    version: str
    built_at: datetime
    previous: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

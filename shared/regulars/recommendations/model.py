"""The values of a recommendation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from regulars.catalogue.model import Item
from regulars.values import value

SCENES = ("home", "product", "cart", "return", "repurchase", "members", "trending")
RULED = (*SCENES, "search")
"""Where merchandising rules hold."""


@value(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question. `shopper` is `user:…`, `anon:…` or "" for nobody known; `cart` None means the profile's own.

    `language` "" means the shopper's own, else English. `country` stands in where the profile names none. `list_id` asks for
    one editorial list. `device` is one of `regulars.similarity.contexts.DEVICE_KINDS`, `time_zone` an IANA name, "" if untold.
    """

    scene: str
    shopper: str = ""
    item_id: str = ""
    cart: tuple[str, ...] | None = None
    cart_cents: int | None = None
    limit: int = 10
    exclude: frozenset[str] = frozenset()
    category: str = ""
    country: str = ""
    language: str = ""
    explain: bool = False
    list_id: str = ""
    device: str = ""
    time_zone: str = ""


UNTOLD = ""
"""The code of a candidate whose reason is worked out once it has its place (`Scene.told`)."""
NO_DETAILS: Mapping[str, Any] = {}
"""One for all that have none: an answer looks at hundreds of candidates."""


@value(frozen=True, slots=True)
class Candidate:
    """An item that may be shown: `score` orders, `code` and `because` (item ids) say why; `details` fill the wording.

    `source` names what proposed it: a relation, a popularity scope, `history`, `attributes`, `catalogue`, a rule or a list.
    """

    item_id: str
    score: float
    code: str
    because: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""


@value(frozen=True, slots=True)
class Reason:
    """Why an item is shown. `text` is in the shopper's language."""

    code: str
    text: str
    because: tuple[str, ...] = ()


@value(frozen=True, slots=True, kw_only=True)
class Placed:
    """An item at a position (from 1; 0 is the banner). `rule` names the merchandising rule that gave it its place, if any;
    `trace` says of every rule that touched it what it did; `source` is the candidate's; `parts`, only when the question asks
    for it, what its score is made of.
    """

    item: Item
    position: int
    score: float
    reason: Reason
    details: Mapping[str, Any] = field(default_factory=dict)
    rule: str = ""
    trace: tuple[Mapping[str, Any], ...] = ()
    source: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)


@value(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is shown. `recommendation_id` = `<scene>.<model version>.<arm>.<hash of shopper, scene and instant>`.

    `arm` is `model`, or `fallback` when no neighbours could be used. `reason` says why the list is empty, "" if it is not.
    `removed` counts the candidates that each rule took away.
    """

    recommendation_id: str
    scene: str
    model_version: str
    arm: str
    generated_at: datetime
    items: tuple[Placed, ...]
    language: str
    reason: str = ""
    extras: Mapping[str, Any] = field(default_factory=dict)
    banner: Placed | None = None
    removed: Mapping[str, int] = field(default_factory=dict)

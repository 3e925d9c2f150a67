"""Merchandising rules: what the operator decides wins over every model.

A document is `{"rules": [...]}`; a rule has an `action` and says which items and when:

    pin     `items` stand from `position` on (in their order), whatever their score
    ban     never shown
    boost   score × `factor` (> 1); named `items` are shown even where no model names them
    bury    score × `factor` (< 1)

    items, brands, categories   any of these matches; a category matches what lies under it ("home" → "home/mugs")
    scenes                      only in these; all when absent
    segments                    only for shoppers in any: `stage:loyal`, `tier:high`, `tag:festival-gifting`, `country:GB`
    from, until                 ISO 8601; a bare date is midnight UTC, `until` is the first instant without the rule

Stock, age rules and bans hold for pinned items too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from regulars.catalogue.model import Item
from regulars.catalogue.validation import normalise_category
from regulars.errors import Invalid
from regulars.profiles.model import LIFECYCLE_STAGES, VALUE_TIERS, Profile
from regulars.recommendations.model import SCENES

ACTIONS = ("pin", "ban", "boost", "bury")
_KEYS = frozenset(
    ("id", "action", "items", "brands", "categories", "scenes", "segments", "position", "factor", "from", "until", "note")
)
_MAX_RULES = 500
_MAX_NAMES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; see the module. `position` is for pins, `factor` for boost and bury."""

    rule_id: str
    action: str
    items: tuple[str, ...] = ()
    brands: frozenset[str] = frozenset()
    categories: tuple[str, ...] = ()
    scenes: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    position: int = 1
    factor: float = 1.0
    starts: datetime | None = None
    ends: datetime | None = None

    def active(self, scene: str, segments: frozenset[str], now: datetime) -> bool:
        """Whether it holds in the scene for a shopper in these segments at this time."""
        if self.scenes and scene not in self.scenes:
            return False
        if self.segments and self.segments.isdisjoint(segments):
            return False
        return (self.starts is None or self.starts <= now) and (self.ends is None or now < self.ends)

    def matches(self, item: Item) -> bool:
        """Whether it speaks of the item."""
        if item.item_id in self.items or (item.brand and item.brand.casefold() in self.brands):
            return True
        return any(item.category == name or item.category.startswith(f"{name}/") for name in self.categories)


def segments_of(profile: Profile, country: str = "") -> frozenset[str]:
    """What a rule's `segments` may name of this shopper. A tag is named by its full path and by its last part."""
    names = {f"stage:{profile.stage}", f"tier:{profile.tier}"}
    for tag in (*profile.rule_tags, *(tag for tag, weight in profile.tags.items() if weight > 0)):
        names |= {f"tag:{tag}", f"tag:{tag.rpartition('/')[2]}"}
    if country:
        names.add(f"country:{country.upper()}")
    return frozenset(names)


def parse(document: Any) -> tuple[Rule, ...]:
    """The rules of a document; raises Invalid with the path of the first thing that does not fit."""
    if not isinstance(document, Mapping) or not isinstance(document.get("rules"), list):
        raise Invalid("expected an object with a list `rules`", field="rules", code="bad_rules")
    unknown = sorted(str(key) for key in document if key != "rules")
    if unknown:
        raise Invalid(f"{unknown[0]}: unknown key; known: rules", field=unknown[0], code="bad_rules")
    if len(document["rules"]) > _MAX_RULES:
        raise Invalid(f"more than {_MAX_RULES} rules", field="rules", code="too_many_rules")
    rules = tuple(_rule(entry, f"rules[{number}]") for number, entry in enumerate(document["rules"]))
    seen: set[str] = set()
    for number, rule in enumerate(rules):
        if rule.rule_id in seen:
            raise _wrong(f"rules[{number}].id", f"{rule.rule_id!r} is there twice")
        seen.add(rule.rule_id)
    return rules


def _rule(entry: Any, path: str) -> Rule:
    if not isinstance(entry, Mapping):
        raise _wrong(path, "expected an object")
    for key in entry:
        if key not in _KEYS:
            raise _wrong(f"{path}.{key}", f"unknown key; known: {', '.join(sorted(_KEYS))}")
    action = entry.get("action")
    if action not in ACTIONS:
        raise _wrong(f"{path}.action", f"expected one of {', '.join(ACTIONS)}, got {action!r}")
    items = _names(entry, "items", path)
    brands = _names(entry, "brands", path)
    categories = tuple(normalise_category(name) for name in _names(entry, "categories", path))
    if not items and not brands and not categories:
        raise _wrong(path, "names no items, brands or categories")
    if action == "pin" and (not items or brands or categories):
        raise _wrong(f"{path}.items", "a pin names its items, and nothing else")
    starts, ends = _instant(entry, "from", path), _instant(entry, "until", path)
    if starts and ends and ends <= starts:
        raise _wrong(f"{path}.until", "is not after `from`")
    return Rule(
        rule_id=_an_id(entry.get("id"), f"{path}.id"),
        action=action,
        items=items,
        brands=frozenset(name.casefold() for name in brands),
        categories=categories,
        scenes=_among(_names(entry, "scenes", path), SCENES, f"{path}.scenes"),
        segments=_segments(_names(entry, "segments", path), f"{path}.segments"),
        position=_position(entry, path),
        factor=_factor(entry, action, path),
        starts=starts,
        ends=ends,
    )


def _an_id(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 100:
        raise _wrong(path, "a rule needs an id of at most 100 characters")
    return value


def _names(entry: Mapping[str, Any], key: str, path: str) -> tuple[str, ...]:
    value = entry.get(key, [])
    if not isinstance(value, list) or len(value) > _MAX_NAMES:
        raise _wrong(f"{path}.{key}", f"expected a list of at most {_MAX_NAMES} names")
    for number, name in enumerate(value):
        if not isinstance(name, str) or not name.strip():
            raise _wrong(f"{path}.{key}[{number}]", f"expected a name, got {name!r}"[:120])
    return tuple(value)


def _among(names: tuple[str, ...], known: tuple[str, ...], path: str) -> frozenset[str]:
    for number, name in enumerate(names):
        if name not in known:
            raise _wrong(f"{path}[{number}]", f"{name!r} is none of {', '.join(known)}"[:200])
    return frozenset(names)


def _segments(names: tuple[str, ...], path: str) -> frozenset[str]:
    for number, name in enumerate(names):
        family, _, value = name.partition(":")
        known = {"stage": LIFECYCLE_STAGES, "tier": VALUE_TIERS}.get(family)
        if family not in ("stage", "tier", "tag", "country") or not value or (known and value not in known):
            raise _wrong(f"{path}[{number}]", f"{name!r} is no stage:, tier:, tag: or country: that there is"[:200])
    return frozenset(f"country:{name[8:].upper()}" if name.startswith("country:") else name for name in names)


def _position(entry: Mapping[str, Any], path: str) -> int:
    value = entry.get("position", 1)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100:
        raise _wrong(f"{path}.position", f"expected a whole number from 1 to 100, got {value!r}"[:120])
    return value


def _factor(entry: Mapping[str, Any], action: str, path: str) -> float:
    value = entry.get("factor", {"boost": 2.0, "bury": 0.2}.get(action, 1.0))
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1000:
        raise _wrong(f"{path}.factor", f"expected a number above 0 and up to 1000, got {value!r}"[:120])
    if (action == "boost" and value < 1) or (action == "bury" and value > 1):
        raise _wrong(f"{path}.factor", f"{value!r} does not {action}")
    return float(value)


def _instant(entry: Mapping[str, Any], key: str, path: str) -> datetime | None:
    value = entry.get(key)
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise _wrong(f"{path}.{key}", f"{value!r} is not an ISO 8601 date or time"[:120]) from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _wrong(path: str, reason: str) -> Invalid:
    return Invalid(f"{path}: {reason}", field=path, code="bad_rules")

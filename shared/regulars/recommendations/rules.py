"""Merchandising rules and editorial lists: what the operator decides wins over every model.

A document is `{"rules": [...], "lists": [...]}`. A rule has an `id`, an `action`, and says which items, and when:

    pin     `items` stand from `position` on (in their order), whatever their score; `slot: banner` makes one the banner
    ban     never shown
    boost   score × `factor` (> 1); named `items` are shown even where no model names them
    bury    score × `factor` (< 1)
    limit   at most `most` in one answer: of the matched items together, or `per: category` or `per: brand`

    items, brands, categories   any of these matches; a category matches what lies under it ("home" → "home/mugs")
    price_cents, currency       {from, to}: from ≤ price < to, in that currency; must hold as well
    attributes                  {name: value or [values]}; must hold as well
    scenes                      only in these; all when absent
    queries                     only for searches that have all words of one of them ("gift" holds for "gifts for mum")
    segments, not_segments      only for shoppers in any of / in none of: `stage:loyal`, `tier:high`, `tag:gift`, `country:GB`
    from, until                 ISO 8601; a bare date is midnight, `until` is the first instant without the rule
    weekdays, hours             [sat, sun]; {from: "18:00", to: "22:00"}, over midnight when `to` is not later
    time_zone                   of all four, an IANA name; UTC when absent

A list has an `id`, a `title` (text, or one per language), `items` in order, the same conditions, and `first`: how many of
them open the trending scene when no list is asked for (0: the list is shown by its name only).

Precedence, highest first; what a higher one decided a lower one does not change:

    1  what may not be shown: out of stock, the question's `exclude`, age rules, items for members, bought or in the cart
    2  ban
    3  pin; of two for one place the earlier in the document has it and the later follows
    4  limit (never exceeded; pinned items count, and stay)
    5  boost and bury: the factors of all that match are multiplied
    6  the diversity settings (exceeded only when nothing else is left to show)
    7  the model
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regulars.catalogue.validation import normalise_category
from regulars.errors import Invalid
from regulars.recommendations.rule_fields import (
    among,
    an_id,
    attributes,
    check_keys,
    integer,
    names,
    number,
    price_band,
    titles,
    when,
    wrong,
)
from regulars.recommendations.ruling import (
    ACTIONS,
    BANNER_SLOT,
    BOOST,
    BRAND,
    BURY,
    CATEGORY,
    LIMIT,
    LIST_SLOT,
    PIN,
    EditorialList,
    Rule,
    Rules,
)
from regulars.recommendations.segments import segments_of

__all__ = ["RuleReader", "parse", "segments_of"]

_WHEN = ("scenes", "queries", "segments", "not_segments", "from", "until", "weekdays", "hours", "time_zone", "note")
_WHICH = ("items", "brands", "categories", "price_cents", "currency", "attributes")
_RULE_KEYS = frozenset(("id", "action", "position", "slot", "factor", "per", "most", *_WHICH, *_WHEN))
_LIST_KEYS = frozenset(("id", "title", "items", "first", *_WHEN))
_ONLY_FOR = {"position": (PIN,), "slot": (PIN,), "factor": (BOOST, BURY), "per": (LIMIT,), "most": (LIMIT,)}
_MAX_RULES = 500
_MAX_LISTS = 100
_FACTORS = {BOOST: (1.0, 1000.0, 2.0), BURY: (0.0, 1.0, 0.2)}
"""action → lowest, highest, default."""


def parse(document: Any) -> Rules:
    """The rules and lists of a document; raises Invalid with the path of the first thing that does not fit."""
    if not isinstance(document, Mapping) or not isinstance(document.get("rules", []), list):
        raise Invalid("expected an object with a list `rules`", field="rules", code="bad_rules")
    unknown = sorted(str(key) for key in document if key not in ("rules", "lists"))
    if unknown or not ("rules" in document or "lists" in document):
        name = unknown[0] if unknown else "rules"
        reason = "unknown key; known: rules, lists" if unknown else "there is neither `rules` nor `lists`"
        raise Invalid(f"{name}: {reason}", field=name, code="bad_rules")
    raw_rules, raw_lists = document.get("rules", []), document.get("lists", [])
    if not isinstance(raw_lists, list):
        raise Invalid("expected a list", field="lists", code="bad_rules")
    for name, entries, most in (("rules", raw_rules, _MAX_RULES), ("lists", raw_lists, _MAX_LISTS)):
        if len(entries) > most:
            raise Invalid(f"more than {most} {name}", field=name, code=f"too_many_{name}")
    rules = tuple(_rule(entry, f"rules[{place}]") for place, entry in enumerate(raw_rules))
    lists = tuple(_list(entry, f"lists[{place}]") for place, entry in enumerate(raw_lists))
    seen: dict[str, str] = {}
    ids = [(f"rules[{n}].id", rule.rule_id) for n, rule in enumerate(rules)]
    for path, name in [*ids, *((f"lists[{n}].id", entry.list_id) for n, entry in enumerate(lists))]:
        if name in seen:
            raise wrong(path, f"{name!r} is there twice, also as {seen[name]}")
        seen[name] = path
    return Rules(rules, lists)


def _rule(entry: Any, path: str) -> Rule:
    entry = check_keys(entry, _RULE_KEYS, path)
    action = entry.get("action")
    if action not in ACTIONS:
        raise wrong(f"{path}.action", f"expected one of {', '.join(ACTIONS)}, got {action!r}")
    for key, actions in _ONLY_FOR.items():
        if key in entry and action not in actions:
            raise wrong(f"{path}.{key}", f"has no meaning for {action}; it belongs to {' and '.join(actions)}")
    rule = Rule(
        rule_id=an_id(entry.get("id"), f"{path}.id"),
        action=action,
        when=when(entry, path),
        items=names(entry, "items", path),
        brands=frozenset(name.casefold() for name in names(entry, "brands", path)),
        categories=_categories(entry, path),
        price=price_band(entry, path),
        attributes=attributes(entry, path),
        position=integer(entry, "position", path, 1, 1, 100),
        slot=_one_of(entry, "slot", path, (LIST_SLOT, BANNER_SLOT), LIST_SLOT),
        factor=_factor(entry, action, path),
        per=_one_of(entry, "per", path, (CATEGORY, BRAND), ""),
        most=_most(entry, action, path),
    )
    _check_selection(rule, path)
    return rule


def _check_selection(rule: Rule, path: str) -> None:
    if rule.action == PIN and (not rule.items or rule.brands or rule.categories or rule.price or rule.attributes):
        raise wrong(f"{path}.items", "a pin names its items, and nothing else")
    bounded = rule.price is not None or rule.attributes or not rule.names_nothing
    if not bounded and not (rule.action == LIMIT and rule.per):
        raise wrong(path, "names no items, brands, categories, price or attributes")


def _most(entry: Mapping[str, Any], action: str, path: str) -> int:
    if action == LIMIT and "most" not in entry:
        raise wrong(f"{path}.most", "a limit says at most how many")
    return integer(entry, "most", path, 0, 1, 100) if action == LIMIT else 0


def _list(entry: Any, path: str) -> EditorialList:
    entry = check_keys(entry, _LIST_KEYS, path)
    items = names(entry, "items", path)
    if not items:
        raise wrong(f"{path}.items", "a list names its items")
    return EditorialList(
        list_id=an_id(entry.get("id"), f"{path}.id"),
        titles=titles(entry, path),
        items=tuple(dict.fromkeys(items)),
        when=when(entry, path),
        first=integer(entry, "first", path, 0, 0, 100),
    )


def _categories(entry: Mapping[str, Any], path: str) -> tuple[str, ...]:
    found = []
    for place, name in enumerate(names(entry, "categories", path)):
        found.append(normalise_category(name))
        if not found[-1]:
            raise wrong(f"{path}.categories[{place}]", f"{name!r} names no category"[:120])
    return tuple(found)


def _factor(entry: Mapping[str, Any], action: str, path: str) -> float:
    lowest, highest, default = _FACTORS.get(action, (0.0, 1000.0, 1.0))
    value = number(entry, "factor", path, default)
    if not 0 < value <= 1000:
        raise wrong(f"{path}.factor", f"expected a number above 0 and up to 1000, got {value!r}"[:120])
    if not lowest <= value <= highest:
        raise wrong(f"{path}.factor", f"{value!r} does not {action}")
    return value


def _one_of(entry: Mapping[str, Any], key: str, path: str, known: tuple[str, ...], default: str) -> str:
    if key not in entry:
        return default
    (found,) = among((entry[key],), known, f"{path}.{key}")
    return found


class RuleReader:
    """The rules of a stored document. Parsing is kept for as long as the same object comes again."""

    def __init__(self) -> None:
        self._kept: tuple[Any, Rules] | None = None

    def __call__(self, document: Mapping[str, Any] | None) -> Rules:
        """Raises Invalid for a document that this version does not take."""
        kept = self._kept
        if kept is None or kept[0] is not document:
            parts = {key: value for key, value in (document or {}).items() if key in ("rules", "lists")}
            self._kept = kept = (document, parse(parts) if parts else Rules())
        return kept[1]

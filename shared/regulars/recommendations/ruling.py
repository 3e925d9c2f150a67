"""What the operator decided, ready to be asked: rules and editorial lists, found by item without going through all.

The document and its precedence are described in `regulars.recommendations.rules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from regulars.catalogue.model import Item

PIN, BAN, BOOST, BURY, LIMIT = "pin", "ban", "boost", "bury", "limit"
ACTIONS = (PIN, BAN, BOOST, BURY, LIMIT)
LIST_SLOT, BANNER_SLOT = "list", "banner"
CATEGORY, BRAND = "category", "brand"
SEARCH = "search"
"""The scene in which `queries` have a meaning."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """For whom, where and when something holds. Empty sets and None bound nothing; `zone` is that of hours and weekdays.
    With `queries` it holds only in the scene search, for questions that have all words of one (the search looks at them)."""

    scenes: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    not_segments: frozenset[str] = frozenset()
    starts: datetime | None = None
    ends: datetime | None = None
    weekdays: frozenset[int] = frozenset()
    hours: tuple[time, time] | None = None
    zone: ZoneInfo | None = None
    queries: tuple[str, ...] = ()

    def holds(self, scene: str, segments: frozenset[str], now: datetime) -> bool:
        """In this scene, for a shopper in these segments, at this time."""
        if (self.scenes and scene not in self.scenes) or (self.queries and scene != SEARCH):
            return False
        if (self.segments and self.segments.isdisjoint(segments)) or not self.not_segments.isdisjoint(segments):
            return False
        if (self.starts is not None and now < self.starts) or (self.ends is not None and now >= self.ends):
            return False
        return self.zone is None or self._in_hours(now.astimezone(self.zone))

    def _in_hours(self, local: datetime) -> bool:
        """A window over midnight belongs to the weekday on which it began."""
        weekday = local.weekday()
        if self.hours is not None:
            begins, ends = self.hours
            clock = local.time()
            if begins < ends:
                inside = begins <= clock < ends
            else:
                inside = clock >= begins or clock < ends
                weekday = weekday if clock >= begins else (weekday - 1) % 7
            if not inside:
                return False
        return not self.weekdays or weekday in self.weekdays


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBand:
    """`low` ≤ price < `high` (None: open), in cents of one currency."""

    currency: str
    low: int = 0
    high: int | None = None

    def holds(self, item: Item) -> bool:
        """Whether the item's price lies in the band; an item of another currency never does."""
        if item.currency != self.currency or item.price_cents < self.low:
            return False
        return self.high is None or item.price_cents < self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. `position` and `slot` are for pins, `factor` for boost and bury, `most` and `per` ("" for all matched items
    together) for limits. Of `items`, `brands` and `categories` any may match; `price` and `attributes` must."""

    rule_id: str
    action: str
    when: When = When()
    items: tuple[str, ...] = ()
    brands: frozenset[str] = frozenset()
    categories: tuple[str, ...] = ()
    price: PriceBand | None = None
    attributes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    position: int = 1
    slot: str = LIST_SLOT
    factor: float = 1.0
    per: str = ""
    most: int = 0

    @property
    def names_nothing(self) -> bool:
        """No item, brand or category is named: the rule is about any item its conditions fit."""
        return not (self.items or self.brands or self.categories)

    def fits(self, item: Item) -> bool:
        """Whether its price and attributes are those that the rule asks for."""
        if self.price is not None and not self.price.holds(item):
            return False
        return all(item.attributes.get(name, "").casefold() in values for name, values in self.attributes.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorialList:
    """Items that an editor chose, in order. `first` of them open the trending scene when no list is asked for."""

    list_id: str
    titles: Mapping[str, str]
    items: tuple[str, ...]
    when: When = When()
    first: int = 0

    def title(self, language: str) -> str:
        """In the language, else in English, else in whichever there is."""
        return self.titles.get(language) or self.titles.get("en") or next(iter(self.titles.values()), self.list_id)


@dataclass(frozen=True)
class Rules:
    """The rules and lists of one document, in its order."""

    rules: tuple[Rule, ...] = ()
    lists: tuple[EditorialList, ...] = ()

    @cached_property
    def speak_of_segments(self) -> bool:
        """Whether the shopper's segments matter at all."""
        conditions = [*(rule.when for rule in self.rules), *(entry.when for entry in self.lists)]
        return any(when.segments or when.not_segments for when in conditions)

    def active(self, scene: str, segments: frozenset[str], now: datetime) -> Active:
        """Those that hold here and now."""
        return Active(self, frozenset(n for n, rule in enumerate(self.rules) if rule.when.holds(scene, segments, now)))

    def list_named(self, list_id: str) -> EditorialList | None:
        """The list of that id, in force or not."""
        return next((entry for entry in self.lists if entry.list_id == list_id), None)

    def lists_for(self, scene: str, segments: frozenset[str], now: datetime) -> Iterator[EditorialList]:
        """Lists in force."""
        return (entry for entry in self.lists if entry.when.holds(scene, segments, now))

    @cached_property
    def _by_item(self) -> Mapping[str, tuple[int, ...]]:
        return _index((number, rule.items) for number, rule in enumerate(self.rules))

    @cached_property
    def _by_brand(self) -> Mapping[str, tuple[int, ...]]:
        return _index((number, rule.brands) for number, rule in enumerate(self.rules))

    @cached_property
    def _by_category(self) -> Mapping[str, tuple[int, ...]]:
        return _index((number, rule.categories) for number, rule in enumerate(self.rules))

    @cached_property
    def _of_all(self) -> tuple[int, ...]:
        return tuple(number for number, rule in enumerate(self.rules) if rule.names_nothing)

    @cached_property
    def _bounded(self) -> frozenset[int]:
        """Rules that look at more than an item's names."""
        return frozenset(n for n, rule in enumerate(self.rules) if rule.price is not None or rule.attributes)

    def speaking_of(self, item: Item) -> Sequence[int]:
        """Numbers of the rules that match the item, in the document's order."""
        found = self._of_all + self._by_item.get(item.item_id, ())
        if item.brand and self._by_brand:
            found += self._by_brand.get(item.brand.casefold(), ())
        if item.category and self._by_category:
            for name in shelves_above(item.category):
                found += self._by_category.get(name, ())
        if len(found) > 1:
            found = tuple(sorted(set(found)))
        return [n for n in found if n not in self._bounded or self.rules[n].fits(item)] if self._bounded else found


@dataclass(frozen=True)
class Active:
    """The rules of one call; what speaks of an item is worked out once."""

    whole: Rules
    numbers: frozenset[int]
    _known: dict[str, tuple[Rule, ...]] = field(default_factory=dict, repr=False, compare=False)

    def __bool__(self) -> bool:
        return bool(self.numbers)

    def of(self, action: str) -> list[Rule]:
        """Those with the action, in the document's order."""
        return [self.whole.rules[n] for n in sorted(self.numbers) if self.whole.rules[n].action == action]

    def matching(self, item: Item) -> tuple[Rule, ...]:
        """Those that speak of the item, in the document's order."""
        if not self.numbers:
            return ()
        known = self._known.get(item.item_id)
        if known is None:
            found = (self.whole.rules[n] for n in self.whole.speaking_of(item) if n in self.numbers)
            known = self._known[item.item_id] = tuple(found)
        return known

    def ban(self, item: Item) -> Rule | None:
        """The first rule that forbids the item."""
        for rule in self.matching(item):
            if rule.action == BAN:
                return rule
        return None


@lru_cache(maxsize=10_000)
def shelves_above(category: str) -> tuple[str, ...]:
    """`home/mugs/red` → itself, `home/mugs`, `home`."""
    found = []
    while category:
        found.append(category)
        category = category.rpartition("/")[0]
    return tuple(found)


def _index(names: Iterable[tuple[int, Iterable[str]]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for number, entries in names:
        for name in entries:
            found.setdefault(name, []).append(number)
    return {name: tuple(numbers) for name, numbers in found.items()}


NO_RULES = Rules()

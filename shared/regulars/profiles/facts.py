"""What rules may ask about a shopper. Names are stable: operators write them in tag_rules.yaml and in segments.

tag                          weight now of `layer/family/value` (condition key `tag`, not `fact`)
trait                        value of a trait (condition key `trait`)
days_to                      days to the nearest date of a festival, negative after it (condition key `days_to`)
orders.count, orders.total_cents, orders.average_cents, orders.days_since_last
visits.days_since_first, visits.days_since_last
cart.items, wishlist.items
purchases.items              distinct items bought
purchases.most_days          on how many days the most-bought item was bought
item.id, item.views, item.dwell_seconds, item.days_since_seen, item.interest      (inside `for_each: item`)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from regulars.clock import from_ms
from regulars.profiles.festivals import days_until
from regulars.profiles.model import Profile
from regulars.profiles.record import Record

ITEM_FACTS = frozenset(("item.id", "item.views", "item.dwell_seconds", "item.days_since_seen", "item.interest"))


class Facts:
    """The answers for one shopper at one instant. Unknown answers are None, which satisfies no comparison."""

    def __init__(self, profile: Profile, record: Record, festivals: Mapping[str, Mapping[str, int]]) -> None:
        self.profile = profile
        self.marks = record.items
        self.orders = record.orders
        self._festivals = festivals

    def tag(self, name: str) -> float:
        return self.profile.tags.get(name, 0.0)

    def trait(self, name: str) -> Any:
        return self.profile.traits.get(name)

    def days_to(self, festival: str) -> int:
        return days_until(self._festivals[festival], self.profile.as_of.date())

    def value(self, name: str, item: str = "") -> Any:
        """The fact called `name`, of `item` where it is about one."""
        if item:
            return self._of_item(name, item)
        return _READERS[name](self)

    def _of_item(self, name: str, item: str) -> Any:
        mark = self.marks[item]
        if name == "item.id":
            return item
        if name == "item.views":
            return mark.views
        if name == "item.dwell_seconds":
            return mark.dwell_seconds
        if name == "item.interest":
            return self.profile.items.get(item, 0.0)
        if name == "item.days_since_seen":
            return _days(self.profile.as_of, from_ms(mark.seen_ms))
        return self.value(name)


def _days(now: datetime, then: datetime | None) -> float | None:
    return None if then is None else (now - then).total_seconds() / 86400


_READERS: Mapping[str, Callable[[Facts], Any]] = {
    "orders.count": lambda facts: facts.orders.count,
    "orders.total_cents": lambda facts: facts.orders.total_cents,
    "orders.average_cents": lambda facts: facts.orders.total_cents / facts.orders.count if facts.orders.count else None,
    "orders.days_since_last": lambda facts: _days(
        facts.profile.as_of, from_ms(facts.orders.last_ms) if facts.orders.count else None
    ),
    "purchases.items": lambda facts: facts.orders.items,
    "purchases.most_days": lambda facts: facts.orders.most_days,
    "visits.days_since_first": lambda facts: _days(facts.profile.as_of, facts.profile.first_seen_at),
    "visits.days_since_last": lambda facts: _days(facts.profile.as_of, facts.profile.last_seen_at),
    "cart.items": lambda facts: len(facts.profile.cart),
    "wishlist.items": lambda facts: len(facts.profile.wishlist),
}
FACTS = ITEM_FACTS | frozenset(_READERS)

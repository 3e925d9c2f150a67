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

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from regulars.clock import from_ms
from regulars.profiles.festivals import days_until
from regulars.profiles.model import Profile
from regulars.profiles.record import ItemMark

ORDER_FACTS = frozenset(
    (
        "orders.count",
        "orders.total_cents",
        "orders.average_cents",
        "orders.days_since_last",
        "purchases.items",
        "purchases.most_days",
    )
)
ITEM_FACTS = frozenset(("item.id", "item.views", "item.dwell_seconds", "item.days_since_seen", "item.interest"))
FACTS = (
    ORDER_FACTS | ITEM_FACTS | frozenset(("visits.days_since_first", "visits.days_since_last", "cart.items", "wishlist.items"))
)


class Facts:
    """The answers for one shopper at one instant. Unknown answers are None, which satisfies no comparison."""

    def __init__(
        self,
        profile: Profile,
        marks: Mapping[str, ItemMark],
        festivals: Mapping[str, Mapping[str, int]],
        *,
        orders_known: bool,
    ) -> None:
        self.profile = profile
        self.marks = marks
        self.orders_known = orders_known
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
        return _READERS[name](self.profile)

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


def _average(profile: Profile) -> float | None:
    return sum(order.value_cents for order in profile.orders) / len(profile.orders) if profile.orders else None


def _most_days(purchases: Mapping[str, tuple[date, ...]]) -> int:
    return max((len(days) for days in purchases.values()), default=0)


_READERS: Mapping[str, Any] = {
    "orders.count": lambda profile: len(profile.orders),
    "orders.total_cents": lambda profile: sum(order.value_cents for order in profile.orders),
    "orders.average_cents": _average,
    "orders.days_since_last": lambda profile: _days(profile.as_of, profile.orders[-1].at if profile.orders else None),
    "purchases.items": lambda profile: len(profile.purchases),
    "purchases.most_days": lambda profile: _most_days(profile.purchases),
    "visits.days_since_first": lambda profile: _days(profile.as_of, profile.first_seen_at),
    "visits.days_since_last": lambda profile: _days(profile.as_of, profile.last_seen_at),
    "cart.items": lambda profile: len(profile.cart),
    "wishlist.items": lambda profile: len(profile.wishlist),
}

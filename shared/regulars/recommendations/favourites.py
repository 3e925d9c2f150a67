"""The categories a shopper likes, and what is dear in one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import ceil

from regulars.catalogue.model import Item
from regulars.profiles.model import tag_value
from regulars.recommendations.complements import SHELF
from regulars.recommendations.situation import Situation

_BOUGHT = 0.5
"""What having bought from a category says beside the heaviest preference tag."""


def favourites(situation: Situation, count: int) -> Mapping[str, float]:
    """Category → how much she likes it, the best `count`: preference tags, and what she bought and has in mind."""
    liked: dict[str, float] = {}
    if situation.taste:
        for category in situation.snapshot.by_category:
            weight = situation.taste.get(("category", _spelled(category)), 0.0)
            if weight > 0:
                liked[category] = weight
    for category, share in _touched(situation).items():
        liked[category] = liked.get(category, 0.0) + _BOUGHT * share
    best = sorted(liked.items(), key=lambda pair: (-pair[1], pair[0]))[:count]
    return dict(best)


_spelled = lru_cache(maxsize=10_000)(tag_value)


def _touched(situation: Situation) -> Mapping[str, float]:
    """Category → share of the days she bought from it, the fullest 1; a saved item or one in the cart counts as a day."""
    counts: dict[str, float] = {}
    weighed: list[tuple[str, int]] = [(item_id, len(days)) for item_id, days in situation.profile.purchases.items()]
    weighed += [(item_id, 1) for item_id in (*situation.profile.wishlist, *situation.cart)]
    for item_id, days in weighed:
        item = situation.snapshot.get(item_id)
        if item is not None and item.category:
            counts[item.category] = counts.get(item.category, 0.0) + days
    highest = max(counts.values(), default=0.0)
    return {category: count / highest for category, count in counts.items()} if highest > 0 else {}


def shelf(situation: Situation, category: str) -> Iterable[Item]:
    """Its newest items that may be shown."""
    ids = situation.snapshot.by_category.get(category, ())[:SHELF]
    return (situation.snapshot[item_id] for item_id in ids if situation.fresh(item_id))


def dear_from(situation: Situation, category: str, currency: str, quantile: float) -> int | None:
    """The price in cents from which an item of the category is high-end: the quantile of its prices in the currency. None with
    fewer than five prices, or when it is no dearer than the middle."""
    items = (situation.snapshot[item_id] for item_id in situation.snapshot.by_category.get(category, ())[:SHELF])
    prices = sorted(item.price_cents for item in items if item.currency == currency and item.price_cents > 0)
    if len(prices) < 5:
        return None
    line = prices[min(len(prices) - 1, ceil(quantile * (len(prices) - 1)))]
    return line if line > prices[(len(prices) - 1) // 2] else None

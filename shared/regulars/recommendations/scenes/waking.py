"""For dormant shoppers: what is reduced in the categories they like or bought from, and what came new while they were away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from regulars.catalogue.model import Item
from regulars.recommendations.blending import liking
from regulars.recommendations.complements import SHELF
from regulars.recommendations.favourites import favourites, shelf
from regulars.recommendations.model import Candidate
from regulars.recommendations.situation import Situation
from regulars.similarity.model import category_scope

_CATEGORIES = 5
_OFFERS, _NEW, _ELSEWHERE, _POPULAR = 3.0, 2.0, 1.5, 1.0


def offers(situation: Situation) -> Iterator[Candidate]:
    """Wake-up offers by liking and discount; new since her last visit; reduced elsewhere; then what sells on her shelves."""
    liked = favourites(situation, _CATEGORIES)
    away_since = situation.profile.last_seen_at or situation.now - timedelta(days=situation.settings.members.new_days)
    for category, weight in liked.items():
        details = {"category": category}
        for item in shelf(situation, category):
            off = _share_off(item)
            if off > 0:
                yield Candidate(item.item_id, _OFFERS + 0.5 * weight + 0.4 * off, "wake_up", (), details, "price")
            elif item.listed_at and away_since < item.listed_at <= situation.now:
                yield Candidate(item.item_id, _NEW + 0.5 * weight, "new_since", (), details, "catalogue")
        for item_id, score in situation.selling(category_scope(category)):
            if situation.fresh(item_id):
                share = _POPULAR * score * min(1.0, weight)
                yield Candidate(item_id, share, "popular_in_category", (), details, category_scope(category))
    for item_id in situation.snapshot.newest[:SHELF]:
        off = _share_off(situation.snapshot[item_id])
        if off > 0 and situation.fresh(item_id):
            taste = liking(situation.snapshot[item_id], situation.taste)
            yield Candidate(item_id, _ELSEWHERE + 0.3 * taste + 0.1 * off, "reduced", source="price")


def scopes(situation: Situation) -> list[str]:
    """Popularity of her favourite categories."""
    return [category_scope(category) for category in favourites(situation, _CATEGORIES)]


def _share_off(item: Item) -> float:
    """0 to 1 off the list price."""
    if item.list_price_cents <= item.price_cents or item.list_price_cents <= 0:
        return 0.0
    return (item.list_price_cents - item.price_cents) / item.list_price_cents

"""The banner of home, when no rule pins one: the item with a picture that she likes best among the new and the reduced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from regulars.catalogue.model import Item
from regulars.recommendations.blending import liking
from regulars.recommendations.model import Candidate
from regulars.recommendations.situation import Situation


def liked_banner(pool: Sequence[Candidate], situation: Situation) -> Candidate | None:
    """Ordered by how much her tags speak for category and brand, then by score.

    Where nothing is new or reduced, the best that the list has no room for stands in, so that the list keeps its own order.
    """
    pictured = [entry for entry in pool if situation.snapshot[entry.item_id].image_url]
    return _best(pictured, situation, _news) or _best(
        pictured[situation.ask.limit :] or pictured, situation, lambda item, situation: "picked_for_you"
    )


def _best(pool: Iterable[Candidate], situation: Situation, code_of: Callable[[Item, Situation], str]) -> Candidate | None:
    found: list[tuple[float, float, str, Candidate]] = []
    for candidate in pool:
        item = situation.snapshot[candidate.item_id]
        code = code_of(item, situation)
        if code and situation.fresh(item.item_id):
            banner = Candidate(item.item_id, candidate.score, code, source=candidate.source)
            found.append((-liking(item, situation.taste), -candidate.score, item.item_id, banner))
    return min(found)[3] if found else None


def _news(item: Item, situation: Situation) -> str:
    settings = situation.settings.banner
    if item.list_price_cents > item.price_cents > 0:
        off = (item.list_price_cents - item.price_cents) * 100 // item.list_price_cents
        if off >= settings.discount_percent:
            return "reduced"
    since = situation.now - timedelta(days=settings.new_days)
    return "new_arrival" if item.listed_at and since <= item.listed_at <= situation.now else ""

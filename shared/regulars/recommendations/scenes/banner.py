"""The banner of home, when no rule pins one: the item with a picture that she likes best among the new and the reduced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from regulars.catalogue.model import Item
from regulars.recommendations.blending import liking
from regulars.recommendations.model import Candidate
from regulars.recommendations.situation import Situation


def liked_banner(pool: Sequence[Candidate], situation: Situation) -> Candidate | None:
    """Ordered by how much her tags speak for category and brand, then by score.

    Where nothing is new or reduced, the best that the list has no room for stands in, so that the list keeps its own order.
    """
    item_of = situation.snapshot.__getitem__
    pictured = [(entry, item) for entry in pool if (item := item_of(entry.item_id)).image_url]
    return _best(_news(pictured, situation), situation) or _best(
        ((entry, item, "picked_for_you") for entry, item in pictured[situation.ask.limit :] or pictured), situation
    )


def _best(pool: Iterable[tuple[Candidate, Item, str]], situation: Situation) -> Candidate | None:
    """The smallest of (−liking, −score, id), without making anything of the others."""
    taste, best, found = situation.taste, (1.0, 0.0, ""), None
    for candidate, item, code in pool:
        key = (-liking(item, taste), -candidate.score, item.item_id)
        if (found is None or key < best) and situation.fresh(item.item_id):
            best, found = key, (candidate, code)
    if found is None:
        return None
    candidate, code = found
    return Candidate(candidate.item_id, candidate.score, code, source=candidate.source)


def _news(pictured: Iterable[tuple[Candidate, Item]], situation: Situation) -> Iterator[tuple[Candidate, Item, str]]:
    """The reduced and the new among them."""
    settings, now = situation.settings.banner, situation.now
    since, least = now - timedelta(days=settings.new_days), settings.discount_percent
    for entry, item in pictured:
        price, full = item.price_cents, item.list_price_cents
        if full > price > 0 and (full - price) * 100 // full >= least:
            yield entry, item, "reduced"
        elif item.listed_at is not None and since <= item.listed_at <= now:
            yield entry, item, "new_arrival"

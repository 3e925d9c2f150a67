"""The banner of home, when no rule pins one: the item with a picture that she likes best among the new and the reduced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from regulars.recommendations.blending import liking_of
from regulars.recommendations.model import Candidate
from regulars.recommendations.situation import Situation

_Reasoned = tuple[Candidate, str]
"""With the code of the reason it would be shown for."""


def liked_banner(pool: Sequence[Candidate], situation: Situation) -> Candidate | None:
    """Ordered by how much her tags speak for category and brand, then as `pool` is, which comes best first.

    Where nothing is new or reduced, the best that the list has no room for stands in, so that the list keeps its own order.
    """
    found = _best(list(_news(pool, situation)), situation)
    if found is not None:
        return found
    beyond = _beyond(pool, situation)
    found = _best(_picked(pool[beyond:]), situation)
    if found is None and not any(_pictured(pool[beyond:], situation)):
        found = _best(_picked(pool[:beyond]), situation)
    return found


def _pictured(pool: Sequence[Candidate], situation: Situation) -> Iterator[bool]:
    return (pictured for _, _, pictured in situation.snapshot.glances(entry.item_id for entry in pool))


def _beyond(pool: Sequence[Candidate], situation: Situation) -> int:
    """Behind as many with a picture as the list has places."""
    room = situation.ask.limit
    for place, pictured in enumerate(_pictured(pool, situation)):
        if room == 0:
            return place
        room -= pictured
    return len(pool)


def _best(pool: Sequence[_Reasoned], situation: Situation) -> Candidate | None:
    """The best liked that has a picture, of equals the first; nothing is made of the others."""
    taste, best, found = situation.taste, -1.0, None
    glances = situation.snapshot.glances(candidate.item_id for candidate, _ in pool)
    for (candidate, code), (category, brand, pictured) in zip(pool, glances, strict=True):
        liked = liking_of(category, brand, taste)
        if liked > best and pictured and situation.fresh(candidate.item_id):
            best, found = liked, (candidate, code)
            if not taste:
                break
    if found is None:
        return None
    candidate, code = found
    return Candidate(candidate.item_id, candidate.score, code, source=candidate.source)


def _picked(pool: Iterable[Candidate]) -> list[_Reasoned]:
    return [(entry, "picked_for_you") for entry in pool]


def _news(pool: Iterable[Candidate], situation: Situation) -> Iterator[_Reasoned]:
    """The reduced and the new among them."""
    snapshot, settings, now = situation.snapshot, situation.settings.banner, situation.now
    since = now - timedelta(days=settings.new_days)
    noticeable = snapshot.noticeable(since.date())
    for entry in [entry for entry in pool if entry.item_id in noticeable]:
        item = snapshot[entry.item_id]
        price, full = item.price_cents, item.list_price_cents
        if full > price > 0 and (full - price) * 100 // full >= settings.discount_percent:
            yield entry, "reduced"
        elif item.listed_at is not None and since <= item.listed_at <= now:
            yield entry, "new_arrival"

"""The banner of home, when no rule pins one: the item with a picture that she likes best among the new and the reduced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice

from regulars.catalogue.model import Item
from regulars.catalogue.snapshot import Snapshot
from regulars.recommendations.blending import liking
from regulars.recommendations.model import Candidate
from regulars.recommendations.situation import Situation


def liked_banner(pool: Sequence[Candidate], situation: Situation) -> Candidate | None:
    """Ordered by how much her tags speak for category and brand, then as `pool` is, which comes best first.

    Where nothing is new or reduced, the best that the list has no room for stands in, so that the list keeps its own order.
    """
    snapshot, since = situation.snapshot, situation.now - timedelta(days=situation.settings.banner.new_days)
    noticeable = snapshot.noticeable(since.date())
    maybe = [entry for entry in pool if entry.item_id in noticeable]
    found = _best(_news(_pictured(maybe, snapshot), since, situation), situation)
    if found is not None:
        return found
    pictured = _pictured(pool, snapshot)
    listed = list(islice(pictured, situation.ask.limit))
    beyond = next(pictured, None)
    others = chain((beyond,), pictured) if beyond else listed
    return _best(((entry, item, "picked_for_you") for entry, item in others), situation)


def _pictured(pool: Iterable[Candidate], snapshot: Snapshot) -> Iterator[tuple[Candidate, Item]]:
    return ((entry, item) for entry in pool if (item := snapshot[entry.item_id]).image_url)


def _best(pool: Iterable[tuple[Candidate, Item, str]], situation: Situation) -> Candidate | None:
    """The best liked, of equals the first; nothing is made of the others."""
    taste, best, found = situation.taste, -1.0, None
    for candidate, item, code in pool:
        liked = liking(item, taste)
        if liked > best and situation.fresh(item.item_id):
            best, found = liked, (candidate, code)
            if not taste:
                break
    if found is None:
        return None
    candidate, code = found
    return Candidate(candidate.item_id, candidate.score, code, source=candidate.source)


def _news(
    pictured: Iterable[tuple[Candidate, Item]], since: datetime, situation: Situation
) -> Iterator[tuple[Candidate, Item, str]]:
    """The reduced and the new among them."""
    least, now = situation.settings.banner.discount_percent, situation.now
    for entry, item in pictured:
        price, full = item.price_cents, item.list_price_cents
        if full > price > 0 and (full - price) * 100 // full >= least:
            yield entry, item, "reduced"
        elif item.listed_at is not None and since <= item.listed_at <= now:
            yield entry, item, "new_arrival"

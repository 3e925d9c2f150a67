"""For loyal shoppers: items kept for members, then new ones and the finest of the categories they like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice, takewhile

from regulars.catalogue.model import Item
from regulars.recommendations.blending import Seeds, liking, near, normalised
from regulars.recommendations.complements import SHELF
from regulars.recommendations.favourites import dear_from, favourites, shelf
from regulars.recommendations.model import Candidate
from regulars.recommendations.situation import Situation
from regulars.similarity.model import SIMILAR, TOGETHER

_CATEGORIES = 5
_EXCLUSIVE = 2.0
"""Exclusive items come first; new and high-end ones then take turns."""


def offers(situation: Situation, seeds: Seeds) -> Iterator[Candidate]:
    """In no order; each kind by taste and nearness to what she had."""
    close = normalised(near(seeds, situation.rows, {SIMILAR: 1.0, TOGETHER: 0.5}, situation.hidden))

    def drawn(item: Item) -> float:
        return 0.5 * liking(item, situation.taste) + 0.4 * close.get(item.item_id, 0.0)

    for item_id in sorted(item_id for item_id in situation.snapshot.exclusive if situation.fresh(item_id)):
        yield Candidate(item_id, _EXCLUSIVE + drawn(situation.snapshot[item_id]), "for_members", source="attributes")
    yield from _in_turn(sorted(_new(situation), key=lambda entry: -drawn(situation.snapshot[entry.item_id])), 1.0)
    finest = sorted(_high_end(situation), key=lambda entry: -entry.score - drawn(situation.snapshot[entry.item_id]))
    yield from _in_turn(finest, 0.99)


def _in_turn(kind: Iterable[Candidate], weight: float) -> Iterator[Candidate]:
    return (replace(candidate, score=weight / (1 + place)) for place, candidate in enumerate(kind))


def _new(situation: Situation) -> Iterator[Candidate]:
    """Newest first."""
    since = situation.now - timedelta(days=situation.settings.members.new_days)
    for item in _newest(situation, since):
        if item.listed_at and item.listed_at <= situation.now:
            yield Candidate(item.item_id, 0.0, "new_for_members", source="catalogue")


def _high_end(situation: Situation) -> Iterator[Candidate]:
    """Scored by how much she likes the category; of nobody's taste, the first shelves."""
    liked = favourites(situation, _CATEGORIES) or dict.fromkeys(islice(situation.snapshot.by_category, _CATEGORIES), 0.0)
    quantile = situation.settings.members.high_end_quantile
    for category, weight in liked.items():
        lines: dict[str, int | None] = {}
        for item in shelf(situation, category):
            if item.currency not in lines:
                lines[item.currency] = dear_from(situation, category, item.currency, quantile)
            line = lines[item.currency]
            if line is not None and item.price_cents >= line:
                yield Candidate(item.item_id, 0.2 * weight, "high_end", (), {"category": category}, "price")


def _newest(situation: Situation, since: datetime) -> Iterator[Item]:
    items = (situation.snapshot[item_id] for item_id in situation.snapshot.newest[:SHELF])
    new = takewhile(lambda item: item.listed_at is not None and item.listed_at >= since, items)
    return (item for item in new if situation.fresh(item.item_id))

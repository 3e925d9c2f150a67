"""What the scenes share: their shape, the words for popularity, and what fills a list that a scene leaves short.

A ranking is a list of candidates in any order; of an item named twice the higher score stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from regulars.recommendations.blending import Scores, Seeds
from regulars.recommendations.model import Candidate
from regulars.recommendations.situation import Situation
from regulars.similarity.model import NEW_ARRIVALS

SHELF = 400
"""Newest items of one shelf that are judged one by one."""
Why = tuple[str, tuple[str, ...], Mapping[str, Any]]
"""Reason code, because, details."""


@dataclass(frozen=True, slots=True)
class Scene:
    """`seeds`: (item id, weight) whose neighbours are read. `scopes`: further popularity rows. `extras`: said beside."""

    seeds: Callable[[Situation], Seeds]
    rank: Callable[[Situation, Seeds], list[Candidate]]
    scopes: Callable[[Situation], Iterable[str]] = lambda situation: ()
    extras: Callable[[Situation], Mapping[str, Any]] = lambda situation: {}


def popular_code(situation: Situation, item_id: str) -> Why:
    """Popular where she lives, if the item is among the best of her country; else popular."""
    if item_id in situation.local_hits:
        return "popular_in_region", (), {"country": situation.country}
    return "popular", (), {}


def new_arrivals_between(situation: Situation, scores: Scores) -> Iterator[Candidate]:
    """New arrivals, scored so that every n-th place among `scores` falls to one."""
    share = situation.settings.blend.new_arrivals_share
    if share <= 0:
        return
    arrivals = [item_id for item_id, _ in situation.trending(NEW_ARRIVALS) if situation.fresh(item_id)]
    ranked = sorted(scores.values(), reverse=True)
    step = max(1, round(1 / share))
    for place, item_id in enumerate(arrivals[: situation.ask.limit]):
        behind = step * (place + 1) - 2
        if item_id not in scores:
            score = ranked[behind] * 0.999 if 0 <= behind < len(ranked) else 0.01 / (place + 1)
            yield Candidate(item_id, score, "new_arrival")


def padding(situation: Situation, taken: set[str]) -> Iterator[Candidate]:
    """Popular, new, then the newest of the catalogue (of the asked category first), each once, below every score."""
    popular = sorted(situation.popular.items(), key=lambda pair: (-pair[1], pair[0]))
    shelf = situation.snapshot.by_category.get(situation.ask.category, ()) if situation.ask.category else ()
    lists: tuple[tuple[str, Iterable[str]], ...] = (
        ("in_catalogue", shelf),
        ("popular", (item_id for item_id, _ in popular)),
        ("new_arrival", (item_id for item_id, _ in situation.trending(NEW_ARRIVALS))),
        ("in_catalogue", situation.snapshot.newest),
    )
    for code, ids in lists:
        for item_id in ids:
            if item_id not in taken and situation.fresh(item_id):
                taken.add(item_id)
                yield Candidate(item_id, 0.0, code)

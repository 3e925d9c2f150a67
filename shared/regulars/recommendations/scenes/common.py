"""What the scenes share: their shape, the words for popularity, and what fills a list that a scene leaves short.

A ranking is a list of candidates in any order; of an item named twice the higher score stands.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regulars.catalogue.model import Item
from regulars.recommendations.blending import Scores, Seeds
from regulars.recommendations.explaining import Parts, of_nearness
from regulars.recommendations.model import Candidate
from regulars.recommendations.situation import Situation
from regulars.similarity.model import NEW_ARRIVALS

SHELF = 400
"""Newest items of one shelf that are judged one by one."""
Why = tuple[str, tuple[str, ...], Mapping[str, Any]]
"""Reason code, because, details."""
BECAUSE = {"purchase": "because_bought", "cart": "because_in_cart", "wishlist": "because_saved", "view": "because_viewed"}
"""Kind of deed → reason code."""
Pads = Callable[[Situation, Item], bool]


@dataclass(frozen=True, slots=True)
class Scene:
    """`seeds`: (item id, weight) whose neighbours are read. `scopes`: further popularity rows. `extras`: said beside.

    `told`: the placed candidates with their reasons, where that is dearer than a scene can pay for all candidates.
    `parts`: item → what its score is made of, for `explain`.
    `pads`: which items may fill a list that the scene leaves short (any, when that would leave it empty).
    """

    seeds: Callable[[Situation], Seeds]
    rank: Callable[[Situation, Seeds], list[Candidate]]
    scopes: Callable[[Situation], Iterable[str]] = lambda situation: ()
    extras: Callable[[Situation], Mapping[str, Any]] = lambda situation: {}
    pads: Pads = lambda situation, item: True
    told: Callable[[Situation, Sequence[Candidate]], list[Candidate]] = lambda situation, chosen: list(chosen)
    parts: Callable[[Situation, Seeds, Collection[str]], Parts] = of_nearness


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
            yield Candidate(item_id, score, "new_arrival", source=NEW_ARRIVALS)


def under(category: str, parent: str) -> bool:
    """Whether the category is the parent or lies under it."""
    return category == parent or category.startswith(f"{parent}/")


def shelves(situation: Situation, parent: str) -> Iterator[str]:
    """Ids of a category and of all under it, newest first within each."""
    by_category = situation.snapshot.by_category
    for name in [parent, *sorted(name for name in by_category if name.startswith(f"{parent}/"))]:
        yield from by_category.get(name, ())


def padding(situation: Situation, taken: set[str]) -> Iterator[Candidate]:
    """Popular, new, then the newest of the catalogue, each once, below every score; of the asked category first, or only
    where the scene is about one."""
    ask = situation.ask
    popular = sorted(situation.popular.items(), key=lambda pair: (-pair[1], pair[0]))
    shelf = shelves(situation, ask.category) if ask.category else ()
    newest = situation.snapshot.newest if not ask.category or ask.scene == "product" else ()
    lists: tuple[tuple[str, Iterable[str], str], ...] = (
        ("in_catalogue", shelf, "catalogue"),
        ("popular", (item_id for item_id, _ in popular), "popularity"),
        ("new_arrival", (item_id for item_id, _ in situation.trending(NEW_ARRIVALS)), NEW_ARRIVALS),
        ("in_catalogue", newest, "catalogue"),
    )
    for code, ids, source in lists:
        for item_id in ids:
            if item_id not in taken and situation.fresh(item_id):
                taken.add(item_id)
                yield Candidate(item_id, 0.0, code, source=source)

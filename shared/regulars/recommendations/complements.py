"""What goes with an item: another phone does not, a second cup may.

Whether items of one category are bought together is learned from the rows: where at least `sets_from` of what an item is
bought with is of its own category, the category sells in sets. Variants of what she has (the same in another colour) never
complement it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from regulars.catalogue.model import Item
from regulars.recommendations.blending import normalised
from regulars.recommendations.situation import Situation
from regulars.similarity.model import NEXT, TOGETHER

VARYING = ("colour", "size", "material")
SHELF = 400
"""Newest items of one shelf that are judged one by one."""


def offered(situation: Situation, item_id: str) -> bool:
    """Fresh, and not banned. For what a scene puts together (pairs, sets, companions): a ban takes candidates away by itself,
    but must not leave half of a pair."""
    return situation.fresh(item_id) and not (situation.active and situation.active.ban(situation.snapshot[item_id]))


class Complements:
    """How far items complement what she has."""

    def __init__(self, situation: Situation, owned: Iterable[Item]) -> None:
        self._snapshot = situation.snapshot
        rate = situation.settings.blend.same_category_goes_with
        self._of_shelf: dict[str, float] = {}
        self._owned: dict[str, list[Item]] = {}
        for item in owned:
            if item.category:
                known = self._of_shelf.get(item.category, 0.0)
                self._of_shelf[item.category] = max(known, rate if sold_in_sets(situation, item) else 0.0)
                self._owned.setdefault(item.category, []).append(item)

    def among(self, scores: Mapping[str, float]) -> dict[str, float]:
        """The scores of those that complement all she has, divided by their highest."""
        found = {item_id: score * self._factor(self._snapshot[item_id]) for item_id, score in scores.items()}
        return normalised({item_id: score for item_id, score in found.items() if score > 0})

    def _factor(self, item: Item) -> float:
        """1 for another category, what is left for the own one, 0 for a variant."""
        factor = self._of_shelf.get(item.category)
        if factor is None:
            return 1.0
        if factor > 0 and any(is_variant(item, own) for own in self._owned[item.category]):
            return 0.0
        return factor


def sold_in_sets(situation: Situation, item: Item) -> bool:
    """Whether enough of what is bought with the item is of its own category; False where nothing is known."""
    row = situation.rows.get(item.item_id)
    for relation in (TOGETHER, NEXT):
        ranked = row.relations.get(relation) if row else None
        if ranked is None:
            continue
        own = total = 0.0
        for other, score in ranked:
            if other in situation.snapshot:
                total += score
                own += score if situation.snapshot[other].category == item.category else 0.0
        if total > 0:
            return own / total >= situation.settings.blend.sets_from
    return False


def is_variant(item: Item, own: Item) -> bool:
    """Same model (else same brand and style) in the category, but another colour, size or material."""
    mine, theirs = own.attributes, item.attributes
    if item.item_id == own.item_id or item.category != own.category:
        return False
    if mine.get("model"):
        alike = theirs.get("model") == mine["model"] and item.brand == own.brand
    else:
        alike = bool(mine.get("style")) and theirs.get("style") == mine["style"] and item.brand == own.brand
    return alike and any(theirs.get(name) != mine.get(name) for name in VARYING)


def variants(situation: Situation, own: Item) -> Iterator[Item]:
    """Those that may be shown, other colours of the same size and material first, then newest first."""
    shelf = (situation.snapshot[item_id] for item_id in situation.snapshot.by_category.get(own.category, ())[:SHELF])
    found = [item for item in shelf if is_variant(item, own) and situation.fresh(item.item_id)]
    found.sort(key=lambda item: sum(item.attributes.get(name) != own.attributes.get(name) for name in VARYING[1:]))
    return iter(found)


def shelf_mates(situation: Situation, own: Item, count: int) -> list[Item]:
    """Fresh items of the category that are nearest to it: same brand or style counts, then the price. For items whose
    neighbours nobody knows yet."""
    shelf = (situation.snapshot[item_id] for item_id in situation.snapshot.by_category.get(own.category, ())[:SHELF])
    others = [item for item in shelf if situation.fresh(item.item_id) and not is_variant(item, own)]

    def distance(item: Item) -> tuple[int, float, str]:
        shared = sum(1 for name, value in own.attributes.items() if value and item.attributes.get(name) == value)
        shared += bool(own.brand) and item.brand == own.brand
        low, high = sorted((max(1, own.price_cents), max(1, item.price_cents)))
        return -shared, high / low, item.item_id

    return sorted(others, key=distance)[:count]

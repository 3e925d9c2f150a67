"""Repurchase: what is due for this shopper, each with a companion."""

from __future__ import annotations

from collections.abc import Iterator

from regulars.catalogue.model import Item
from regulars.recommendations.blending import Seeds
from regulars.recommendations.complements import SHELF, is_variant, offered
from regulars.recommendations.model import Candidate
from regulars.recommendations.repurchase import Due, dues
from regulars.recommendations.repurchase import seeds as repurchase_seeds
from regulars.recommendations.scenes.common import Scene
from regulars.recommendations.situation import Situation
from regulars.similarity.model import NEXT, TOGETHER

_NEIGHBOURS = 20


def _repurchase_seeds(situation: Situation) -> Seeds:
    settings, today = situation.settings, situation.now.date()
    best = repurchase_seeds(situation.profile, settings.repurchase, today, settings.history.items, situation.learned)
    return [(item_id, 1.0) for item_id in best]


def _repurchase(situation: Situation, seeds: Seeds) -> list[Candidate]:
    """Due items first, each followed by its best companion; then what comes due later."""
    settings, today = situation.settings.repurchase, situation.now.date()
    found = dues(situation.profile, situation.rows, settings, today, situation.learned)
    found = [due for due in found if situation.available(due.item_id) and due.item_id not in situation.cart]
    found.sort(key=lambda due: not due.is_due)
    taken = {due.item_id for due in found}
    step, candidates = 1.0 / (len(found) + 1), []
    for rank, due in enumerate(found):
        score = (2.0 if due.is_due else 1.0) - rank * step
        code = "due_again" if due.is_due else "due_soon"
        candidates.append(Candidate(due.item_id, score, code, (due.item_id,), _details(due), due.source))
        companion = _companion(situation, due.item_id, taken) if due.is_due else None
        if companion:
            item_id, source = companion
            taken.add(item_id)
            candidates.append(Candidate(item_id, score - step / 2, "companion_of", (due.item_id,), source=source))
    return candidates


def _details(due: Due) -> dict[str, int | str]:
    return {
        "gap_days": max(1, round(due.gap_days)),
        "last": due.last.isoformat(),
        "due_in_days": round(due.due_in_days),
        "purchases": due.purchases,
    }


def _companion(situation: Situation, due: str, taken: set[str]) -> tuple[str, str] | None:
    """What goes with it (shampoo → conditioner): among its nearest neighbours preferably of the same brand; where
    nobody bought anything with it, an item of the brand from another shelf. Never another kind of itself."""
    own, row = situation.snapshot[due], situation.rows.get(due)
    for relation in (TOGETHER, NEXT):
        ranked = row.relations.get(relation) if row else None
        near = [i for i, _ in ranked or () if i not in taken and offered(situation, i)][:_NEIGHBOURS]
        suitable = [item_id for item_id in near if not is_variant(situation.snapshot[item_id], own)]
        if suitable:
            return min(enumerate(suitable), key=lambda entry: (_other_brand(situation.snapshot[entry[1]], own), entry[0]))[
                1
            ], relation
    return next(((item_id, "attributes") for item_id in _of_brand(situation, own) if item_id not in taken), None)


def _other_brand(item: Item, own: Item) -> bool:
    return not own.brand or item.brand.casefold() != own.brand.casefold()


def _of_brand(situation: Situation, own: Item) -> Iterator[str]:
    for item_id in situation.snapshot.by_brand.get(own.brand, ())[:SHELF] if own.brand else ():
        if situation.snapshot[item_id].category != own.category and offered(situation, item_id):
            yield item_id


SCENE = Scene(_repurchase_seeds, _repurchase)

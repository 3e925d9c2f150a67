"""For shoppers who may become loyal: bundles, the shop's own and pairs that are bought together, at their price as one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from regulars.catalogue.model import Item
from regulars.recommendations.blending import Seeds, liking
from regulars.recommendations.complements import SHELF, Complements, offered
from regulars.recommendations.model import Candidate
from regulars.recommendations.situation import Situation
from regulars.similarity.model import NEXT, TOGETHER

_NEIGHBOURS = 20
_OWN, _PAIRS = 2.0, 1.0


def offers(situation: Situation, seeds: Seeds) -> Iterator[Candidate]:
    """The shop's bundles by taste, then pairs: something she looked at and has not bought, with its best companion."""
    for item_id in islice((i for i in situation.snapshot.bundles if situation.fresh(i)), SHELF):
        item = situation.snapshot[item_id]
        yield Candidate(item_id, _OWN + liking(item, situation.taste), "bundle", source="attributes")
    said, taken = [], set[str]()
    pairs = _pairs(situation, seeds, taken)
    for place, (one, other, relation) in enumerate(islice(pairs, situation.settings.members.bundles)):
        total = one.price_cents + other.price_cents
        details = {"bundle_cents": total, "currency": one.currency, "bundle": [one.item_id, other.item_id]}
        score = _PAIRS / (1 + place)
        yield Candidate(one.item_id, score, "bundle_with", (other.item_id,), details, relation)
        yield Candidate(other.item_id, score * 0.999, "bundle_with", (one.item_id,), details, relation)
        said.append({"itemIds": [one.item_id, other.item_id], "totalCents": total, "currency": one.currency})
    if said:
        situation.notes["bundles"] = said


def _pairs(situation: Situation, seeds: Seeds, taken: set[str]) -> Iterator[tuple[Item, Item, str]]:
    for item_id, _ in seeds:
        if item_id in taken or not offered(situation, item_id):
            continue
        one = situation.snapshot[item_id]
        found = _companion(situation, one, taken)
        if found:
            taken.update((item_id, found[0].item_id))
            yield one, *found


def _companion(situation: Situation, one: Item, taken: set[str]) -> tuple[Item, str] | None:
    row = situation.rows.get(one.item_id)
    for relation in (TOGETHER, NEXT):
        ranked = row.relations.get(relation) if row else None
        close = {i: s for i, s in islice(ranked or (), _NEIGHBOURS) if i not in taken and offered(situation, i)}
        goes = Complements(situation, [one]).among({i: s for i, s in close.items() if _sums(situation.snapshot[i], one)})
        if goes:
            best = max(goes, key=lambda item_id: (goes[item_id], item_id))
            return situation.snapshot[best], relation
    return None


def _sums(item: Item, one: Item) -> bool:
    """Prices of two currencies have no sum, and what has no price cannot be offered at one."""
    return item.currency == one.currency and item.price_cents > 0 and one.price_cents > 0

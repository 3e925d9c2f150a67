"""Cart and checkout: complements, and fillers that close the gap to the next spend threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from regulars.catalogue.model import Item
from regulars.recommendations.blending import Scores, Seeds, causes, near
from regulars.recommendations.complements import Complements
from regulars.recommendations.fillers import Gap, Plan, cheapest_plan, fillers, gap_of
from regulars.recommendations.model import UNTOLD, Candidate
from regulars.recommendations.scenes.common import Scene
from regulars.recommendations.situation import Situation
from regulars.similarity.model import NEXT, SIMILAR, TOGETHER

_RELATIONS = (TOGETHER, NEXT, SIMILAR)
_POPULAR_IS_USEFUL = 0.1
"""What an item is worth as a filler that is only popular, beside one that goes with the cart."""


def _cart_seeds(situation: Situation) -> Seeds:
    """The newest things in the cart; an earlier one weighs less."""
    newest = situation.cart[: situation.settings.history.items]
    return [(item_id, 0.9**place) for place, item_id in enumerate(newest)]


def _cart(situation: Situation, seeds: Seeds) -> list[Candidate]:
    blend, complements = situation.settings.blend, Complements(situation, _in_cart(situation))
    weights = {relation: blend.cart.get(relation, 0.0) for relation in _RELATIONS}
    close = complements.among(situation.only_fresh(near(seeds, situation.rows, weights, situation.hidden)))
    candidates = [Candidate(item_id, score, UNTOLD) for item_id, score in close.items()]
    gap = gap_of(situation, situation.settings.threshold)
    if gap is None:
        return candidates
    useful = _useful(situation, complements, close) if gap.gap_cents else {}
    plan = cheapest_plan(situation, gap, useful, situation.settings.threshold.combined)
    situation.notes["threshold"] = _threshold(gap, plan)
    for filler in fillers(situation, gap, useful, plan):
        score = filler.score * blend.cart.get("fillers", 0.0)
        if plan and filler.item_id in plan.item_ids:
            # Of an item that also goes with the cart, closing the gap most cheaply is the better reason.
            score = max(score, 1.001 * close.get(filler.item_id, 0.0))
        candidates.append(Candidate(filler.item_id, score, filler.code, filler.because, filler.details, "price"))
    return candidates


def _told(situation: Situation, chosen: Sequence[Candidate]) -> list[Candidate]:
    """What of the cart each goes with, by the relation that says so first."""
    seeds, among = _cart_seeds(situation), {candidate.item_id for candidate in chosen if candidate.code == UNTOLD}
    why: dict[str, tuple[str, str]] = {}
    for relation in _RELATIONS:
        for item_id, cause in causes(seeds, situation.rows, (relation,), among - why.keys()).items():
            why[item_id] = (cause, relation)
    return [
        replace(candidate, code="goes_with_cart", because=why[candidate.item_id][:1], source=why[candidate.item_id][1])
        if candidate.item_id in why
        else candidate
        for candidate in chosen
    ]


def _in_cart(situation: Situation) -> list[Item]:
    return [situation.snapshot[item_id] for item_id in situation.cart if item_id in situation.snapshot]


def _useful(situation: Situation, complements: Complements, close: Scores) -> Scores:
    """What may fill the gap, and how useful it is: complements, then what sells and is no substitute of what she has."""
    popular = complements.among(situation.only_fresh(situation.popular))
    useful = {**{item_id: _POPULAR_IS_USEFUL * score for item_id, score in popular.items()}, **close}
    if not situation.active:
        return useful
    return {item_id: score for item_id, score in useful.items() if not situation.active.ban(situation.snapshot[item_id])}


def _threshold(gap: Gap, plan: Plan | None) -> Mapping[str, Any]:
    said: dict[str, Any] = {
        "spendCents": gap.spend_cents,
        "saveCents": gap.save_cents,
        "currency": gap.currency,
        "cartCents": gap.cart_cents,
        "gapCents": gap.gap_cents,
        "reachedSaveCents": gap.reached_save_cents,
        "tiers": [{"spendCents": spend, "saveCents": save} for spend, save in gap.tiers],
    }
    if plan:
        said["cheapest"] = {"itemIds": list(plan.item_ids), "totalCents": plan.total_cents}
    return said


def _elsewhere(situation: Situation, item: Item) -> bool:
    """A list that is short is not filled with more of what is in the cart already."""
    return not item.category or all(item.category != own.category for own in _in_cart(situation))


SCENE = Scene(_cart_seeds, _cart, extras=lambda situation: situation.notes, pads=_elsewhere, told=_told)

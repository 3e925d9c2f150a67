"""Cart and checkout: complements, and fillers that close the gap to the spend threshold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regulars.recommendations.blending import Seeds, causes, near, normalised
from regulars.recommendations.fillers import fillers, gap_of
from regulars.recommendations.model import Candidate
from regulars.recommendations.scenes.common import Scene
from regulars.recommendations.situation import Situation
from regulars.similarity.model import NEXT, SIMILAR, TOGETHER


def _cart_seeds(situation: Situation) -> Seeds:
    """The newest things in the cart; an earlier one weighs less."""
    newest = situation.cart[: situation.settings.history.items]
    return [(item_id, 0.9**place) for place, item_id in enumerate(newest)]


def _cart(situation: Situation, seeds: Seeds) -> list[Candidate]:
    blend = situation.settings.blend
    relations = {relation: blend.cart.get(relation, 0.0) for relation in (TOGETHER, NEXT, SIMILAR)}
    close = situation.only_fresh(near(seeds, situation.rows, relations, situation.hidden))
    shelves = {situation.snapshot[item_id].category for item_id in situation.cart if item_id in situation.snapshot}
    damping = blend.same_category_goes_with
    close = normalised(
        {
            item_id: score * (damping if situation.snapshot[item_id].category in shelves - {""} else 1.0)
            for item_id, score in close.items()
        }
    )
    why = causes(seeds, situation.rows, relations, close)
    candidates = [Candidate(i, s, "goes_with_cart", (why[i],)) for i, s in close.items()]
    gap = gap_of(situation, situation.settings.threshold)
    if gap:
        popular = {i: 0.1 * s for i, s in situation.only_fresh(situation.popular).items()}
        for filler in fillers(situation, gap, {**popular, **close}, situation.settings.threshold.fillers):
            score = filler.score * blend.cart.get("fillers", 0.0)
            candidates.append(Candidate(filler.item_id, score, filler.code, (), filler.details))
    return candidates


def _cart_extras(situation: Situation) -> Mapping[str, Any]:
    gap = gap_of(situation, situation.settings.threshold)
    if gap is None:
        return {}
    return {
        "threshold": {
            "spendCents": gap.spend_cents,
            "saveCents": gap.save_cents,
            "currency": gap.currency,
            "cartCents": gap.cart_cents,
            "gapCents": gap.gap_cents,
        }
    }


SCENE = Scene(_cart_seeds, _cart, extras=_cart_extras)

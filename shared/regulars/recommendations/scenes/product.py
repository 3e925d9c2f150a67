"""Product page: what goes with it, other variants, substitutes."""

from __future__ import annotations

from regulars.catalogue.model import Item
from regulars.recommendations.blending import Seeds, near, normalised
from regulars.recommendations.model import Candidate
from regulars.recommendations.scenes.common import SHELF, Scene
from regulars.recommendations.situation import Situation
from regulars.similarity.model import SIMILAR, TOGETHER, category_scope


def _product_seeds(situation: Situation) -> Seeds:
    return [(situation.ask.item_id, 1.0)]


def _product(situation: Situation, seeds: Seeds) -> list[Candidate]:
    weights = situation.settings.blend.product
    asked = situation.ask.item_id
    own = situation.snapshot.get(asked)
    goes = situation.only_fresh(near(seeds, situation.rows, {TOGETHER: 1.0}, situation.hidden))
    alike = situation.only_fresh(near(seeds, situation.rows, {SIMILAR: 1.0}, situation.hidden))
    if own and own.category:
        damping = situation.settings.blend.same_category_goes_with
        goes = {i: s * (damping if situation.snapshot[i].category == own.category else 1.0) for i, s in goes.items()}
        alike = {i: s for i, s in alike.items() if situation.snapshot[i].category == own.category}
    candidates = [Candidate(i, s * weights["goes_with"], "goes_with", (asked,)) for i, s in normalised(goes).items()]
    candidates += [Candidate(i, s * weights["substitutes"], "similar_to", (asked,)) for i, s in normalised(alike).items()]
    if own:
        for place, item_id in enumerate(_variants(situation, own)):
            candidates.append(Candidate(item_id, weights["variants"] / (1 + 0.3 * place), "other_variant", (asked,)))
    scope = own.category if own else situation.ask.category
    for item_id, score in situation.selling(category_scope(scope)) if scope else ():
        if situation.fresh(item_id):
            candidates.append(Candidate(item_id, score * weights["popular"], "popular_in_category", (), {"category": scope}))
    return candidates


def _variants(situation: Situation, own: Item) -> list[str]:
    """Same model (else same brand and style) in the category, in another colour, size or material."""
    mine = own.attributes

    def alike(other: Item) -> bool:
        theirs = other.attributes
        if mine.get("model"):
            return theirs.get("model") == mine["model"]
        return bool(mine.get("style")) and theirs.get("style") == mine["style"] and other.brand == own.brand

    def differs(other: Item) -> bool:
        return any(other.attributes.get(name) != mine.get(name) for name in ("colour", "size", "material"))

    shelf = situation.snapshot.by_category.get(own.category, ())[:SHELF]
    others = (situation.snapshot[item_id] for item_id in shelf if situation.fresh(item_id))
    return [other.item_id for other in others if alike(other) and differs(other)][:20]


def _category_scope(situation: Situation) -> list[str]:
    own = situation.snapshot.get(situation.ask.item_id)
    category = own.category if own else situation.ask.category
    return [category_scope(category)] if category else []


SCENE = Scene(_product_seeds, _product, scopes=_category_scope)

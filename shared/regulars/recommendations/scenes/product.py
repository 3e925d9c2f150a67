"""Product page: what goes with it, the same in other colours, substitutes, accessories she looked at lately."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from regulars.catalogue.model import Item
from regulars.recommendations.blending import Scores, Seeds, near, normalised
from regulars.recommendations.complements import Complements, shelf_mates, variants
from regulars.recommendations.model import Candidate
from regulars.recommendations.scenes.common import Scene
from regulars.recommendations.situation import Situation
from regulars.similarity.model import CONTENT, NEXT, SIMILAR, TOGETHER, category_scope

_VARIANTS, _SHELF_MATES = 20, 10


def _product_seeds(situation: Situation) -> Seeds:
    return [(situation.ask.item_id, 1.0)]


def _product(situation: Situation, seeds: Seeds) -> list[Candidate]:
    weights, asked = situation.settings.blend.product, situation.ask.item_id
    own = situation.snapshot.get(asked)
    goes, goes_by = _goes_with(situation, seeds, own)
    alike, alike_by = _substitutes(situation, seeds, own, goes)
    candidates = [
        *_faded(situation, goes, Candidate("", weights["goes_with"], "goes_with", (asked,), source=goes_by)),
        *_viewed(situation, goes, own),
        *_faded(situation, alike, Candidate("", weights["substitutes"], "similar_to", (asked,), source=alike_by)),
    ]
    if own:
        others = [item.item_id for item in variants(situation, own)]
        # Neither a complement nor a substitute: the same thing, said once and under its own name.
        candidates = [candidate for candidate in candidates if candidate.item_id not in others]
        for place, item_id in enumerate(others[:_VARIANTS]):
            score = weights["variants"] / (1 + 0.3 * place)
            candidates.append(Candidate(item_id, score, "other_variant", (asked,), source="attributes"))
    return candidates + list(_popular_on_shelf(situation, own))


def _faded(situation: Situation, scores: Scores, like: Candidate) -> Iterator[Candidate]:
    """One kind, best first, fading from place to place: a kind of which there is much leaves room for the others."""
    fading = situation.settings.blend.product_fading
    for place, (item_id, score) in enumerate(sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))):
        yield replace(like, item_id=item_id, score=like.score * score / (1 + fading * place))


def _goes_with(situation: Situation, seeds: Seeds, own: Item | None) -> tuple[Scores, str]:
    """What is bought with it, else what is bought after it; and which relation told."""
    for relation in (TOGETHER, NEXT):
        close = situation.only_fresh(near(seeds, situation.rows, {relation: 1.0}, situation.hidden))
        goes = Complements(situation, [own] if own else []).among(close)
        if goes:
            return goes, relation
    return {}, TOGETHER


def _substitutes(situation: Situation, seeds: Seeds, own: Item | None, goes: Scores) -> tuple[Scores, str]:
    """Like it and of its category; of an item too new to have neighbours, by content, else by shelf and price."""
    for relation in (SIMILAR, CONTENT):
        close = situation.only_fresh(near(seeds, situation.rows, {relation: 1.0}, situation.hidden))
        if own and own.category:
            close = {i: s for i, s in close.items() if situation.snapshot[i].category == own.category}
        if close:
            return normalised(close), relation
    mates = shelf_mates(situation, own, _SHELF_MATES) if own and own.category else []
    return {item.item_id: 0.9**place for place, item in enumerate(mates) if item.item_id not in goes}, "attributes"


def _viewed(situation: Situation, goes: Scores, own: Item | None) -> Iterator[Candidate]:
    """Lately looked at, not of this category, and either bought with this item or of a category that is."""
    if own is None:
        return
    since = situation.now - timedelta(days=situation.settings.return_scene.viewed_days)
    seen = {i: at for i, at in situation.profile.item_seen_at.items() if at >= since and situation.fresh(i)}
    shelves = {situation.snapshot[item_id].category for item_id in goes} - {"", own.category}
    weight = situation.settings.blend.product.get("viewed", 0.0)
    fitting = [i for i in seen if i in goes or situation.snapshot[i].category in shelves]
    for place, item_id in enumerate(sorted(fitting, key=lambda i: (-seen[i].timestamp(), i))):
        if situation.snapshot[item_id].category != own.category:
            score = max(weight * 0.9**place, goes.get(item_id, 0.0) * 1.001)
            yield Candidate(item_id, score, "viewed_goes_with", (own.item_id,), source="history")


def _popular_on_shelf(situation: Situation, own: Item | None) -> Iterator[Candidate]:
    scope = own.category if own else situation.ask.category
    weight = situation.settings.blend.product["popular"]
    for item_id, score in situation.selling(category_scope(scope)) if scope else ():
        if situation.fresh(item_id):
            details = {"category": scope}
            yield Candidate(item_id, score * weight, "popular_in_category", (), details, category_scope(scope))


def _category_scope(situation: Situation) -> list[str]:
    own = situation.snapshot.get(situation.ask.item_id)
    category = own.category if own else situation.ask.category
    return [category_scope(category)] if category else []


SCENE = Scene(_product_seeds, _product, scopes=_category_scope)

"""Home: taste and recent behaviour over all categories."""

from __future__ import annotations

from collections.abc import Mapping

from regulars.recommendations.blending import Causes, Scores, blended, liking, normalised, spread
from regulars.recommendations.history import Deed, recent
from regulars.recommendations.model import Candidate
from regulars.recommendations.scenes.common import Scene, Seeds, new_arrivals_between, popular_code
from regulars.recommendations.situation import Situation

_CAUSE = {"purchase": "because_bought", "cart": "because_in_cart", "wishlist": "because_saved", "view": "because_viewed"}


def _history(situation: Situation) -> Seeds:
    return [(deed.item_id, deed.weight) for deed in recent(situation.profile, situation.settings.history)]


def _home(situation: Situation, seeds: Seeds) -> list[Candidate]:
    blend = situation.settings.blend
    deeds = {deed.item_id: deed for deed in recent(situation.profile, situation.settings.history)}
    parts: list[tuple[float, Scores]] = []
    causes: Causes = {}
    for relation, weight in blend.home.items():
        near_by, why = spread(seeds, situation.rows, relation, situation.fresh)
        parts.append((weight, near_by))
        causes = {**why, **causes}
    popular = {item_id: score for item_id, score in situation.popular.items() if situation.fresh(item_id)}
    near = normalised(blended(parts))
    scores = blended([(1.0, near), (blend.popularity, normalised(popular))])
    _add_taste(scores, situation, blend.taste)
    if not near:
        strangers = [Candidate(item_id, score, *popular_code(situation, item_id)) for item_id, score in scores.items()]
        return strangers + list(new_arrivals_between(situation, scores))
    return [_with_cause(item_id, score, near, causes, deeds, situation) for item_id, score in scores.items()]


def _add_taste(scores: Scores, situation: Situation, weight: float) -> None:
    if situation.taste:
        for item_id in scores:
            scores[item_id] += weight * liking(situation.snapshot[item_id], situation.taste)


def _with_cause(
    item_id: str, score: float, near: Scores, causes: Causes, deeds: Mapping[str, Deed], situation: Situation
) -> Candidate:
    if item_id in near and item_id in causes:
        cause = causes[item_id]
        return Candidate(item_id, score, _CAUSE[deeds[cause].kind] if cause in deeds else "related", (cause,))
    return Candidate(item_id, score, *popular_code(situation, item_id))


SCENE = Scene(_history, _home)

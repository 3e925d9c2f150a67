"""Home: taste and recent behaviour over all categories."""

from __future__ import annotations

from regulars.recommendations.blending import POOL, Seeds, best, blended, causes, liking, near, normalised
from regulars.recommendations.history import recent
from regulars.recommendations.model import Candidate
from regulars.recommendations.scenes.common import Scene, new_arrivals_between, popular_code
from regulars.recommendations.situation import Situation

_CAUSE = {"purchase": "because_bought", "cart": "because_in_cart", "wishlist": "because_saved", "view": "because_viewed"}


def _history(situation: Situation) -> Seeds:
    return [(deed.item_id, deed.weight) for deed in recent(situation.profile, situation.settings.history)]


def _home(situation: Situation, seeds: Seeds) -> list[Candidate]:
    blend = situation.settings.blend
    close = normalised(situation.only_fresh(near(seeds, situation.rows, blend.home, situation.hidden)))
    popular = normalised(situation.only_fresh(situation.popular))
    scores = best(blended([(1.0, close), (blend.popularity, popular)]), POOL)
    if situation.taste and blend.taste:
        for item_id in scores:
            scores[item_id] += blend.taste * liking(situation.snapshot[item_id], situation.taste)
    if not close:
        strangers = [Candidate(item_id, score, *popular_code(situation, item_id)) for item_id, score in scores.items()]
        return strangers + list(new_arrivals_between(situation, scores))
    kinds = {deed.item_id: _CAUSE[deed.kind] for deed in recent(situation.profile, situation.settings.history)}
    why = causes(seeds, situation.rows, blend.home, scores.keys() & close.keys())
    return [
        Candidate(item_id, score, kinds[why[item_id]], (why[item_id],))
        if item_id in why
        else Candidate(item_id, score, *popular_code(situation, item_id))
        for item_id, score in scores.items()
    ]


SCENE = Scene(_history, _home)

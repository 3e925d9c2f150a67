"""Trending: what sells here lately, and what is new."""

from __future__ import annotations

from regulars.recommendations.blending import Seeds, blended
from regulars.recommendations.model import Candidate
from regulars.recommendations.scenes.common import Scene, Why, new_arrivals_between
from regulars.recommendations.situation import Situation
from regulars.similarity.model import EVERYWHERE, category_scope, region_scope


def _trending(situation: Situation, seeds: Seeds) -> list[Candidate]:
    category, share = situation.ask.category, situation.settings.blend.region_share
    if category:
        scores = dict(situation.trending(category_scope(category)))
        word: Why = ("popular_in_category", (), {"category": category})
        local: dict[str, float] = {}
    else:
        scores, word = dict(situation.trending(EVERYWHERE)), ("popular", (), {})
        local = dict(situation.trending(region_scope(situation.country))) if situation.country else {}
    mixed = blended([(1.0 - share if local else 1.0, scores), (share, local)])
    candidates = []
    for item_id, score in situation.only_fresh(mixed).items():
        regional = local.get(item_id, 0.0) > scores.get(item_id, 0.0)
        why = ("popular_in_region", (), {"country": situation.country}) if regional else word
        candidates.append(Candidate(item_id, score, *why))
    if category:
        return candidates
    mixed = {candidate.item_id: candidate.score for candidate in candidates}
    return candidates + list(new_arrivals_between(situation, mixed))


def _trending_scopes(situation: Situation) -> list[str]:
    return [category_scope(situation.ask.category)] if situation.ask.category else []


SCENE = Scene(lambda situation: [], _trending, scopes=_trending_scopes)

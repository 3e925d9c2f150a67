"""Trending: what sells lately, here and in a category; what is new; what the editors chose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from regulars.errors import NotFound
from regulars.recommendations.blending import Scores, Seeds, blended, normalised
from regulars.recommendations.model import Candidate
from regulars.recommendations.reasons import language_of
from regulars.recommendations.ruling import EditorialList
from regulars.recommendations.scenes.common import Scene, Why, new_arrivals_between, under
from regulars.recommendations.situation import Situation
from regulars.similarity.model import EVERYWHERE, category_scope, region_scope

_FIRST = 1000.0
"""Above every share of popularity, boosted or not: lists that open the scene."""


def _trending(situation: Situation, seeds: Seeds) -> list[Candidate]:
    if situation.ask.list_id:
        return list(_listed(situation, _asked_list(situation), len(_asked_list(situation).items)))
    scores, word, source = _decayed(situation)
    share = situation.settings.blend.region_share
    local = _local(situation)
    mixed = situation.only_fresh(blended([(1.0 - share if local else 1.0, scores), (share, local)]))
    candidates = []
    for item_id, score in mixed.items():
        if local.get(item_id, 0.0) > scores.get(item_id, 0.0):
            details = {"country": situation.country}
            here = region_scope(situation.country)
            candidates.append(Candidate(item_id, score, "popular_in_region", (), details, here))
        else:
            candidates.append(Candidate(item_id, score, *word, source=source))
    candidates += new_arrivals_between(situation, mixed)
    for entry in _in_force(situation):
        if entry.first:
            candidates += _listed(situation, entry, entry.first)
    return candidates


def _decayed(situation: Situation) -> tuple[Scores, Why, str]:
    """Decayed popularity of the asked category, or of everything. A category without a row of its own (one that has others
    under it, or sells little) takes its share of everything's."""
    category = situation.ask.category
    if not category:
        return dict(situation.trending(EVERYWHERE)), ("popular", (), {}), EVERYWHERE
    word: Why = ("popular_in_category", (), {"category": category})
    own = dict(situation.trending(category_scope(category)))
    if own:
        return own, word, category_scope(category)
    return normalised(_of_category(situation, dict(situation.trending(EVERYWHERE)))), word, EVERYWHERE


def _local(situation: Situation) -> Scores:
    """The same of her country, of the asked category alone if one is asked for."""
    scores = dict(situation.trending(region_scope(situation.country))) if situation.country else {}
    return normalised(_of_category(situation, scores)) if situation.ask.category else scores


def _of_category(situation: Situation, scores: Mapping[str, float]) -> Scores:
    snapshot, parent = situation.snapshot, situation.ask.category
    return {i: s for i, s in scores.items() if i in snapshot and under(snapshot[i].category, parent)}


def _in_force(situation: Situation) -> Iterator[EditorialList]:
    segments = situation.segments if situation.rules.speak_of_segments else frozenset()
    return situation.rules.lists_for(situation.ask.scene, segments, situation.now)


def _asked_list(situation: Situation) -> EditorialList:
    """Raises NotFound for a list that is not there, or not shown to this shopper now."""
    asked = situation.ask.list_id
    if situation.rules.list_named(asked) is None:
        raise NotFound(f"there is no list {asked!r}"[:200], code="unknown_list")
    found = next((entry for entry in _in_force(situation) if entry.list_id == asked), None)
    if found is None:
        raise NotFound(f"the list {asked!r} is not shown now"[:200], code="list_not_shown")
    return found


def _listed(situation: Situation, entry: EditorialList, count: int) -> Iterator[Candidate]:
    """The list's first `count` items that may be shown, in its order; a later list follows an earlier one."""
    place = situation.rules.lists.index(entry)
    shown = [item_id for item_id in entry.items if situation.fresh(item_id)][:count]
    for number, item_id in enumerate(shown):
        score = _FIRST - place - number / (len(shown) + 1)
        yield Candidate(item_id, score, "in_list", (), {"list": entry.list_id, "titles": dict(entry.titles)}, "list")


def _lists(situation: Situation) -> Mapping[str, Any]:
    """The lists in force by name, for an app's tabs."""
    traits = situation.profile.traits
    language = language_of(situation.ask.language, traits.get("language"), traits.get("locale"))
    found = [{"id": entry.list_id, "title": entry.title(language)} for entry in _in_force(situation)]
    return {"lists": found} if found else {}


def _trending_scopes(situation: Situation) -> list[str]:
    return [category_scope(situation.ask.category)] if situation.ask.category else []


SCENE = Scene(lambda situation: [], _trending, scopes=_trending_scopes, extras=_lists)

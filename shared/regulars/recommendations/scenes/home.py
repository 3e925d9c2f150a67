"""Home: what the shopper did lately, by the recipe of `regulars.similarity.recipe`, over all categories.

A shopper of whom neighbours say nothing is a stranger: popularity where she is, what she says she likes, her tags, and new
arrivals in between. Tags also tip the scales before a build has chosen a recipe; a chosen one is served as it was measured.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from regulars.recommendations import newcomers
from regulars.recommendations.blending import POOL, REPEAT, Loud, Question, Ranking, Scores, Seeds, liking, rank, shown
from regulars.recommendations.explaining import Parts, of_voices
from regulars.recommendations.history import again
from regulars.recommendations.mixing import mixed
from regulars.recommendations.model import NO_DETAILS, UNTOLD, Candidate
from regulars.recommendations.scenes.common import BECAUSE, Scene, new_arrivals_between, popular_code
from regulars.recommendations.situation import Situation
from regulars.similarity.model import EVERYWHERE, HABIT, SEQUENCE

WEEK, TREND = "week", "trend"
"""What a recipe calls the two kinds of popularity."""
_FEW, _A_PLACE = 40, 4
"""Candidates at least, and for each place, where nothing chooses among them but the diversity settings."""
_RANKING = "ranking"
"""The note that keeps what the formula found."""


def _history(situation: Situation) -> Seeds:
    return [(deed.item_id, deed.strength) for deed in situation.deeds] if situation.recipe.parts else []


def _scopes(situation: Situation) -> Collection[str]:
    if not situation.deeds:
        return list(newcomers.scopes(situation))
    recipe = situation.recipe
    habitual = recipe.repeats and recipe.repeat and (recipe.habit_power or recipe.habit_weight)
    return (HABIT,) if habitual and situation.profile.purchases else ()


def _home(situation: Situation, seeds: Seeds) -> list[Candidate]:
    question = Question(
        deeds=situation.deeds,
        rows=situation.rows,
        recipe=situation.recipe,
        popularity=popularity_of(situation),
        again=_again(situation),
        hidden=situation.withheld,
        may_show=situation.may_show,
        may_show_all=situation.may_show_all,
        count=_pool(situation),
        spoken={SEQUENCE: situation.sequence(situation)} if SEQUENCE in situation.recipe.parts else {},
    )
    ranking = situation.notes[_RANKING] = rank(question)
    if not ranking.near:
        return _for_a_stranger(situation)
    if not situation.recipe.protocol:
        _tip(ranking.scores, situation)
    found = [Candidate(item_id, score, UNTOLD, (), NO_DETAILS) for item_id, score in ranking.scores.items()]
    return found + newcomers.liked(situation)


def _pool(situation: Situation) -> int:
    """Candidates worth looking at: rules and a category may take most of them away, the diversity settings some."""
    choosy = situation.ask.category or situation.active
    return POOL if choosy else min(POOL, max(_FEW, _A_PLACE * situation.ask.limit))


def popularity_of(situation: Situation) -> Mapping[str, Mapping[str, float]]:
    """What the recipe calls week and trend."""
    trend = mixed(situation.trending(EVERYWHERE), (), 0.0) if situation.recipe.popularity.get(TREND) else {}
    return {WEEK: situation.popular, TREND: trend}


def _again(situation: Situation) -> Mapping[str, float]:
    recipe = situation.recipe
    if not (recipe.repeats and recipe.repeat):
        return {}
    purchases, row = situation.profile.purchases, situation.popularity.get(HABIT)
    habits = {}
    if row and row.deeds:
        # The row holds shares of the strongest habit, and that in `deeds`.
        strongest = row.deeds
        habits = {item_id: share * strongest for item_id, share in row.trend if item_id in purchases}
    return again(purchases, recipe.repeat, situation.now.date(), habits, recipe.habit_power, recipe.habit_weight)


def _for_a_stranger(situation: Situation) -> list[Candidate]:
    here, causes = newcomers.popular_here(situation)
    withheld = situation.withheld
    open_here = shown({item: score for item, score in here.items() if item not in withheld}, POOL, situation.may_show)
    highest = max(open_here.values(), default=0.0)
    weight = situation.settings.blend.popularity
    scores = {item_id: weight * score / highest for item_id, score in open_here.items()} if highest > 0 else {}
    _tip(scores, situation)
    found = []
    for item_id, score in scores.items():
        code, source = causes.get(item_id, ("popular", EVERYWHERE))
        details = {"country": situation.country} if code == "popular_in_region" else {}
        found.append(Candidate(item_id, score, code, (), details, source))
    return found + newcomers.liked(situation) + list(new_arrivals_between(situation, scores))


def _tip(scores: Scores, situation: Situation) -> None:
    """Adds what her tags say, in place."""
    taste, weight = situation.taste, situation.settings.blend.taste
    if taste and weight:
        for item_id in scores:
            scores[item_id] += weight * liking(situation.snapshot[item_id], taste)


def _told(situation: Situation, chosen: Sequence[Candidate]) -> list[Candidate]:
    """The loudest voice for each: a deed through its neighbours, having bought it before, or popularity."""
    among = [candidate.item_id for candidate in chosen if candidate.code == UNTOLD]
    ranking: Ranking = situation.notes[_RANKING]
    heard = ranking.loudest(among)
    for voice in ranking.near:
        if voice.name not in (REPEAT, SEQUENCE):
            continue
        for item_id in voice.scores.keys() & among:
            # The sequence model speaks of the whole history, named here by its newest deed.
            seed = item_id if voice.name == REPEAT else situation.deeds[0].item_id
            loud = voice.factor * voice.scores[item_id]
            if item_id not in heard or loud > heard[item_id][0]:
                heard[item_id] = (loud, voice.name, seed)
    kinds = {deed.item_id: deed.kind for deed in situation.deeds}
    return [_because(candidate, heard.get(candidate.item_id), kinds, situation) for candidate in chosen]


def _because(candidate: Candidate, voice: Loud | None, kinds: Mapping[str, str], situation: Situation) -> Candidate:
    if candidate.code != UNTOLD:
        return candidate
    item_id, score = candidate.item_id, candidate.score
    if voice is None:
        return Candidate(item_id, score, *popular_code(situation, item_id), "popularity")
    _, source, seed = voice
    code = "bought_before" if source == REPEAT else BECAUSE[kinds[seed]]
    return Candidate(item_id, score, code, (seed,), candidate.details, source)


def _parts(situation: Situation, seeds: Seeds, among: Collection[str]) -> Parts:
    ranking: Ranking = situation.notes[_RANKING]
    return of_voices((*ranking.near, *ranking.popular), among)


SCENE = Scene(_history, _home, scopes=_scopes, told=_told, parts=_parts)

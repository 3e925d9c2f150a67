"""Weighted neighbours, popularity and repetition → scores: the formula of `regulars.similarity.recipe` in plain Python.

Plain dictionaries: add everything up (twenty items with three hundred neighbours are six thousand additions), cut to the best,
and only of those ask whether they may be shown and why. Nothing is made per candidate before the cut. `rank` is the whole
formula; the scenes that have rules of their own take `near` and `causes`. `regulars.similarity.scoring` is the same in arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache, partial
from itertools import islice

from regulars.catalogue.model import Item
from regulars.profiles.model import tag_value
from regulars.recommendations import adding
from regulars.recommendations.history import Fading
from regulars.recommendations.ports import Row
from regulars.recommendations.sums import (
    POOL,
    REPEAT,
    Loud,
    Question,
    Ranking,
    Scores,
    Seeds,
    Voice,
    best,
    blended,
    nearness,
    normalised,
    shown,
    summed,
)

__all__ = [
    "POOL", "REPEAT", "Loud", "Question", "Ranking", "Scores", "Seeds", "Voice", "best", "blended", "causes", "liking",
    "loudest", "near", "nearness", "normalised", "rank", "shown",
]  # fmt: skip
Tags = tuple[tuple[str, str], tuple[str, str]]


def rank(question: Question) -> Ranking:
    """The whole formula: the best that may be shown; of equal scores any, but always the same. Raises GiveUp(broken_model) for
    rows that cannot be read."""
    return adding.rank(question) if adding.can_add(question.rows) else rank_plainly(question)


def rank_plainly(question: Question) -> Ranking:
    """As `rank`, in plain Python: where the loops are not compiled, and to hold them against."""
    recipe, rows, hidden, may_show = question.recipe, question.rows, question.hidden, question.may_show
    spoken, popularity = question.spoken, question.popularity
    near_voices, fading = [], Fading(question.deeds)
    for name, part in recipe.parts.items():
        if part.weight > 0:
            seeds = [] if name in spoken else fading.weighted(part)
            scores = dict(spoken[name]) if name in spoken else nearness(seeds, rows, name)
            highest = _drop(scores, hidden, may_show)
            if highest > 0:
                near_voices.append(Voice(name, part.weight / highest, scores, seeds))
    small = []
    if recipe.repeats and recipe.repeat and recipe.repeat.weight > 0:
        scores = dict(question.again)
        highest = _drop(scores, hidden, may_show)
        if highest > 0:
            small.append(Voice(REPEAT, recipe.repeat.weight / highest, scores))
    popular = [Voice(name, weight, popularity.get(name, {})) for name, weight in recipe.popularity.items() if weight > 0]
    total = summed((*near_voices, *small, *popular))
    for voice in popular:
        for item_id in voice.scores.keys() & hidden:
            total.pop(item_id, None)
    heard = partial(_loudest_of, rows, near_voices)
    return Ranking(shown(total, question.count, may_show), (*near_voices, *small), tuple(popular), heard)


def _drop(scores: Scores, hidden: Collection[str], may_show: Callable[[str], bool]) -> float:
    """The highest score among the items that may be shown, 0 without any; hidden ones are taken out on the way."""
    for item_id in scores.keys() & hidden:
        del scores[item_id]
    if not scores:
        return 0.0
    values = list(scores.values())
    highest = max(values)
    if may_show(next(islice(scores, values.index(highest), None))):
        return highest
    leaders = shown(scores, 1, may_show)
    return max(leaders.values(), default=0.0)


def near(seeds: Seeds, rows: Mapping[str, Row], weights: Mapping[str, float], hidden: Collection[str]) -> Scores:
    """Σ over relations of weight · (Σ over seeds of seed weight · score, divided by its highest); the best `POOL`.

    Items in `hidden` are left out before anything is divided.
    """
    voices = []
    for relation, weight in weights.items():
        if weight > 0:
            scores = nearness(seeds, rows, relation)
            highest = _drop(scores, hidden, _anything)
            if highest > 0:
                voices.append(Voice(relation, weight / highest, scores))
    return best(summed(voices), POOL)


def _anything(item_id: str) -> bool:
    return True


def causes(seeds: Seeds, rows: Mapping[str, Row], relations: Iterable[str], among: Collection[str]) -> dict[str, str]:
    """For each item of `among` that some relation names, the seed that speaks loudest for it; the first relation wins."""
    found: dict[str, str] = {}
    for relation in relations:
        for item_id, (seed, _) in loudest(seeds, rows, relation, among).items():
            found.setdefault(item_id, seed)
    return found


def loudest(
    seeds: Iterable[tuple[str, float]], rows: Mapping[str, Row], relation: str, among: Collection[str]
) -> dict[str, tuple[str, float]]:
    """Item of `among` → the seed that speaks loudest for it in one relation, and how loud."""
    wanted = among if isinstance(among, set | frozenset) else set(among)
    found: dict[str, tuple[str, float]] = {}
    for seed, weight in seeds:
        ranked = rows[seed].relations.get(relation) if seed in rows else None
        if ranked is None:
            continue
        factor = weight * ranked.scale
        for item_id in wanted.intersection(ranked.ids):
            strength = factor * ranked.shares[ranked.ids.index(item_id)]
            if strength > (found[item_id][1] if item_id in found else 0.0):
                found[item_id] = (seed, strength)
    return found


def _loudest_of(rows: Mapping[str, Row], voices: Iterable[Voice], among: Collection[str]) -> dict[str, Loud]:
    found: dict[str, Loud] = {}
    for voice in voices:
        for item_id, (seed, strength) in loudest(voice.seeds, rows, voice.name, among).items():
            loud = voice.factor * strength
            if item_id not in found or loud > found[item_id][0]:
                found[item_id] = (loud, voice.name, seed)
    return found


def liking(item: Item, taste: Mapping[tuple[str, str], float]) -> float:
    """How much the shopper's tags speak for the item's category and brand, 0 to 1."""
    return liking_of(item.category, item.brand, taste)


def liking_of(category: str, brand: str, taste: Mapping[tuple[str, str], float]) -> float:
    """As `liking`, of what has no item yet."""
    if not taste:
        return 0.0
    return max(taste.get(_category_tag(category), 0.0), taste.get(_brand_tag(brand), 0.0))


def tags_of(item: Item) -> Tags:
    """The (family, value) of its category and of its brand, as `Situation.taste` has them."""
    return _category_tag(item.category), _brand_tag(item.brand)


# Each by its own name: of pairs there are too many to keep.
@lru_cache(maxsize=20_000)
def _category_tag(name: str) -> tuple[str, str]:
    return "category", tag_value(name)


@lru_cache(maxsize=20_000)
def _brand_tag(name: str) -> tuple[str, str]:
    return "brand", tag_value(name)

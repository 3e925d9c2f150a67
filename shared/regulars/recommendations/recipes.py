"""Which recipe holds: what the last build chose for this shop, unless the operator's one switch (`algorithm`) says otherwise.

auto          the recipe in the pointer; the settings' own where a build has chosen none
popularity    no neighbours at all
<relation>    the neighbours of one relation alone, and popularity
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite

from regulars.errors import GiveUp
from regulars.recommendations.config import AUTO, POPULARITY, RecommendationSettings
from regulars.similarity.model import CONTENT, Pointer
from regulars.similarity.recipe import Part, Recipe, from_wire

_MOST_ITEMS = 80
"""Rows that one BatchGetItem can bring (100 keys) beside popularity, rules and stock-outs."""


class RecipeReader:
    """The recipe of a pointer; made once a version, since a warm function asks for it at every call."""

    def __init__(self) -> None:
        self._known: tuple[tuple[str, int], Recipe] | None = None

    def __call__(self, pointer: Pointer | None, settings: RecommendationSettings) -> Recipe:
        """Raises GiveUp(broken_model) when the pointer holds something that is no recipe."""
        key = (pointer.version if pointer else "", id(settings))
        if self._known is None or self._known[0] != key:
            self._known = (key, switched(chosen(pointer, settings), settings))
        return self._known[1]


def chosen(pointer: Pointer | None, settings: RecommendationSettings) -> Recipe:
    """What the build chose, else the settings' recipe."""
    if pointer is None or "recipe" not in pointer.params:
        return default_recipe(settings)
    raw = pointer.params["recipe"]
    if not isinstance(raw, dict):
        raise GiveUp(f"not a recipe: {raw!r:.80}", code="broken_model")
    recipe = from_wire(raw)
    numbers = [recipe.history_items, recipe.habit_power, recipe.habit_weight]
    numbers += [*recipe.popularity.values(), *recipe.kinds.values()]
    for part in (*recipe.parts.values(), *([recipe.repeat] if recipe.repeat else ())):
        numbers += [part.weight, part.rank_power, part.half_life_days]
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | float) or not isfinite(number) or number < 0:
            raise GiveUp(f"not a recipe: {number!r:.80} is no number of its kind", code="broken_model")
    return replace(recipe, history_items=min(recipe.history_items, _MOST_ITEMS), parts=_with_content(recipe, settings))


def _with_content(recipe: Recipe, settings: RecommendationSettings) -> Mapping[str, Part]:
    """Content names new items only, of which the search knows nothing yet: its say stays the settings'."""
    weight = settings.blend.home.get(CONTENT, 0.0)
    if CONTENT in recipe.parts or weight <= 0 or not recipe.parts:
        return recipe.parts
    return {**recipe.parts, CONTENT: Part(weight=weight, **_fading(settings))}


def default_recipe(settings: RecommendationSettings) -> Recipe:
    """The recipe in the settings: `history`, `blend.home` and `blend.popularity`."""
    history, blend = settings.history, settings.blend
    return Recipe(
        history_items=min(history.items, _MOST_ITEMS),
        parts={name: Part(weight=weight, **_fading(settings)) for name, weight in blend.home.items()},
        popularity={"week": blend.popularity},
        kinds=history.kinds,
    )


def switched(recipe: Recipe, settings: RecommendationSettings) -> Recipe:
    """The recipe under the operator's switch."""
    algorithm = settings.algorithm
    if algorithm == AUTO:
        return recipe
    popularity = recipe.popularity or default_recipe(settings).popularity
    if algorithm == POPULARITY:
        return replace(recipe, parts={}, popularity=popularity, repeat=None, repeats=False)
    part = recipe.parts.get(algorithm) or Part(weight=1.0, **_fading(settings))
    return replace(recipe, parts={algorithm: replace(part, weight=1.0)}, popularity=popularity)


def _fading(settings: RecommendationSettings) -> dict[str, float]:
    return {"rank_power": settings.history.rank_power, "half_life_days": settings.history.half_life_days}

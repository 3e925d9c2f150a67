"""What the search may change, and how: the values tried of each number, and a recipe with one number changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from regulars.similarity.fitting import TREND, WEEK
from regulars.similarity.model import LINEAR, NEXT, SIMILAR, TOGETHER
from regulars.similarity.recipe import Recipe

SEARCHED: Mapping[str, Mapping[str, Sequence[Any]]] = {
    SIMILAR: {
        "half_life_days": (0, 30, 90, 365),
        "length_power": (0.0, 0.5, 1.0),
        "popularity_power": (0.1, 0.3, 0.5, 0.7),
        "source_power": (0.3, 0.5, 0.7),
        "shrink": (0.5, 3.0, 10.0),
        "session_weight": (0.0, 0.5),
    },
    TOGETHER: {"half_life_days": (0, 60, 180), "popularity_power": (0.2, 0.5, 0.7), "length_power": (0.4, 0.8)},
    NEXT: {
        "backward": (0.0, 0.4, 0.8),
        "gap_power": (0.2, 0.7, 1.2),
        "window": (5, 10, 30),
        "half_life_days": (0, 30, 90, 365),
        "popularity_power": (0.1, 0.3, 0.45, 0.6),
        "length_power": (0.0, 0.7),
        "source_power": (0.3, 0.5, 0.7),
        "within_days": (0, 60),
        "views": (False, True),
    },
    LINEAR: {
        "kind": ("ease", "next"),
        "penalty": (20.0, 60.0, 200.0, 600.0),
        "half_life_days": (0, 60, 180),
        "length_power": (0.0, 0.5),
        "popularity_power": (0.0, 0.15),
    },
}
"""The values tried of each number of each relation."""
RANK_POWERS, HALF_LIVES = (0.0, 0.3, 0.6, 1.0, 1.5), (0.0, 400.0, 150.0, 60.0, 14.0)
"""In order of strength: 0 fades nothing."""
WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5)
HABITS = tuple((power, weight) for weight in (0.0, 0.1, 0.2, 0.3, 0.5) for power in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7))
"""(power, weight) of habit. Tried in pairs, for each does some of the other's work: one by one the first would keep it."""
REPEAT_FADING: Mapping[str, Sequence[float]] = {
    "half_life_days": (0.0, 400.0, 300.0, 200.0, 150.0, 100.0, 60.0, 30.0),
    "rank_power": (0.0, 0.15, 0.3, 0.5, 1.0),
}
"""How what was bought before fades; likewise."""


def nearest(values: Sequence[float], value: float) -> int:
    """The place of the value nearest to this one."""
    return min(range(len(values)), key=lambda place: abs(values[place] - value))


def names(recipe: Recipe) -> tuple[str, ...]:
    """Everything that has a weight."""
    return (*recipe.parts, WEEK, TREND, *(("repeat",) if recipe.repeat else ()))


def silent(recipe: Recipe) -> Recipe:
    """Nothing has a say."""
    for name in (*recipe.parts, WEEK, TREND, "repeat"):
        recipe = with_weight(recipe, 0.0, name)
    return recipe


def with_weight(recipe: Recipe, weight: float, name: str) -> Recipe:
    """Another say of a relation, a popularity list or the repeats."""
    if name == "repeat":
        return replace(recipe, repeat=replace(recipe.repeat, weight=weight)) if recipe.repeat else recipe
    if name in recipe.parts:
        return replace(recipe, parts={**recipe.parts, name: replace(recipe.parts[name], weight=weight)})
    return replace(recipe, popularity={**recipe.popularity, name: weight})


def faded_as(recipe: Recipe, value: float, name: str, key: str) -> Recipe:
    """Another fading of a relation or the repeats."""
    if name == "repeat":
        return replace(recipe, repeat=replace(recipe.repeat, **{key: value})) if recipe.repeat else recipe
    return replace(recipe, parts={**recipe.parts, name: replace(recipe.parts[name], **{key: value})})


def with_habit(recipe: Recipe, power: float, weight: float) -> Recipe:
    """Another power and another weight of habit."""
    return replace(recipe, habit_power=power, habit_weight=weight)


def weight_of(recipe: Recipe, name: str) -> float:
    """The say of a relation, a popularity list or the repeats."""
    if name == "repeat":
        return recipe.repeat.weight if recipe.repeat else 0.0
    return recipe.parts[name].weight if name in recipe.parts else recipe.popularity.get(name, 0.0)

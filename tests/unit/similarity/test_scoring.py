"""The formula three times: in C, in numpy, and in the plain Python that answers shoppers. One list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.recommendations.blending import Question, rank
from regulars.recommendations.history import Deed
from regulars.recommendations.history import again as again_plainly
from regulars.recommendations.ports import Row
from regulars.similarity import scoring_compiled, scoring_uncompiled
from regulars.similarity.interactions import PURCHASE
from regulars.similarity.kernel import TopK
from regulars.similarity.packing import Ranked
from regulars.similarity.protocols import DAY_MS, Queries
from regulars.similarity.recipe import Part, Recipe
from regulars.similarity.scoring import Asked, Model, answers

N_ITEMS, NOW_DAY = 30, 20_000
KINDS = np.array([0.3, 0.6, 0.8, 1.0])
NAMES = ("view", "wishlist", "cart", "purchase")
needs_library = pytest.mark.skipif(not scoring_compiled.available(), reason="the kernel is not compiled on this machine")


def a_model(dice: np.random.Generator) -> Model:
    def relation() -> TopK:
        lengths = dice.integers(0, 8, N_ITEMS)
        starts = np.concatenate(([0], np.cumsum(lengths)))
        items = np.concatenate([dice.choice(N_ITEMS, length, replace=False) for length in lengths]).astype(np.int64)
        return TopK(starts, items, np.round(dice.random(len(items)) + 0.01, 3))

    popular = dice.choice(N_ITEMS, 10, replace=False)
    week = (popular, np.sort(dice.random(10))[::-1])
    return Model({"similar": relation(), "next": relation()}, {"week": week}, 1 + dice.random(N_ITEMS), N_ITEMS)


def some_queries(dice: np.random.Generator, count: int, *, excludes: bool) -> Queries:
    lengths = dice.integers(0, 12, count)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    days = np.concatenate([np.sort(dice.integers(NOW_DAY - 60, NOW_DAY, length)) for length in lengths])
    total, numbers = int(starts[-1]), np.arange(count)
    items, kinds = dice.integers(0, N_ITEMS, total), dice.integers(0, 4, total)
    targets = dice.integers(0, N_ITEMS, count)
    now = np.full(count, NOW_DAY * DAY_MS)
    at = days.astype(np.int64) * DAY_MS
    return Queries(numbers, numbers, starts, items, at, kinds, np.arange(count + 1), targets, now, excludes=excludes)


def a_recipe(dice: np.random.Generator, *, repeats: bool) -> Recipe:
    def part() -> Part:
        power, half_life = float(dice.choice([0.0, 0.5, 1.0])), float(dice.choice([0.0, 20.0]))
        return Part(weight=float(dice.choice([0.3, 1.0])), rank_power=power, half_life_days=half_life)

    return Recipe(
        history_items=int(dice.integers(1, 8)),
        parts={"similar": part(), "next": part()},
        popularity={"week": float(dice.choice([0.0, 0.4]))},
        repeat=part() if repeats else None,
        habit_power=0.4,
        habit_weight=float(dice.choice([0.0, 0.3])),
        repeats=repeats,
    )


@needs_library
@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.booleans())
def test_c_and_numpy_give_the_same_lists_to_the_last_bit(seed: int, repeats: bool) -> None:
    dice = np.random.default_rng(seed)
    model, recipe = a_model(dice), a_recipe(dice, repeats=repeats)
    candidates = dice.random(N_ITEMS) < 0.9
    asked = Asked.of(some_queries(dice, 70, excludes=not repeats), candidates, 10, KINDS)
    compiled = scoring_compiled.answers(asked, recipe, model, 7)
    plain = scoring_uncompiled.answers(asked, recipe, model, 7)
    np.testing.assert_array_equal(compiled[0], plain[0])
    np.testing.assert_array_equal(compiled[1], plain[1])


def served(queries: Queries, number: int, recipe: Recipe, model: Model) -> dict[str, float]:
    """What the API function makes of the same history, by name of the item."""
    part = slice(queries.starts[number], queries.starts[number + 1])
    had = list(zip(queries.items[part].tolist(), queries.at[part].tolist(), queries.kinds[part].tolist(), strict=True))
    latest: dict[int, int] = {}
    strongest: dict[int, int] = {}
    for item, at, kind in had:
        latest[item] = max(at, latest.get(item, 0))
        strongest[item] = max(kind, strongest.get(item, 0), key=lambda number: KINDS[number])
    ordered = sorted(latest, key=lambda item: (-latest[item], item))[: recipe.history_items]
    instants = sorted({latest[item] for item in ordered}, reverse=True)
    deeds: list[Any] = [
        Deed(
            f"{item:02d}",
            NAMES[strongest[item]],
            None,  # type: ignore[arg-type]
            float(KINDS[strongest[item]]),
            instants.index(latest[item]),
            (instants[0] - latest[item]) / DAY_MS,
        )
        for item in ordered
    ]
    rows = {f"{item:02d}": Row({name: ranked(top, item) for name, top in model.relations.items()}) for item in range(N_ITEMS)}
    days: dict[str, set[date]] = {}
    for item, at, kind in had:
        if kind == PURCHASE:
            days.setdefault(f"{item:02d}", set()).add(date(2024, 1, 1) + timedelta(days=at // DAY_MS - NOW_DAY))
    purchases = {item_id: tuple(sorted(found)) for item_id, found in days.items()}
    habits = {f"{item:02d}": float(model.habit[item]) for item in range(N_ITEMS)}
    repeat: Mapping[str, float] = {}
    if recipe.repeats and recipe.repeat:
        repeat = again_plainly(purchases, recipe.repeat, date(2024, 1, 1), habits, recipe.habit_power, recipe.habit_weight)
    week = {f"{item:02d}": float(score) for item, score in zip(*model.popularity["week"], strict=True)}
    hidden = frozenset(f"{item:02d}" for item, _, _ in had) if queries.excludes else frozenset()
    popularity: Mapping[str, Mapping[str, float]] = {"week": week, "trend": {}}
    question = Question(deeds=deeds, rows=rows, recipe=recipe, popularity=popularity, again=repeat, hidden=hidden, count=1000)
    return dict(rank(question).scores)


def ranked(top: TopK, item: int) -> Ranked:
    items, scores = top.of(item)
    return Ranked.of(tuple((f"{other:02d}", float(score)) for other, score in zip(items, scores, strict=True)))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.booleans())
def test_what_is_served_is_what_was_evaluated(seed: int, repeats: bool) -> None:
    dice = np.random.default_rng(seed)
    model, recipe = a_model(dice), a_recipe(dice, repeats=repeats)
    queries = some_queries(dice, 8, excludes=not repeats)
    lists, scores = answers(Asked.of(queries, np.ones(N_ITEMS, bool), 10, KINDS), recipe, model, N_ITEMS)
    for number in range(len(queries)):
        shown = served(queries, number, recipe, model)
        evaluated = {f"{item:02d}": score for item, score in zip(lists[number], scores[number], strict=True) if item >= 0}
        assert shown == pytest.approx(evaluated, rel=1e-9)

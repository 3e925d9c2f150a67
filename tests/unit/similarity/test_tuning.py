"""What the search takes and what it leaves: chance does not choose."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.support.interactions import interactions
from tests.support.window import similarity_settings

from regulars.errors import GiveUp
from regulars.similarity.fitting import habit_counts, habit_from, habit_of, habit_row
from regulars.similarity.interactions import Interactions
from regulars.similarity.moves import nearest
from regulars.similarity.panel import Slice, certain, figures_of, questions_of
from regulars.similarity.protocols import DAY_MS, NEXT_BASKET, TIME_NEW, SplitSettings, earlier, split, validation
from regulars.similarity.recipe import Part, Recipe, from_wire
from regulars.similarity.tuning import tune

SETTINGS = similarity_settings()
ASKED = SplitSettings(cut_ms=150 * DAY_MS, min_buyers=1)


def groceries(shoppers: int = 60, seed: int = 5) -> Interactions:
    """Everybody has three staples for half of their weekly baskets, and fills them up with anything."""
    dice, rows = random.Random(seed), []
    for shopper in range(shoppers):
        staples = dice.sample(range(60), 3)
        for week in range(26):
            bought = {item for item in staples if dice.random() < 0.5} | set(dice.sample(range(60), 2))
            rows += [(f"s{shopper:02d}", f"i{item:02d}", 7.0 * week + dice.randrange(3)) for item in sorted(bought)]
    data = interactions(rows)
    return replace(data, group=np.unique(data.shopper * 10**6 + data.at // DAY_MS, return_inverse=True)[1])


def test_earlier_slices_lie_a_month_apart_and_know_nothing_of_the_later() -> None:
    made = split(groceries(), NEXT_BASKET, ASKED)
    newest = validation(made, NEXT_BASKET, ASKED)
    before = earlier(newest, NEXT_BASKET, ASKED, 2)
    assert [one.cut_ms // DAY_MS for one in (newest, *before)] == [120, 90, 60]
    for one in before:
        assert one.learn.at.max() < one.cut_ms <= one.queries.now.min()
    assert len(earlier(newest, NEXT_BASKET, ASKED, 20)) == 3  # then nobody has three baskets before
    assert earlier(newest, TIME_NEW, ASKED, 2) == []


def test_all_slices_choose_together() -> None:
    made = split(groceries(), NEXT_BASKET, ASKED)
    settings = replace(SETTINGS, tuning=replace(SETTINGS.tuning, least_questions=20, rounds=1, history_items=(20,)))
    newest = validation(made, NEXT_BASKET, ASKED)
    before = earlier(newest, NEXT_BASKET, ASKED, 3)
    chosen = tune(newest, settings, NEXT_BASKET, earlier=before)
    # The last slice has a quarter of the log to learn from: it was another shop.
    assert chosen.questions == sum(len(one.queries) for one in (newest, *before[:2]))
    assert chosen.recipe.repeat is not None
    assert chosen.recipe.repeat.weight > 0
    # All things are staples to somebody, none to all: an item's habit says nothing.
    assert chosen.recipe.habit_power == chosen.recipe.habit_weight == 0


def test_what_others_buy_again_is_expected_of_whoever_bought_it_once() -> None:
    """Every basket tries two things; a quarter of the shop is bought again now and then, the rest never: nothing but the
    habit of others tells them apart before the second time."""
    dice, rows = random.Random(3), []
    for shopper in range(200):
        mine: list[int] = []
        for week in range(26):
            tried = dice.sample(range(200), 2)
            bought = {item for item in mine if dice.random() < 0.12} | set(tried)
            mine += [item for item in tried if item < 50]
            rows += [(f"s{shopper:03d}", f"i{item:03d}", 7.0 * week + dice.randrange(3)) for item in sorted(bought)]
    data = interactions(rows)
    data = replace(data, group=np.unique(data.shopper * 10**6 + data.at // DAY_MS, return_inverse=True)[1])
    made = split(data, NEXT_BASKET, ASKED)
    settings = replace(SETTINGS, tuning=replace(SETTINGS.tuning, least_questions=20, rounds=1, history_items=(20,)))
    chosen = tune(validation(made, NEXT_BASKET, ASKED), settings, NEXT_BASKET).recipe
    assert chosen.habit_power + chosen.habit_weight > 0
    later = Slice.of(made, settings)
    gains = later.figures(chosen) - later.figures(replace(chosen, habit_power=0.0, habit_weight=0.0))
    assert gains.mean() > 2 * certain(gains)


def test_a_recipe_of_before_habits_had_a_weight_is_read() -> None:
    recipe = Recipe(repeat=Part(weight=1.0), repeats=True, habit_power=0.3, habit_weight=0.2)
    wire = recipe.to_wire()
    assert from_wire(wire) == recipe
    del wire["habit_weight"]
    assert from_wire(wire) == replace(recipe, habit_weight=0.0)
    with pytest.raises(GiveUp, match="not a recipe"):
        from_wire({**wire, "habit_weight": "much"})


def test_a_figure_is_given_question_by_question() -> None:
    made = split(groceries(), NEXT_BASKET, ASKED)
    slices = [Slice.of(made, SETTINGS), Slice.of(validation(made, NEXT_BASKET, ASKED), SETTINGS)]
    figures = figures_of(slices, Recipe(repeat=Part(weight=1.0, rank_power=0.0), repeats=True))
    assert len(figures) == questions_of(slices)
    assert figures.mean() > 5 * figures_of(slices, Recipe()).mean()


def test_the_standard_error_shrinks_with_the_root_of_the_questions() -> None:
    gains = np.random.default_rng(1).normal(0, 1, 400)
    assert certain(np.tile(gains, 4)) == pytest.approx(certain(gains) / 2)
    assert certain(gains) == pytest.approx(0.05, rel=0.1)
    assert certain(np.ones(9)) == 0


def test_the_nearest_value() -> None:
    assert nearest((0.0, 0.2, 0.4), 0.25) == 1
    assert nearest((0.0, 400.0, 150.0), 140) == 2


def test_habit_is_what_buyers_buy_again_and_more_than_usual_lately() -> None:
    shoppers = [f"s{number}" for number in range(30)]
    rows = [(name, "staple", float(day)) for name in shoppers for day in range(0, 100, 10)]
    rows += [(name, "once", 50.0) for name in shoppers]
    rows += [(name, "past", float(day)) for name in shoppers for day in (1, 5)]
    rows += [(name, "season", float(day)) for name in shoppers for day in (95, 99)]
    data = interactions(rows)
    settings, now = replace(SETTINGS.popularity, keep_habits=10), datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=100)
    habit = dict(zip(data.item_ids, habit_of(data, settings, 100 * DAY_MS).tolist(), strict=True))
    assert habit["season"] > 2 * habit["past"]
    assert habit["staple"] > habit["once"]
    row = habit_row(data, settings, now)
    assert row.deeds
    assert {item_id: share * row.deeds for item_id, share in row.trend} == pytest.approx(habit)


def test_habits_of_shares_of_the_shoppers_add_up_to_the_same() -> None:
    data, now = groceries(20), 180 * DAY_MS
    parts = [habit_counts(data.where(data.shopper % 3 == share), SETTINGS.popularity, now) for share in range(3)]
    baskets, buyers, lately, usual = (np.sum(columns, axis=0) for columns in zip(*parts, strict=True))
    whole = habit_from(baskets, buyers, lately, usual, SETTINGS.popularity)
    np.testing.assert_array_equal(whole, habit_of(data, SETTINGS.popularity, now))


def test_nobody_buys_and_nothing_lately() -> None:
    data = groceries(3)
    empty = data.where(data.at < 0)
    assert (habit_of(empty, SETTINGS.popularity, 0) == 1).all()
    # So long ago that nothing is left of it: habit is what it was without a lately.
    assert np.isfinite(habit_of(data, SETTINGS.popularity, 10**6 * DAY_MS)).all()

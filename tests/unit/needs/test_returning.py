"""Who returns: one shopper's habit is that of all, nothing after the cut is seen, and the candidates are compared."""

from __future__ import annotations

from dataclasses import replace
from math import log1p

import numpy as np
import pytest
from tests.support.needs import random_purchases, settings

from regulars.errors import Invalid
from regulars.needs import returning
from regulars.needs.expecting import Mbg
from regulars.needs.habits import FEATURES, features, habit_of
from regulars.needs.logistic import area_under_curve, average_precision, fit, sigmoid
from regulars.needs.purchases import habits_at, purchases_of

RETURNING = settings().returning


def test_lines_of_a_day_are_one_purchase() -> None:
    made = purchases_of(np.array([1, 1, 0, 1]), np.array([5, 5, 9, 3]), np.array([1.0, 2.0, np.nan, 4.0]))
    assert (made.shopper.tolist(), made.day.tolist(), made.value.tolist()) == ([0, 1, 1], [9, 3, 5], [0, 4, 3])
    assert made.counts(3, 6).tolist() == [0, 2]
    assert len(purchases_of(np.array([], int), np.array([], int), None)) == 0


def test_one_shopper_and_all_of_them_have_the_same_features() -> None:
    purchases = random_purchases(shoppers=60, days=300, seed=2)
    who, habits = habits_at(purchases, 250)
    model = Mbg(0.6, 40.0, 0.5, 2.0)
    table = returning.matrix(habits, model, 90)
    assert table.shape == (len(who), len(FEATURES) + 1)
    for row, shopper in enumerate(who.tolist()):
        mine = (purchases.shopper == shopper) & (purchases.day < 250)
        habit = habit_of(purchases.day[mine].tolist(), purchases.value[mine].tolist(), 250)
        expected = model.expected(habit.purchases - 1, habit.active, habit.span, 90)
        assert table[row] == pytest.approx(features(habit, expected, log1p)), shopper


def test_the_future_changes_nothing() -> None:
    purchases = random_purchases(shoppers=200, days=400, seed=4)
    cut = 300
    later = purchases.day >= cut
    moved = replace(purchases, day=np.where(later, 399, purchases.day))
    found, again = (returning.learn(each, cut, RETURNING) for each in (purchases, moved))
    _, habit = habits_at(purchases, cut)
    assert found.chosen == again.chosen
    assert np.array_equal(found.score(habit), again.score(habit))


def test_rhythm_is_told_from_silence() -> None:
    """All buy about once a week, half stop some day: every candidate sees who did."""
    draw = np.random.default_rng(8)
    who, day = np.nonzero(draw.random((200, 400)) < 1 / 7)
    stops = np.where(np.arange(200) < 100, 400, draw.integers(20, 280, 200))
    kept = day < stops[who]
    purchases = purchases_of(who[kept], day[kept], None)
    found = returning.learn(purchases, 290, RETURNING)
    known, habit = habits_at(purchases, 290)
    happened = returning.returned(purchases, known, 290, 90)
    assert happened.sum() == 100
    for name in found.candidates:
        assert area_under_curve(found.score(habit, name), happened) > 0.97, name


def test_more_expected_is_never_less_likely() -> None:
    """Nobody was silent while there was something to learn: the toy's labels would turn the slope round."""
    who, day = np.repeat(np.arange(100), 40), np.tile(np.arange(40) * 7, 100)
    kept = (who < 50) | (day <= 20 + who)
    found = returning.learn(purchases_of(who[kept], day[kept], None), 190, RETURNING)
    assert found.candidates["expected"].weights[-1] > 0


def test_too_little_says_what_is_missing() -> None:
    with pytest.raises(Invalid, match="1 shoppers bought before the cut: at least 30"):
        returning.learn(purchases_of(np.array([0, 0]), np.array([1, 9]), None), 10, RETURNING)
    with pytest.raises(Invalid, match=r"20 days of purchases before the cut: .* needs 150"):
        returning.learn(random_purchases(shoppers=50, days=40, seed=1), 20, RETURNING)


def test_the_average_stands_where_nothing_can_be_validated() -> None:
    purchases = random_purchases(shoppers=100, days=260, seed=3)
    found = returning.learn(purchases, 170, RETURNING)
    assert (found.chosen, found.validation) == ("average", {})


def test_logistic_survives_perfect_separation_and_constants() -> None:
    table = np.column_stack([np.linspace(-1, 1, 40), np.full(40, 3.0)])
    found = fit(table, table[:, 0] > 0, ridge=1.0)
    assert found.weights[1] == 0
    assert sigmoid(found.score(table)).min() < 0.2 < 0.8 < sigmoid(found.score(table)).max()
    alike = fit(table, np.ones(40, dtype=bool), ridge=1.0)
    assert sigmoid(alike.score(table)) == pytest.approx(np.full(40, 40.5 / 41))


def test_the_fit_is_where_the_penalised_likelihood_is_flat() -> None:
    draw = np.random.default_rng(0)
    table = draw.normal(size=(500, 3)) * [1, 10, 0.1] + [5, 0, 2]
    happened = draw.random(500) < sigmoid(table @ np.array([0.5, -0.1, 3.0]) - 8)
    found = fit(table, happened, ridge=2.0)
    scaled = (table - table.mean(0)) / table.std(0)
    slope = scaled.T @ (happened - sigmoid(found.score(table))) - 2.0 * found.weights * table.std(0)
    assert np.abs(slope).max() < 1e-6


def test_measures_of_ranking() -> None:
    scores, happened = np.array([4.0, 3, 3, 1]), np.array([True, False, True, False])
    assert area_under_curve(scores, happened) == pytest.approx(3.5 / 4)
    assert average_precision(scores, happened) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)  # as scikit-learn: ties are one step
    assert np.isnan(area_under_curve(scores, np.zeros(4, bool)))
    assert np.isnan(average_precision(scores, np.zeros(4, bool)))

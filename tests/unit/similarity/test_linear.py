"""The closed forms, held to the formulas as published, and what is cut away of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.interactions import interactions
from tests.support.window import similarity_settings

from regulars.similarity import linear
from regulars.similarity.interactions import Interactions
from regulars.similarity.kernel import Rows
from regulars.similarity.relations import kind_weights

SETTINGS = similarity_settings()
PLAIN = replace(SETTINGS.relations.linear, penalty=2.0, half_life_days=0.0, window=3, gap_power=1.0, keep=50)
KINDS = kind_weights(SETTINGS.kinds)


def a_log(seed: int, shoppers: int = 40, items: int = 9) -> Interactions:
    dice = np.random.default_rng(seed)
    rows = []
    for shopper in range(shoppers):
        chosen = dice.choice(items, dice.integers(2, 6), replace=False)
        rows += [(f"s{shopper}", f"i{item}", float(day)) for day, item in enumerate(chosen.tolist())]
    return interactions(rows)


def matrix(data: Interactions) -> np.ndarray:
    made = np.zeros((len(data.shopper_ids), len(data.item_ids)))
    made[data.shopper, data.item] = 1.0
    return made


def dense(data: Interactions, weighting: linear.LinearWeighting) -> np.ndarray:
    top = linear.linear_neighbours(data, weighting, KINDS, SETTINGS.build, int(data.at.max()))
    assert top is not None
    made = np.zeros((len(data.item_ids),) * 2)
    for item in range(len(data.item_ids)):
        items, scores = top.of(item)
        made[item, items] = scores
    return made


@pytest.mark.parametrize("seed", [1, 2])
def test_ease_is_stecks_closed_form(seed: int) -> None:
    data = a_log(seed)
    x = matrix(data)
    inverse = np.linalg.inv(x.T @ x + 2.0 * np.eye(x.shape[1]))
    wanted = -inverse / np.diag(inverse)
    np.fill_diagonal(wanted, 0.0)
    np.testing.assert_allclose(dense(data, PLAIN), np.maximum(wanted, 0.0), atol=1e-9)


@pytest.mark.parametrize("seed", [1, 2])
def test_next_is_ridge_regression_of_what_came_next(seed: int) -> None:
    data = a_log(seed)
    before, after = [], []
    for shopper in range(len(data.shopper_ids)):
        had = data.item[data.shopper == shopper]
        for place in range(len(had)):
            window, target = np.zeros(len(data.item_ids)), np.zeros(len(data.item_ids))
            for step in range(1, min(place, 3) + 1):
                window[had[place - step]] += 1 / step
            target[had[place]] = 1.0
            before.append(window)
            after.append(target)
    s, t = np.array(before), np.array(after)
    wanted = np.linalg.solve(s.T @ s + 2.0 * np.eye(s.shape[1]), s.T @ t)
    np.fill_diagonal(wanted, 0.0)
    np.testing.assert_allclose(dense(data, replace(PLAIN, kind="next")), np.maximum(wanted, 0.0), atol=1e-9)


def test_only_the_best_stay_and_only_known_items_take_part() -> None:
    data = a_log(3)
    whole, few = dense(data, PLAIN), dense(data, replace(PLAIN, keep=2))
    for row, kept in zip(whole, few, strict=True):
        assert sorted(kept[kept > 0]) == sorted(np.sort(row[row > 0])[-2:])
    small = dense(data, replace(PLAIN, max_items=4, min_share=0.0))
    assert (small.any(axis=1) | small.any(axis=0)).sum() <= 4


def test_it_is_left_out_where_the_known_items_hold_too_little() -> None:
    data = a_log(4)
    weighting = replace(PLAIN, max_items=3, min_share=0.9)
    assert linear.linear_neighbours(data, weighting, KINDS, SETTINGS.build, 0) is None


@pytest.mark.parametrize("pairs", [7, 10**6])
def test_long_rows_and_short_rows_give_the_same_products(pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "_PAIRS", pairs)
    monkeypatch.setattr(linear, "_ROWS", 5)
    dice = np.random.default_rng(5)
    row = np.repeat(np.arange(12), 4)
    rows = [
        Rows.from_entries(row, np.concatenate([dice.choice(6, 4, replace=False) for _ in range(12)]), dice.random(48))
        for _ in range(2)
    ]
    dense_rows = [np.zeros((12, 6)), np.zeros((12, 6))]
    for made, part in zip(dense_rows, rows, strict=True):
        made[row, part.columns] = part.values
    wanted = dense_rows[0].T @ dense_rows[1]
    np.testing.assert_allclose(linear._paired(*rows, 6), wanted)
    np.testing.assert_allclose(linear._multiplied(*rows, 6), wanted)

"""The kernel against the same sums written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.similarity import kernel
from regulars.similarity.kernel import Rows, stack, top_neighbours


def dense(rows: Rows, n_items: int) -> np.ndarray:
    matrix = np.zeros((rows.count, n_items))
    np.add.at(matrix, (rows.row_of_entry(), rows.columns), rows.values)
    return matrix


def some_rows(seed: int, n_rows: int, n_items: int, entries: int) -> Rows:
    dice = np.random.default_rng(seed)
    row, column = dice.integers(0, n_rows, entries), dice.integers(0, n_items, entries)
    return Rows.from_entries(row, column, dice.random(entries) + 0.1)


@given(seed=st.integers(0, 10_000), n_items=st.integers(1, 40), entries=st.integers(0, 120), keep=st.integers(1, 6))
def test_the_best_k_are_those_of_the_full_product(seed: int, n_items: int, entries: int, keep: int) -> None:
    rows = some_rows(seed, 12, n_items, entries)
    scale = np.random.default_rng(seed).random(n_items) + 0.1
    found = top_neighbours(rows, rows, scale, scale, keep)
    wanted = dense(rows, n_items).T @ dense(rows, n_items) * scale * scale[:, None]
    np.fill_diagonal(wanted, 0.0)
    for item in range(n_items):
        items, scores = found.of(item)
        best = np.sort(wanted[item])[::-1][:keep]
        assert scores == pytest.approx(best[best > 1e-12])
        assert scores == pytest.approx(wanted[item][items])


def test_cutting_a_long_gather_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, scale = some_rows(1, 50, 30, 600), np.ones(30)
    whole = top_neighbours(rows, rows, scale, scale, 10)
    monkeypatch.setattr(kernel, "_GATHER", 64)
    cut = top_neighbours(rows, rows, scale, scale, 10)
    assert np.array_equal(whole.items, cut.items)
    assert whole.scores == pytest.approx(cut.scores)


def test_left_and_right_may_differ() -> None:
    left = Rows.from_entries(np.array([0, 1]), np.array([0, 0]), np.array([1.0, 2.0]))
    right = Rows.from_entries(np.array([0, 1]), np.array([1, 2]), np.array([1.0, 1.0]))
    found = top_neighbours(left, right, np.ones(3), np.ones(3), 5)
    assert found.of(0)[0].tolist() == [2, 1]
    assert found.of(1)[0].tolist() == []


def test_ties_go_to_the_lower_item() -> None:
    rows = Rows.from_entries(np.zeros(5, dtype=np.int64), np.arange(5), np.ones(5))
    found = top_neighbours(rows, rows, np.ones(5), np.ones(5), 2)
    assert found.of(4)[0].tolist() == [0, 1]


def test_stacking_puts_rows_below_each_other() -> None:
    one, other = some_rows(2, 4, 6, 12), some_rows(3, 5, 6, 12)
    both = stack([one, other])
    assert np.array_equal(dense(both, 6), np.vstack([dense(one, 6), dense(other, 6)]))


def test_nothing_in_nothing_out() -> None:
    empty = Rows.from_entries(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
    assert len(top_neighbours(empty, empty, np.zeros(0), np.zeros(0), 5).items) == 0
    assert len(top_neighbours(empty, empty, np.ones(3), np.ones(3), 5).items) == 0

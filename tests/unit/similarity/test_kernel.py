"""The kernel, compiled and in numpy, against the same sums written out."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.errors import GiveUp, Invalid
from regulars.similarity import compiled, kernel, library, uncompiled
from regulars.similarity.rows import Floats, Rows, TopK, stack
from regulars_local import kernel as compiling

Kernel = Callable[..., TopK]


def in_numpy(left: Rows, right: Rows, source: Floats, target: Floats, keep: int, *, threads: int = 0) -> TopK:
    return uncompiled.top_neighbours(left, right, source, target, keep)


@pytest.fixture(scope="module", autouse=True)
def loops() -> None:
    """The compiled kernel, compiled now if nobody did; without a compiler or network there is none to test."""
    try:
        compiling.ensure()
    except RuntimeError as error:
        pytest.skip(str(error))
    compiled.library.cache_clear()
    assert compiled.library() is not None


@pytest.fixture(params=[kernel.top_neighbours, in_numpy], ids=["compiled", "numpy"])
def top_neighbours(request: pytest.FixtureRequest) -> Kernel:
    found: Kernel = request.param
    return found


def dense(rows: Rows, n_items: int) -> np.ndarray:
    matrix = np.zeros((rows.count, n_items))
    np.add.at(matrix, (rows.row_of_entry(), rows.columns), rows.values)
    return matrix


def some_rows(seed: int, n_rows: int, n_items: int, entries: int, *, whole: bool = False) -> Rows:
    """Of random entries. `whole` numbers make many ties, and one column may come twice in a row."""
    dice = np.random.default_rng(seed)
    row = np.concatenate((np.arange(n_rows), dice.integers(0, n_rows, entries)))
    column = (n_items * dice.random(len(row)) ** 2).astype(np.int32)
    if not whole:
        row, column = np.divmod(np.unique(row * n_items + column), n_items)
    value = dice.integers(1, 3, len(row)) if whole else dice.random(len(row)) + 0.1
    return Rows.from_entries(row, column.astype(np.int32), value.astype(np.float32))


def powers(dice: np.random.Generator, n_items: int) -> Floats:
    """Scales that keep whole sums exact."""
    return np.exp2(dice.integers(-6, 3, n_items)).astype(np.float64)


def scores_written_out(left: Rows, right: Rows, source: Floats, target: Floats) -> np.ndarray:
    scores = dense(left, len(target)).T @ dense(right, len(target)) * target * source[:, None]
    np.fill_diagonal(scores, 0.0)
    return np.asarray(scores.astype(np.float32).astype(np.float64))


def assert_best(found: TopK, scores: np.ndarray, keep: int, *, exact: bool) -> None:
    """The lists are the best of each row of `scores`; with `exact` sums also item by item, the lower column first."""
    for item, row in enumerate(scores):
        items, values = found.of(item)
        best = np.lexsort((np.arange(len(row)), -row))[:keep]
        best = best[row[best] > 0]
        assert values == pytest.approx(row[best], rel=1e-5)
        assert values == pytest.approx(row[items], rel=1e-5)
        assert len(set(items.tolist())) == len(items)
        if exact:
            assert items.tolist() == best.tolist()


shapes = st.tuples(st.integers(0, 10_000), st.integers(1, 60), st.integers(1, 30), st.integers(0, 300), st.booleans())


@given(shape=shapes, keep=st.integers(1, 8), threads=st.integers(1, 3), few=st.sampled_from([0, 10**9]))
@settings(deadline=None)
def test_the_best_k_of_a_symmetric_product(shape: tuple[int, int, int, int, bool], keep: int, threads: int, few: int) -> None:
    seed, n_items, n_rows, entries, whole = shape
    rows = some_rows(seed, n_rows, n_items, entries, whole=whole)
    dice = np.random.default_rng(seed)
    source, target = (powers(dice, n_items) if whole else dice.random(n_items) for _ in range(2))
    source[dice.random(n_items) < 0.1] = 0.0
    target[dice.random(n_items) < 0.1] = 0.0
    scores = scores_written_out(rows, rows, source, target)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(compiled, "_FEW", few)
        found = kernel.top_neighbours(rows, rows, source, target, keep, threads=threads)
    assert_best(found, scores, keep, exact=whole)
    assert_best(in_numpy(rows, rows, source, target, keep), scores, keep, exact=whole)
    twice = kernel.top_neighbours(rows, Rows(rows.starts, rows.columns, rows.values), source, target, keep)
    assert np.array_equal(found.items, twice.items)
    assert np.array_equal(found.scores, twice.scores)


@given(shape=shapes, keep=st.integers(1, 8), threads=st.integers(1, 3), few=st.sampled_from([0, 10**9]))
@settings(deadline=None)
def test_the_best_k_of_two_matrices(shape: tuple[int, int, int, int, bool], keep: int, threads: int, few: int) -> None:
    seed, n_items, n_rows, entries, whole = shape
    left = some_rows(seed, n_rows, n_items, entries, whole=whole)
    right = some_rows(seed + 1, n_rows, n_items, entries // 2, whole=whole)
    source, target = np.ones(n_items), powers(np.random.default_rng(seed), n_items)
    scores = scores_written_out(left, right, source, target)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(compiled, "_FEW", few)
        found = kernel.top_neighbours(left, right, source, target, keep, threads=threads)
    assert_best(found, scores, keep, exact=whole)
    assert_best(in_numpy(left, right, source, target, keep), scores, keep, exact=whole)


@pytest.mark.parametrize(("sparse", "threads"), [(0.0, 1), (0.0, 3), (1e9, 1), (1e9, 3)])
def test_a_larger_product_however_it_is_scanned_and_shared_out(
    monkeypatch: pytest.MonkeyPatch, sparse: float, threads: int
) -> None:
    """Lists that overflow many times, blocks without an entry, and several threads that write the same list."""
    rows = some_rows(7, 2_000, 700, 60_000, whole=True)
    dice = np.random.default_rng(7)
    source, target = powers(dice, 700), powers(dice, 700)
    monkeypatch.setattr(compiled, "_SPARSE", sparse)
    monkeypatch.setattr(compiled, "_FEW", 0)
    scores = scores_written_out(rows, rows, source, target)
    assert_best(kernel.top_neighbours(rows, rows, source, target, 5, threads=threads), scores, 5, exact=True)
    other = Rows(rows.starts, rows.columns[::-1].copy(), rows.values)
    scores = scores_written_out(rows, other, source, target)
    assert_best(kernel.top_neighbours(rows, other, source, target, 5, threads=threads), scores, 5, exact=True)


@pytest.mark.parametrize("sparse", [0.0, 1e9])
def test_few_entries_among_many_items(monkeypatch: pytest.MonkeyPatch, sparse: float) -> None:
    """Most blocks hold nothing, and are passed over eight at a time where items are scanned by marks."""
    rows = some_rows(8, 200, 2_000, 1_500, whole=True)
    monkeypatch.setattr(compiled, "_SPARSE", sparse)
    scores = scores_written_out(rows, rows, np.ones(2_000), np.ones(2_000))
    assert_best(kernel.top_neighbours(rows, rows, np.ones(2_000), np.ones(2_000), 30), scores, 30, exact=True)


def test_rows_that_share_no_item_do_not_change_a_sum() -> None:
    """What a block of a cut-up build gets: the rows that name its items, in the same order."""
    rows = some_rows(3, 400, 60, 6_000)
    named = np.flatnonzero([7 in rows.columns[rows.starts[row] : rows.starts[row + 1]] for row in range(rows.count)])
    picked = stack(
        [
            Rows(np.array([0, end - start]), rows.columns[start:end], rows.values[start:end])
            for start, end in zip(rows.starts[named], rows.starts[named + 1], strict=True)
        ]
    )
    whole = kernel.top_neighbours(rows, rows, np.ones(60), np.ones(60), 9).of(7)
    part = kernel.top_neighbours(picked, picked, np.ones(60), np.ones(60), 9).of(7)
    assert np.array_equal(whole[0], part[0])
    assert np.array_equal(whole[1], part[1])


def test_cutting_a_long_gather_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, scale = some_rows(1, 50, 30, 600), np.ones(30)
    whole = in_numpy(rows, rows, scale, scale, 10)
    monkeypatch.setattr(uncompiled, "_GATHER", 64)
    cut = in_numpy(rows, rows, scale, scale, 10)
    assert np.array_equal(whole.items, cut.items)
    assert whole.scores == pytest.approx(cut.scores)


def test_left_and_right_may_differ(top_neighbours: Kernel) -> None:
    left = Rows.from_entries(np.array([0, 1]), np.array([0, 0]), np.array([1.0, 2.0]))
    right = Rows.from_entries(np.array([0, 1]), np.array([1, 2]), np.array([1.0, 1.0]))
    found = top_neighbours(left, right, np.ones(3), np.ones(3), 5)
    assert found.of(0)[0].tolist() == [2, 1]
    assert found.of(1)[0].tolist() == []


def test_ties_go_to_the_lower_item(top_neighbours: Kernel) -> None:
    rows = Rows.from_entries(np.zeros(5, dtype=np.int64), np.arange(5), np.ones(5))
    found = top_neighbours(rows, rows, np.ones(5), np.ones(5), 2)
    assert found.of(4)[0].tolist() == [0, 1]


def test_wide_and_narrow_numbers_give_the_same(top_neighbours: Kernel) -> None:
    narrow = some_rows(5, 30, 20, 200, whole=True)
    wide = Rows(narrow.starts, narrow.columns.astype(np.int64), narrow.values.astype(np.float64))
    one, other = (top_neighbours(rows, rows, np.ones(20), np.ones(20), 4) for rows in (narrow, wide))
    assert np.array_equal(one.items, other.items)
    assert np.array_equal(one.scores, other.scores)


def test_nothing_in_nothing_out(top_neighbours: Kernel) -> None:
    empty = Rows.from_entries(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
    assert len(top_neighbours(empty, empty, np.zeros(0), np.zeros(0), 5).items) == 0
    assert len(top_neighbours(empty, empty, np.ones(3), np.ones(3), 5).items) == 0
    alone = Rows(np.array([0, 1, 1, 2]), np.array([0, 0]), np.ones(2))
    assert len(top_neighbours(alone, alone, np.ones(1), np.ones(1), 5).items) == 0


def test_scales_that_are_not_positive_numbers_shut_out() -> None:
    rows = Rows.from_entries(np.zeros(4, dtype=np.int64), np.arange(4), np.ones(4))
    found = kernel.top_neighbours(rows, rows, np.array([1.0, np.nan, -1.0, 1.0]), np.array([1.0, 1.0, np.nan, -1.0]), 4)
    assert [found.of(item)[0].tolist() for item in range(4)] == [[1], [], [], [0, 1]]


ONE = Rows(np.array([0, 1]), np.array([0]), np.ones(1))


@pytest.mark.parametrize(
    ("left", "right", "scales", "keep"),
    [
        (ONE, ONE, 1, 0),
        (ONE, ONE, 0, 1),
        (Rows(np.array([0, 1]), np.array([-1]), np.ones(1)), ONE, 1, 1),
        (ONE, Rows(np.array([0, 1]), np.array([1]), np.ones(1)), 1, 1),
        (ONE, Rows(np.array([0, 1, 1]), np.array([0]), np.ones(1)), 1, 1),
        (ONE, Rows(np.array([0, 2]), np.array([0]), np.ones(1)), 1, 1),
        (Rows(np.array([0, 1, 0, 1]), np.array([0]), np.ones(1)),) * 2 + (1, 1),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(left: Rows, right: Rows, scales: int, keep: int) -> None:
    with pytest.raises(Invalid):
        kernel.top_neighbours(left, right, np.ones(scales), np.ones(scales), keep)


def test_scales_of_two_lengths_are_refused() -> None:
    with pytest.raises(Invalid):
        kernel.top_neighbours(ONE, ONE, np.ones(1), np.ones(2), 1)


def test_more_entries_than_a_kernel_takes_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_MOST_ENTRIES", 0)
    with pytest.raises(GiveUp) as refused:
        kernel.top_neighbours(ONE, ONE, np.ones(1), np.ones(1), 1)
    assert refused.value.code == "does_not_fit"


def test_without_a_library_numpy_stands_in_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rows = some_rows(4, 20, 10, 80, whole=True)
    wanted = kernel.top_neighbours(rows, rows, np.ones(10), np.ones(10), 3)
    monkeypatch.setattr(library, "FOLDER", "none")
    compiled.library.cache_clear()
    with caplog.at_level(logging.WARNING):
        found = kernel.top_neighbours(rows, rows, np.ones(10), np.ones(10), 3)
    compiled.library.cache_clear()
    assert np.array_equal(found.items, wanted.items)
    assert "no compiled kernel" in caplog.text


def test_stacking_puts_rows_below_each_other() -> None:
    one, other = some_rows(2, 4, 6, 12), some_rows(3, 5, 6, 12)
    both = stack([one, other])
    assert np.array_equal(dense(both, 6), np.vstack([dense(one, 6), dense(other, 6)]))


def test_shortening_keeps_the_first_of_each_row() -> None:
    rows = Rows(np.array([0, 3, 3, 4]), np.array([5, 1, 2, 7]), np.array([1.0, 2.0, 3.0, 4.0]))
    short = rows.shortened(2)
    assert (short.starts.tolist(), short.columns.tolist(), short.values.tolist()) == ([0, 2, 2, 3], [5, 1, 7], [1, 2, 4])
    assert rows.shortened(3).columns.tolist() == [5, 1, 2, 7]


@given(lengths=st.lists(st.integers(0, 6), max_size=12), most=st.integers(1, 7))
def test_shortening_any_rows(lengths: list[int], most: int) -> None:
    starts = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
    short = Rows(starts, np.arange(starts[-1]), np.ones(starts[-1])).shortened(most)
    assert short.columns.tolist() == [
        column for start, length in zip(starts, lengths, strict=False) for column in range(start, start + min(length, most))
    ]
    assert short.lengths().tolist() == [min(length, most) for length in lengths]

"""Vectors in eight bits never hide one of the best."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.similarity import library, rounded
from regulars.similarity.rounded import Vectors

pytestmark = pytest.mark.skipif(rounded.loop() is None, reason="no compiled kernel")

NOBODY = np.empty(0, dtype=np.int64)
SHAPES = ("plain", "alike", "one large number", "twins", "stored in sixteen bits", "tiny", "many nothing")


def vectors(dice: np.random.Generator, count: int, dim: int, shape: str) -> Vectors:
    made = dice.standard_normal((count, dim)) * dim**-0.5
    if shape == "alike":  # nothing but rounding tells them apart
        made = made[:1] + dice.standard_normal((count, dim)) * 1e-6
    if shape == "one large number":  # a coarse step for all the others
        made[np.arange(count), dice.integers(0, dim, count)] = 50 * dice.standard_normal(count)
    if shape == "twins":
        made = np.round(made * dim**0.5)
    if shape == "tiny":
        made *= dice.choice([1e-25, 1e-32, 1e-40], (count, 1))
    if shape == "many nothing":
        made[dice.random(count) < 0.7] = 0
    with np.errstate(over="ignore", under="ignore"):
        return made.astype(np.float16 if shape == "stored in sixteen bits" else np.float32).astype(np.float32)


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    dim=st.one_of(st.integers(1, 80), st.sampled_from([64, 520, 1030])),
    keep=st.integers(1, 40),
    more=st.integers(0, 600),
    shape=st.sampled_from(SHAPES),
    shut=st.sampled_from([0.0, 0.1, 0.99, 1.0]),
    size=st.sampled_from([0.0, 1e-42, 1e-3, 1.0, 1e4]),
)
def test_the_best_are_always_among_the_candidates(
    seed: int, dim: int, keep: int, more: int, shape: str, shut: float, size: float
) -> None:
    dice = np.random.default_rng(seed)
    count = keep + more
    items = vectors(dice, count, dim, shape)
    state = (dice.standard_normal(dim) * size).astype(np.float32)
    closed = np.flatnonzero(dice.random(count) < shut)
    small = rounded.rounded(items)
    assert small is not None
    found = small.candidates(state, keep, closed).tolist()
    assert found == sorted(set(found) - set(closed.tolist()))
    scores = items @ state
    scores[closed] = -np.inf
    kept = np.sort(scores)[-keep:]
    above = {*np.flatnonzero((scores > kept[0]) & np.isfinite(scores)).tolist()}
    assert above <= set(found)
    # Of those that are just as high as the lowest, as many as are needed.
    assert sorted(scores[found].tolist(), reverse=True)[:keep] == kept[np.isfinite(kept)][::-1].tolist()


def found_of(better: list[float], other: list[float], state: list[float]) -> list[int]:
    """Which of two items can be the best; the first surely is."""
    items, asked = np.array([better, other], dtype=np.float32), np.array(state, dtype=np.float32)
    exact = items.astype(np.float64) @ asked.astype(np.float64)
    assert exact[0] > exact[1]
    small = rounded.rounded(items)
    assert small is not None
    return small.candidates(asked, 1, NOBODY).tolist()


@pytest.mark.parametrize("up", [0, 8, 15, 19])
def test_what_rounded_items_hide_is_known(up: int) -> None:
    """Each number of the better one is nearly half a step above what it is rounded to, each of the other below: rounded, that
    leads by `up` steps, of the twice ten that can be hidden."""
    assert found_of([127, *[10.49] * 20], [127, *[9.51] * (20 - up), *[10.51] * up], [0, *[1] * 20]) == [0, 1]


def test_what_a_rounded_state_hides_is_known() -> None:
    """All but its first number are rounded to 0; there the other leads by two steps, less what rounded items hide."""
    assert found_of([10.49, *[127] * 300], [11.51, *[-127] * 300], [32767, *[0.49] * 300]) == [0, 1]


def test_products_of_wide_vectors_keep_within_32_bits() -> None:
    assert found_of([1] * 520, [1] * 260 + [0] * 260, [1] * 520) == [0]


def test_steps_are_not_too_small_for_single_precision() -> None:
    least = 2.0**-149
    assert found_of([190 * least, 0], [150 * least, 2000 * least], [1e30, 0]) == [0, 1]


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_of_a_state_that_is_no_number_nothing_is_told(number: float) -> None:
    small = rounded.rounded(vectors(np.random.default_rng(2), 50, 8, "plain"))
    assert small is not None
    with np.errstate(all="ignore"):
        found = small.candidates(np.array([1, number, *[0] * 6], dtype=np.float32), 3, np.array([7]))
    assert found.tolist() == [n for n in range(50) if n != 7]


def test_few_are_left_of_a_large_catalogue() -> None:
    dice = np.random.default_rng(1)
    small = rounded.rounded(vectors(dice, 20_000, 64, "plain"))
    assert small is not None
    left = [len(small.candidates(dice.standard_normal(64).astype(np.float32), 100, NOBODY)) for _ in range(20)]
    assert min(left) >= 100
    assert max(left) < 200


def test_what_is_shut_keeps_nobody_out() -> None:
    """Items that may not be shown tell no floor."""
    items = np.linspace(1, 2, 100, dtype=np.float32)[:, np.newaxis]
    small = rounded.rounded(items)
    assert small is not None
    best = np.arange(95, 100)
    assert {92, 93, 94} <= set(small.candidates(np.ones(1, dtype=np.float32), 3, best).tolist()) <= set(range(90, 95))


def test_without_the_library_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "sequence.c" in library.SOURCES
    monkeypatch.setattr(rounded, "loop", lambda: None)
    assert rounded.rounded(np.ones((2, 2), dtype=np.float32)) is None

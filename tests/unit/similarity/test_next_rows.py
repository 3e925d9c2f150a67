"""What comes next, worked out part by part so that large logs fit: the same rows however it is cut, and bounded steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.interactions import interactions
from tests.support.window import similarity_settings

from regulars.similarity import relations
from regulars.similarity.fitting import sampled, stepped
from regulars.similarity.model import NEXT

SETTINGS = similarity_settings()
LOG = interactions([(f"u{n % 7}", f"i{(n * n) % 11}", float(n // 3)) for n in range(90)])
NOW_MS = 40 * 86_400_000


@pytest.mark.parametrize("backward", [0.0, 0.5])
@pytest.mark.parametrize("part", [1, 7, 1000])
def test_parts_make_the_same_rows(part: int, backward: float, monkeypatch: pytest.MonkeyPatch) -> None:
    weighting = replace(SETTINGS.relations.next, backward=backward, window=4)
    whole = relations.next_rows(LOG, weighting, SETTINGS.build, NOW_MS)
    monkeypatch.setattr(relations, "_MOMENTS", part)
    for one, other in zip(whole, relations.next_rows(LOG, weighting, SETTINGS.build, NOW_MS), strict=True):
        assert len(one.columns)
        assert np.array_equal(one.starts, other.starts)
        assert np.array_equal(one.columns, other.columns)
        assert np.array_equal(one.values, other.values)


def test_a_log_without_anything_has_no_rows() -> None:
    left, right = relations.next_rows(LOG.where(LOG.kind < 0), SETTINGS.relations.next, SETTINGS.build, NOW_MS)
    assert (left.count, right.count) == (0, 0)


@pytest.mark.parametrize("backward", [0.0, 0.5])
def test_steps_are_counted_as_they_are_made(backward: float) -> None:
    weighting = replace(SETTINGS.relations.next, backward=backward, window=4)
    left, _ = relations.next_rows(LOG, weighting, SETTINGS.build, NOW_MS)
    assert relations.next_steps(LOG, weighting) == len(left.columns)
    few = replace(SETTINGS, relations=replace(SETTINGS.relations, next=weighting))
    enough = replace(few, build=replace(few.build, max_steps=len(left.columns)))
    assert stepped(LOG, enough, NEXT) is LOG
    half = replace(few, build=replace(few.build, max_steps=len(left.columns) // 2))
    assert 0 < len(stepped(LOG, half, NEXT)) < len(LOG)


def test_a_sample_of_a_sample_is_smaller_still() -> None:
    shopper = np.repeat(np.arange(1000), 3)
    whole = replace(
        LOG,
        shopper=shopper,
        item=np.zeros(3000, dtype=np.int64),
        kind=np.zeros(3000, dtype=np.int64),
        at=np.arange(3000),
        group=shopper,
        shopper_ids=tuple(map(str, range(1000))),
    )
    half = sampled(whole, 1500)
    fifth = sampled(half, 600)
    assert (len(half), len(fifth)) == (1500, 600)
    assert set(fifth.shopper) < set(half.shopper)
    assert sampled(fifth, 600) is fifth

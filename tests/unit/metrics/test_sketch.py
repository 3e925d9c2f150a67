"""HyperLogLog: near enough, mergeable, blind to repeats."""

from __future__ import annotations

from typing import Any

import pytest

from regulars.metrics.sketch import REGISTERS, Sketch


@pytest.mark.parametrize(("size", "within"), [(0, 0), (1, 0), (10, 0), (100, 3), (1_000, 40), (20_000, 1_400), (90_000, 6_000)])
def test_the_estimate_is_within_three_standard_errors(size: Any, within: Any) -> None:
    sketch = Sketch()
    sketch.add(f"user:{number}" for number in range(size))
    assert abs(sketch.size() - size) <= within


def test_repeats_and_order_change_nothing() -> None:
    one, other = Sketch(), Sketch()
    assert one.add(["a", "b", "c"]) is True
    assert one.add(["c", "a"]) is False
    other.add(["c", "b", "a", "a"])
    assert one.to_bytes() == other.to_bytes()


def test_a_union_counts_members_of_both_once() -> None:
    monday, tuesday = Sketch(), Sketch()
    monday.add(f"user:{number}" for number in range(1_000))
    tuesday.add(f"user:{number}" for number in range(500, 1_500))
    kept = Sketch(monday.to_bytes())
    kept.merge(tuesday)
    assert abs(kept.size() - 1_500) < 60
    assert len(kept.to_bytes()) == REGISTERS


def test_damaged_registers_are_refused() -> None:
    with pytest.raises(ValueError, match="registers"):
        Sketch(b"short")

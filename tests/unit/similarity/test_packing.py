"""Packed lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.errors import GiveUp
from regulars.similarity.packing import pack, unpack

IDS = st.text(st.characters(exclude_characters="\x1f", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(st.dictionaries(IDS, st.floats(1e-6, 1e6), max_size=50))
def test_ids_and_scores_come_back(scored: dict[str, float]) -> None:
    back = unpack(pack(scored.items()))
    highest = max(scored.values(), default=0.0)
    assert [item_id for item_id, _ in back] == list(scored)
    for item_id, score in back:
        assert score == pytest.approx(scored[item_id], abs=highest / 65535, rel=1e-6)


def test_a_hundred_neighbours_take_little() -> None:
    assert len(pack((f"item-{number:05d}", 1 / (number + 1)) for number in range(100))) < 1400


@pytest.mark.parametrize("blob", [b"", b"\x02" + b"\0" * 6, b"\x01\0\0\0\0\xff\xff", pack([("a", 1.0)])[:-1] + b"\xff"])
def test_other_bytes_are_refused(blob: bytes) -> None:
    with pytest.raises(GiveUp) as caught:
        unpack(blob)
    assert caught.value.code == "broken_model"

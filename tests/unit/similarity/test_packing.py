"""Packed lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.metering import item_size

from regulars.adapters.dynamodb.client import item_to_wire
from regulars.adapters.dynamodb.models import encode_row
from regulars.errors import GiveUp
from regulars.similarity.model import RELATIONS as ALL
from regulars.similarity.model import Neighbours
from regulars.similarity.packing import fit, pack, room_for, unpack

IDS = st.text(st.characters(exclude_characters="\x1f", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(st.dictionaries(IDS, st.floats(1e-6, 1e6), max_size=50))
def test_ids_and_scores_come_back(scored: dict[str, float]) -> None:
    back = unpack(pack(scored.items()))
    highest = max(scored.values(), default=0.0)
    assert [item_id for item_id, _ in back] == list(scored)
    for item_id, score in back:
        assert score == pytest.approx(scored[item_id], abs=highest / 65535, rel=1e-6)


RELATIONS = st.dictionaries(
    st.sampled_from(["similar", "together", "next"]), st.lists(st.tuples(IDS, st.floats(0.1, 1.0)), max_size=40).map(tuple)
)


@given(RELATIONS, st.integers(0, 1500))
def test_lists_are_cut_alike_until_they_fit(relations: dict[str, tuple[tuple[str, float], ...]], room: int) -> None:
    cut = fit(relations, room)
    assert sum(len(pack(scored)) for scored in cut.values() if scored) <= room
    longest = max((len(scored) for scored in relations.values()), default=0)
    kept = max((len(scored) for scored in cut.values()), default=0)
    for name, scored in relations.items():
        assert cut[name] == scored[: len(scored) * kept // longest if longest else 0]
    if kept < longest:  # one more of the longest, and as much more of the others, would not fit
        more = {name: scored[: len(scored) * (kept + 1) // longest] for name, scored in relations.items()}
        assert sum(len(pack(scored)) for scored in more.values() if scored) > room


@pytest.mark.parametrize("name", ["a", "茶" * 60, "0f8fad5b-d9cb-469f-a165-70867728950e"])
def test_a_row_is_read_for_half_a_unit(name: str) -> None:
    lists = {relation: tuple((f"{name}{n}", 1.0 - n / 200) for n in range(100)) for relation in ALL}
    stored = encode_row("1795315500000", Neighbours(name, lists, 123.4))
    assert item_size(item_to_wire(stored)) <= 4096
    assert all(relation in stored for relation in ALL)
    short = {relation: scored[:3] for relation, scored in lists.items()}
    assert fit(short, room_for(name)) == short or len(name) > 50


def test_a_hundred_neighbours_take_little() -> None:
    assert len(pack((f"item-{number:05d}", 1 / (number + 1)) for number in range(100))) < 1400


@pytest.mark.parametrize("blob", [b"", b"\x02" + b"\0" * 6, b"\x01\0\0\0\0\xff\xff", pack([("a", 1.0)])[:-1] + b"\xff"])
def test_other_bytes_are_refused(blob: bytes) -> None:
    with pytest.raises(GiveUp) as caught:
        unpack(blob)
    assert caught.value.code == "broken_model"

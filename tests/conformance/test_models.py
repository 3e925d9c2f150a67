"""Every model store keeps the same promises."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.window import DAY, NOW

from regulars.adapters.dynamodb.models import DynamoModels
from regulars.adapters.memory.models import MemoryModels
from regulars.errors import Conflict, NotFound
from regulars.similarity.model import Neighbours, Pointer, Popularity

Store = DynamoModels | MemoryModels
ROWS = [
    Neighbours("a b#é🙂", {"similar": (("b", 1.0), ("c", 0.5)), "next": (("c", 0.25),)}, 29.5),
    Neighbours("b", {"together": (("a b#é🙂", 1.0),)}),
    Neighbours("c", {}, 7.0),
]
POINTER = Pointer(version="1", built_at=NOW, params={"similar": {"keep": 100}}, counts={"rows": 3})


@pytest.fixture(params=["memory", "dynamodb"])
def models(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryModels()
    return DynamoModels(request.getfixturevalue("create_table")("models", True))


def test_rows_come_back_as_they_were(models: Store) -> None:
    assert models.write("1", ROWS) == 3
    back = {row.item_id: row for row in models.neighbours("1", ["a b#é🙂", "b", "c", "d", "b"])}
    assert set(back) == {"a b#é🙂", "b", "c"}
    for row in ROWS:
        assert back[row.item_id].gap_days == row.gap_days
        assert set(back[row.item_id].relations) == set(row.relations)
        for relation, scored in row.relations.items():
            assert dict(back[row.item_id].relations[relation]) == pytest.approx(dict(scored), rel=1e-4)
    assert list(models.neighbours("2", ["b"])) == []
    assert list(models.neighbours("1", [])) == []


def test_the_pointer_flips_on_what_was_seen(models: Store) -> None:
    assert models.pointer() is None
    models.flip(POINTER, None)
    assert models.pointer() == POINTER
    later = replace(POINTER, version="2", built_at=NOW + DAY, previous="1")
    models.flip(later, POINTER)
    assert models.pointer() == later
    for seen in (None, POINTER):
        with pytest.raises(Conflict) as caught:
            models.flip(replace(later, version="3"), seen)
        assert caught.value.code == "pointer_moved"
    assert models.pointer() == later


def test_flipping_the_first_version_again_is_no_conflict(models: Store) -> None:
    models.flip(POINTER, None)
    models.flip(POINTER, None)
    assert models.pointer() == POINTER


def test_going_back_and_forth(models: Store) -> None:
    with pytest.raises(NotFound):
        models.roll_back()
    models.write("1", ROWS)
    models.flip(POINTER, None)
    with pytest.raises(NotFound):
        models.roll_back()
    later = replace(POINTER, version="2", built_at=NOW + DAY, previous="1", counts={"rows": 9})
    models.write("2", ROWS)
    models.flip(later, POINTER)
    assert models.roll_back() == replace(POINTER, previous="2")
    assert models.pointer() == replace(POINTER, previous="2")
    assert models.roll_back().version == "2"


def test_a_version_that_is_gone_is_not_gone_back_to(models: Store) -> None:
    models.write("1", ROWS)
    models.flip(POINTER, None)
    models.write("2", ROWS)
    models.flip(replace(POINTER, version="2", previous="1"), POINTER)
    models.sweep(["2"], 1000)
    with pytest.raises(NotFound):
        models.roll_back()


def test_sweeping_keeps_what_it_is_told_to(models: Store) -> None:
    for version in ("1", "2", "3"):
        models.write(version, ROWS)
    assert models.sweep(["2", "3"], 1000) == 3
    assert list(models.neighbours("1", ["b"])) == []
    assert len(list(models.neighbours("2", ["b", "c"]))) == 2
    assert models.sweep(["2", "3"], 1000) == 0


def test_parts_written_side_by_side_make_one_version(models: Store) -> None:
    assert [models.write("1", [row], part=number) for number, row in enumerate(ROWS)] == [1, 1, 1]
    models.write("1", [ROWS[1]], part=1)  # a part that is tried again
    assert {row.item_id for row in models.neighbours("1", [row.item_id for row in ROWS])} == {row.item_id for row in ROWS}
    assert models.sweep([], 1000) == 3
    assert list(models.neighbours("1", [row.item_id for row in ROWS])) == []


def test_sweeping_is_bounded_and_goes_on_next_time(models: Store) -> None:
    for version in ("1", "2"):
        models.write(version, ROWS)
    assert models.sweep([], 3) == 3
    assert models.sweep([], 3) == 3
    assert models.sweep([], 3) == 0


def test_popularity_is_replaced_by_scope(models: Store) -> None:
    one = Popularity("all", (("a", 1.0), ("b", 0.5)), (("b", 1.0),), NOW)
    models.put_popularity([one, Popularity("region:GB", (("c", 1.0),), (), NOW)])
    models.put_popularity([replace(one, week=(("c", 1.0),))])
    back = {row.scope: row for row in models.popularity(["all", "region:GB", "unknown"])}
    assert set(back) == {"all", "region:GB"}
    assert dict(back["all"].trend) == pytest.approx({"a": 1.0, "b": 0.5}, rel=1e-4)
    assert (back["all"].week, back["all"].built_at) == ((("c", 1.0),), NOW)
    assert list(models.popularity([])) == []


def test_rules_are_one_document(models: Store) -> None:
    assert models.rules() is None
    models.put_rules({"rules": [{"id": "é"}]})
    models.put_rules({"rules": []})
    assert models.rules() == {"rules": []}

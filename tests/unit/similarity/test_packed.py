"""Lists with numbers for ids, and questions over them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.similarity import packed
from regulars.similarity.model import RELATIONS
from regulars.similarity.packed import (
    TOTALS,
    Ids,
    KnownIds,
    Lists,
    Numbered,
    NumberedRow,
    RowScores,
    Spoken,
    Sums,
    numbered_rows,
)
from regulars.similarity.packing import columns, pack

pytestmark = pytest.mark.skipif(packed.loops() is None, reason="no compiled kernel")

ID = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1f"), max_size=40)
SCORED = st.lists(st.tuples(ID, st.floats(1e-6, 1e6)), max_size=30).map(tuple)


def numbered(lists: list[Any]) -> list[Numbered | None]:
    """Each as the list `similar` of a row of its own."""
    rows = numbered_rows({str(place): {"similar": one} for place, one in enumerate(lists)})
    return [row["similar"] for row in rows.values() if isinstance(row, NumberedRow)]


@settings(max_examples=150, deadline=None)
@given(st.lists(SCORED, max_size=6))
def test_a_numbered_list_says_what_the_packed_one_says(lists: list[tuple[tuple[str, float], ...]]) -> None:
    stored = [pack(scored) for scored in lists]
    for made, was in zip(numbered(stored), stored, strict=True):
        assert made is not None
        assert tuple(made.columns()) == tuple(columns(was))
        assert made.entries == len(columns(was).ids)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(RELATIONS), st.one_of(SCORED, st.just(b"damaged"), st.none())), max_size=4))
def test_a_numbered_row_says_of_every_relation_what_the_stored_one_says(rows: list[dict[str, Any]]) -> None:
    stored = [{name: pack(told) if isinstance(told, tuple) else told for name, told in row.items()} for row in rows]
    made = numbered_rows({str(place): {"pk": "x", "gap_days": float(place), **row} for place, row in enumerate(stored)})
    for place, (row, was) in enumerate(zip(made.values(), stored, strict=True)):
        assert isinstance(row, NumberedRow)
        assert row.gap_days == place
        assert set(row) == set(was)
        assert len(row) == len(was)
        for name in (*RELATIONS, "pk", "gap_days"):
            assert (name in row) == (name in was)
            one, packed_list = row.get(name), was.get(name)
            sound = isinstance(packed_list, bytes) and packed_list != b"damaged"
            assert (one is not None) == sound
            if one is not None and packed_list is not None:
                assert tuple(one.columns()) == tuple(columns(packed_list))


def test_ids_keep_their_numbers_when_many_more_are_met() -> None:
    first, *_ = numbered([pack((("early", 1.0), ("茶", 0.5)))])
    numbered([pack((f"crowd-{n}-{m}-{'x' * (m % 90)}", 1.0) for m in range(300)) for n in range(40)])
    again, *_ = numbered([pack((("early", 1.0), ("茶", 0.5)))])
    assert again == first
    assert first is not None
    assert first.columns().ids == ["early", "茶"]


def test_damaged_lists_are_told_from_sound_ones_beside_them() -> None:
    sound = pack((("a", 1.0),))
    made = numbered([b"", sound, b"\x02" + sound[1:], sound[:-1] + b"\xff", sound, "text", None])
    assert [one is not None for one in made] == [False, True, False, False, True, False, False]


def test_a_row_that_is_not_there_stays_so() -> None:
    rows = numbered_rows({"a": {"pk": "x", "gap_days": 3.0, "similar": pack((("b", 1.0),))}, "none": None})
    assert rows["none"] is None
    assert isinstance(rows["a"], NumberedRow)


def test_without_the_loops_rows_stay_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "loops", lambda: None)
    row = {"similar": pack((("b", 1.0),))}
    assert numbered_rows({"a": row}) == {"a": row}


def _lists(ids: str) -> Lists:
    row = numbered_rows({"whose": {"similar": pack((name, 1.0) for name in ids)}})["whose"]
    assert isinstance(row, NumberedRow)
    lists = Lists([row], ["whose"])
    lists.add(0, "similar", [1.0])
    return lists


def _question(ids: str, further: int) -> Sums:
    return Sums(_lists(ids), 1, Ids.of(["never listed, hidden", "b"]), further)


def test_a_question_goes_on_after_another_one_was_asked() -> None:
    one = _question("abcd", 6)
    other = _question("dcb", 6)
    one.say(Spoken.of({"d": 2.0, "never listed": 5.0, "a": 0.5, "never listed, hidden": 9.0}), voice=0)
    other.say(Spoken.of({"c": 4.0, "never listed": 1.5}), voice=0)
    one.say(Spoken.of({"never listed": 1.0, "c": 0.25}), voice=0)
    for sums in (one, other):
        sums.total([1.0])
    _, ids, scores = one.best(TOTALS, 9)
    assert dict(zip(ids, scores, strict=True)) == {"never listed": 6.0, "d": 3.0, "a": 1.5, "c": 1.25}
    _, ids, scores = other.best(TOTALS, 9)
    assert dict(zip(ids, scores, strict=True)) == {"c": 5.0, "never listed": 1.5, "d": 1.0}


def test_an_id_that_others_number_meanwhile_stays_one_name() -> None:
    sums = _question("ab", 4)
    sums.say(Spoken.of({"met later elsewhere": 1.0}), voice=0)
    numbered([pack((("met later elsewhere", 1.0),))])
    sums.say(Spoken.of({"met later elsewhere": 2.0}), voice=0)
    sums.total([1.0])
    _, ids, scores = sums.best(TOTALS, 9)
    assert dict(zip(ids, scores, strict=True)) == {"met later elsewhere": 3.0, "a": 1.0}


def test_what_is_numbered_is_said_as_what_is_not() -> None:
    scores = {f"said {number}": 1.0 + number for number in range(90)} | {"a": 4.0}
    known, plain = Spoken.of(scores).numbered(), Spoken.of(scores)
    found = []
    for spoken in (known, plain):
        sums = _question("ab", len(scores))
        sums.say(spoken, 0.5)
        found.append(sums.best(TOTALS, 100)[1:])
    assert found[0] == found[1]
    assert len(found[0][0]) == 91


@pytest.mark.parametrize("odd", ["an id", "with \x1f in it", "\ud800"])
def test_scores_by_row_say_what_the_same_by_id_do(odd: str) -> None:
    ids = ("茶", "b", odd, "never scored")
    table = KnownIds(ids, {item_id: row for row, item_id in enumerate(ids)})
    scores = RowScores(table, {2: 3.0, 0: 2.0, 1: 1.0})
    plain = {odd: 3.0, "茶": 2.0, "b": 1.0}
    assert scores == plain
    assert list(scores) == list(plain)
    assert scores.keys() & {"b", "never scored", "unknown"} == {"b"}
    found = []
    for said in (scores, plain):
        spoken = Spoken.of(said)
        sums = Sums(_lists("ab"), 1, Ids.of(["茶"]), spoken.ids.count)
        sums.say(spoken, voice=0)
        sums.total([1.0])
        found.append(sums.best(TOTALS, 9)[1:])
    assert found[0] == found[1]
    assert (Spoken.of(scores).numbers is None) == ("\x1f" in odd)


def test_scores_by_row_are_spelled_without_the_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = RowScores(KnownIds(("a", "b"), {"a": 0, "b": 1}), {1: 1.0})
    monkeypatch.setattr(packed, "loops", lambda: None)
    assert scores.spoken() is None


@pytest.mark.parametrize("keep", [1, 3, 4, 9])
def test_of_equal_ones_the_first_seen_are_the_best(keep: int) -> None:
    sums = _question("zyxwvutsr", 0)
    sums.total([1.0])
    assert sums.best(TOTALS, keep)[1] == list("zyxwvutsr")[:keep]
    assert sums.leaders(keep)[0][0] == list("zyxwvutsr")[:keep]


def test_nothing_below_nought_is_among_the_best() -> None:
    sums = _question("ab", 3)
    sums.say(Spoken.of({"below": -0.5, "nought": 0.0, "above": 0.5}))
    sums.total([0.0])
    assert sums.best(TOTALS, 9)[1] == ["above", "nought"]


def test_an_id_of_any_length_has_one_number() -> None:
    stored = pack((f"{'x' * length}", 1.0) for length in range(70))
    first, again = numbered([stored, stored])
    assert first == again
    assert first is not None
    assert first.columns().ids == ["x" * length for length in range(70)]


def test_long_ids_are_spelled_whole() -> None:
    scores = {"x" * length: 1.0 + length for length in range(1, 300, 7)}
    sums = _question("ab", len(scores))
    sums.say(Spoken.of(scores))
    assert set(sums.best(TOTALS, 100)[1]) == {*scores}


def test_a_name_that_is_no_relations_has_no_lists() -> None:
    lists = _lists("ac")
    lists.add(1, "sequence", [1.0])
    sums = Sums(lists, 2, Ids.of([]), 0)
    sums.total([1.0, 1.0])
    assert sums.best(TOTALS, 9)[1] == ["a", "c"]
    assert sums.leaders(9)[1] == ([], [])

"""The loops over packed rows give what plain Python gives, to the last bit."""

from __future__ import annotations

import gc
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.errors import GiveUp
from regulars.profiles.model import Profile
from regulars.recommendations import adding
from regulars.recommendations.blending import Question, Ranking, rank, rank_plainly
from regulars.recommendations.history import Deed, recent
from regulars.recommendations.ports import Row
from regulars.similarity import library, packed
from regulars.similarity.packed import KnownIds, NumberedRow, RowScores
from regulars.similarity.packing import columns, pack
from regulars.similarity.recipe import Part, Recipe

NOW = datetime(2026, 8, 5, 12, tzinfo=UTC)
RELATIONS = ("similar", "together", "next")
NAMES = [f"item {number:02d}" for number in range(30)] + ["", "a", "茶" * 9, "🙂", "é", "long " * 40]
UNLISTED = ["only said", "said, in no list", "🫖 said only"]

pytestmark = pytest.mark.skipif(packed.loops() is None, reason="no compiled kernel")


def stored(made: Mapping[str, Mapping[str, Any]]) -> dict[str, Row]:
    rows = packed.numbered_rows(made)
    return {item_id: Row(_Columns(made[item_id]), None, row) for item_id, row in rows.items() if isinstance(row, NumberedRow)}


class _Columns(dict[str, Any]):
    """Unpacked when asked for, as in the table's adapter."""

    def get(self, name: str, default: Any = None) -> Any:
        return columns(self[name]) if name in self else default


def deeds(count: int) -> list[Deed]:
    seen = {name: NOW - place * timedelta(hours=5) for place, name in enumerate(NAMES[:count])}
    return recent(Profile(shopper="user:1", as_of=NOW, item_seen_at=seen), {"view": 1.0}, count)


def random_rows(dice: random.Random) -> dict[str, dict[str, bytes]]:
    """Few different scores, so that many are equal."""
    made: dict[str, dict[str, bytes]] = {}
    for name in NAMES:
        others = {relation: dice.sample(NAMES, dice.randrange(14)) for relation in RELATIONS if dice.random() < 0.8}
        made[name] = {
            relation: pack((other, dice.choice([0.1, 0.5, 1.0, 1 / 3, 1e-6])) for other in found)
            for relation, found in others.items()
        }
    return made


def both(question: Question) -> tuple[Ranking, Ranking]:
    assert adding.can_add(question.rows)
    return rank(question), rank_plainly(question)


PART = st.builds(
    Part,
    weight=st.sampled_from([0.0, 0.3, 1.0]),
    rank_power=st.sampled_from([0.0, 0.7]),
    half_life_days=st.sampled_from([0.0, 3.0]),
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*RELATIONS, "unknown"]), PART, max_size=4),
    st.one_of(st.none(), PART),
    st.booleans(),
    st.integers(0, 12),
    st.integers(1, 30),
    st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    st.integers(0, 10**6),
)
def test_both_ways_give_the_same(
    parts: dict[str, Part], repeat: Part | None, speaks: bool, history: int, count: int, gone: float, seed: int
) -> None:
    dice = random.Random(seed)
    if speaks:
        parts = {**parts, "sequence": Part(weight=0.7)}
    recipe = Recipe(parts=parts, popularity={"week": 0.4, "trend": 0.0}, repeat=repeat, repeats=True)
    away = {name for name in NAMES if dice.random() < gone}
    question = Question(
        deeds=deeds(history),
        rows=stored(random_rows(dice)),
        recipe=recipe,
        popularity={"week": {name: dice.choice([0.25, 0.5]) for name in dice.sample([*NAMES, *UNLISTED], 9)}},
        again={name: dice.random() for name in dice.sample([*NAMES, *UNLISTED], 4)},
        hidden=frozenset(dice.sample(NAMES, 5)) | {"never heard of", "only said", "with \x1f in it", "\ud800"},
        may_show=lambda item_id: item_id not in away,
        count=count,
        spoken={"sequence": said_of(dice, by_row=dice.random() < 0.5)} if speaks else {},
    )
    ours, plain = both(question)
    assert ours.scores == plain.scores
    shown = [name for name in [*NAMES, *UNLISTED] if name not in away]
    assert [(voice.name, voice.factor, voice.seeds) for voice in ours.near] == [
        (voice.name, voice.factor, voice.seeds) for voice in plain.near
    ]
    for one, other in zip(ours.near, plain.near, strict=True):
        assert [one.scores.get(name, 0.0) for name in shown if name not in question.hidden] == [
            other.scores.get(name, 0.0) for name in shown if name not in question.hidden
        ]
    for among in (dice.sample(sorted(ours.scores), min(5, len(ours.scores))), ours.scores.keys(), ()):
        assert ours.loudest(among) == plain.loudest(among)
    assert {name for _, name, _ in ours.loudest(ours.scores).values()} <= set(RELATIONS)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 80), st.binary(min_size=1, max_size=3), st.booleans())
def test_both_ways_refuse_the_same_bytes(place: int, other: bytes, cut: bool) -> None:
    whole = pack((("茶🙂", 1.0), ("b", 0.5), ("cc", 0.25), ("dddddddddddddddddd", 0.1)))
    damaged = whole[:place] if cut else whole[:place] + other + whole[place + len(other) :]
    rows = stored({NAMES[0]: {"similar": damaged}})
    told: list[Any] = []
    question = Question(deeds=deeds(1), rows=rows, recipe=Recipe(parts={"similar": Part(weight=1.0)}))
    for way in (rank, rank_plainly):
        try:
            told.append(way(question).scores)
        except GiveUp as error:
            told.append(error.code)
    assert told[0] == told[1]


def said_of(dice: random.Random, *, by_row: bool) -> Mapping[str, float]:
    scores = {name: dice.random() for name in dice.sample([*NAMES, *UNLISTED], 6)}
    if not by_row:
        return scores
    rows = {name: row for row, name in enumerate(dice.sample([*NAMES, *UNLISTED], len(NAMES) + len(UNLISTED)))}
    return RowScores(KnownIds(tuple(rows), rows), {rows[name]: score for name, score in scores.items()})


def test_what_is_no_list_at_all_is_refused() -> None:
    rows = stored({NAMES[0]: {"similar": "text"}})
    with pytest.raises(GiveUp) as caught:
        rank(Question(deeds=deeds(1), rows=rows, recipe=Recipe(parts={"similar": Part(weight=1.0)})))
    assert caught.value.code == "broken_model"


def test_memory_is_used_again_and_two_questions_do_not_share_it() -> None:
    dice = random.Random(1)
    rows, recipe = stored(random_rows(dice)), Recipe(parts={"similar": Part(weight=1.0)})
    nine = Question(deeds=deeds(9), rows=rows, recipe=recipe)
    two = Question(deeds=deeds(2), rows=rows, recipe=recipe)
    first, second, plain = rank(nine), rank(two), rank_plainly(nine)
    assert first.loudest(first.scores) == plain.loudest(first.scores)
    assert second.scores == rank_plainly(two).scores
    del first, second
    gc.collect()
    spare = len(packed._SPARE)
    assert spare >= 1
    assert rank(nine).scores == plain.scores


def test_without_the_library_plain_python_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = stored(random_rows(random.Random(2)))
    monkeypatch.setattr(packed, "loops", lambda: None)
    assert not adding.can_add(rows)
    recipe = Recipe(parts={"similar": Part(weight=1.0)})
    assert rank(Question(deeds=deeds(3), rows=rows, recipe=recipe)).scores


def test_rows_that_were_not_stored_packed_are_added_plainly() -> None:
    assert not adding.can_add({"a": Row({})})
    assert "packed.c" in library.SOURCES


def test_a_list_stored_as_nothing_is_refused_as_other_damage_is() -> None:
    rows = stored({NAMES[0]: {"similar": None}})
    with pytest.raises(GiveUp):
        rank(Question(deeds=deeds(1), rows=rows, recipe=Recipe(parts={"similar": Part(weight=1.0)})))


def test_a_damaged_list_does_not_touch_those_behind_it() -> None:
    sound = pack((("茶", 1.0), ("b", 0.5)))
    rows = stored({NAMES[0]: {"similar": b"damaged", "together": sound, "linear": sound}})
    question = Question(
        deeds=deeds(1), rows=rows, recipe=Recipe(parts={"together": Part(weight=1.0), "linear": Part(weight=0.5)})
    )
    ours, plain = both(question)
    assert ours.scores == plain.scores
    assert ours.scores == pytest.approx({"茶": 1.5, "b": 0.75}, abs=1e-4)

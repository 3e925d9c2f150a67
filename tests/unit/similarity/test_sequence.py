"""The sequence model's numpy form, its file, and its say in a blend."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.adapters.memory.storage import MemoryStorage
from regulars.errors import GiveUp, Invalid
from regulars.shop import section
from regulars.similarity import choosing, rounded, scoring_compiled, scoring_uncompiled
from regulars.similarity.config import SimilaritySettings
from regulars.similarity.fitting import fit
from regulars.similarity.interactions import PURCHASE, Interactions
from regulars.similarity.model import SEQUENCE, sequence_key
from regulars.similarity.protocols import DAY_MS, LAST_ONE, SplitSettings, split
from regulars.similarity.published import publish, published_in
from regulars.similarity.recipe import Part, Recipe
from regulars.similarity.relations import kind_weights
from regulars.similarity.scoring import Asked, Voices
from regulars.similarity.sequence import SequenceModel, best, from_bytes, shapes, voices_of
from regulars.similarity.tuning import tune

FIXTURES = Path(__file__).parents[2] / "fixtures"
SETTINGS = section(SimilaritySettings, "similarity", {})
N_ITEMS = 12


def stored() -> SequenceModel:
    """As a network of PyTorch with these weights was recorded: two blocks, six places, width eight."""
    return from_bytes((FIXTURES / "sequence_model.npz").read_bytes())


def test_scores_are_those_of_pytorch() -> None:
    model, recorded = stored(), json.loads((FIXTURES / "sequence_scores.json").read_text("utf-8"))
    assert len(recorded["sequences"]) == 8
    for sequence, expected in zip(recorded["sequences"], recorded["scores"], strict=True):
        np.testing.assert_allclose(model.scores(model.state(sequence)), expected, atol=1e-4)


def test_only_the_newest_items_count() -> None:
    model = stored()
    newest = [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(model.state([9, 10, *newest]), model.state(newest))
    assert not np.allclose(model.state(newest), model.state(newest[::-1]))


def test_a_file_comes_back_as_it_went() -> None:
    model = stored()
    again = from_bytes(model.to_bytes())
    assert (again.item_ids, again.until_ms, again.keep) == (model.item_ids, model.until_ms, model.keep)
    for name, array in model.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array)


def damaged(**changed: Any) -> bytes:
    model = stored()
    return replace(model, arrays={**model.arrays, **changed}).to_bytes()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no archive",
        stored().to_bytes()[:-200],
        damaged(positions=np.zeros((6, 9), dtype=np.float32)),
        damaged(items=np.zeros((11, 8), dtype=np.float32)),
        damaged(**{"1.key": np.full((8, 8), np.nan, dtype=np.float32)}),
        damaged(surplus=np.zeros(1, dtype=np.float32)),
        replace(stored(), item_ids=("i00", *stored().item_ids[:-1])).to_bytes(),
        replace(stored(), item_ids=(7, *stored().item_ids[1:])).to_bytes(),  # type: ignore[arg-type]
        SequenceModel(("a",), {name: np.zeros(shape) for name, shape in shapes(1, 3, 0, 1).items()}, 0, 1).to_bytes(),
    ],
)
def test_what_is_no_model_is_refused(body: bytes) -> None:
    with pytest.raises(GiveUp) as caught:
        from_bytes(body)
    assert caught.value.code == "broken_model"


def test_the_likeliest_are_neither_hidden_nor_guessed_of_strangers() -> None:
    model = stored()
    said = model.likeliest(["i03", "no such item", "i01"], {"i03", "i01"})
    assert len(said) == model.keep
    assert max(said.values()) == 1.0
    assert not {"i03", "i01"} & said.keys()
    scores = model.scores(model.state([1, 3]))
    scores[[1, 3]] = -np.inf
    assert set(said) == {f"i{item:02d}" for item in np.argsort(-scores)[: model.keep].tolist()}
    assert model.likeliest(["no such item"]) == {}
    assert model.likeliest([]) == {}
    assert model.likeliest(["i01"], model.item_ids) == {}


def a_log(shoppers: int, events: int, seed: int = 0) -> Interactions:
    dice = np.random.default_rng(seed)
    shopper = np.repeat(np.arange(shoppers), events)
    item = np.concatenate([dice.permutation(N_ITEMS)[:events] for _ in range(shoppers)])
    at = np.tile(np.arange(events), shoppers) * DAY_MS + shopper * 1000
    kind = np.full(len(item), PURCHASE)
    ids = tuple(f"i{number:02d}" for number in range(N_ITEMS))
    return Interactions(shopper, item, kind, at, np.arange(len(item)), tuple(map(str, range(shoppers))), ids)


def test_voices_say_what_is_served() -> None:
    """Batches by number and single histories by id are one; numbers may mean other items than the model's."""
    made = split(a_log(40, 7), LAST_ONE, SplitSettings())
    names = ("unknown", *made.learn.item_ids[:0:-1])
    voices = voices_of(stored(), names, made.queries, made.candidates)
    for question in range(len(made.queries)):
        had = [names[item] for item in made.queries.items[made.queries.starts[question] : made.queries.starts[question + 1]]]
        part = slice(voices.starts[question], voices.starts[question + 1])
        said = {
            names[item]: value for item, value in zip(voices.items[part].tolist(), voices.values[part].tolist(), strict=True)
        }
        assert said == pytest.approx(stored().likeliest(had[::-1], {*had, "i00"}), rel=1e-4)


@pytest.mark.skipif(not scoring_compiled.available(), reason="the kernel is not compiled on this machine")
@pytest.mark.parametrize("repeats", [True, False])
def test_c_and_numpy_hear_the_same(repeats: bool) -> None:
    made = split(a_log(60, 7), LAST_ONE, SplitSettings())
    model = fit(made.learn, SETTINGS, made.cut_ms, ("similar", "next"))
    asked = Asked.of(made.queries, made.candidates, 20, kind_weights(SETTINGS.kinds))
    asked = replace(asked, voices={SEQUENCE: voices_of(stored(), made.learn.item_ids, made.queries, made.candidates)})
    parts = {"similar": Part(weight=0.4), SEQUENCE: Part(weight=0.7), "next": Part(weight=0.2)}
    again = Part(weight=0.5, rank_power=0.5) if repeats else None
    recipe = Recipe(parts=parts, popularity={"week": 0.3}, repeat=again, repeats=repeats)
    compiled, plain = (form.answers(asked, recipe, model, 7) for form in (scoring_compiled, scoring_uncompiled))
    np.testing.assert_array_equal(compiled[0], plain[0])
    np.testing.assert_array_equal(compiled[1], plain[1])
    silent = replace(recipe, parts={**parts, SEQUENCE: Part(weight=0.0)})
    assert (scoring_compiled.answers(asked, silent, model, 7)[1] != compiled[1]).any()


def knowing(made: Any, *, right: bool) -> Voices:
    """A voice that names the answer, or always the same item."""
    count = len(made.queries)
    items = made.queries.targets if right else np.zeros(count, dtype=np.int64)
    return Voices(np.arange(count + 1), items, np.ones(count))


@pytest.mark.parametrize("right", [True, False])
def test_the_search_hears_a_voice_only_where_it_helps(right: bool) -> None:
    made = split(a_log(150, 7), LAST_ONE, SplitSettings())
    tuned = tune(made, SETTINGS, LAST_ONE, voices={SEQUENCE: lambda queries, candidates: knowing(made, right=right)})
    assert (SEQUENCE in tuned.recipe.parts) == right
    assert set(tuned.alone) >= {SEQUENCE}


def a_model(until_ms: int, seed: int = 0) -> SequenceModel:
    dice = np.random.default_rng(seed)
    arrays = {name: dice.standard_normal(shape).astype(np.float32) for name, shape in shapes(N_ITEMS, 6, 8, 1).items()}
    return SequenceModel(tuple(f"i{number:02d}" for number in range(N_ITEMS)), arrays, until_ms, 5).half()


def test_publishing_keeps_two_versions_and_wants_a_judge() -> None:
    storage = MemoryStorage()
    assert published_in(storage) is None
    for version in ("1", "2", "3"):
        publish(storage, version, a_model(20), a_model(10))
    live = published_in(storage)
    assert live is not None
    assert (live.version, live.held_out().until_ms) == ("3", 10)
    assert [key for key in storage.list("models/sequence/") if key.endswith(".npz")] == [
        "models/sequence/2.held-out.npz",
        "models/sequence/2.npz",
        "models/sequence/3.held-out.npz",
        "models/sequence/3.npz",
    ]
    with pytest.raises(Invalid):
        publish(storage, "4", a_model(20), a_model(20))
    storage.delete(sequence_key("3.held-out"))
    with pytest.raises(GiveUp, match="is gone"):
        live.held_out()


@pytest.mark.parametrize(("until_day", "asked"), [(0, True), (6, True), (7, False)])
def test_a_build_judges_by_what_the_model_has_not_learned(until_day: int, asked: bool) -> None:
    storage, said = MemoryStorage(), list[str]()
    publish(storage, "1", a_model(10**15), a_model(until_day * DAY_MS))
    settings = replace(SETTINGS, tuning=replace(SETTINGS.tuning, protocol=LAST_ONE))
    now = datetime(2025, 1, 1, tzinfo=UTC)
    chosen = choosing.choose(
        a_log(150, 7), settings, None, now, lambda message, facts: said.append(message), lambda: published_in(storage)
    )
    assert (SEQUENCE in chosen.tuned.alone) == asked
    assert bool(said) != asked
    assert (SEQUENCE in chosen.params) == (SEQUENCE in chosen.tuned.recipe.parts)
    assert chosen.params["settings"].endswith("+1")
    assert choosing.digest(settings) == chosen.params["settings"].removesuffix("+1")


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),
    st.integers(0, 3000),
    st.sampled_from(["open", "few open", "alike", "closed", "no numbers"]),
)
def test_the_best_are_those_of_a_whole_sort(seed: int, keep: int, more: int, shape: str) -> None:
    dice, count = np.random.default_rng(seed), keep + more
    scores = dice.standard_normal(count).astype(np.float32)
    if shape == "few open":
        scores[dice.permutation(count)[keep // 2 + 1 :]] = -np.inf
    if shape == "alike":
        scores = np.round(scores)
    if shape == "closed":
        scores[:] = -np.inf
    if shape == "no numbers":
        scores[:] = np.nan
    items, values = best(scores[np.newaxis], keep)
    assert len(set(items[0].tolist())) == keep
    assert np.isfinite(values).all()
    assert (values[0] > 0).sum() == min(keep, int(np.isfinite(scores).sum()))
    if shape != "no numbers":
        assert sorted(scores[items[0]].tolist()) == sorted(scores.tolist())[-keep:]


@pytest.mark.skipif(rounded.loop() is None, reason="no compiled kernel")
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.sampled_from([8, 24, 64]), st.integers(1, 60), st.integers(0, 2))
def test_it_says_the_same_without_the_loop(seed: int, count: int, dim: int, keep: int, blocks: int) -> None:
    dice = np.random.default_rng(seed)
    arrays = {
        name: (dice.standard_normal(shape) * dim**-0.5).astype(np.float32)
        for name, shape in shapes(count, 10, dim, blocks).items()
    }
    ids = tuple(f"i{number}" for number in range(count))
    model = from_bytes(SequenceModel(ids, arrays, 0, keep).to_bytes())
    history = [f"i{number}" for number in dice.integers(0, count + 5, 14)]
    hidden = [f"i{number}" for number in dice.permutation(count)[: count // 3]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rounded, "loop", lambda: None)
        plain = dict(from_bytes(model.to_bytes()).likeliest(history, hidden))
    said = dict(model.likeliest(history, hidden))
    assert said == pytest.approx(plain, rel=1e-4)
    assert not {*hidden} & said.keys()


def test_numbers_beyond_all_bounds_say_nothing() -> None:
    model = stored()
    broken = replace(model, arrays={**model.arrays, "norm.gain": np.full(8, 3e38, dtype=np.float32)})
    with np.errstate(all="ignore"):
        assert dict(broken.likeliest(["i01", "i02"])) == {}


def test_what_nothing_can_be_divided_by_is_not_said() -> None:
    _, values = best(np.array([[0.0, -708.0, -744.0]], dtype=np.float32), 3)
    assert sorted(values[0].tolist()) == [0.0, pytest.approx(np.exp(-708.0)), 1.0]

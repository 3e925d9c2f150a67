"""A sequence model's part in the home scene: heard where the recipe says so, read once, missed by nobody when it is broken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from tests.support.window import DAY, NOW, SHE, SHELF, Window, profile

from regulars.errors import TryLater
from regulars.recommendations.model import Answer, Ask
from regulars.recommendations.sequences import SequenceReader
from regulars.recommendations.service import MODEL_BROKEN
from regulars.similarity.model import SEQUENCE, Neighbours, Pointer, sequence_key
from regulars.similarity.recipe import Part, Recipe
from regulars.similarity.sequence import SequenceModel, shapes

IDS = tuple(item.item_id for item in SHELF)
RECIPE = Recipe(protocol="last-one", parts={"similar": Part(weight=0.1), SEQUENCE: Part(weight=1.0)})


def trained(keep: int = 5) -> SequenceModel:
    dice = np.random.default_rng(3)
    arrays = {name: dice.standard_normal(shape).astype(np.float32) for name, shape in shapes(len(IDS), 6, 8, 2).items()}
    return SequenceModel(IDS, arrays, 1, keep).half()


@dataclass
class Shop:
    """A window whose answers may hear a sequence model; `reads` are the keys that were fetched."""

    window: Window = field(default_factory=Window)
    counts: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.read_sequence = SequenceReader(self)  # type: ignore[arg-type]
        self.window.knows(profile(item_seen_at={"phone": NOW, "case": NOW - DAY}))

    def get(self, key: str) -> bytes | None:
        self.reads.append(key)
        return self.window.storage.get(key)

    def publish(self, recipe: Recipe = RECIPE, version: str = "7", **params: Any) -> None:
        self.window.models.write(version, [Neighbours("phone", {"similar": (("rival", 1.0),)})])
        params = {"recipe": recipe.to_wire(), SEQUENCE: version, **params}
        self.window.models.flip(Pointer(version=version, built_at=NOW, params=params), self.window.models.pointer())

    def ask(self, **changes: Any) -> Answer:
        recommend = replace(self.window.recommend, count=self.counts.append, read_sequence=self.read_sequence)
        return recommend(replace(Ask(scene="home", shopper=SHE, limit=3, explain=True), **changes))


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_what_the_model_says_is_shown_with_its_part(shop: Shop) -> None:
    shop.window.storage.put(sequence_key("7"), trained().to_bytes())
    shop.publish()
    said = trained().likeliest(["phone", "case"])
    expected = sorted(said, key=lambda item: -said[item] - (0.1 if item == "rival" else 0))[:3]
    answer = shop.ask()
    assert [placed.item.item_id for placed in answer.items] == expected
    first = answer.items[0]
    assert first.parts[SEQUENCE] == 1.0
    assert (first.source, first.reason.because) == (SEQUENCE, ("phone",))
    assert not shop.counts


def test_what_is_withheld_counts_for_nothing(shop: Shop) -> None:
    shop.window.storage.put(sequence_key("7"), trained(keep=3).to_bytes())
    shop.publish()
    best = shop.ask().items[0].item.item_id
    others = shop.ask(exclude=(best,)).items
    assert others[0].parts[SEQUENCE] == 1.0
    assert best not in {placed.item.item_id for placed in others}


def test_its_arrays_are_read_once_a_version(shop: Shop) -> None:
    for version in ("7", "8"):
        shop.window.storage.put(sequence_key(version), trained().to_bytes())
        shop.publish(version=version)
        shop.ask()
        shop.ask()
    assert shop.reads == [sequence_key("7"), sequence_key("8")]


@pytest.mark.parametrize("parts", [{"similar": Part(weight=1.0)}, {"similar": Part(weight=1.0), SEQUENCE: Part(weight=0.0)}])
def test_nothing_is_read_where_the_recipe_does_not_ask(shop: Shop, parts: dict[str, Part]) -> None:
    shop.publish(replace(RECIPE, parts=parts))
    assert shop.ask().items[0].item.item_id == "rival"
    assert not shop.reads


@pytest.mark.parametrize("body", [None, b"damaged"])
def test_a_broken_one_is_told_and_done_without(shop: Shop, body: bytes | None) -> None:
    if body:
        shop.window.storage.put(sequence_key("7"), body)
    shop.publish()
    for _ in range(2):
        assert shop.ask().items[0].item.item_id == "rival"
    assert shop.counts == [MODEL_BROKEN, MODEL_BROKEN]
    assert len(shop.reads) == 1


def test_an_unreadable_store_is_asked_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.window.storage.put(sequence_key("7"), trained().to_bytes())
    shop.publish()

    def fails(key: str) -> bytes | None:
        raise TryLater("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(shop, "get", fails)
        assert shop.ask().items[0].item.item_id == "rival"
    assert shop.ask().items[0].parts[SEQUENCE] == 1.0
    assert shop.counts == [MODEL_BROKEN]

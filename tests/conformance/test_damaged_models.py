"""What is in the table and cannot be read is left out and named; the rest is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.conftest import CreateTable
from tests.support.window import NOW, SHE, VERSION, Profiles

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import batch_write
from regulars.adapters.dynamodb.models import MODEL, DynamoModels
from regulars.adapters.dynamodb.sources import DynamoSources
from regulars.errors import GiveUp
from regulars.similarity.model import Neighbours, Pointer, Popularity


@pytest.fixture
def sources(create_table: CreateTable) -> DynamoSources:
    create_table("catalogue", False)
    models = DynamoModels(create_table("models", True))
    models.write(VERSION, [Neighbours("a", {"similar": (("b", 1.0),)}), Neighbours("b", {"similar": (("a", 1.0),)})])
    models.flip(Pointer(version=VERSION, built_at=NOW), None)
    models.put_rules({"rules": []})
    models.put_popularity([Popularity("all", (("a", 1.0),)), Popularity("region:GB", (("b", 1.0),))])
    return DynamoSources(Profiles(), "models", "catalogue", common_seconds=5, cache_rows=9)


def damage(key: Mapping[str, str], **values: Any) -> None:
    batch_write("models", puts=[{**key, **values}])


@pytest.mark.parametrize(
    ("key", "values", "named"),
    [
        (keys.pointer(MODEL), {"version": VERSION}, "pointer"),
        (keys.pointer(MODEL), {"version": VERSION, "built_at": 1, "params": "{"}, "pointer"),
        (keys.popularity("all"), {"trend": b"damaged", "week": b"damaged"}, "popularity of all"),
        (keys.popularity("all"), {"trend": "text"}, "popularity of all"),
        (keys.merchandising_rules(), {"document": "{"}, "rules"),
    ],
)
def test_what_is_the_same_for_everybody(
    sources: DynamoSources, key: Mapping[str, str], values: Mapping[str, Any], named: str
) -> None:
    damage(key, **values)
    opening = sources.open(SHE, NOW)
    assert opening.damaged == (named,)
    assert {"pointer": opening.pointer, "rules": opening.rules, "popularity of all": opening.popularity.get("all")}[
        named
    ] is None


def test_what_a_call_adds(sources: DynamoSources) -> None:
    damage(keys.popularity("region:GB"), trend=b"damaged", week=b"")
    damage(keys.merchandising_rules(), document="{")
    for _ in range(2):  # kept in memory, it is still damaged
        around = sources.neighbourhood(VERSION, ["a"], ["region:GB"], NOW)
        assert set(around.damaged) == {"popularity of region:GB", "rules"}
        assert (around.popularity, around.rules) == ({}, None)
        assert set(around.rows) == {"a"}


@pytest.mark.parametrize("value", [b"damaged", b"", "text", 7])
def test_one_row_of_two(sources: DynamoSources, value: Any) -> None:
    damage(keys.neighbours(VERSION, "a"), similar=value)
    rows = sources.neighbourhood(VERSION, ["a", "b"], (), NOW).rows
    with pytest.raises(GiveUp) as caught:
        rows["a"].relations.get("similar")
    assert caught.value.code == "broken_model"
    assert rows["a"].relations.get("next", "absent") == "absent"
    assert list(rows["b"].relations["similar"]) == [("a", 1.0)]

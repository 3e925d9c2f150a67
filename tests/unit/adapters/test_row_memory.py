"""What a warm function keeps: neighbour rows, bounded, those asked for often; and what it made of items that stay the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.support.window import NOW, VERSION, Profiles

from regulars.adapters.dynamodb import keys, profiles, sources
from regulars.adapters.dynamodb.client import item_to_wire
from regulars.adapters.dynamodb.models import encode_popularity
from regulars.adapters.dynamodb.sources import DynamoSources
from regulars.errors import GiveUp
from regulars.similarity.model import Popularity
from regulars.similarity.packed import numbered_rows
from regulars.similarity.packing import pack


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Partition keys of neighbour rows in order of reading; every item has a row."""
    asked: list[str] = []

    def batch_get(requests: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[Mapping[str, Any]]]:
        wanted = [key for key in requests.get("models", ()) if key["pk"] != keys.merchandising_rules()["pk"]]
        asked.extend(key["pk"] for key in wanted)
        return {"models": [item_to_wire(key) for key in wanted], "catalogue": []}

    monkeypatch.setattr(sources, "batch_get_wired", batch_get)
    monkeypatch.setattr(sources, "read_all", lambda usual: {"models": [], "catalogue": []})
    return asked


def test_rows_that_are_asked_for_again_stay_and_others_make_place(read: list[str]) -> None:
    memory = DynamoSources(Profiles(), "models", "catalogue", common_seconds=5, cache_rows=20)
    for number in range(50):
        around = memory.neighbourhood(VERSION, ["favourite", f"passing-{number}"], (), NOW)
        assert set(around.rows) == {"favourite", f"passing-{number}"}
    favourite, first = (keys.neighbours(VERSION, name)["pk"] for name in ("favourite", "passing-0"))
    assert read.count(favourite) == 1
    assert len(memory._rows) == 20
    memory.neighbourhood(VERSION, ["passing-0"], (), NOW)
    assert read.count(first) == 2


def test_an_item_without_a_row_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch, read: list[str]) -> None:
    full = sources.batch_get_wired
    monkeypatch.setattr(sources, "batch_get_wired", lambda requests: full(requests) and {"catalogue": [], "models": []})
    memory = DynamoSources(Profiles(), "models", "catalogue", common_seconds=5, cache_rows=20)
    for _ in range(3):
        assert memory.neighbourhood(VERSION, ["none"], (), NOW).rows == {}
    assert read.count(keys.neighbours(VERSION, "none")["pk"]) == 1


def test_what_stays_the_same_is_the_same_object_and_a_change_shows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = {"catalogue": [{**keys.stockouts(0), "ids": {"gone"}}], "models": [encode_popularity(selling("mug"))]}

    def batch_get(requests: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[Mapping[str, Any]]]:
        return {table: [item_to_wire(item) for item in items] for table, items in stored.items() if table in requests}

    monkeypatch.setattr(sources, "batch_get_wired", batch_get)
    memory = DynamoSources(Profiles(), "models", "catalogue", common_seconds=5, cache_rows=20)
    first, later = (memory.neighbourhood(VERSION, [], ("region:GB",), NOW + place * timedelta(minutes=1)) for place in (0, 1))
    assert first.stock_outs is later.stock_outs == {"gone"}
    assert first.popularity["region:GB"] is later.popularity["region:GB"] == selling("mug")
    stored["catalogue"] = [{**keys.stockouts(0), "ids": {"gone", "lamp"}}]
    stored["models"] = [encode_popularity(selling("lamp"))]
    changed = memory.neighbourhood(VERSION, [], ("region:GB",), NOW + timedelta(minutes=2))
    assert changed.stock_outs == {"gone", "lamp"}
    assert changed.popularity["region:GB"] == selling("lamp")


def selling(item_id: str) -> Popularity:
    return Popularity("region:GB", ((item_id, 1.0),), ((item_id, 1.0),), NOW)


def test_another_version_makes_place_and_a_call_without_a_model_does_not(read: list[str]) -> None:
    memory = DynamoSources(Profiles(), "models", "catalogue", common_seconds=5, cache_rows=20)
    mug = keys.neighbours(VERSION, "mug")["pk"]
    memory.neighbourhood(VERSION, ["mug"], (), NOW)
    memory.neighbourhood("", ["mug"], (), NOW)
    memory.neighbourhood(VERSION, ["mug"], (), NOW)
    assert read.count(mug) == 1
    memory.neighbourhood("another", ["mug"], (), NOW)
    memory.neighbourhood(VERSION, ["mug"], (), NOW)
    assert read.count(mug) == 2


def test_a_kept_row_unpacks_a_relation_once_and_tells_absent_from_damaged() -> None:
    for raw in (stored := {"similar": pack((("b", 1.0),)), "next": b"damaged"}, numbered_rows({"a": stored})["a"]):
        row = sources._row(raw)
        assert row is not None
        assert row.relations.get("together") is None
        assert tuple(row.relations["similar"]) == (("b", 1.0),)
        assert row.relations.get("similar") is row.relations["similar"]
        with pytest.raises(GiveUp):
            row.relations.get("next")


@pytest.mark.parametrize(("items", "deflated"), [(5, False), (100, True)])
def test_what_is_small_is_stored_as_it_is_and_both_come_back(items: int, deflated: bool) -> None:
    bought = [f"item-{number:06d}" for number in range(items)]
    packed = profiles._packed(bought)
    assert packed.startswith(b"x") == deflated
    assert profiles._unpacked(packed) == bought

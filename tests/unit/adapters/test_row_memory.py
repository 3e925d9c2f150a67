"""What a warm function keeps of neighbour rows: bounded, and what is asked for often stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from tests.support.window import NOW, VERSION, Profiles

from regulars.adapters.dynamodb import keys, sources
from regulars.adapters.dynamodb.sources import DynamoSources


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Partition keys of neighbour rows in order of reading; every item has a row."""
    asked: list[str] = []

    def batch_get(requests: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[Mapping[str, Any]]]:
        wanted = [key for key in requests.get("models", ()) if key["pk"] != keys.merchandising_rules()["pk"]]
        asked.extend(key["pk"] for key in wanted)
        return {"models": [dict(key) for key in wanted], "catalogue": []}

    monkeypatch.setattr(sources, "batch_get", batch_get)
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
    full = sources.batch_get
    monkeypatch.setattr(sources, "batch_get", lambda requests: full(requests) and {"catalogue": [], "models": []})
    memory = DynamoSources(Profiles(), "models", "catalogue", common_seconds=5, cache_rows=20)
    for _ in range(3):
        assert memory.neighbourhood(VERSION, ["none"], (), NOW).rows == {}
    assert read.count(keys.neighbours(VERSION, "none")["pk"]) == 1

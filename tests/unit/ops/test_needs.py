"""`regulars needs`: the forecast for people and for programs; before the first one, how to get it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from regulars.adapters.memory.storage import MemoryStorage
from regulars.needs.model import CategoryNeed, NeedsModel, publish
from regulars.needs.rebuying import Rebuying
from regulars_ops import main, needs, stack

TEA = CategoryNeed("Tea 茶", True, "level_10", "2026-03-04", (10.0, 12.5, 9.0, 8.0, 11.0), 0.87)
RARE = CategoryNeed("Rare", False, "naive", "2026-03-04", (1.0,) * 5, None)


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> MemoryStorage:
    kept = MemoryStorage()
    monkeypatch.setattr(stack, "connect", lambda name: stack.Stack("regulars", ""))
    monkeypatch.setattr(stack.Stack, "environment", lambda self, function: {"DATA_BUCKET": function})
    monkeypatch.setattr(needs, "S3Storage", lambda bucket: kept if bucket == "forecast_needs" else None)
    return kept


def model(*categories: CategoryNeed) -> NeedsModel:
    built = datetime(2026, 3, 2, 1, 45, tzinfo=UTC)
    return NeedsModel("1", built, None, None, Rebuying(14, 0.0, (), {}, 30.0), categories, {"accuracy_stable": 0.87})


def test_the_forecast_is_shown(storage: MemoryStorage, capsys: pytest.CaptureFixture[str]) -> None:
    publish(storage, model(TEA, RARE))
    assert main.main(["needs"]) == 0
    text = capsys.readouterr().out
    assert "accuracy stable    0.87" in text
    assert "Tea 茶" in text
    assert "stable  level_10   accuracy 87%" in text
    assert main.main(["needs", "--json", "--limit", "1"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert [need["category"] for need in made["categories_forecast"]] == ["Tea 茶"]


def test_nothing_to_show(storage: MemoryStorage, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["needs"]) == 1
    assert "regulars build needs" in capsys.readouterr().out
    publish(storage, model())
    assert main.main(["needs"]) == 0
    assert "no category sells enough" in capsys.readouterr().out

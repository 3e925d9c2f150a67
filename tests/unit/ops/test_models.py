"""`regulars model show|rollback`."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.conftest import CreateTable
from tests.support.window import DAY, NOW

from regulars.adapters.dynamodb.models import DynamoModels
from regulars.similarity.model import Neighbours, Pointer
from regulars.similarity.recipe import Part, Recipe
from regulars_ops import main, stack

RECIPE = Recipe(
    protocol="next-basket",
    parts={"together": Part(weight=1.0, rank_power=1.2)},
    popularity={"week": 0.3},
    repeat=Part(weight=2.0, half_life_days=30.0),
    repeats=True,
)
FIRST = Pointer(version="1", built_at=NOW, params={"recipe": RECIPE.to_wire()}, counts={"rows": 1})


@pytest.fixture
def models(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch) -> DynamoModels:
    table = create_table("models", True)
    monkeypatch.setattr(stack, "connect", lambda name: stack.Stack("regulars", ""))
    monkeypatch.setattr(stack.Stack, "environment", lambda self, function: {"MODELS_TABLE": table})
    return DynamoModels(table)


def publish(models: DynamoModels, *pointers: Pointer) -> None:
    for pointer in pointers:
        models.write(pointer.version, [Neighbours("a", {"similar": (("b", 1.0),)})])
        models.flip(pointer, models.pointer())


def test_without_a_model_it_says_how_to_get_one(models: DynamoModels, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["model", "show"]) == 1
    assert "regulars build similarity" in capsys.readouterr().out
    assert main.main(["model", "rollback"]) == 2
    assert "no previous version" in capsys.readouterr().err


def test_the_live_model_and_its_recipe_are_shown(models: DynamoModels, capsys: pytest.CaptureFixture[str]) -> None:
    publish(models, FIRST)
    assert main.main(["model", "show"]) == 0
    shown = capsys.readouterr().out
    for words in ("version   1, built 2026-08-05", "next-basket", "together", "** -1.2", "half-life 30 days", "shown again"):
        assert words in shown
    assert main.main(["model", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["params"]["recipe"] == RECIPE.to_wire()


@pytest.mark.parametrize(
    ("params", "said"), [({}, "none: the settings"), ({"recipe": {"parts": 1}}, "DAMAGED"), ({"recipe": 7}, "DAMAGED")]
)
def test_what_is_no_recipe_is_said(
    models: DynamoModels, params: dict[str, object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(models, replace(FIRST, params=params))
    assert main.main(["model", "show"]) == 0
    assert said in capsys.readouterr().out


def test_going_back_and_forward(models: DynamoModels, capsys: pytest.CaptureFixture[str]) -> None:
    publish(models, FIRST, replace(FIRST, version="2", built_at=NOW + DAY, previous="1", params={}))
    for version in ("1", "2"):
        assert main.main(["model", "rollback"]) == 0
        live = models.pointer()
        assert live is not None
        assert live.version == version
        assert f"version   {version}" in capsys.readouterr().out

"""The demonstration puts the sample's rules: as they lie in the folder, and what the shop says of them is told."""

from __future__ import annotations

from typing import Any

import pytest

from regulars.adapters.memory.models import MemoryModels
from regulars.recommendations.rulebook import Rulebook
from regulars_demo import history
from regulars_demo.__main__ import put_rules

START = history.invoices()[0].at
ITEMS = {row["item_id"] for row in history.catalogue()}


class Operator:
    """The operator's API over a rulebook that knows the sample's catalogue."""

    def __init__(self, known: set[str]) -> None:
        self.models, self.calls = MemoryModels(), [("", "")]
        self.book = Rulebook(self.models, lambda: START, lambda ids: {item_id: None for item_id in ids if item_id in known})

    def call(self, method: str, path: str, body: bytes, *, content_type: str) -> dict[str, Any]:
        assert content_type == "application/yaml"
        self.calls.append((method, path))
        return self.book.replace(body)


def test_the_samples_rules_are_put_and_fit_its_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    operator = Operator(ITEMS)
    put_rules(operator)  # type: ignore[arg-type]
    assert operator.calls[-1] == ("PUT", "/v1/rules")
    stored = operator.models.rules() or {}
    assert {rule["id"] for rule in stored["rules"]} >= {"services", "advent"}
    said = capsys.readouterr().out
    assert f"{len(stored['rules'])} rules" in said
    assert "warning" not in said


def test_what_can_have_no_effect_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    put_rules(Operator(ITEMS - {"23444"}))  # type: ignore[arg-type]
    assert "the catalogue has no item '23444'" in capsys.readouterr().out

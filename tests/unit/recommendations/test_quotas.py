"""How many of one category or brand the diversity settings want; and the words of a reason whose item is gone."""

from __future__ import annotations

import pytest
from tests.support.window import NOW, item

from regulars.recommendations.model import Candidate
from regulars.recommendations.quotas import Quotas
from regulars.recommendations.reasons import reason_for
from regulars.recommendations.ruling import NO_RULES


@pytest.mark.parametrize(
    ("categories", "brands", "taken", "asked", "crowded"),
    [
        (2, 0, [("mugs", "A"), ("mugs", "B")], ("mugs", "C"), True),
        (3, 0, [("mugs", "A"), ("mugs", "B")], ("mugs", "C"), False),
        (0, 1, [("mugs", "A")], ("lamps", "A"), True),
        (0, 1, [("mugs", "A")], ("mugs", "B"), False),
        (1, 1, [("mugs", "A")], ("lamps", "B"), False),
        (1, 1, [("", ""), ("", "")], ("", ""), False),
        (0, 0, [("mugs", "A")] * 9, ("mugs", "A"), False),
    ],
)
def test_settings_bound_what_has_a_name(
    categories: int, brands: int, taken: list[tuple[str, str]], asked: tuple[str, str], crowded: bool
) -> None:
    quotas = Quotas(NO_RULES.active("home", frozenset(), NOW), categories, brands)
    for number, (category, brand) in enumerate(taken):
        quotas.take(item(f"taken-{number}", category, brand=brand))
    assert quotas.crowded(item("asked", asked[0], brand=asked[1])) is crowded


@pytest.mark.parametrize(("title", "text"), [("Cup", "Because you bought Cup"), ("", "Because you bought cup-1")])
def test_what_has_left_the_catalogue_is_named_by_its_id(title: str, text: str) -> None:
    assert reason_for(Candidate("pot", 1.0, "because_bought", ("cup-1",)), "en", [title], 0).text == text

"""Merchandising rules: read with paths, obeyed at once, stronger than any model."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.window import DAY, NOW, Window, profile

from regulars.errors import Invalid
from regulars.recommendations.rules import parse, segments_of


@pytest.fixture
def window() -> Window:
    made = Window()
    made.sells(rival=1.0, film=0.9, cable=0.8, case=0.7, shampoo=0.6)
    return made


def rule(action: str, **changes: Any) -> dict[str, Any]:
    return {"id": f"{action}-{sorted(changes)}", "action": action, **changes}


def test_a_pin_takes_its_position_whatever_the_score(window: Window) -> None:
    window.rules(rule("pin", items=["conditioner"], position=2))
    answer = window.ask("home", limit=3)
    assert [placed.item.item_id for placed in answer.items] == ["rival", "conditioner", "film"]
    assert answer.items[1].rule.startswith("pin-")
    assert answer.items[1].reason.text == "Picked by the shop"


def test_pins_do_not_show_what_cannot_be_had(window: Window) -> None:
    window.rules(rule("pin", items=["conditioner", "nonsense", "charger"]))
    window.catalogue.update("conditioner", at=NOW, stock=0)
    assert window.ids("home", limit=2) == ["charger", "rival"]


def test_a_ban_wins_over_a_pin(window: Window) -> None:
    window.rules(rule("pin", items=["film"]), rule("ban", items=["film"]))
    assert "film" not in window.ids("home", limit=100)


def test_a_banned_category_takes_what_lies_under_it(window: Window) -> None:
    window.rules(rule("ban", categories=["Chargers"]))
    assert {"charger", "cable"}.isdisjoint(window.ids("home", limit=100))


def test_boost_and_bury_move(window: Window) -> None:
    window.rules(rule("boost", brands=["aa"], factor=3), rule("bury", items=["rival"], factor=0.1))
    assert window.ids("home", limit=3) == ["case", "film", "cable"]


def test_a_boosted_item_is_shown_even_where_no_model_names_it(window: Window) -> None:
    window.rules(rule("boost", items=["charger"], factor=100))
    assert window.codes("home", limit=1) == {"charger": "featured"}


def test_scene_segment_and_dates_bound_a_rule(window: Window) -> None:
    window.rules(
        rule("ban", items=["film"], scenes=["trending"]),
        rule("ban", items=["cable"], segments=["stage:loyal", "tag:festival-gifting"]),
        {"id": "sale", "action": "ban", "items": ["rival"], "from": "2026-09-01", "until": "2026-09-02"},
    )
    assert {"film", "cable", "rival"} <= set(window.ids("home"))
    assert "film" not in window.ids("trending")
    window.knows(profile(rule_tags=frozenset({"festival-gifting"})))
    assert "cable" not in window.ids("home")
    window.now = NOW + 26.6 * DAY
    assert "rival" not in window.ids("home")
    window.now = NOW + 29 * DAY
    assert "rival" in window.ids("home")


def test_rules_take_effect_at_once_and_are_read_back(window: Window) -> None:
    assert window.rulebook.read() == {"rules": []}
    window.rulebook.replace(b"rules:\n- {id: no-film, action: ban, items: [film], until: 2027-01-01}\n")
    assert "film" not in window.ids("home", limit=100)
    document = window.rulebook.read()
    assert document["rules"][0]["until"] == "2027-01-01"
    assert window.rulebook.replace(repr(document).replace("'", '"').encode())["rules"] == 1
    window.rulebook.replace(b'{"rules": []}')
    assert "film" in window.ids("home", limit=100)


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ([], "rules[0]"),
        ({"action": "ban", "items": ["a"]}, "rules[0].id"),
        ({"id": "x", "action": "hide", "items": ["a"]}, "rules[0].action"),
        ({"id": "x", "action": "ban"}, "rules[0]"),
        ({"id": "x", "action": "ban", "items": "a"}, "rules[0].items"),
        ({"id": "x", "action": "ban", "items": ["a", 3]}, "rules[0].items[1]"),
        ({"id": "x", "action": "ban", "item": ["a"]}, "rules[0].item"),
        ({"id": "x", "action": "pin", "brands": ["a"]}, "rules[0].items"),
        ({"id": "x", "action": "pin", "items": ["a"], "position": 0}, "rules[0].position"),
        ({"id": "x", "action": "boost", "items": ["a"], "factor": 0.5}, "rules[0].factor"),
        ({"id": "x", "action": "bury", "items": ["a"], "factor": 2}, "rules[0].factor"),
        ({"id": "x", "action": "bury", "items": ["a"], "factor": True}, "rules[0].factor"),
        ({"id": "x", "action": "ban", "items": ["a"], "scenes": ["hme"]}, "rules[0].scenes[0]"),
        ({"id": "x", "action": "ban", "items": ["a"], "segments": ["loyal"]}, "rules[0].segments[0]"),
        ({"id": "x", "action": "ban", "items": ["a"], "segments": ["stage:loyall"]}, "rules[0].segments[0]"),
        ({"id": "x", "action": "ban", "items": ["a"], "from": "soon"}, "rules[0].from"),
        ({"id": "x", "action": "ban", "items": ["a"], "from": "2026-02-02", "until": "2026-02-01"}, "rules[0].until"),
    ],
)
def test_a_wrong_rule_is_refused_by_its_path(entry: Any, path: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse({"rules": [entry]})
    assert (caught.value.field, caught.value.code) == (path, "bad_rules")


@pytest.mark.parametrize("document", [None, [], {"rules": {}}, {"rules": [], "rule": []}])
def test_a_wrong_document_is_refused(document: Any) -> None:
    with pytest.raises(Invalid):
        parse(document)


def test_ids_are_there_once() -> None:
    twice = {"id": "x", "action": "ban", "items": ["a"]}
    with pytest.raises(Invalid, match="there twice"):
        parse({"rules": [twice, twice]})


def test_stored_rules_that_no_longer_parse_do_not_stop_the_shop(window: Window) -> None:
    window.models.put_rules({"rules": [{"id": "x", "action": "retired"}]})
    assert window.ids("home", limit=1) == ["rival"]
    assert "do not parse" in window.warnings[0]


def test_segments_of_a_shopper() -> None:
    known = profile(stage="loyal", tier="high", tags={"preference/style/minimal": 2.0}, rule_tags=frozenset({"gift"}))
    assert {"stage:loyal", "tier:high", "tag:minimal", "tag:preference/style/minimal", "tag:gift", "country:GB"} <= segments_of(
        known, "gb"
    )

"""What wins over what, and that an explained answer says so (the order is written in `regulars.recommendations.rules`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.department_store import STORE, store, ware
from tests.support.window import NOW, Window, item, profile, settings

from regulars.recommendations.config import Diversity
from regulars.recommendations.model import Ask, Candidate
from regulars.recommendations.placing import place
from regulars.recommendations.situation import Situation


@pytest.fixture
def window() -> Window:
    """Nine items of three categories and three brands, best first by number."""
    shelf = [item(f"i{n}", "abc"[n % 3], brand="xyz"[n // 3], price_cents=1000 * (n + 1)) for n in range(9)]
    made = Window(shelf)
    made.sells("all", **{f"i{n}": 1.0 - n / 20 for n in range(9)})
    made.settings = replace(settings(), diversity=Diversity(category_share={}, brand_share={}))
    return made


def rule(rule_id: str, action: str, **changes: Any) -> dict[str, Any]:
    return {"id": rule_id, "action": action, **changes}


def test_ban_over_pin_over_limit_over_boost(window: Window) -> None:
    window.rules(
        rule("boost", "boost", items=["i8", "i7", "i6"], factor=100),
        rule("limit", "limit", brands=["z"], most=1),
        rule("pin", "pin", items=["i6"], position=2),
        rule("ban", "ban", items=["i7"]),
    )
    answer = window.ask("home", limit=9)
    shown = [placed.item.item_id for placed in answer.items]
    assert shown == ["i0", "i6", "i1", "i2", "i3", "i4", "i5"]  # i6 takes the one place of its brand, i8 finds none
    assert answer.removed == {"ban": 1, "limit": 1}


def test_stock_and_exclusion_win_over_a_pin(window: Window) -> None:
    window.rules(rule("pin", "pin", items=["i3", "i4", "i5", "i6"]))
    window.catalogue.update("i3", at=NOW, stock=0)
    window.knows(profile(bought={"i4": 3}, cart={"i5": NOW}))
    assert window.ids("home", limit=2) == ["i6", "i0"]
    assert window.ids("home", limit=1, exclude=frozenset({"i6"})) == ["i0"]


def test_of_two_pins_for_one_place_the_earlier_has_it_and_the_later_follows(window: Window) -> None:
    window.rules(rule("first", "pin", items=["i5", "i6"], position=2), rule("second", "pin", items=["i7", "i5"], position=2))
    answer = window.ask("home", limit=5)
    assert [placed.item.item_id for placed in answer.items] == ["i0", "i5", "i6", "i7", "i1"]
    assert [placed.rule for placed in answer.items] == ["", "first", "first", "second", ""]


def test_a_pin_beyond_the_list_is_not_shown_and_one_beyond_its_end_closes_it(window: Window) -> None:
    window.rules(rule("far", "pin", items=["i8"], position=7))
    assert "i8" not in window.ids("home", limit=5)
    window.rules(rule("far", "pin", items=["i8"], position=50), rule("ban", "ban", categories=["a", "b"]))
    assert window.ids("home", limit=60) == ["i2", "i5", "i8"]


def test_factors_of_all_matching_rules_multiply_and_are_traced(window: Window) -> None:
    window.rules(
        rule("spring", "boost", categories=["c"], factor=3),
        rule("stale", "bury", brands=["X"], factor=0.5),
        rule("hero", "pin", items=["i2"], position=1),
    )
    answer = window.ask("home", limit=3)
    hero, second, _ = answer.items
    assert hero.item.item_id == "i2"
    assert hero.rule == "hero"
    assert hero.trace == (
        {"rule": "spring", "action": "boost", "factor": 3.0},
        {"rule": "stale", "action": "bury", "factor": 0.5},
        {"rule": "hero", "action": "pin", "position": 1},
    )
    assert (second.item.item_id, second.rule) == ("i5", "spring")


def test_a_price_band_bounds_a_rule_within_its_currency(window: Window) -> None:
    window.rules(rule("dear", "ban", price_cents={"from": 4000, "to": 8000}, currency="EUR"))
    assert window.ids("home", limit=9) == ["i0", "i1", "i2", "i7", "i8"]  # 40.00 is in the band, 80.00 is not
    window.rules(rule("dear", "ban", price_cents={"from": 4000}, currency="GBP"))
    assert len(window.ids("home", limit=9)) == 9


def test_conditions_must_hold_beside_what_is_named() -> None:
    window = store()
    window.rules(
        rule("blue-nova", "ban", brands=["nova"], attributes={"colour": ["Blue", "clear"]}),
        rule("cheap-clothes", "ban", categories=["clothing"], price_cents={"to": 5000}, currency="EUR"),
    )
    hidden = {entry.item_id for entry in STORE} - set(window.ids("home", limit=100))
    assert {"nova-12-blue", "nova-12-blue-256", "nova-12-case", "straw-hat", "maren-scarf-new"} <= hidden
    assert {"nova-12-black", "cup-blue", "sandals", "linen-dress-red"}.isdisjoint(hidden)


def test_segments_bound_a_rule_and_may_be_negated(window: Window) -> None:
    window.rules(
        rule("loyal-only", "ban", items=["i0"], segments=["stage:loyal"]),
        rule("not-for-loyal", "ban", items=["i1"], not_segments=["stage:loyal", "country:cn"]),
    )
    assert window.ids("home", limit=1) == ["i0"]
    assert "i1" not in window.ids("home")
    assert "i1" in window.ids("home", country="CN")
    window.knows(profile(stage="loyal"))
    assert window.ids("home", limit=1) == ["i1"]


def test_a_limit_counts_per_category_or_brand_or_altogether(window: Window) -> None:
    window.rules(rule("two", "limit", per="category", most=2))
    shown = window.ids("home", limit=9)
    assert shown == ["i0", "i1", "i2", "i3", "i4", "i5"]
    window.rules(rule("one", "limit", per="brand", most=1, scenes=["home"]))
    assert window.ids("home", limit=9) == ["i0", "i3", "i6"]
    assert len(window.ids("trending", limit=9)) == 9
    window.rules(rule("four", "limit", categories=["a", "b"], most=4))
    assert window.ids("home", limit=9) == ["i0", "i1", "i2", "i3", "i4", "i5", "i8"]


def test_diversity_settings_hold_while_others_are_to_be_had_and_give_way_before_a_short_list(window: Window) -> None:
    window.settings = replace(settings(), diversity=Diversity(category_share={"home": 0.4}, brand_share={"home": 0.2}))
    assert window.ids("home", limit=5)[:3] == ["i0", "i3", "i7"]  # one of a brand, two of a category
    assert len(window.ids("home", limit=5)) == 5
    window.settings = replace(settings(), diversity=Diversity(category_share={"home": 0.2}, brand_share={}))
    assert window.ids("home", limit=5) == ["i0", "i1", "i2", "i3", "i4"]
    assert window.ids("home", limit=3, category="a") == ["i0", "i3", "i6"]


def test_a_boost_of_named_items_brings_them_in_and_a_boost_of_a_brand_moves_what_is_there() -> None:
    window = Window([*STORE, ware("unseen", "misc", "Nobody", 100, days=900)])
    window.sells("all", **{f"nova_12_{name}": 1.0 for name in ("black", "blue")}, honey=0.5)
    window.rules(rule("unseen", "boost", items=["unseen"], factor=50))
    answer = window.ask("home", limit=2)
    assert (answer.items[0].item.item_id, answer.items[0].reason.code, answer.items[0].source) == ("unseen", "featured", "rule")


def test_everything_banned_is_an_empty_list_with_a_reason(window: Window) -> None:
    window.rules(rule("all", "ban", categories=["a", "b", "c"]))
    answer = window.ask("home", limit=5)
    assert (answer.items, answer.reason, answer.removed["all"]) == ((), "nothing_to_show", 9)


def test_five_hundred_rules_are_asked_by_index_not_one_by_one(window: Window) -> None:
    rules = [rule(f"r{n}", "boost", brands=[f"brand {n}"], factor=2) for n in range(499)]
    window.rules(*rules, rule("last", "boost", brands=["Z"], factor=9))
    read = window.recommend.read_rules(window.models.rules())
    assert [read.rules[n].rule_id for n in read.speaking_of(item("i8", brand="z"))] == ["last"]
    assert window.ids("home", limit=1) == ["i6"]


def test_whatever_a_scene_proposes_nothing_is_placed_that_may_not_be_shown(window: Window) -> None:
    snapshot = window.recommend.snapshot()
    situation = Situation(Ask(scene="home", limit=9), profile(), snapshot, window.settings, NOW, stock_outs=frozenset({"i1"}))
    proposed = [Candidate(item_id, 1.0, "popular") for item_id in ("i0", "i1", "nothing", "i0")]
    assert [candidate.item_id for candidate in place(proposed, situation).chosen][:1] == ["i0"]
    assert {"i1", "nothing"}.isdisjoint(candidate.item_id for candidate in place(proposed, situation).chosen)

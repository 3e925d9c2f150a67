"""Trending (R7): what sells here and in a category, what is new, the editors' lists; and the banner of home (R1)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.department_store import STORE, store, ware
from tests.support.window import DAY, NOW, Window, profile

from regulars.errors import NotFound

GIFTS: dict[str, Any] = {
    "id": "gifts",
    "title": {"en": "Gifts under 50", "zh": "50元以下好礼"},
    "items": ["teapot", "honey", "no such thing", "whisky", "straw-hat"],
}


@pytest.fixture
def window() -> Window:
    made = store()
    made.sells("category:food/tea", tea_green=1.0, tea_black=0.4)
    made.sells("region:GB", tea_black=1.0, honey=0.9)
    made.sells("new", maren_scarf_new=1.0)
    return made


def lists(window: Window, *entries: dict[str, Any]) -> None:
    import json

    window.rulebook.replace(json.dumps({"lists": entries}).encode())


def test_a_category_shows_its_own_and_a_region_its_own(window: Window) -> None:
    assert window.ids("trending", shopper="", category="food/tea", limit=3) == ["tea-green", "tea-black", "tea-oolong-reserve"]
    codes = window.codes("trending", shopper="", country="GB", limit=20)
    assert codes["tea-black"] == "popular_in_region"
    assert codes["pixie-7"] == "popular"
    assert codes["maren-scarf-new"] == "new_arrival"


def test_a_category_within_a_region(window: Window) -> None:
    codes = window.codes("trending", shopper="", country="GB", category="food/tea", limit=2)
    assert list(codes) == ["tea-black", "tea-green"]
    assert codes["tea-black"] == "popular_in_region"


def test_a_category_above_others_shows_what_lies_under_it(window: Window) -> None:
    shown = window.ids("trending", shopper="", category="food", limit=20)
    assert shown[:2] == ["tea-green", "honey"]
    assert set(shown) == {e.item_id for e in STORE if e.category.startswith("food/")} - {"whisky"}


def test_a_list_is_shown_by_its_name_in_its_order_and_nothing_else(window: Window) -> None:
    lists(window, GIFTS)
    answer = window.ask("trending", list_id="gifts", limit=10)
    assert [placed.item.item_id for placed in answer.items] == ["teapot", "honey", "straw-hat"]
    assert {placed.reason.text for placed in answer.items} == {"On our list “Gifts under 50”"}
    assert {placed.reason.text for placed in window.ask("trending", list_id="gifts", language="zh").items} == {
        "入选本店榜单《50元以下好礼》"
    }
    assert answer.extras["lists"] == [{"id": "gifts", "title": "Gifts under 50"}]
    assert answer.items[0].source == "list"


def test_a_list_may_open_the_scene(window: Window) -> None:
    lists(window, {**GIFTS, "first": 2}, {"id": "teas", "title": "Teas", "items": ["tea-black"], "first": 1})
    assert window.ids("trending", limit=5) == ["teapot", "honey", "tea-black", "pixie-7", "earbuds"]
    assert "teapot" not in window.ids("home", limit=5)


def test_a_list_has_dates_and_segments(window: Window) -> None:
    lists(window, {**GIFTS, "from": "2026-09-01", "segments": ["tier:high"]})
    with pytest.raises(NotFound) as caught:
        window.ask("trending", list_id="gifts")
    assert caught.value.code == "list_not_shown"
    window.now = NOW + 40 * DAY
    with pytest.raises(NotFound):
        window.ask("trending", list_id="gifts")
    window.knows(profile(tier="high"))
    assert window.ids("trending", list_id="gifts")[0] == "teapot"


def test_an_unknown_list_is_refused_by_name(window: Window) -> None:
    with pytest.raises(NotFound, match="no list 'spring'") as caught:
        window.ask("trending", list_id="spring")
    assert caught.value.code == "unknown_list"


def test_a_list_of_which_nothing_can_be_had_says_so(window: Window) -> None:
    lists(window, {"id": "gone", "title": "Gone", "items": ["nothing"]})
    answer = window.ask("trending", list_id="gone")
    assert (answer.items, answer.reason) == ((), "nothing_to_show")


def test_a_ban_and_a_pin_hold_in_a_list_too(window: Window) -> None:
    window.rulebook.replace(
        b'{"rules": [{"id": "b", "action": "ban", "items": ["teapot"]}, {"id": "p", "action": "pin", "items": ["sandals"]}],'
        b' "lists": [{"id": "gifts", "title": "Gifts", "items": ["teapot", "honey"]}]}'
    )
    assert window.ids("trending", list_id="gifts") == ["sandals", "honey"]


def test_the_banner_is_new_or_reduced_in_a_category_she_likes(window: Window) -> None:
    window.knows(profile(tags={"preference/category/clothing-shoes": 2.0}))
    answer = window.ask("home", limit=5)
    assert answer.banner is not None
    assert (answer.banner.item.item_id, answer.banner.position) == ("sandals", 0)
    assert answer.banner.reason.text == "Now 25% off"
    assert "sandals" not in [placed.item.item_id for placed in answer.items]


def test_a_rule_pins_the_banner_and_its_item_needs_a_picture(window: Window) -> None:
    window = store((*STORE, ware("poster", "art", "", 900, image_url="")))
    window.rules({"id": "hero", "action": "pin", "items": ["poster", "watch-gold"], "slot": "banner"})
    answer = window.ask("home", limit=5)
    assert answer.banner is not None
    assert (answer.banner.item.item_id, answer.banner.rule, answer.banner.reason.code) == ("watch-gold", "hero", "featured")
    assert "watch-gold" not in [placed.item.item_id for placed in answer.items]
    assert window.ask("trending").banner is None


@pytest.mark.parametrize("tags", [{}, {"preference/category/plates": 2.0}])
def test_where_nothing_is_new_or_reduced_the_list_keeps_its_order(tags: dict[str, float]) -> None:
    window = Window([ware(f"plate-{n}", "plates", "Kiln", 900) for n in range(9)])
    window.knows(profile(tags=tags))
    window.sells("all", **{f"plate_{n}": 1.0 - n / 10 for n in range(9)})
    answer = window.ask("home", limit=3)
    assert [placed.item.item_id for placed in answer.items] == ["plate-0", "plate-1", "plate-2"]
    assert answer.banner is not None
    assert (answer.banner.item.item_id, answer.banner.reason.code) == ("plate-3", "picked_for_you")
    whole = window.ask("home", limit=20)
    assert whole.banner is not None
    assert whole.banner.item.item_id == "plate-0"


def test_without_a_picture_there_is_no_banner() -> None:
    window = Window([ware("plain", "plates", "Kiln", 900, image_url="")])
    assert window.ask("home").banner is None

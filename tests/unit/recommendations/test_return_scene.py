"""Return visit (R4): what she left, with its discount; what replaces the sold out; what is new of the same brands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.department_store import STORE, store
from tests.support.window import DAY, NOW, Window, profile

HOUR = timedelta(hours=1)


@pytest.fixture
def window() -> Window:
    made = store()
    made.knows(
        profile(
            cart={"sandals": NOW - 3 * DAY, "nova-12-black": NOW - 4 * DAY},
            wishlist={"straw-hat": NOW - 9 * DAY, "earbuds": NOW - 8 * DAY},
            item_seen_at={"teapot": NOW - HOUR, "sandals": NOW - HOUR},
            bought={"honey": 20},
        )
    )
    return made


def test_the_cart_comes_first_then_favourites_each_newest_first(window: Window) -> None:
    codes = window.codes("return", limit=20)
    assert list(codes)[:4] == ["sandals", "nova-12-black", "earbuds", "straw-hat"]
    assert [codes[item_id] for item_id in list(codes)[:4]] == ["in_cart_discounted", "in_cart", "saved_discounted", "saved"]


def test_their_discounts_are_told(window: Window) -> None:
    reasons = {placed.item.item_id: placed.reason for placed in window.ask("return", limit=20).items}
    assert reasons["sandals"].text == "Still in your cart, now 25% off"
    assert reasons["earbuds"].text == "You saved this, now 25% off"


def test_a_substitute_stands_in_for_what_sold_out(window: Window) -> None:
    window.catalogue.update("nova-12-black", at=NOW, stock=0)
    codes = window.codes("return", limit=20)
    assert "nova-12-black" not in codes
    shown = list(codes)
    instead = [item_id for item_id, code in codes.items() if code == "instead_of_sold_out"]
    assert instead[:2] == ["pixie-7", "orbit-x"]
    assert shown.index("straw-hat") < shown.index("pixie-7") < shown.index("teapot")


def test_without_known_neighbours_the_shelf_offers_a_substitute(window: Window) -> None:
    window.knows(profile(wishlist={"sandals": NOW - DAY, "silk-dress": NOW - DAY}))
    window.catalogue.update("silk-dress", at=NOW, stock=0)
    answer = window.ask("return", limit=20)
    codes = {placed.item.item_id: placed.reason.code for placed in answer.items}
    assert codes["linen-dress-green"] == "instead_of_sold_out"


def test_what_left_the_catalogue_is_not_named_and_does_not_break_the_list() -> None:
    window = store(STORE)
    window.knows(profile(cart={"gone forever": NOW - DAY}, wishlist={"honey": NOW - DAY}))
    assert window.ids("return", limit=5)[0] == "honey"


def test_new_items_of_the_same_brand_follow(window: Window) -> None:
    answer = window.ask("return", limit=20)
    shown = {placed.item.item_id: placed for placed in answer.items}
    assert shown["maren-scarf-new"].reason.text == "New from Maren"
    assert shown["maren-scarf-new"].position == 5
    assert shown["teapot"].reason.code == "viewed"
    assert shown["teapot"].position > 5


def test_somebody_for_whom_nothing_waits_is_welcomed_by_her_taste(window: Window) -> None:
    window.knows(profile(bought={"nova-12-black": 9}))
    answer = window.ask("return", limit=2)
    assert [placed.item.item_id for placed in answer.items] == ["pixie-7", "orbit-x"]
    assert answer.items[0].reason.text == "Because you bought Nova 12 Black"
    window.knows(profile(item_seen_at={"nova-12-black": NOW - 90 * DAY}))
    assert window.ask("return", limit=2).items[0].reason.text == "Because you looked at Nova 12 Black"


def test_what_she_bought_since_does_not_wait_any_more(window: Window) -> None:
    window.knows(profile(wishlist={"honey": NOW - 30 * DAY}, bought={"honey": 2}))
    assert "honey" not in window.ids("return", limit=20)

"""Repurchase (R5): what is due, each with its companion."""

from __future__ import annotations

import pytest
from tests.support.department_store import STORE, store
from tests.support.window import NOW, Window, profile


@pytest.fixture
def window() -> Window:
    made = store()
    made.knows(
        profile(bought={"argan-shampoo": (124, 83, 41), "tea-green": (60, 40, 20), "cup-white": 300, "tea-black": (9, 2)})
    )
    return made


def test_due_items_come_first_each_followed_by_its_companion(window: Window) -> None:
    codes = window.codes("repurchase", limit=5)
    assert list(codes) == ["tea-green", "honey", "argan-shampoo", "argan-conditioner", "tea-black"]
    assert codes["tea-green"] == codes["argan-shampoo"] == "due_again"
    assert codes["honey"] == codes["argan-conditioner"] == "companion_of"
    assert codes["tea-black"] == "due_soon"


def test_a_companion_of_the_same_brand_is_preferred(window: Window) -> None:
    """Another brand's conditioner is bought with this shampoo more often."""
    companion = next(
        placed
        for placed in window.ask("repurchase").items
        if placed.reason.because == ("argan-shampoo",) and placed.reason.code == "companion_of"
    )
    assert companion.item.item_id == "argan-conditioner"
    assert companion.reason.text == "Goes with Argan Shampoo, which you buy regularly"


def test_without_neighbours_the_brand_has_a_companion_from_another_shelf() -> None:
    window = Window(STORE)
    window.knows(profile(bought={"argan-shampoo": (124, 83, 41)}))
    first, second, *_ = window.ask("repurchase").items
    assert (first.item.item_id, second.reason.because, second.source) == ("argan-shampoo", ("argan-shampoo",), "attributes")
    assert (second.item.brand, second.item.category) == ("Bloom", "care/sets")


def test_a_rhythm_of_her_own_wins_over_the_items_with_three_gaps(window: Window) -> None:
    window.knows(profile(bought={"argan-shampoo": (40, 30, 20, 10)}))  # the shop's is forty days, hers ten
    (first, *_) = window.ask("repurchase").items
    assert (first.reason.code, first.details["gap_days"]) == ("due_again", 10)


def test_a_short_history_leans_on_the_items_rhythm(window: Window) -> None:
    window.knows(profile(bought={"argan-shampoo": (22, 12)}))  # one gap of ten days: (10 + 2 · 40) / 3
    (first, *_) = window.ask("repurchase").items
    assert (first.reason.code, first.details["gap_days"]) == ("due_soon", 30)


def test_what_is_sold_out_or_in_the_cart_is_not_due(window: Window) -> None:
    window.catalogue.update("tea-green", at=NOW, stock=0)
    assert window.ids("repurchase", limit=3, cart=("argan-shampoo",))[0] == "tea-black"


def test_a_banned_companion_makes_room_for_another(window: Window) -> None:
    window.rules({"id": "x", "action": "ban", "items": ["argan-conditioner"]})
    assert window.codes("repurchase", limit=5)["hand-soap"] == "companion_of"  # the brand's next


def test_of_a_shopper_who_never_bought_what_sells_is_shown(window: Window) -> None:
    assert window.ids("repurchase", shopper="user:new", limit=2) == ["pixie-7", "earbuds"]

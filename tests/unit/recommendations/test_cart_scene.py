"""Cart and checkout (R3): complements, and the cheapest useful items that close the gap."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.department_store import STORE, store, ware
from tests.support.window import NOW, Window, profile, settings

from regulars.recommendations.config import Saving
from regulars.recommendations.fillers import cheapest_cover


@pytest.fixture
def window() -> Window:
    return store()


def from_spend(window: Window, spend_cents: int, **changes: Any) -> Window:
    """The window with another threshold."""
    threshold = replace(settings().threshold, spend_cents=spend_cents, **changes)
    window.settings = replace(settings(), threshold=threshold)
    return window


def test_a_phone_in_the_cart_asks_for_a_case_and_not_for_another_phone(window: Window) -> None:
    shown = window.ids("cart", cart=("nova-12-black",), limit=20)
    assert shown[:3] == ["nova-12-case", "glass-film", "fast-charger"]
    assert not {entry.item_id for entry in STORE if entry.category == "electronics/phones"} & set(shown)


def test_cups_ask_for_more_cups(window: Window) -> None:
    codes = window.codes("cart", cart=("cup-white",))
    assert codes["cup-sand"] == "goes_with_cart"


def test_what_is_in_the_cart_is_not_offered_again(window: Window) -> None:
    window.knows(profile(cart={"nova-12-black": NOW, "nova-12-case": NOW}))
    shown = window.ids("cart", limit=20)
    assert {"nova-12-black", "nova-12-case"}.isdisjoint(shown)
    assert "nova-12-blue" not in shown


def test_the_cheapest_useful_item_closes_the_gap(window: Window) -> None:
    from_spend(window, 5000)
    answer = window.ask("cart", cart=("teapot",), limit=10)  # 45.00 in the cart; 5.00 are missing
    reasons = {placed.item.item_id: placed.reason for placed in answer.items}
    assert answer.extras["threshold"]["gapCents"] == 500
    assert answer.extras["threshold"]["cheapest"] == {"itemIds": ["tea-green"], "totalCents": 690}
    assert reasons["tea-green"].text == "Adds the 5.00 EUR that saves you 50.00 EUR"
    assert "hand-soap" not in reasons or reasons["hand-soap"].code != "closes_gap"  # cheap, and nobody has a use for it


def test_a_banned_item_closes_no_gap(window: Window) -> None:
    from_spend(window, 5000)
    window.rules({"id": "x", "action": "ban", "items": ["tea-green", "usb-cable"]})
    told = window.ask("cart", cart=("teapot",)).extras["threshold"]
    assert told["cheapest"] == {"itemIds": ["honey"], "totalCents": 850}


def test_two_small_items_that_cost_less_than_one_big_are_offered_together(window: Window) -> None:
    from_spend(window, 6000)
    answer = window.ask("cart", cart=("teapot",), limit=10)  # 15.00 are missing: 6.90 + 8.50 beat any single item
    told = answer.extras["threshold"]
    assert told["cheapest"] == {"itemIds": ["tea-green", "honey"], "totalCents": 1540}
    reasons = {placed.item.item_id: placed.reason for placed in answer.items}
    assert reasons["honey"].code == "closes_gap_with"
    assert reasons["honey"].text == "With Tea Green adds the 15.00 EUR that saves you 50.00 EUR"
    assert reasons["honey"].because == ("tea-green",)


def test_the_next_tier_is_aimed_at_and_what_is_reached_is_told(window: Window) -> None:
    from_spend(
        window,
        4000,
        save_cents=500,
        further=(Saving(spend_cents=5000, save_cents=1000), Saving(spend_cents=9000, save_cents=2500)),
    )
    told = window.ask("cart", cart=("teapot",)).extras["threshold"]
    assert (told["spendCents"], told["saveCents"], told["gapCents"], told["reachedSaveCents"]) == (5000, 1000, 500, 500)
    assert told["tiers"] == [
        {"spendCents": 4000, "saveCents": 500},
        {"spendCents": 5000, "saveCents": 1000},
        {"spendCents": 9000, "saveCents": 2500},
    ]
    top = window.ask("cart", cart=("teapot",), cart_cents=20000)
    assert (top.extras["threshold"]["gapCents"], top.extras["threshold"]["reachedSaveCents"]) == (0, 2500)
    assert not {"closes_gap", "closes_gap_with", "helps_close_gap"} & {placed.reason.code for placed in top.items}


def test_only_items_of_the_carts_currency_fill(window: Window) -> None:
    shelf = (*STORE, ware("honey-usd", "food/pantry", "Bee", 500, currency="USD"))
    window = store(shelf)
    window.sells("all", honey_usd=1.0, honey=0.5)
    from_spend(window, 5000)
    assert window.codes("cart", cart=("teapot",))["honey-usd"] == "popular"
    assert window.ask("cart", cart=("honey-usd",)).extras["threshold"]["currency"] == "USD"
    window.settings = replace(window.settings, threshold=replace(window.settings.threshold, currency="EUR"))
    assert "threshold" not in window.ask("cart", cart=("honey-usd",)).extras


def test_when_nothing_closes_the_gap_the_nearest_help(window: Window) -> None:
    from_spend(window, 900_000)
    codes = window.codes("cart", cart=("nova-12-black",))
    assert codes["earbuds"] == "helps_close_gap"


def test_a_shop_without_a_threshold_says_none(window: Window) -> None:
    from_spend(window, 0)
    assert window.ask("cart", cart=("teapot",)).extras == {}


@given(
    st.lists(st.integers(min_value=1, max_value=400), max_size=9).map(sorted),
    st.integers(min_value=1, max_value=900),
    st.integers(min_value=1, max_value=3),
)
def test_the_cheapest_set_is_the_cheapest_of_all(prices: list[int], gap: int, size: int) -> None:
    found = cheapest_cover(prices, gap, size)
    sets = [chosen for count in range(1, size + 1) for chosen in combinations(range(len(prices)), count)]
    totals = [sum(prices[place] for place in chosen) for chosen in sets]
    closing = [total for total in totals if total >= gap]
    if not closing:
        assert found == ()
        return
    total = sum(prices[place] for place in found)
    assert total == min(closing)
    assert len(found) == len(set(found)) <= size
    assert len(found) == min(len(chosen) for chosen, cost in zip(sets, totals, strict=True) if cost == total)

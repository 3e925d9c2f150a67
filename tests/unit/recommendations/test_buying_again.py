"""A grocery's shoppers buy the same again: where the recipe says so, no scene withholds what was bought."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.department_store import store
from tests.support.window import NOW, VERSION, Window, profile, settings

from regulars.similarity.model import Pointer
from regulars.similarity.recipe import Part, Recipe

RECIPE = Recipe(protocol="next-basket", parts={"together": Part(weight=1.0)}, repeat=Part(weight=1.0), repeats=True)


@pytest.fixture
def window() -> Window:
    made = store()
    made.settings = replace(settings(), threshold=replace(settings().threshold, spend_cents=5000))
    made.knows(profile(bought={"tea-green": (40, 20, 2), "sandals": 9}))
    return made


def serve(window: Window, recipe: Recipe) -> None:
    pointer = Pointer(version=VERSION, built_at=NOW, params={"recipe": recipe.to_wire()})
    window.models.flip(pointer, window.models.pointer())


@pytest.mark.parametrize(
    ("scene", "question", "code"),
    [
        ("cart", {"cart": ("teapot",)}, "closes_gap"),  # 45.00 of 50.00: the cheapest filler that goes with the cart
        ("product", {"item_id": "teapot"}, "goes_with"),
        ("trending", {}, "popular"),
        ("home", {}, "bought_before"),
    ],
)
def test_what_she_bought_is_shown_only_where_shoppers_buy_again(
    window: Window, scene: str, question: dict[str, str], code: str
) -> None:
    serve(window, replace(RECIPE, repeats=False))
    assert "tea-green" not in window.ids(scene, limit=50, **question)
    serve(window, RECIPE)
    assert window.codes(scene, limit=50, **question)["tea-green"] == code


@pytest.mark.parametrize(("weight", "code"), [(0.01, "because_bought"), (10.0, "bought_before")])
def test_of_repeating_and_a_neighbour_the_louder_is_the_reason(window: Window, weight: float, code: str) -> None:
    window.knows(profile(bought={"cup-white": 30, "teapot": 3}))
    serve(window, replace(RECIPE, repeat=Part(weight=weight)))
    assert window.codes("home", limit=50)["cup-white"] == code


def test_a_complement_in_the_cart_scene_may_be_an_old_acquaintance(window: Window) -> None:
    window.settings = replace(settings(), threshold=replace(settings().threshold, spend_cents=0))
    serve(window, RECIPE)
    assert window.ids("cart", cart=("teapot",), limit=1) == ["tea-green"]


def test_what_is_in_the_cart_sold_out_or_looked_at_stays_away_all_the_same(window: Window) -> None:
    serve(window, RECIPE)
    assert "tea-green" not in window.ids("cart", cart=("teapot", "tea-green"), limit=50)
    assert "tea-green" not in window.ids("product", item_id="tea-green", limit=50)
    window.catalogue.update("tea-green", at=NOW, stock=0)
    assert "tea-green" not in window.ids("trending", limit=50)


def test_a_saved_item_that_was_bought_waits_no_more(window: Window) -> None:
    window.knows(profile(bought={"sandals": 9}, wishlist={"sandals": NOW, "straw-hat": NOW}))
    serve(window, RECIPE)
    codes = window.codes("return", limit=50)
    assert codes["straw-hat"].startswith("saved")
    assert not codes.get("sandals", "").startswith("saved")


def test_the_switch_to_popularity_forgets_the_recipe(window: Window) -> None:
    serve(window, RECIPE)
    window.settings = replace(window.settings, algorithm="popularity")
    assert "tea-green" not in window.ids("trending", limit=50)

"""Product page (R2): what goes with it, the same in other colours, substitutes, accessories she looked at."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.department_store import STORE, store, ware
from tests.support.window import DAY, NOW, Window, profile

HOUR = timedelta(hours=1)


@pytest.fixture
def window() -> Window:
    return store()


def of(window: Window, code: str, **question: object) -> list[str]:
    """Ids shown with the reason code, in order."""
    return [item_id for item_id, said in window.codes("product", limit=20, **question).items() if said == code]


def test_a_phone_goes_with_a_case_and_not_with_another_phone(window: Window) -> None:
    goes = of(window, "goes_with", item_id="nova-12-black")
    assert goes == ["nova-12-case", "glass-film", "fast-charger", "earbuds"]
    assert "pixie-7" not in goes
    assert window.ids("product", item_id="nova-12-black")[0] == "nova-12-case"


def test_substitutes_are_of_its_own_category(window: Window) -> None:
    assert of(window, "similar_to", item_id="nova-12-black") == ["pixie-7", "orbit-x"]


def test_the_same_in_other_colours_comes_before_other_sizes(window: Window) -> None:
    assert of(window, "other_variant", item_id="nova-12-black") == ["nova-12-blue", "nova-12-blue-256"]
    assert of(window, "other_variant", item_id="linen-dress-red") == ["linen-dress-green", "linen-dress-red-l"]


def test_a_variant_is_called_one_even_where_it_is_the_most_similar(window: Window) -> None:
    window.learns(
        {"nova-12-black": {"similar": {"nova-12-blue-256": 1.0}, "together": {"nova-12-blue-256": 1.0, "glass-film": 1.0}}}
    )
    codes = window.codes("product", item_id="nova-12-black", limit=20)
    assert codes["nova-12-blue-256"] == "other_variant"


def test_accessories_she_looked_at_lately_come_along(window: Window) -> None:
    window.knows(
        profile(
            item_seen_at={
                "leather-case": NOW - HOUR,  # cases are bought with it
                "teapot": NOW - HOUR,  # pots are not
                "orbit-x": NOW - HOUR,  # a phone is no accessory
                "usb-cable": NOW - 90 * DAY,  # too long ago
            }
        )
    )
    answer = window.ask("product", item_id="nova-12-black", limit=20)
    reasons = {placed.item.item_id: placed.reason for placed in answer.items}
    assert [name for name, reason in reasons.items() if reason.code == "viewed_goes_with"] == ["leather-case"]
    assert reasons["leather-case"].text == "You looked at this lately; it goes with Nova 12 Black"


def test_cups_are_bought_in_sets_so_another_cup_goes_with_a_cup(window: Window) -> None:
    goes = of(window, "goes_with", item_id="cup-white")
    assert {"cup-sand", "cup-blue", "teapot"} <= set(goes)
    assert goes[0] == "teapot"  # other shelves first


def test_of_an_item_too_new_to_have_neighbours_the_shelf_speaks() -> None:
    window = store((*STORE, ware("comet-1", "electronics/phones", "Pixie", 61900, days=1)))
    assert of(window, "similar_to", item_id="comet-1")[0] == "pixie-7"  # same brand, nearest price
    assert {
        placed.source for placed in window.ask("product", item_id="comet-1").items if placed.reason.code == "similar_to"
    } == {"attributes"}


def test_a_short_list_shows_every_kind(window: Window) -> None:
    window.knows(profile(item_seen_at={"leather-case": NOW - HOUR}))
    codes = set(window.codes("product", item_id="nova-12-black", limit=6).values())
    assert codes == {"goes_with", "similar_to", "other_variant", "viewed_goes_with"}


def test_each_place_names_the_relation_that_gave_it(window: Window) -> None:
    sources = {placed.item.item_id: placed.source for placed in window.ask("product", item_id="nova-12-black").items}
    assert sources["nova-12-case"] == "together"
    assert sources["pixie-7"] == "similar"
    assert sources["nova-12-blue"] == "attributes"


def test_items_without_attributes_or_category_still_answer() -> None:
    window = Window([ware("odd one 🎁", "", "", 0), ware("plain", "", "", 100), ware("third", "x", "", 100)])
    assert set(window.ids("product", item_id="odd one 🎁")) == {"plain", "third"}

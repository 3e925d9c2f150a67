"""Each scene shows what it is asked to show."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.window import DAY, NOW, SHE, SHELF, Window, item, profile, settings

from regulars.errors import GiveUp, Invalid
from regulars.recommendations.model import SCENES
from regulars.recommendations.ports import Neighbourhood, Row
from regulars.similarity.model import Popularity

HOUR = timedelta(hours=1)


@pytest.fixture
def window() -> Window:
    return Window()


def test_home_follows_what_she_did_last(window: Window) -> None:
    window.learns({"phone": {"similar": {"rival": 1.0}}, "shampoo": {"similar": {"conditioner": 1.0}}})
    window.knows(profile(item_seen_at={"shampoo": NOW, "phone": NOW - 200 * DAY}))
    answer = window.ask("home", limit=2)
    assert [placed.item.item_id for placed in answer.items] == ["conditioner", "rival"]
    assert answer.items[0].reason.text == "Because you looked at Shampoo"
    assert answer.items[0].reason.because == ("shampoo",)
    assert answer.arm == "model"


def test_home_changes_with_the_very_next_deed(window: Window) -> None:
    window.learns({"phone": {"similar": {"rival": 1.0}}, "shampoo": {"similar": {"conditioner": 1.0}}})
    window.knows(profile(item_seen_at={"phone": NOW - 90 * DAY}))
    assert window.ids("home")[0] == "rival"
    window.knows(profile(item_seen_at={"phone": NOW - 90 * DAY, "shampoo": NOW}))
    assert window.ids("home")[0] == "conditioner"


def test_home_hides_what_she_has_and_what_is_out_of_stock(window: Window) -> None:
    window.learns({"phone": {"similar": {"rival": 1.0, "case": 0.9, "film": 0.8, "cable": 0.7}}})
    window.knows(profile(bought={"phone": 5, "rival": 3}, cart={"case": NOW}))
    window.catalogue.update("film", at=NOW, stock=0)
    shown = window.ids("home", exclude=frozenset({"shampoo"}))
    assert shown[0] == "cable"
    assert {"phone", "rival", "case", "film", "shampoo"}.isdisjoint(shown)


def test_stock_that_came_back_is_shown_at_once(window: Window) -> None:
    window = Window([*SHELF, item("returned", stock=0)])
    window.learns({"phone": {"similar": {"returned": 1.0}}})
    window.knows(profile(item_seen_at={"phone": NOW}))
    assert "returned" not in window.ids("home")
    window.catalogue.update("returned", at=NOW, stock=5)
    assert window.ids("home")[0] == "returned"


def test_home_mixes_categories() -> None:
    window = Window([item(f"phone-{n}") for n in range(20)] + [item("other", "care"), item("seed", "seeds")])
    window.learns({"seed": {"similar": {**{f"phone-{n}": 1 - n / 100 for n in range(20)}, "other": 0.1}}})
    window.knows(profile(item_seen_at={"seed": NOW}))
    shown = window.ids("home", limit=10)
    assert "other" in shown[:5]
    assert len(shown) == 10


def test_tags_tip_the_scales(window: Window) -> None:
    window.sells(rival=1.0, conditioner=0.95)
    assert window.ids("home", limit=1) == ["rival"]
    window.knows(profile(tags={"preference/category/care": 2.0}))
    assert window.ids("home", limit=1) == ["conditioner"]


def test_a_stranger_sees_her_region_and_something_new(window: Window) -> None:
    window.sells("all", rival=1.0, film=0.9, cable=0.8, charger=0.7, shampoo=0.6)
    window.sells("region:CN", conditioner=1.0)
    window.sells("new", novelty=1.0)
    codes = window.codes("home", shopper="", country="cn", limit=5)
    assert codes["conditioner"] == "popular_in_region"
    assert codes["novelty"] == "new_arrival"
    assert window.ask("home", shopper="").arm == "fallback"


def test_product_goes_with_a_case_and_not_with_another_phone(window: Window) -> None:
    window.learns({"phone": {"together": {"rival": 1.0, "case": 0.7}, "similar": {"rival": 1.0, "case": 0.9}}})
    codes = window.codes("product", item_id="phone", limit=4)
    assert list(codes)[:2] == ["case", "rival"]
    assert codes["case"] == "goes_with"
    assert codes["rival"] == "similar_to"
    assert codes["phone-red"] == "other_variant"
    assert "phone" not in codes


def test_product_needs_an_item(window: Window) -> None:
    with pytest.raises(Invalid, match="itemId"):
        window.ask("product")


def test_an_unknown_product_still_answers(window: Window) -> None:
    assert len(window.ids("product", item_id="nonsense", limit=5)) == 5


def test_cart_shows_complements_and_closes_the_gap_cheaply(window: Window) -> None:
    window.settings = replace(settings(), threshold=replace(settings().threshold, spend_cents=63000, fillers=1))
    window.learns({"phone": {"together": {"film": 1.0, "case": 0.6, "charger": 0.5, "rival": 0.9}}})
    window.sells(cable=1.0)
    window.knows(profile(cart={"phone": NOW, "case": NOW - HOUR}))
    answer = window.ask("cart", limit=3)
    assert answer.extras["threshold"]["gapCents"] == 1500
    codes = {placed.item.item_id: placed.reason for placed in answer.items}
    assert codes["film"].code == "goes_with_cart"
    assert codes["charger"].code == "closes_gap"
    assert codes["charger"].text == "Adds the 15.00 EUR that saves you 50.00 EUR"
    assert {"phone", "case"}.isdisjoint(codes)


def test_cart_of_the_question_stands_in_for_the_profiles(window: Window) -> None:
    window.learns({"phone": {"together": {"case": 1.0}}, "shampoo": {"together": {"conditioner": 1.0}}})
    window.knows(profile(cart={"phone": NOW}))
    assert window.ids("cart", cart=("shampoo",), limit=1) == ["conditioner"]


def test_a_full_cart_has_no_gap(window: Window) -> None:
    window.sells(cable=1.0)
    answer = window.ask("cart", cart=("phone",))
    assert answer.extras["threshold"]["gapCents"] == 0
    assert "closes_gap" not in {placed.reason.code for placed in answer.items}


def test_when_no_single_item_closes_the_gap_the_dearest_help(window: Window) -> None:
    window.sells(cable=1.0, charger=0.2)
    window.settings = replace(settings(), threshold=replace(settings().threshold, spend_cents=900_000, fillers=1))
    codes = window.codes("cart", cart=("phone",), limit=2)
    assert codes["charger"] == "helps_close_gap"


def test_return_shows_first_what_waits_then_substitutes_and_new_of_the_brand(window: Window) -> None:
    window.learns({"film": {"similar": {"cable": 1.0}}, "shampoo": {"similar": {"conditioner": 1.0}}})
    window.catalogue.update("film", at=NOW, stock=0)
    window.knows(
        profile(
            cart={"case": NOW - HOUR, "film": NOW - 2 * HOUR},
            wishlist={"charger": NOW - DAY},
            item_seen_at={"shampoo": NOW - DAY},
        )
    )
    answer = window.ask("return", limit=6)
    reasons = {placed.item.item_id: placed.reason for placed in answer.items}
    assert list(reasons) == ["case", "charger", "cable", "novelty", "shampoo", "conditioner"]
    assert reasons["case"].text == "Still in your cart, now 25% off"
    assert reasons["cable"].text == "Instead of Film, which is sold out"
    assert reasons["novelty"].text == "New from Aa"


def test_repurchase_shows_what_is_due_with_its_companion(window: Window) -> None:
    window.learns({"shampoo": {"together": {"conditioner": 1.0, "case": 0.5}}})
    window.knows(profile(bought={"shampoo": (95, 65, 35), "film": (12, 2)}))
    answer = window.ask("repurchase", limit=3)
    shown = [placed.item.item_id for placed in answer.items]
    assert shown == ["shampoo", "conditioner", "film"]
    assert answer.items[0].reason.text == "You buy this about every 30 days"
    assert answer.items[1].reason.text == "Goes with Shampoo, which you buy regularly"
    assert answer.items[2].reason.code == "due_soon"


def test_repurchase_of_an_item_bought_once_follows_what_others_do(window: Window) -> None:
    window.learns({"shampoo": {}, "case": {}}, gaps={"shampoo": 30.0})
    window.knows(profile(bought={"shampoo": 29, "case": 29}))
    codes = window.codes("repurchase", limit=10)
    assert codes["shampoo"] == "due_again"
    assert codes.get("case", "absent") == "absent"


def test_trending_by_category_and_region(window: Window) -> None:
    window.sells("all", rival=1.0, film=0.5)
    window.sells("category:care", conditioner=1.0, shampoo=0.2)
    window.sells("region:GB", film=1.0)
    assert window.ids("trending", shopper="", limit=2) == ["rival", "film"]
    assert window.ids("trending", shopper="", country="GB", limit=1) == ["film"]
    assert window.ids("trending", shopper="", category="care", limit=3) == ["conditioner", "shampoo"]


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("shopper", ["", SHE])
def test_without_model_and_popularity_the_newest_stand_in(window: Window, scene: str, shopper: str) -> None:
    answer = window.ask(scene, shopper=shopper, item_id="phone", limit=3)
    assert answer.items[0].item.item_id == "novelty" or scene == "product"
    assert len(answer.items) == 3
    assert (answer.arm, answer.model_version) == ("fallback", "")
    assert answer.recommendation_id.startswith(f"{scene}.none.fallback.")


@pytest.mark.parametrize("scene", SCENES)
def test_an_empty_catalogue_says_so(scene: str) -> None:
    answer = Window(()).ask(scene, item_id="phone")
    assert (answer.items, answer.reason) == ((), "empty_catalogue")


@pytest.mark.parametrize("scene", SCENES)
def test_positions_count_up_and_no_item_is_shown_twice(window: Window, scene: str) -> None:
    everything = {entry.item_id: 1.0 / (n + 1) for n, entry in enumerate(SHELF)}
    window.learns({name: {"similar": everything, "together": everything, "next": everything} for name in everything})
    window.sells(rival=1.0, film=0.3)
    window.knows(profile(bought={"shampoo": (60, 30)}, cart={"case": NOW}, item_seen_at={"phone": NOW}))
    answer = window.ask(scene, item_id="phone", limit=100)
    assert [placed.position for placed in answer.items] == list(range(1, len(answer.items) + 1))
    ids = [placed.item.item_id for placed in answer.items]
    assert len(ids) == len(set(ids))


def test_a_damaged_model_falls_back_and_is_told(window: Window) -> None:
    class Damaged(dict):  # type: ignore[type-arg]
        def get(self, relation: str, default: object = None) -> object:
            raise GiveUp("not a packed list", code="broken_model")

    class Sources:
        def open(self, shopper: str, now: object) -> object:
            return healthy.open(shopper, NOW)

        def neighbourhood(self, *_: object) -> Neighbourhood:
            return Neighbourhood({"phone": Row(Damaged())}, {}, frozenset())

    window.knows(profile(item_seen_at={"phone": NOW}))
    window.sells(rival=1.0)
    window.learns({})
    healthy, window.sources = window.sources, Sources()
    answer = window.ask("home")
    assert answer.items[0].item.item_id == "rival"
    assert answer.arm == "fallback"
    assert "damaged" in window.warnings[0]


def test_a_popularity_row_that_is_no_longer_built_fades(window: Window) -> None:
    stale = Popularity("region:GB", (("film", 1.0),), (("film", 1.0),), NOW - 9 * DAY)
    window.models.put_popularity([stale])
    window.sells(rival=1.0)
    assert window.codes("home", shopper="", country="GB", limit=1) == {"rival": "popular"}


def test_age_rules_hide_from_the_young_and_the_unknown() -> None:
    window = Window([item("wine", attributes={"min_age": "18"}), item("juice")])
    assert window.ids("home") == ["juice"]
    window.knows(profile(traits={"birthday": "2010-01-01"}))
    assert window.ids("home") == ["juice"]
    window.knows(profile(traits={"birthday": "1990-01-01"}))
    assert set(window.ids("home")) == {"wine", "juice"}


def test_the_id_names_scene_version_and_arm_and_is_derivable(window: Window) -> None:
    window.learns({"phone": {"similar": {"rival": 1.0}}})
    window.knows(profile(item_seen_at={"phone": NOW}))
    one, two = window.ask("home"), window.ask("home")
    assert one.recommendation_id == two.recommendation_id
    assert one.recommendation_id.split(".")[:3] == ["home", "0000000000001", "model"]
    assert window.ask("home", shopper="user:43").recommendation_id.rpartition(".")[2] not in one.recommendation_id

"""Members (R6): exclusive, new and high-end items for the loyal, bundles for those who may become it, offers that wake the
dormant."""

from __future__ import annotations

import pytest
from tests.support.department_store import STORE, store, ware
from tests.support.window import DAY, NOW, Window, profile

from regulars.errors import Invalid
from regulars.recommendations.config import RecommendationSettings
from regulars.recommendations.model import SCENES
from regulars.shop import section

EXCLUSIVE = {"watch-atelier", "pearl-earrings"}
WATCHES = {"preference/category/watches": 3.0, "preference/category/food-tea": 1.0}


def everything(window: Window, scene: str, **question: str) -> set[str]:
    answer = window.ask(scene, item_id="watch-gold", limit=100, **question)
    return {placed.item.item_id for placed in (*answer.items, *([answer.banner] if answer.banner else ()))}


@pytest.fixture
def window() -> Window:
    return store()


@pytest.mark.parametrize("who", [{"stage": "loyal"}, {"tier": "high"}])
def test_members_see_exclusive_then_new_and_the_finest(window: Window, who: dict[str, str]) -> None:
    window.knows(profile(tags=WATCHES, bought={"tea-green": 90}, **who))
    answer = window.ask("members", limit=6)
    codes = {placed.item.item_id: placed.reason.code for placed in answer.items}
    assert answer.extras["memberGroup"] == "loyal"
    assert list(codes)[:2] == ["watch-atelier", "pearl-earrings"]  # she likes watches
    assert codes["watch-gold"] == "high_end"
    assert codes["maren-scarf-new"] == "new_for_members"
    assert "watch-kids" not in codes
    gold = next(placed for placed in answer.items if placed.item.item_id == "watch-gold")
    assert gold.reason.text == "Among the finest in watches"


@pytest.mark.parametrize("scene", SCENES)
def test_nobody_else_sees_what_is_kept_for_members(window: Window, scene: str) -> None:
    window.sells("all", watch_atelier=1.0, pearl_earrings=0.9)
    window.rules(
        {"id": "hero", "action": "pin", "items": ["watch-atelier"]}, {"id": "b", "action": "boost", "items": ["pearl-earrings"]}
    )
    window.knows(profile(cart={"watch-atelier": NOW}, wishlist={"pearl-earrings": NOW}, bought={"watch-atelier": (60, 30)}))
    assert EXCLUSIVE.isdisjoint(everything(window, scene))
    assert EXCLUSIVE.isdisjoint(everything(window, scene, shopper=""))
    window.knows(profile(stage="loyal"))
    assert everything(window, scene) >= EXCLUSIVE


def test_an_attribute_that_says_no_keeps_nothing_back() -> None:
    window = Window([ware("open", "a", "", 100, members_only="No", exclusive="")])
    assert window.ids("home") == ["open"]


def test_a_segment_that_nobody_can_be_in_is_refused_by_its_path() -> None:
    with pytest.raises(Invalid) as caught:
        section(
            RecommendationSettings,
            "recommendations",
            {"recommendations": {"members": {"loyal": ["tier:high", "stage:loyall"]}}},
        )
    assert caught.value.field == "recommendations.members.loyal[1]"


def test_potential_members_get_bundles_with_their_price(window: Window) -> None:
    window.knows(profile(stage="active", item_seen_at={"nova-12-black": NOW, "honey": NOW - DAY}))
    answer = window.ask("members", limit=6)
    reasons = {placed.item.item_id: placed.reason for placed in answer.items}
    assert answer.extras["memberGroup"] == "potential"
    assert list(reasons)[:3] == ["bloom-gift-set", "nova-12-black", "nova-12-case"]
    assert reasons["bloom-gift-set"].code == "bundle"
    assert reasons["nova-12-black"].text == "Together with Nova 12 Case for 723.90 EUR"
    assert answer.extras["bundles"][:1] == [
        {"itemIds": ["nova-12-black", "nova-12-case"], "totalCents": 72390, "currency": "EUR"}
    ]


def test_a_stranger_is_offered_bundles_of_what_sells(window: Window) -> None:
    codes = window.codes("members", shopper="", limit=20)
    assert codes["pixie-7"] == codes["leather-case"] == "bundle_with"


def test_bundles_add_up_in_one_currency_only() -> None:
    window = store((*STORE, ware("strap", "watches/straps", "Tempo", 900, currency="USD")))
    window.learns({"watch-steel": {"together": {"strap": 1.0}}})
    window.knows(profile(item_seen_at={"watch-steel": NOW}))
    told = [pair["itemIds"] for pair in window.ask("members").extras["bundles"]]
    assert told == [["pixie-7", "leather-case"], ["tea-green", "honey"]]  # of what sells; the watch has no strap in euro


def test_a_bundle_loses_what_is_banned_and_finds_another(window: Window) -> None:
    window.rules({"id": "x", "action": "ban", "items": ["nova-12-case"]})
    window.knows(profile(stage="active", item_seen_at={"nova-12-black": NOW}))
    assert window.ask("members").extras["bundles"][0]["itemIds"] == ["nova-12-black", "glass-film"]


@pytest.mark.parametrize("stage", ["dormant", "lost", "churn-risk"])
def test_the_dormant_are_woken_by_offers_in_what_they_like(window: Window, stage: str) -> None:
    window.knows(
        profile(
            stage=stage,
            tier="high",
            tags={"preference/category/clothing-shoes": 2.0},
            bought={"straw-hat": 200, "earbuds": 300},
            last_seen_at=NOW - 150 * DAY,
        )
    )
    answer = window.ask("members", limit=4)
    reasons = {placed.item.item_id: placed.reason for placed in answer.items}
    assert answer.extras["memberGroup"] == "dormant"
    assert next(iter(reasons)) == "sandals"
    assert reasons["sandals"].text == "25% off in clothing/shoes, which you like"


def test_what_came_new_on_their_shelves_follows() -> None:
    window = store((*STORE, ware("felt-hat", "clothing/hats", "Maren", 4900, days=20)))
    window.knows(profile(stage="dormant", bought={"straw-hat": 200}, last_seen_at=NOW - 150 * DAY))
    codes = window.codes("members", limit=5)
    assert codes["felt-hat"] == "new_since"
    assert codes["earbuds"] == "reduced"  # elsewhere


def test_a_category_of_one_price_has_no_finest() -> None:
    window = Window([ware(f"cup-{n}", "cups", "Kiln", 900) for n in range(9)])
    window.knows(profile(stage="loyal", tags={"preference/category/cups": 1.0}))
    assert "high_end" not in set(window.codes("members").values())

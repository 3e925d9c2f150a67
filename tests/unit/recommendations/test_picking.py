"""Items for messages, by the same scenes."""

from __future__ import annotations

from tests.support.department_store import store
from tests.support.window import NOW, Window, item, profile

from regulars.recommendations.picking import Picking


def test_each_kind_of_moment_has_its_scene() -> None:
    window = Window()
    she = profile(cart={"film": NOW}, bought={"shampoo": (60, 30)})
    picking = Picking(window.recommend)
    assert picking.pick(she, "cart_abandoned", count=1, now=NOW).items[0].item.item_id == "film"
    assert picking.pick(she, "repurchase_due", count=1, now=NOW).items[0].item.item_id == "shampoo"
    assert picking.pick(she, "welcome", count=2, now=NOW).scene == "home"


def test_picked_gives_items_with_reason_codes() -> None:
    window = Window()
    window.sells(rival=1.0)
    assert [(picked.item_id, why) for picked, why in Picking(window.recommend).picked(profile(), count=1, now=NOW)] == [
        ("rival", "popular")
    ]


def test_items_carry_the_stock_that_is_known_now() -> None:
    window = Window([item("out"), item("back", stock=0), item("there")])
    window.catalogue.update("out", at=NOW, stock=0)
    window.catalogue.update("back", at=NOW, stock=2)
    found = Picking(window.recommend).items(["out", "back", "there", "unknown"])
    assert {name: entry.in_stock for name, entry in found.items()} == {"out": False, "back": True, "there": True}


def test_a_dormant_shopper_is_woken_by_what_is_reduced_where_she_bought() -> None:
    window = store()
    window.sells("all", pixie_7=1.0, earbuds=0.9)
    she = profile(stage="dormant", bought={"tea-green": 200}, tags={"preference/category/clothing-shoes": 1.0})
    picking = Picking(window.recommend)
    answer = picking.pick(she, "winback_dormant", count=2, now=NOW)
    assert (answer.scene, answer.extras["memberGroup"]) == ("members", "dormant")
    picked = picking.picked(she, count=4, now=NOW, kind="winback_dormant")
    assert (picked[0][0].item_id, picked[0][1]) == ("sandals", "wake_up")
    assert picked != picking.picked(she, count=4, now=NOW)

"""The recipe that a build chose is what is served; what is broken is lived with, and told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from tests.support.window import DAY, NOW, SHE, SHELF, VERSION, Window, item, profile, settings

from regulars.errors import GiveUp, Invalid
from regulars.recommendations.model import Answer, Ask
from regulars.recommendations.ports import Neighbourhood, Opening, Row
from regulars.recommendations.recipes import RecipeReader, default_recipe
from regulars.recommendations.spelling import given_by
from regulars.sections import check
from regulars.similarity.model import HABIT, RELATIONS, Neighbours, Pointer, Popularity
from regulars.similarity.packing import Ranked
from regulars.similarity.recipe import Part, Recipe

CHOSEN = Recipe(protocol="time-new", parts={"next": Part(weight=1.0)}, popularity={"week": 0.1})
Rows = Mapping[str, Mapping[str, Mapping[str, float]]]
LIKES: Rows = {"phone": {"similar": {"rival": 1.0}, "next": {"case": 1.0, "film": 0.4}}}


@pytest.fixture
def window() -> Window:
    return Window()


def publish(window: Window, recipe: Any, version: str = "7", rows: Rows = LIKES) -> None:
    """A version with this recipe goes live, as a build does it."""
    built = [Neighbours(name, {r: tuple(scores.items()) for r, scores in found.items()}) for name, found in rows.items()]
    window.models.write(version, built)
    params = {"recipe": recipe.to_wire() if isinstance(recipe, Recipe) else recipe}
    seen = window.models.pointer()
    pointer = Pointer(
        version=version, built_at=NOW, previous=seen.version if seen else "", params=params, counts={"rows": len(rows)}
    )
    window.models.flip(pointer, seen)


@dataclass
class Counted:
    """A window's answers with what was counted beside."""

    window: Window
    counts: list[str] = field(default_factory=list)

    def ask(self, scene: str = "home", **changes: Any) -> Answer:
        return replace(self.window.recommend, count=self.counts.append)(replace(Ask(scene=scene, shopper=SHE), **changes))


def test_home_serves_what_the_build_chose(window: Window) -> None:
    window.knows(profile(item_seen_at={"phone": NOW}))
    publish(window, CHOSEN)
    assert window.ids("home", limit=2) == ["case", "film"]
    publish(window, replace(CHOSEN, parts={"similar": Part(weight=1.0)}), version="8")
    assert window.ids("home", limit=1) == ["rival"]


def test_without_a_chosen_recipe_the_settings_are_one(window: Window) -> None:
    window.knows(profile(item_seen_at={"phone": NOW}))
    window.learns(LIKES)
    assert window.ids("home", limit=1) == ["rival"]
    recipe = default_recipe(settings())
    assert recipe.parts["similar"] == Part(weight=1.0, rank_power=0.0, half_life_days=120)
    assert (recipe.protocol, recipe.repeats) == ("", False)


def test_a_chosen_recipe_is_not_bent_by_tags(window: Window) -> None:
    window.knows(profile(item_seen_at={"phone": NOW}, tags={"preference/category/films": 9.0}))
    publish(window, replace(CHOSEN, parts={"next": Part(weight=0.01)}))
    assert window.ids("home", limit=1) == ["case"]


def test_bought_items_come_again_only_where_the_recipe_says_so(window: Window) -> None:
    window.knows(profile(bought={"shampoo": (40, 20, 1), "cable": 300}))
    part = Part(weight=1.0, half_life_days=30.0)
    publish(window, replace(CHOSEN, repeat=part, repeats=False))
    assert "shampoo" not in window.ids("home", limit=20)
    publish(window, replace(CHOSEN, repeat=part, repeats=True), version="8")
    answer = window.ask("home", limit=2)
    assert [placed.item.item_id for placed in answer.items] == ["shampoo", "cable"]
    assert answer.items[0].reason.code == "bought_before"
    assert "shampoo" not in window.ids("home", cart=("shampoo",))


def test_what_a_kind_of_deed_says_is_the_recipes(window: Window) -> None:
    window.knows(profile(item_seen_at={"phone": NOW}, cart={"shampoo": NOW}))
    rows = {"phone": {"next": {"case": 1.0}}, "shampoo": {"next": {"conditioner": 1.0}}}
    for version, kinds, first in (("7", {"view": 1.0, "cart": 0.1}, "case"), ("8", {"view": 0.1, "cart": 1.0}, "conditioner")):
        publish(window, replace(CHOSEN, kinds=kinds), version, rows)
        assert window.ids("home", limit=1) == [first]


def test_habits_weigh_repeats(window: Window) -> None:
    window.knows(profile(bought={"shampoo": 3, "cable": 3}))
    recipe = replace(CHOSEN, repeat=Part(weight=1.0), repeats=True, habit_power=1.0)
    publish(window, recipe)
    window.models.put_popularity([Popularity(HABIT, (("cable", 1.0), ("shampoo", 0.25)), (), NOW, 2.0)])
    assert window.ids("home", limit=2) == ["cable", "shampoo"]
    window.models.put_popularity([Popularity(HABIT, (("shampoo", 1.0), ("cable", 0.25)), (), NOW, 2.0)])
    assert window.ids("home", limit=2) == ["shampoo", "cable"]


def test_habit_speaks_for_what_was_bought_once_and_long_ago(window: Window) -> None:
    window.knows(profile(bought={"shampoo": 3, "cable": 300}))
    window.models.put_popularity([Popularity(HABIT, (("cable", 1.0), ("shampoo", 0.25)), (), NOW, 2.0)])
    repeat = Part(weight=1.0, half_life_days=30.0)
    for version, weight, first in (("7", 0.0, "shampoo"), ("8", 1.0, "cable")):
        publish(window, replace(CHOSEN, repeat=repeat, repeats=True, habit_weight=weight), version)
        assert window.ids("home", limit=1) == [first]


@pytest.mark.parametrize(
    ("algorithm", "first"), [("auto", "case"), ("similar", "rival"), ("next", "case"), ("popularity", "cable")]
)
def test_one_switch_a_shop(window: Window, algorithm: str, first: str) -> None:
    window.settings = replace(settings(), algorithm=algorithm)
    window.knows(profile(item_seen_at={"phone": NOW}))
    window.sells(cable=1.0)
    publish(window, CHOSEN)
    assert window.ids("home", limit=1) == [first]


def test_an_unknown_algorithm_is_refused_when_the_settings_are_checked() -> None:
    for name in ("auto", "popularity", *RELATIONS):
        check({"recommendations": {"algorithm": name}})
    with pytest.raises(Invalid, match="algorithm"):
        check({"recommendations": {"algorithm": "magic"}})


def test_messages_are_picked_by_the_same_recipe(window: Window) -> None:
    from regulars.recommendations.picking import Picking

    publish(window, CHOSEN)
    picked = Picking(window.recommend).picked(profile(item_seen_at={"phone": NOW}), count=1, now=NOW)
    assert [(entry.item_id, code) for entry, code in picked] == [("case", "because_viewed")]


def test_a_new_version_is_served_by_the_next_call(window: Window) -> None:
    recommend = window.recommend
    window.knows(profile(item_seen_at={"phone": NOW}))
    publish(window, CHOSEN)
    assert recommend(Ask(scene="home", shopper=SHE, limit=1)).items[0].item.item_id == "case"
    publish(window, replace(CHOSEN, parts={"similar": Part(weight=1.0)}), version="8")
    answer = recommend(Ask(scene="home", shopper=SHE, limit=1))
    assert (answer.items[0].item.item_id, answer.model_version) == ("rival", "8")
    window.models.roll_back()
    answer = recommend(Ask(scene="home", shopper=SHE, limit=1))
    assert (answer.items[0].item.item_id, answer.model_version) == ("case", "7")


BROKEN = [
    7,
    [],
    {},
    {**CHOSEN.to_wire(), "parts": {"next": {"weight": "much"}}},
    {**CHOSEN.to_wire(), "parts": {"next": {"weight": 1.0, "colour": 1}}},
    {**CHOSEN.to_wire(), "popularity": {"week": float("nan")}},
    {**CHOSEN.to_wire(), "history_items": -1},
    {**CHOSEN.to_wire(), "repeat": {"weight": 1.0, "half_life_days": -3.0}},
]


@pytest.mark.parametrize("recipe", BROKEN)
def test_a_damaged_recipe_falls_back_like_a_damaged_model(window: Window, recipe: Any) -> None:
    window.knows(profile(item_seen_at={"phone": NOW}))
    window.sells(cable=1.0)
    publish(window, recipe)
    counted = Counted(window)
    answer = counted.ask(limit=3)
    assert (answer.arm, answer.items[0].item.item_id) == ("fallback", "cable")
    assert counted.counts == ["ModelBroken"]
    assert "damaged" in window.warnings[0]
    for scene in ("product", "cart", "return"):
        assert counted.ask(scene, item_id="phone").arm == "fallback"


def test_the_recipe_is_read_once_a_version() -> None:
    read = RecipeReader()
    pointer = Pointer(version="1", built_at=NOW, params={"recipe": CHOSEN.to_wire()})
    assert read(pointer, settings()) is read(replace(pointer), settings())
    longer = replace(pointer, version="2", params={"recipe": replace(CHOSEN, history_items=500).to_wire()})
    assert read(longer, settings()).history_items == 80


class Damaged(dict[str, Ranked]):
    """A row of which nothing can be read."""

    def get(self, relation: str, default: Any = None) -> Any:
        raise GiveUp("not a packed list", code="broken_model")


class Half:
    """Sources that find this row damaged beside the others."""

    def __init__(self, window: Window, *damaged: str, named: tuple[str, ...] = ()) -> None:
        self._healthy, self._damaged, self._named = window.sources, damaged, named

    def open(self, shopper: str, now: datetime) -> Opening:
        opening: Opening = self._healthy.open(shopper, now)
        return replace(opening, damaged=self._named)

    def neighbourhood(self, *question: Any) -> Neighbourhood:
        found: Neighbourhood = self._healthy.neighbourhood(*question)
        return replace(found, rows={**found.rows, **{name: Row(Damaged()) for name in self._damaged}})


@pytest.mark.parametrize("scene", ["home", "product", "cart", "return", "repurchase", "members"])
def test_a_damaged_row_is_left_out_and_the_others_serve(window: Window, scene: str) -> None:
    rows = {"phone": {"similar": {"rival": 1.0}, "together": {"case": 1.0}, "next": {"case": 1.0}}}
    window.learns(rows)
    she = {
        "item_seen_at": {"phone": NOW, "shampoo": NOW},
        "cart": {"phone": NOW, "shampoo": NOW},
        "bought": {"cable": (40, 20)},
    }
    window.knows(profile(**she))
    window.sources = Half(window, "shampoo", "cable")
    counted = Counted(window)
    answer = counted.ask(scene, item_id="phone")
    assert answer.arm == "model"
    if scene in ("home", "cart"):
        assert counted.counts == ["ModelBroken"]
    reasons = {placed.item.item_id: placed.reason.because for placed in answer.items}
    if scene in ("home", "cart"):
        assert "phone" in {cause for because in reasons.values() for cause in because}


def test_damage_that_the_sources_found_is_told(window: Window) -> None:
    window.learns(LIKES)
    window.sources = Half(window, named=("popularity of all", "rules"))
    counted = Counted(window)
    assert counted.ask().items
    assert counted.counts == ["ModelBroken", "ModelBroken"]


def test_a_missing_model_is_told(window: Window) -> None:
    counted = Counted(window)
    assert counted.ask().arm == "fallback"
    assert counted.counts == ["ModelMissing"]
    counted.counts.clear()
    window.learns(LIKES)
    counted.ask()
    assert counted.counts == []


def test_rows_that_are_gone_are_told(window: Window) -> None:
    seen = {f"item-{n}": NOW - n * DAY for n in range(12)}
    window.knows(profile(item_seen_at=seen))
    counted = Counted(window)
    publish(window, CHOSEN)
    counted.ask()
    assert counted.counts == ["ModelMissing"]
    window.knows(profile(item_seen_at={"item-1": NOW}))  # one new item is no proof
    counted.ask()
    assert counted.counts == ["ModelMissing"]


def test_an_empty_shop_is_not_told_of_a_missing_model() -> None:
    counted = Counted(Window(()))
    assert counted.ask().reason == "empty_catalogue"
    assert counted.counts == []


def test_explain_says_what_gave_each_place(window: Window) -> None:
    window.knows(profile(item_seen_at={"phone": NOW}, bought={"shampoo": 3}))
    window.sells(cable=1.0, film=0.5)
    recipe = replace(CHOSEN, repeat=Part(weight=0.4), repeats=True)
    publish(window, recipe)
    window.rules({"id": "push charger", "action": "pin", "items": ["charger"], "position": 4})
    answer = window.ask("home", limit=6, explain=True)
    by = {placed.item.item_id: given_by(placed) for placed in answer.items}
    assert by["case"] == "next"
    assert by["shampoo"] == "repeat"
    assert by["charger"] == "rule:push charger"
    assert by["cable"] == "week"
    film = next(placed for placed in answer.items if placed.item.item_id == "film")
    assert film.parts == pytest.approx({"next": 0.4, "week": 0.05}, abs=1e-3)
    for placed in answer.items:
        if not placed.rule and placed.source not in ("catalogue", "popularity"):
            assert sum(placed.parts.values()) == pytest.approx(placed.score, abs=1e-3)
    assert all(not placed.parts for placed in window.ask("home", limit=6).items)


@pytest.mark.parametrize("scene", ["product", "cart", "return"])
def test_other_scenes_say_how_near_each_relation_sees_an_item(window: Window, scene: str) -> None:
    rows = {"phone": {"similar": {"rival": 1.0, "film": 0.5}, "together": {"case": 1.0, "film": 0.5}, "next": {"case": 1.0}}}
    window.learns(rows)
    window.knows(profile(cart={"phone": NOW}))
    answer = window.ask(scene, item_id="phone", limit=8, explain=True)
    parts = {placed.item.item_id: dict(placed.parts) for placed in answer.items}
    named = {name for found in parts.values() for name in found}
    assert named & {"similar", "together"}
    assert all(0 < part <= 1 for found in parts.values() for part in found.values())


def test_what_has_left_the_catalogue_does_not_count() -> None:
    window = Window([*SHELF, item("wine", attributes={"min_age": "18"})])
    window.learns({"phone": {"similar": {"gone": 1.0, "wine": 0.9, "rival": 0.1}}})
    window.knows(profile(item_seen_at={"phone": NOW}))
    answer = window.ask("home", limit=1)
    assert answer.items[0].item.item_id == "rival"
    assert answer.items[0].score == pytest.approx(1.0, abs=0.01)
    assert answer.model_version == VERSION

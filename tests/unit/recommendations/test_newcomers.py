"""Strangers are met by what they say, where they are, what they hold and what time it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.window import NOW, SHE, Window, item, settings

from regulars.catalogue.snapshot import load
from regulars.profiles.model import Profile
from regulars.recommendations.model import Answer, Ask
from regulars.recommendations.newcomers import interests_of, liked, meaning, popular_here, scopes
from regulars.recommendations.situation import Situation
from regulars.similarity.model import Popularity

SHELF = (
    item("espresso", "food/coffee", title="Espresso beans"),
    item("filter", "food/coffee", title="Filter coffee"),
    item("oolong", "食品/茶叶", title="乌龙茶"),
    item("tent", "outdoor/tents", title="Two person tent", brand="Northpeak"),
    item("stove", "outdoor/stoves", title="Camping stove", brand="Northpeak"),
    item("lamp", "home/lamps", title="Desk lamp"),
    item("mug", "home/mugs", title="Enamel camping mug"),
)
SOLD = {"all": {"lamp": 1.0, "mug": 0.9, "tent": 0.5}}
Sold = Mapping[str, Mapping[str, float]]


def rows(sold: Sold, deeds: Mapping[str, float]) -> list[Popularity]:
    ranked = {scope: tuple(sorted(shares.items(), key=lambda pair: -pair[1])) for scope, shares in sold.items()}
    return [Popularity(scope, shares, (), NOW, deeds.get(scope)) for scope, shares in ranked.items()]


def situation(traits: Mapping[str, Any] | None = None, sold: Sold = SOLD, **changes: Any) -> Situation:
    """What one call knows; `deeds` is the evidence of scopes, `known` more of the profile."""
    popularity = {row.scope: row for row in rows(sold, changes.pop("deeds", {}))}
    profile = Profile(shopper=SHE, as_of=NOW, traits=traits or {}, **changes.pop("known", {}))
    at = changes.pop("now", NOW)
    ask = replace(Ask(scene="home", shopper=SHE), **changes)
    return Situation(ask, profile, load(Window(SHELF).storage), settings(), at, popularity=popularity)


def home(traits: Mapping[str, Any] | None = None, sold: Sold = SOLD, **changes: Any) -> Answer:
    """The answer of the scene."""
    window = Window(SHELF, now=changes.pop("now", NOW))
    window.models.put_popularity(rows(sold, changes.pop("deeds", {})))
    window.knows(Profile(shopper=SHE, as_of=NOW, traits=traits or {}, **changes.pop("known", {})))
    return window.ask("home", **changes)


def best(traits: Mapping[str, Any] | None = None, sold: Sold = SOLD, **changes: Any) -> list[str]:
    return [placed.item.item_id for placed in home(traits, sold, **changes).items]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (["Coffee", "tea"], ("Coffee", "tea")),
        ("coffee, 茶，outdoor", ("coffee", "茶", "outdoor")),
        (["", 7, None, " tea ", "tea"], ("tea",)),
        (None, ()),
        (12, ()),
    ],
)
def test_interests_are_a_list_or_a_text(told: Any, expected: tuple[str, ...]) -> None:
    assert interests_of({"interests": told}) == expected


@pytest.mark.parametrize(
    ("interest", "categories", "brands"),
    [
        ("Coffee", ("food/coffee",), ()),
        ("coffees", ("food/coffee",), ()),
        ("coffee machines", ("food/coffee",), ()),
        ("茶", ("食品/茶叶",), ()),
        ("茶叶", ("食品/茶叶",), ()),
        ("outdoor", ("outdoor/tents", "outdoor/stoves"), ()),
        ("northpeak", (), ("Northpeak",)),
        ("chess", (), ()),
        ("🎲", (), ()),
    ],
)
def test_words_become_categories_and_brands(interest: str, categories: tuple[str, ...], brands: tuple[str, ...]) -> None:
    found = meaning(interest, situation())
    assert (found.categories, found.brands) == (categories, brands)


def test_two_strangers_with_different_interests_see_different_lists() -> None:
    coffee, camping = best({"interests": ["coffee"]}), best({"interests": "outdoor"})
    assert coffee[0] in ("espresso", "filter")
    assert camping[0] in ("tent", "stove")
    assert coffee[:2] != camping[:2]


def test_several_interests_take_turns() -> None:
    assert set(best({"interests": ["coffee", "茶"]})[:3]) == {"espresso", "filter", "oolong"}


def test_what_sells_in_the_category_leads() -> None:
    sold = {"all": {"lamp": 1.0}, "category:food/coffee": {"filter": 1.0, "espresso": 0.2}}
    about = situation({"interests": ["coffee"]}, sold)
    assert "category:food/coffee" in list(scopes(about))
    assert best({"interests": ["coffee"]}, sold)[:2] == ["filter", "espresso"]


def test_an_interest_without_a_category_is_looked_for_in_titles() -> None:
    assert [entry.item_id for entry in liked(situation({"interests": ["camping"]}))] == ["mug", "stove"]


def test_an_interest_that_matches_nothing_falls_back_to_what_sells() -> None:
    answer = home({"interests": ["chess", "🎲"]}, limit=3)
    assert {placed.reason.code for placed in answer.items} == {"popular"}
    assert best({"interests": ["chess"]}) == best()


def test_interests_fade_behind_her_own_deeds() -> None:
    told = {"interests": ["coffee"]}
    one = liked(situation(told, known={"item_seen_at": {"lamp": NOW}}))
    none = liked(situation(told))
    assert 0 < one[0].score < none[0].score
    many = {f"i{n}": NOW for n in range(20)}
    assert liked(situation(told, known={"item_seen_at": many})) == []
    assert list(scopes(situation(told, known={"item_seen_at": many}))) == []


def test_a_small_context_falls_back_to_the_whole() -> None:
    sold = {"all": {"lamp": 1.0, "mug": 0.9}, "region:NZ": {"tent": 1.0}}
    assert best(sold=sold, country="NZ", deeds={"region:NZ": 5000.0})[:2] == ["lamp", "tent"]
    assert best(sold=sold, country="NZ", deeds={"region:NZ": 2.0})[:2] == ["lamp", "mug"]
    doubted = situation(sold=sold, country="NZ", deeds={"region:NZ": 2.0})
    assert popular_here(doubted)[0]["tent"] == pytest.approx(0.5 * 2 / 52)
    unheard = situation(sold={"all": sold["all"], "region:NZ": {"tent": 1.0}}, country="NZ", deeds={"region:NZ": 0.0})
    assert popular_here(unheard)[0] == sold["all"]


def test_device_and_part_of_the_day_tip_the_scales_and_say_so() -> None:
    sold = {
        "all": {"lamp": 1.0, "mug": 0.98, "tent": 0.97},
        "device:mobile": {"mug": 1.0},
        "daypart:workday-evening": {"tent": 1.0},
    }
    morning = NOW.replace(hour=9)
    assert best(sold=sold, now=morning)[0] == "lamp"
    first = home(sold=sold, now=morning, device="mobile").items[0]
    assert (first.item.item_id, first.reason.code, first.source) == ("mug", "popular_on_device", "device:mobile")
    first = home(sold=sold, now=NOW.replace(hour=11), time_zone="Asia/Shanghai").items[0]
    assert (first.item.item_id, first.reason.code) == ("tent", "popular_now")


def test_the_profile_zone_stands_in_and_a_strange_one_is_the_shops() -> None:
    at = NOW.replace(hour=23)
    assert list(scopes(situation({"timezone": "Asia/Shanghai"}, now=at))) == ["daypart:workday-morning"]
    assert list(scopes(situation({"timezone": "Mars/Olympus"}, now=at))) == ["daypart:workday-evening"]
    assert list(scopes(situation(now=NOW + timedelta(days=3)))) == ["daypart:weekend-afternoon"]

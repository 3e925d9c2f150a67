"""What a recommendation reads is the same from memory and from DynamoDB."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.support.window import NOW, SHE, VERSION, Profiles, item, profile

from regulars.recommendations.ports import Sources
from regulars.similarity.model import Neighbours, Pointer, Popularity

SECOND = timedelta(seconds=1)


class World:
    """A catalogue, models and profiles, and the sources over them."""

    def __init__(self, kind: str, request: pytest.FixtureRequest) -> None:
        self.profiles = Profiles({SHE: profile(cart={"a": NOW})})
        self.catalogue: Any
        self.models: Any
        self.sources: Sources
        if kind == "memory":
            from regulars.adapters.memory.catalogue import MemoryCatalogue
            from regulars.adapters.memory.models import MemoryModels
            from regulars.adapters.memory.sources import MemorySources

            self.catalogue, self.models = MemoryCatalogue(), MemoryModels()
            self.sources = MemorySources(self.profiles, self.models, self.catalogue)
            return
        from regulars.adapters.dynamodb.catalogue import DynamoCatalogue
        from regulars.adapters.dynamodb.models import DynamoModels
        from regulars.adapters.dynamodb.sources import DynamoSources

        create_table = request.getfixturevalue("create_table")
        self.catalogue = DynamoCatalogue(create_table("catalogue", False))
        self.models = DynamoModels(create_table("models", True))
        self.sources = DynamoSources(self.profiles, "models", "catalogue", common_seconds=5, cache_rows=3)


@pytest.fixture(params=["memory", "dynamodb"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param, request)


def test_an_empty_world(world: World) -> None:
    opening = world.sources.open("", NOW)
    assert (opening.profile.shopper, opening.pointer, opening.rules, opening.popularity) == ("", None, None, {})
    around = world.sources.neighbourhood("", ["a"], ["region:GB"], NOW)
    assert (around.rows, around.popularity, around.stock_outs) == ({}, {}, frozenset())


def test_the_first_trip_brings_profile_pointer_rules_and_popularity(world: World) -> None:
    world.models.flip(Pointer(version=VERSION, built_at=NOW), None)
    world.models.put_rules({"rules": []})
    world.models.put_popularity([Popularity("all", (("a", 1.0),)), Popularity("region:GB", (("b", 1.0),))])
    opening = world.sources.open(SHE, NOW)
    assert set(opening.profile.cart) == {"a"}
    assert opening.pointer is not None
    assert opening.pointer.version == VERSION
    assert opening.rules == {"rules": []}
    assert set(opening.popularity) == {"all"}
    assert world.sources.open("user:unknown", NOW).profile.cart == {}


def test_the_second_trip_brings_neighbours_scopes_and_stock_outs(world: World) -> None:
    world.models.write(VERSION, [Neighbours("a", {"similar": (("b", 1.0),)}, 30.0)])
    world.models.put_popularity([Popularity("region:GB", (("b", 1.0),))])
    world.catalogue.put([item("c", stock=0)])
    for _ in range(2):
        around = world.sources.neighbourhood(VERSION, ["a", "z", "a"], ["region:GB", "region:FR"], NOW)
        assert set(around.rows) == {"a"}
        assert {name: list(ranked) for name, ranked in around.rows["a"].relations.items()} == {"similar": [("b", 1.0)]}
        assert around.rows["a"].relations.get("next", ()) == ()
        assert around.rows["a"].gap_days == 30.0
        assert set(around.popularity) == {"region:GB"}
        assert around.stock_outs == {"c"}


def test_more_items_than_memory_holds(world: World) -> None:
    world.models.write(VERSION, [Neighbours(name, {"similar": (("z", 1.0),)}) for name in "abcdef"])
    for asked in ("ab", "bcde", "abf"):
        assert set(world.sources.neighbourhood(VERSION, asked, (), NOW).rows) == set(asked)


def test_stock_outs_are_live(world: World) -> None:
    world.catalogue.put([item("c", stock=1)])
    assert world.sources.neighbourhood("", (), (), NOW).stock_outs == frozenset()
    world.catalogue.update("c", at=NOW, stock=0)
    assert world.sources.neighbourhood("", (), (), NOW).stock_outs == {"c"}


def test_a_new_version_is_seen_within_seconds(world: World) -> None:
    world.models.write(VERSION, [Neighbours("a", {"similar": (("b", 1.0),)})])
    world.models.flip(Pointer(version=VERSION, built_at=NOW), None)
    assert world.sources.open(SHE, NOW).pointer is not None
    world.models.write("2", [Neighbours("a", {"similar": (("c", 1.0),)})])
    world.models.flip(Pointer(version="2", built_at=NOW), world.models.pointer())
    pointer = world.sources.open(SHE, NOW + 6 * SECOND).pointer
    assert pointer is not None
    assert pointer.version == "2"
    for version, other in ((VERSION, "b"), ("2", "c")):
        around = world.sources.neighbourhood(version, ["a", "d", "e", "f"], (), NOW)
        assert list(around.rows["a"].relations["similar"]) == [(other, 1.0)]


def _ban(*items: str) -> dict[str, Any]:
    return {"rules": [{"id": f"ban {name}", "action": "ban", "items": [name]} for name in items]}


def test_rules_hold_at_once(world: World) -> None:
    """Not only after the few seconds for which what is the same for everybody is kept."""
    assert world.sources.open(SHE, NOW).rules is None
    assert world.sources.neighbourhood("", (), (), NOW).rules is None
    document: dict[str, Any]
    for document in (_ban("a"), _ban("a", "b"), {"rules": []}, _ban(*(f"item {n}" for n in range(300)))):
        world.models.put_rules(document)
        assert world.sources.neighbourhood("", (), (), NOW).rules == document
    assert world.sources.open(SHE, NOW + SECOND).rules in (None, _ban(*(f"item {n}" for n in range(300))))


def test_the_same_rules_are_the_same_object(world: World) -> None:
    """Whoever parses them need not do so at every call."""
    world.models.put_rules(_ban("a"))
    first = world.sources.neighbourhood("", (), (), NOW).rules
    assert first is not None
    assert world.sources.neighbourhood("", (), (), NOW + SECOND).rules is first


def test_large_rules_hold_within_seconds(world: World) -> None:
    """What would cost more than half a read unit at every call is read with what is the same for everybody."""
    import random

    dice = random.Random(1)
    large = _ban(*(f"{dice.getrandbits(160):x}" for _ in range(400)))
    world.models.put_rules(large)
    assert world.sources.open(SHE, NOW).rules == large
    world.models.put_rules(_ban("a"))
    assert world.sources.neighbourhood("", (), (), NOW + SECOND).rules in (None, _ban("a"))
    assert world.sources.open(SHE, NOW + 5 * SECOND).rules == _ban("a")

"""Capture on DynamoDB does what capture in memory does, for one long random story of several shoppers."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

from tests.support.shoppers import DAY, MINUTE, NOON, Shop, event, identify, order, same, unit

from regulars.adapters.dynamodb.events import DynamoEventLog
from regulars.adapters.dynamodb.profiles import DynamoProfiles

NAMES = ("Product Viewed", "Product Added", "Product Removed", "Product Added to Wishlist", "Products Searched")

ITEMS = ("mug", "tin")


def test_one_story_two_stores(create_table: Callable[..., str]) -> None:
    memory = Shop()
    dynamo = Shop(profiles=DynamoProfiles(create_table("profiles")), log=DynamoEventLog(create_table("events")))
    rng = random.Random(7)
    units = []
    for number in range(60):
        who = rng.choice(("user:1", "user:2", "anon:a", "anon:b"))
        at = NOON + number * timedelta(hours=rng.randint(1, 30)) - rng.randint(0, 20) * DAY
        device = {"anonymous_id": rng.choice("ab")} if who == "user:1" and number > 30 else {}
        deeds = [
            event(
                rng.choice(NAMES), at + n * MINUTE, shopper=who, properties={"product_id": rng.choice(("mug", "tin"))}, **device
            )
            for n in range(rng.randint(1, 6))
        ]
        if number % 5 == 0:
            deeds.append(order(f"o{number % 20}", at, total=rng.randint(1, 900), shopper=who, **device))
        if number % 7 == 0:
            deeds.append(identify({"gender": rng.choice("fm"), "email": f"{number}@b.example"}, at, shopper=who, **device))
        units.append(unit(deeds, NOON + number * MINUTE))
        units.append(rng.choice(units))
    for it in units:
        assert memory.capture(it) == dynamo.capture(it)
    memory.now = dynamo.now = NOON + 90 * DAY
    for shopper in ("user:1", "user:2", "anon:a", "anon:b"):
        assert same(memory.profile(shopper), dynamo.profile(shopper), 1e-4)
        assert memory.logged(shopper) == dynamo.logged(shopper)
    assert memory.profile("user:1").aliases

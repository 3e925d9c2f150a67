"""Shops with next to nothing, and with what no shop should have: builds and every scene answer, or say why not."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.needs import settings as needs_settings
from tests.support.window import NOW, SHE, Window, item, profile, similarity_settings

from regulars.capture.model import Event
from regulars.catalogue.model import Item
from regulars.needs.reading import RebuyingReader
from regulars.needs.service import ForecastNeeds
from regulars.recommendations.model import SCENES, Ask
from regulars.similarity.service import BuildSimilarity

LETTERS = "abcdef"
STRANGE = ("a 🎁", "b  c", "龙 井")


def deeds(shoppers: Sequence[str], items: Sequence[str], price: Any = 1.0, days: int = 200) -> list[Event]:
    """Sixty views and orders within the days; 0: all at one instant."""
    dice = random.Random(1)

    def event(number: int) -> Event:
        shopper, at = dice.choice(shoppers), NOW - timedelta(days=dice.random() * days)
        product = {"product_id": dice.choice(items), "price": price, "quantity": 1}
        order = {"order_id": f"o{number}", "products": [product], "total": price}
        return Event(
            message_id=f"m{number}",
            type="track",
            name="Product Viewed" if number % 3 else "Order Completed",
            shopper=f"user:{shopper}",
            user_id=shopper,
            anonymous_id="",
            at=at,
            received_at=at,
            properties=product if number % 3 else order,
        )

    return [event(number) for number in range(60)]


SHOPS: dict[str, tuple[list[Event], list[Item]]] = {
    "nothing": ([], []),
    "no events": ([], [item("a"), item("b")]),
    "empty catalogue": (deeds(["42", "7"], ["a", "b"]), []),
    "one shopper": (deeds(["42"], LETTERS), [item(name) for name in LETTERS]),
    "one item": (deeds(["42", "7", "8"], ["a"]), [item("a")]),
    "one instant": (deeds(["42", "7", "8"], LETTERS, days=0), [item(name) for name in LETTERS]),
    "no attributes": (deeds(["42", "7"], LETTERS), [item(name, "", title="", price_cents=0, currency="") for name in LETTERS]),
    "NaN prices": (deeds(["42", "7"], LETTERS, price=float("nan")), [item(name) for name in LETTERS]),
    "endless prices": (deeds(["42", "7"], LETTERS, price=float("inf")), [item(name) for name in LETTERS]),
    "prices in words": (deeds(["42", "7"], LETTERS, price="cheap"), [item(name) for name in LETTERS]),
    "spaces and emoji": (deeds(["42", "a b", "😀"], STRANGE), [item(name, "类 别🎁") for name in STRANGE]),
}


def built(name: str) -> Window:
    events, shelf = SHOPS[name]
    window = Window(shelf)

    def archive(since: datetime) -> Iterator[Event]:
        return (event for event in events if event.received_at >= since)

    later = NOW + timedelta(hours=1)
    BuildSimilarity(archive, window.models, window.storage, similarity_settings(), lambda: later, lambda *_: None)()
    ForecastNeeds(archive, window.storage, needs_settings(), lambda: later, lambda *_: None)()
    return window


@pytest.mark.parametrize("name", SHOPS)
def test_every_scene_shows_something_or_says_why_not(name: str) -> None:
    window = built(name)
    shelf = [entry.item_id for entry in SHOPS[name][1]] or ["a"]
    recommend = replace(window.recommend, read_rebuying=RebuyingReader(window.storage, lambda: NOW, 300))
    busy = profile(bought=dict.fromkeys(shelf[:2], (40, 20, 3)), cart={shelf[0]: NOW}, item_seen_at={shelf[-1]: NOW})
    for who in (profile(), busy):
        window.knows(who)
        for scene in SCENES:
            answer = recommend(Ask(scene=scene, shopper=SHE, item_id=shelf[0] if scene == "product" else "", explain=True))
            assert bool(answer.items) != bool(answer.reason), scene
            assert {placed.item.item_id for placed in answer.items} <= set(shelf)
            assert all(placed.reason.text for placed in answer.items)
    if name == "spaces and emoji":
        window.knows(profile())
        assert {placed.item.item_id for placed in recommend(Ask(scene="trending", shopper=SHE)).items} == set(STRANGE)

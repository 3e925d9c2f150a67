"""Random logs: events of a shop where everything odd happens."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from regulars.capture.model import Event

_NAMES = ("Product Viewed", "Product Viewed", "Product Added", "Product Added to Wishlist", "Order Completed")


def random_log(seed: int, now: datetime, *, shoppers: int = 60, items: int = 40, deeds: int = 900) -> list[Event]:
    """Views in sessions, carts, wishes, orders (some ids used twice), anonymous shoppers that join users, repeats, one
    shopper who wants everything, ids with spaces and emoji; many deeds share an instant."""
    dice = random.Random(seed)
    shelf = [f"item {number} {'🙂' if number % 7 == 0 else ''}" for number in range(items)]
    crowd = [f"anon:{number}" if number % 5 == 0 else f"user:{number}" for number in range(shoppers)]
    events = list(_deeds(dice, now, crowd, shelf, deeds))
    everything = [_event(dice, now, "user:greedy", "Product Viewed", {"product_id": item}) for item in shelf]
    joins = [_join(dice, now, number, dice.randrange(shoppers)) for number in range(0, shoppers, 10) for _ in range(2)]
    events += everything + joins + dice.sample(events, len(events) // 10)
    dice.shuffle(events)
    return events


def _deeds(dice: random.Random, now: datetime, crowd: list[str], shelf: list[str], deeds: int) -> Iterator[Event]:
    for _ in range(deeds):
        shopper, item = dice.choice(crowd), shelf[min(int(dice.expovariate(0.15)), len(shelf) - 1)]
        name = dice.choice(_NAMES)
        if name == "Order Completed":
            products = [{"product_id": other} for other in {item, *dice.choices(shelf, k=dice.randrange(4))}]
            yield _event(dice, now, shopper, name, {"order_id": f"o{dice.randrange(deeds // 3)}", "products": products})
        else:
            yield _event(dice, now, shopper, name, {"product_id": item})


def _event(dice: random.Random, now: datetime, shopper: str, name: str, properties: dict[str, Any]) -> Event:
    at = now - timedelta(minutes=10 * dice.randrange(6 * 24 * 90))
    return Event(
        message_id=f"m{dice.getrandbits(60)}",
        type="track",
        name=name,
        shopper=shopper,
        user_id=shopper.removeprefix("user:") if shopper.startswith("user:") else "",
        anonymous_id="",
        at=at,
        received_at=at,
        properties=properties,
    )


def _join(dice: random.Random, now: datetime, anonymous: int, user: int) -> Event:
    at = now - timedelta(days=dice.randrange(90))
    return Event(
        message_id=f"m{dice.getrandbits(60)}",
        type="identify",
        name="",
        shopper=f"user:{user}",
        user_id=str(user),
        anonymous_id=str(anonymous),
        at=at,
        received_at=at,
    )

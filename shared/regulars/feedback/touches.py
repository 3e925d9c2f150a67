"""The small records that attribution keeps per shopper, and what an event says about them.

A click on a recommendation is kept until its window ends; an order is kept long enough that feedback which arrives late
still finds it, and that the same order told twice counts once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from regulars.capture import names
from regulars.capture.model import Event
from regulars.profiles.orders import order_told

CLICK_EVENTS = frozenset((names.PRODUCT_CLICKED, names.PRODUCT_VIEWED, names.PRODUCT_ADDED))
"""Events that tell of a click on a recommended item when they carry the recommendation's id."""
LIST_SEEN = "Product List Viewed"
UNKNOWN_SCENE = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationClick:
    """One item of one recommendation, clicked. `event_id` is the event that told it first."""

    recommendation_id: str
    scene: str
    item_id: str
    position: int
    at: datetime
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTouch:
    """One order. `scene`: of the recommendation it came from, "" for none. `credited`: the message id, "" while none."""

    order_id: str
    at: datetime
    value_cents: int
    currency: str
    event_id: str
    scene: str = ""
    credited: str = ""


def recommendation_of(properties: Mapping[str, Any]) -> tuple[str, str]:
    """(recommendation id, scene) that properties name, ("", "") for none.

    Ids are `<scene>.<…>`; a client that shortens them may name the scene beside it.
    """
    given = properties.get("recommendation_id") or properties.get("recommendationId")
    if not isinstance(given, str) or not given or not given.isascii():
        return "", ""
    scene = properties.get("scene") or properties.get("recommendation_scene") or given.partition(".")[0]
    known = isinstance(scene, str) and scene.isascii() and scene.replace("_", "").isalpha() and len(scene) <= 30
    return given[:200], scene if known else UNKNOWN_SCENE


def click_in(event: Event) -> RecommendationClick | None:
    """The click on a recommended item that this event tells of."""
    if event.name not in CLICK_EVENTS:
        return None
    recommendation_id, scene = recommendation_of(event.properties)
    item_id = event.properties.get("product_id")
    if not recommendation_id or not item_id:
        return None
    position = event.properties.get("position")
    return RecommendationClick(
        recommendation_id=recommendation_id,
        scene=scene,
        item_id=str(item_id),
        position=position if isinstance(position, int) else -1,
        at=event.at,
        event_id=event.message_id,
    )


def order_in(event: Event) -> OrderTouch | None:
    """The order that an `Order Completed` tells of, with the value that profiles give it, before refunds."""
    told = order_told(event) if event.name == names.ORDER_COMPLETED else None
    if told is None:
        return None
    return OrderTouch(
        order_id=told.order_id,
        at=event.at,
        value_cents=told.cents,
        currency=str(event.properties.get("currency") or ""),
        event_id=event.message_id,
    )


def items_in(event: Event) -> frozenset[str]:
    """Ids of the products of an order."""
    told = order_told(event)
    return frozenset(told.items) if told else frozenset()

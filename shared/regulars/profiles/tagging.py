"""What one event is evidence of: tags and items with weights, the hour, the channel. Pure; the record adds it up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from regulars.capture import names
from regulars.capture.model import Event
from regulars.catalogue.model import Item
from regulars.clock import to_ms, zone_named
from regulars.profiles.config import Deed, Weights
from regulars.profiles.model import tag_value
from regulars.profiles.record import ItemMark

Lookup = Mapping[str, Item]
_NO_DEED = Deed()
_CHANNEL_MEDIA = {"email": "email", "e-mail": "email", "push": "push", "sms": "sms", "inapp": "inapp", "in-app": "inapp"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one event: weights to add at its time. Marks carry undecayed interest."""

    tags: Mapping[str, float] = field(default_factory=dict)
    items: Mapping[str, ItemMark] = field(default_factory=dict)
    hour: str = ""
    channel: str = ""


def evidence(event: Event, catalogue: Lookup, weights: Weights) -> Evidence:
    """What `event` tells. `catalogue` holds what the event's products lack; unknown items do without."""
    deed = weights.deeds.get(event.name or event.type, _NO_DEED)
    tags: dict[str, float] = {}
    if deed.habit:
        tags[f"habit/{deed.habit}"] = 1.0
    for family, value in _surroundings(event):
        if value and family in weights.families:
            tags[f"{family}/{value}"] = tags.get(f"{family}/{value}", 0.0) + 1.0
    marks: dict[str, ItemMark] = {}
    if deed.weight:
        _about_products(event, deed, catalogue, weights, tags, marks)
    return Evidence(tags, marks, str(_local_hour(event, weights)), deed.channel or _campaign_channel(event))


def products_of(event: Event) -> list[Mapping[str, Any]]:
    """The products an event names: its list, or itself."""
    listed = event.properties.get("products")
    if isinstance(listed, list):
        return [product for product in listed if isinstance(product, Mapping) and product_id(product)]
    return [event.properties] if product_id(event.properties) else []


def product_id(product: Mapping[str, Any]) -> str:
    """A product's id as text, "" when it has none."""
    value = product.get("product_id") or product.get("sku") or ""
    return str(value)


def unknown_products(events: Iterable[Event], weights: Weights) -> set[str]:
    """Items whose category and brand only the catalogue can tell."""
    return {
        product_id(product)
        for event in events
        if weights.deeds.get(event.name, _NO_DEED).weight
        for product in products_of(event)
        if _lacks(product)
    }


def number(value: Any, default: float = 0.0) -> float:
    """A finite number, else `default`: what the engine reads never fails on what a client sent."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    return float(value) if math.isfinite(value) else default


def _about_products(
    event: Event, deed: Deed, catalogue: Lookup, weights: Weights, tags: dict[str, float], marks: dict[str, ItemMark]
) -> None:
    """Adds the tags and marks of the event's products, or of its own category, brand and words when it names none."""
    dwell = number(event.properties.get("dwell_seconds"))
    looked = event.name == names.PRODUCT_VIEWED
    weight = deed.weight * (weights.items.long_look_factor if dwell >= weights.items.long_look_seconds else 1.0)
    counts: dict[str, int] = {}
    products = products_of(event)
    for product in products or [event.properties]:
        item = catalogue.get(product_id(product)) if _lacks(product) else None
        for tag in _product_tags(product, item, weights):
            counts[tag] = counts.get(tag, 0) + 1
    for tag, count in counts.items():
        tags[tag] = tags.get(tag, 0.0) + weight * min(count, weights.items.lines_per_tag)
    seen_ms = deed_ms(event)
    for product in products:
        marks[product_id(product)] = ItemMark(weight, seen_ms, int(looked), dwell if looked else 0.0)


def _lacks(product: Mapping[str, Any]) -> bool:
    """Only then is the catalogue asked: what an event says of itself must not hang on what came along with it."""
    return not product.get("category") and not product.get("brand")


def _product_tags(product: Mapping[str, Any], item: Item | None, weights: Weights) -> set[str]:
    found: set[str] = set()
    for attribute, family in weights.attributes.items():
        value = _attribute(product, item, attribute)
        if value:
            found.add(f"{family}/{value}")
    texts = [product.get(key) for key in ("name", "category", "query", "list_id")]
    text = " ".join(str(entry) for entry in (*texts, item.title if item else "", item.category if item else "") if entry)
    folded = text.casefold()
    found.update(
        f"occasion/{occasion}"
        for occasion, words in weights.occasion_words.items()
        if any(word in folded for word in words) and "occasion" in weights.families
    )
    return found


def _attribute(product: Mapping[str, Any], item: Item | None, attribute: str) -> str:
    given = product.get(attribute)
    if not given and item is not None:
        given = {"category": item.category, "brand": item.brand}.get(attribute) or item.attributes.get(attribute)
    return tag_value(given) if isinstance(given, str) else ""


def _surroundings(event: Event) -> Iterable[tuple[str, str]]:
    """Region and device out of the context."""
    device, location = event.context.get("device"), event.context.get("location")
    if isinstance(location, Mapping):
        yield "region", tag_value(str(location.get("country") or ""))
    if isinstance(device, Mapping):
        yield "device", tag_value(str(device.get("type") or ""))


def _campaign_channel(event: Event) -> str:
    campaign = event.context.get("campaign")
    medium = campaign.get("medium") if isinstance(campaign, Mapping) else None
    return _CHANNEL_MEDIA.get(medium.casefold(), "") if isinstance(medium, str) else ""


def _local_hour(event: Event, weights: Weights) -> int:
    zone = event.context.get("timezone")
    return event.at.astimezone(zone_named(zone if isinstance(zone, str) else "") or zone_named(weights.time_zone)).hour


def deed_ms(event: Event) -> int:
    """When the deed counts, epoch ms: never after it was received, so that a wrong clock cannot reach into the future."""
    return to_ms(min(event.at, event.received_at))

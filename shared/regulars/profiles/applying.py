"""Events → record, as a pure function that does not care in which order, or in how many pieces, the events come.

Sums go by forward decay; everything else keeps the later word by the event's own time: last look, cart and wishlist
(per item the last adding and the last removing), traits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from regulars.capture import names
from regulars.capture.model import Event
from regulars.profiles.config import Weights
from regulars.profiles.record import (
    ItemMark,
    Record,
    family_of,
    growth,
    joined_marks,
    moved,
    newest_told,
    summed,
    trimmed,
)
from regulars.profiles.tagging import Evidence, Lookup, deed_ms, evidence, product_id

_TO_CART = (names.PRODUCT_ADDED, names.WISHLIST_TO_CART)
_PERSONAL = frozenset(("email", "phone", "name", "firstName", "lastName", "avatar", "username", "address", "consent"))
_TRAIT_CHARACTERS = 400


def applied(record: Record, events: Iterable[Event], catalogue: Lookup, weights: Weights) -> Record:
    """`record` after `events`. The caller has made sure that none was applied before."""
    events = list(events)
    record = moved(record, max(map(deed_ms, events), default=0), weights)
    for event in events:
        record = _with_event(record, event, catalogue, weights)
    return trimmed(record, weights)


def _with_event(record: Record, event: Event, catalogue: Lookup, weights: Weights) -> Record:
    at_ms = deed_ms(event)
    record = _with_evidence(record, evidence(event, catalogue, weights), at_ms, weights)
    record = _with_lists(record, event, at_ms)
    told = {name: (at_ms, value) for name, value in kept_traits(event).items()}
    return replace(
        record,
        first_ms=min(record.first_ms or at_ms, at_ms),
        traits=newest_told(record.traits, told) if told else record.traits,
    )


def _with_evidence(record: Record, found: Evidence, at_ms: int, weights: Weights) -> Record:
    age = at_ms - record.newest_ms
    tags = {tag: weight * growth(age, weights.families[family_of(tag)].half_life_days) for tag, weight in found.tags.items()}
    interest = growth(age, weights.items.half_life_days)
    items = dict(record.items)
    for item, mark in found.items.items():
        items[item] = joined_marks(items.get(item, ItemMark()), mark._replace(interest=mark.interest * interest))
    hours = {found.hour: growth(age, weights.hour_half_life_days)}
    channels = {found.channel: growth(age, weights.channel_half_life_days)} if found.channel else {}
    return replace(
        record,
        tags=summed(record.tags, tags),
        items=items,
        hours=summed(record.hours, hours),
        channels=summed(record.channels, channels),
    )


def _with_lists(record: Record, event: Event, at_ms: int) -> Record:
    """Cart and wishlist."""
    item = product_id(event.properties)
    if event.name == names.ORDER_COMPLETED:
        return replace(record, cart_cleared_ms=max(record.cart_cleared_ms, at_ms))
    if event.name in _TO_CART:
        return replace(record, cart=_touched(record.cart, item, added=at_ms))
    if event.name == names.PRODUCT_REMOVED:
        return replace(record, cart=_touched(record.cart, item, removed=at_ms))
    if event.name == names.WISHLIST_ADDED:
        return replace(record, wishlist=_touched(record.wishlist, item, added=at_ms))
    if event.name == names.WISHLIST_REMOVED:
        return replace(record, wishlist=_touched(record.wishlist, item, removed=at_ms))
    return record


def _touched(
    pairs: Mapping[str, tuple[int, int]], item: str, *, added: int = 0, removed: int = 0
) -> dict[str, tuple[int, int]]:
    held = pairs.get(item, (0, 0))
    return {**pairs, item: (max(held[0], added), max(held[1], removed))}


def kept_traits(event: Event) -> dict[str, Any]:
    """The traits a profile keeps: no address, no name, nothing long. Of an address only country, region and city."""
    if event.type == "group":
        return {"group": event.group_id} if event.group_id else {}
    if event.type != "identify":
        return {}
    kept: dict[str, Any] = {}
    address = event.traits.get("address")
    if isinstance(address, Mapping):
        kept |= {key: address[key] for key in ("country", "region", "city") if isinstance(address.get(key), str)}
    for name, value in event.traits.items():
        if name not in _PERSONAL and len(name) <= 100 and _length(value) <= _TRAIT_CHARACTERS:
            kept[name] = value
    return kept


def _length(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, default=str))


def value_hash(value: Any) -> str:
    """A short fingerprint of a value told."""
    return hashlib.blake2b(json.dumps(value, sort_keys=True, default=str).encode(), digest_size=4).hexdigest()

"""The stored form of a shopper, and the arithmetic of forward decay.

A weight is Σ wᵢ·2^((tᵢ−L)/h) (Cormode et al., "Forward Decay", ICDE 2009): sums commute, so late and out-of-order events
land right. The landmark L of every weight of a record is its newest deed (`newest_ms`): moving it multiplies all weights by
one factor a family, which costs nothing as a write replaces the whole record, keeps numbers short, and never overflows
(a fixed landmark would outgrow DynamoDB's 38 digits within months for short half-lives).

Everything here is plain values; all functions return new records.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, NamedTuple

from regulars.ids import short_hash
from regulars.profiles.config import Weights
from regulars.profiles.model import Expected
from regulars.profiles.seen import join as join_seen
from regulars.values import value

DAY_MS = 24 * 3600 * 1000
ALIASES_KNOWN = 16
NOTHING = 1e-6
"""A weight that rounding might have made; anything heavier may be a sum on its way through nought."""


class ItemMark(NamedTuple):
    """Interest in one item: decayed weight, last look, and how often and how long it was looked at."""

    interest: float = 0.0
    seen_ms: int = 0
    views: int = 0
    dwell_seconds: float = 0.0


@value(frozen=True, slots=True)
class OrderFacts:
    """What rules ask of a shopper's orders: how many, how much, when last (epoch ms), how many items, and on how many days
    the most-bought of them was bought. Kept in the record, and made anew whenever an order changes."""

    count: int = 0
    total_cents: int = 0
    last_ms: int = 0
    items: int = 0
    most_days: int = 0


@value(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the daily sweep decides. `win_back` is the last silence that was answered, so that each is answered once."""

    stage: str = "new"
    stage_since_ms: int = 0
    stage_reason: str = ""
    tier: str = "low"
    rfm: str = ""
    win_back: str = ""
    swept_ms: int = 0
    expected: Expected | None = None


@value(frozen=True, slots=True, kw_only=True)
class Record:
    """One shopper as stored. `version` 0 means not stored yet; a write names the version it read.

    `tags`: `family/value` → weight at `newest_ms`. `cart` and `wishlist`: item → (last added, last removed), epoch ms;
    an order empties the cart of what was added until `cart_cleared_ms`. `traits`: name → (told at, value).
    `orders`: what rules ask of them.
    `told`: contact field → (told at, hash), so that only news goes to the contacts. `rule_tags`: rule → its tags.
    `aliases`: hashes of the newest anonymous ids that joined. `merged_into`: the shopper this anonymous one became.
    """

    shopper: str
    version: int = 0
    merged_into: str = ""
    aliases: tuple[bytes, ...] = ()
    first_ms: int = 0
    newest_ms: int = 0
    tags: Mapping[str, float] = field(default_factory=dict)
    items: Mapping[str, ItemMark] = field(default_factory=dict)
    hours: Mapping[str, float] = field(default_factory=dict)
    channels: Mapping[str, float] = field(default_factory=dict)
    cart: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    cart_cleared_ms: int = 0
    wishlist: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    traits: Mapping[str, tuple[int, Any]] = field(default_factory=dict)
    told: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    rule_tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    orders: OrderFacts = field(default_factory=OrderFacts)
    seen: Mapping[int, bytes] = field(default_factory=dict)
    standing: Standing = Standing()

    def knows(self, alias: str) -> bool:
        """Whether this anonymous shopper joined lately; False says nothing."""
        return alias_hash(alias) in self.aliases


def alias_hash(alias: str) -> bytes:
    return short_hash("alias", alias, size=6)


def growth(elapsed_ms: float, half_life_days: float) -> float:
    """2^(elapsed / half-life), for either sign; 0 and infinity are out of reach at ±1000 half-lives."""
    return math.exp2(max(-1000.0, min(1000.0, elapsed_ms / (half_life_days * DAY_MS))))


def family_of(tag: str) -> str:
    return tag.partition("/")[0]


def moved(record: Record, newest_ms: int, weights: Weights) -> Record:
    """The same record with its landmark at `newest_ms` where that is later."""
    elapsed = newest_ms - record.newest_ms
    if elapsed <= 0:
        return record
    if not record.newest_ms:
        return replace(record, newest_ms=newest_ms)
    factors = {name: growth(-elapsed, family.half_life_days) for name, family in weights.families.items()}
    interest = growth(-elapsed, weights.items.half_life_days)
    return replace(
        record,
        newest_ms=newest_ms,
        tags={tag: weight * factors[family_of(tag)] for tag, weight in record.tags.items() if family_of(tag) in factors},
        items={item: mark._replace(interest=mark.interest * interest) for item, mark in record.items.items()},
        hours=_scaled(record.hours, growth(-elapsed, weights.hour_half_life_days)),
        channels=_scaled(record.channels, growth(-elapsed, weights.channel_half_life_days)),
    )


def joined(user: Record, anonymous: Record, weights: Weights) -> Record:
    """The shopper with her anonymous history: as if every deed had been hers from the start."""
    newest = max(user.newest_ms, anonymous.newest_ms)
    ours, theirs = moved(user, newest, weights), moved(anonymous, newest, weights)
    items = dict(ours.items)
    for item, mark in theirs.items.items():
        items[item] = joined_marks(items.get(item, ItemMark()), mark)
    return replace(
        ours,
        first_ms=min(filter(None, (ours.first_ms, theirs.first_ms)), default=0),
        tags=summed(ours.tags, theirs.tags),
        items=items,
        hours=summed(ours.hours, theirs.hours),
        channels=summed(ours.channels, theirs.channels),
        cart=_latest_pairs(ours.cart, theirs.cart),
        cart_cleared_ms=max(ours.cart_cleared_ms, theirs.cart_cleared_ms),
        wishlist=_latest_pairs(ours.wishlist, theirs.wishlist),
        traits=newest_told(ours.traits, theirs.traits),
        told=newest_told(ours.told, theirs.told),
        seen=join_seen(ours.seen, theirs.seen, weights.seen_per_week),
        aliases=(*ours.aliases, alias_hash(anonymous.shopper))[-ALIASES_KNOWN:],
    )


def tombstone(anonymous: Record, user: str) -> Record:
    """What stays of an anonymous shopper who joined `user`."""
    return Record(shopper=anonymous.shopper, version=anonymous.version, merged_into=user, newest_ms=anonymous.newest_ms)


def trimmed(record: Record, weights: Weights, faded: float = NOTHING) -> Record:
    """Without tags lighter than `faded`, and what is beyond what each family, the items, the cart and the traits keep."""
    by_family: dict[str, list[tuple[float, str]]] = {}
    for tag, weight in record.tags.items():
        if abs(weight) >= faded:
            by_family.setdefault(family_of(tag), []).append((weight, tag))
    kept = {
        tag: weight
        for name, entries in by_family.items()
        if name in weights.families
        for weight, tag in sorted(entries, key=lambda entry: (-abs(entry[0]), entry[1]))[: weights.families[name].keep]
    }
    items = sorted(record.items.items(), key=lambda entry: (-entry[1].seen_ms, entry[0]))[: weights.items.keep]
    return replace(
        record,
        tags=kept,
        items=dict(items),
        cart=_newest_pairs({k: v for k, v in record.cart.items() if max(v) > record.cart_cleared_ms}, weights.cart_keep),
        wishlist=_newest_pairs(record.wishlist, weights.cart_keep),
        traits=dict(sorted(record.traits.items(), key=lambda entry: (-entry[1][0], entry[0]))[: weights.traits_keep]),
    )


def joined_marks(one: ItemMark, other: ItemMark) -> ItemMark:
    """Both looks at one item, weights at one landmark."""
    return ItemMark(
        one.interest + other.interest,
        max(one.seen_ms, other.seen_ms),
        one.views + other.views,
        one.dwell_seconds + other.dwell_seconds,
    )


def summed(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """Key by key."""
    return {key: one.get(key, 0.0) + other.get(key, 0.0) for key in (*one, *(key for key in other if key not in one))}


def newest_told(one: Mapping[str, tuple[int, Any]], other: Mapping[str, tuple[int, Any]]) -> dict[str, tuple[int, Any]]:
    """Key by key the later word; of two words told in one millisecond the greater text, so that order does not matter."""
    result = dict(one)
    for key, told in other.items():
        held = result.get(key)
        if held is None or (told[0], repr(told[1])) > (held[0], repr(held[1])):
            result[key] = told
    return result


def _scaled(values: Mapping[str, float], factor: float) -> dict[str, float]:
    return {key: value * factor for key, value in values.items()}


def _latest_pairs(one: Mapping[str, tuple[int, int]], other: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    result = dict(one)
    for item, (added, removed) in other.items():
        held = result.get(item, (0, 0))
        result[item] = (max(held[0], added), max(held[1], removed))
    return result


def _newest_pairs(pairs: Mapping[str, tuple[int, int]], keep: int) -> dict[str, tuple[int, int]]:
    return dict(sorted(pairs.items(), key=lambda entry: (-max(entry[1]), entry[0]))[:keep])

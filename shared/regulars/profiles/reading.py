"""Record and orders → the profile every other stage reads, decayed to an instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from regulars.clock import from_ms, to_ms
from regulars.profiles.config import ProfilesConfig, Weights
from regulars.profiles.facts import Facts
from regulars.profiles.model import Profile, age_of, tag_value
from regulars.profiles.orders import OrderRecord, purchases, standing_orders
from regulars.profiles.record import Record, family_of, growth
from regulars.profiles.rules import Rule, verdicts
from regulars.profiles.writing import ProfileStore


class ProfileReader:
    """The port `Profiles` over a store: what recommendations, decisions and triggers are given."""

    def __init__(self, store: ProfileStore, weights: Weights) -> None:
        self._store = store
        self._weights = weights

    def load(self, shopper: str, now: datetime) -> Profile:
        """See `regulars.profiles.ports.Profiles`."""
        stored = self._store.everything(shopper)
        if stored.record.merged_into:
            stored = self._store.everything(stored.record.merged_into)
        return profile_at(stored.record, stored.orders, now, self._weights, stored.aliases)


class NewestOrder:
    """When a shopper bought last: one read of the record, which keeps it whenever an order changes."""

    def __init__(self, store: ProfileStore) -> None:
        self._store = store

    def last_at(self, shopper: str) -> datetime | None:
        """Of the orders that count; None without one. Strongly consistent; follows a merged anonymous shopper."""
        record = self._store.load(shopper)
        if record.merged_into:
            record = self._store.load(record.merged_into)
        return from_ms(record.orders.last_ms) if record.orders.last_ms else None


def profile_at(
    record: Record,
    orders: Iterable[OrderRecord],
    now: datetime,
    weights: Weights,
    aliases: frozenset[str] = frozenset(),
) -> Profile:
    """The profile at `now`. Tags below the floor are none; a tag is read less what its opposite weighs."""
    orders = tuple(orders)
    elapsed = min(0, record.newest_ms - to_ms(now))
    traits = {name: value for name, (_, value) in record.traits.items()}
    factor = growth(elapsed, weights.items.half_life_days)
    instant = datetime.fromtimestamp  # not `from_ms`: a profile holds dozens of them
    return Profile(
        shopper=record.shopper,
        as_of=now,
        tags=_tags(record, traits, elapsed, now.date(), weights),
        rule_tags=frozenset(tag for tags in record.rule_tags.values() for tag in tags),
        items={item: interest for item, mark in record.items.items() if (interest := mark.interest * factor) > 0},
        item_seen_at={item: instant(mark.seen_ms / 1000, UTC) for item, mark in record.items.items()},
        purchases=purchases(orders),
        orders=standing_orders(orders),
        cart=_listed(record.cart, record.cart_cleared_ms),
        wishlist=_listed(record.wishlist, 0),
        traits=traits,
        channel_weights=_decayed(record.channels, elapsed, weights.channel_half_life_days),
        hour_weights={int(h): w for h, w in _decayed(record.hours, elapsed, weights.hour_half_life_days).items()},
        first_seen_at=from_ms(record.first_ms) if record.first_ms else None,
        last_seen_at=from_ms(record.newest_ms) if record.newest_ms else None,
        stage=record.standing.stage,
        tier=record.standing.tier,
        rfm=record.standing.rfm,
        expected=record.standing.expected,
        aliases=aliases,
    )


def ruled(record: Record, now: datetime, config: ProfilesConfig, rules: Iterable[Rule]) -> dict[str, tuple[str, ...]]:
    """The verdicts of `rules` on the record at `now`."""
    return verdicts(rules, Facts(profile_at(record, (), now, config.weights), record, config.festivals))


def _tags(record: Record, traits: Mapping[str, Any], elapsed: float, today: date, weights: Weights) -> dict[str, float]:
    found: dict[str, float] = {}
    factors: dict[float, float] = {}
    for tag, weight in record.tags.items():
        family = weights.families.get(family_of(tag))
        if family is None:
            continue
        factor = factors.get(family.half_life_days)
        if factor is None:
            factor = factors[family.half_life_days] = growth(elapsed, family.half_life_days)
        found[f"{family.layer}/{tag}"] = weight * factor
    for tag in _declared(traits, today, weights):
        found[tag] = found.get(tag, 0.0) + weights.declared.weight
    own = dict(found)
    for pair in weights.opposites:
        one, other = pair.tags
        if one in own and other in own:
            found[one] -= pair.strength * max(0.0, own[other])
            found[other] -= pair.strength * max(0.0, own[one])
    return {tag: weight for tag, weight in found.items() if weight >= weights.floor}


def _declared(traits: Mapping[str, Any], today: date, weights: Weights) -> set[str]:
    """Tags out of traits; they do not fade while the trait stands."""
    found: set[str] = set()
    for trait, place in weights.declared.traits.items():
        told = traits.get(trait)
        values = told if isinstance(told, list) else [told]
        found.update(f"{place}/{tag}" for value in values if isinstance(value, str) and (tag := tag_value(value)))
    age = age_of(traits, today)
    if age is not None:
        found.add(f"base/age/{_band(age, weights.declared.age_bands)}")
    return found


def _band(age: int, bands: tuple[int, ...]) -> str:
    """`under-18`, `18-24`, …, `65-plus`."""
    starts = [start for start in bands if start <= age]
    if not starts:
        return f"under-{bands[0]}"
    following = bands[len(starts) :]
    return f"{starts[-1]}-{following[0] - 1}" if following else f"{starts[-1]}-plus"


def _listed(pairs: Mapping[str, tuple[int, int]], cleared_ms: int) -> dict[str, datetime]:
    return {item: from_ms(added) for item, (added, removed) in pairs.items() if added > max(removed, cleared_ms)}


def _decayed(values: Mapping[str, float], elapsed: float, half_life_days: float) -> dict[str, float]:
    if not values:
        return {}
    factor = growth(elapsed, half_life_days)
    return {key: value * factor for key, value in values.items()}

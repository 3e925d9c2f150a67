"""The numbers of the triggers stage (`defaults.yaml`; section `triggers` of shop.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from regulars.errors import Invalid


@dataclass(frozen=True, slots=True)
class Cart:
    """Reminder `wait_hours` after the last item went in, at most `latest_hours` after the first; lapses after."""

    wait_hours: float
    latest_hours: float
    lapse_hours: float


@dataclass(frozen=True, slots=True)
class Browse:
    """Reminder `wait_hours` after the first product viewed; carries up to `items` of them."""

    wait_hours: float
    lapse_hours: float
    items: int


@dataclass(frozen=True, slots=True)
class Welcome:
    """`names`: events that mean signing up. Otherwise the first `identify` of a shopper not older than `new_within_days`."""

    names: tuple[str, ...]
    delay_minutes: float
    new_within_days: float
    lapse_hours: float
    remember_days: float


@dataclass(frozen=True, slots=True)
class Birthday:
    """Fires `lead_days` before the birthday at the shopper's local hour; the arbiter then finds the best hour of that day."""

    hour: int
    minute: int
    lead_days: int
    remember_days: float


@dataclass(frozen=True, slots=True)
class Repurchase:
    """Median gap between purchase days, shrunk to the item's own below `trusted_gaps`; see `regulars.triggers.repurchase`.

    `category_days`: usual days between purchases by category; an item's attribute `repurchase_days` stands above it.
    """

    default_days: float
    category_days: Mapping[str, float]
    trusted_gaps: int
    lead_days: float
    min_wait_days: float
    min_purchases: int
    max_items: int
    lapse_hours: float


@dataclass(frozen=True, slots=True)
class Orders:
    """`statuses`: event name → status told to the shopper ("": none). `answers`: kinds that an order makes pointless."""

    statuses: Mapping[str, str]
    answers: tuple[str, ...]
    lapse_hours: float


@dataclass(frozen=True, slots=True)
class Firing:
    """The minute tick. `overlap_hours` is re-read behind the watermark: entries that fired are gone, so it costs nothing but
    an empty query; it must exceed the time between a caller reading the clock and its write standing.

    `step_minutes`: the watermark moves no oftener (it only bounds what is re-read). `unseen_days`: how far back a shard
    without a watermark is read. `budget_seconds`: the tick ends itself before its function would be ended. `again_from`: a
    sweep that fires so many is followed by another in the same tick.
    """

    page: int
    overlap_hours: float
    step_minutes: float
    unseen_days: float
    budget_seconds: float
    workers: int
    again_from: int


@dataclass(frozen=True, slots=True)
class Triggers:
    """All of it. Deeds older than `stale_hours`, or more than `future_minutes` ahead, arm nothing that is about the moment."""

    stale_hours: float
    future_minutes: float
    remember_days: float
    items: int
    cart: Cart
    browse: Browse
    welcome: Welcome
    birthday: Birthday
    repurchase: Repurchase
    orders: Orders
    firing: Firing

    def __post_init__(self) -> None:
        """Raises Invalid with the path of what the types cannot tell."""
        for path, sound in {
            "birthday.hour": 0 <= self.birthday.hour <= 23,
            "birthday.minute": 0 <= self.birthday.minute <= 59,
            "birthday.lead_days": 0 <= self.birthday.lead_days <= 180,
            "repurchase.trusted_gaps": self.repurchase.trusted_gaps >= 0,
            "cart.wait_hours": 0 < self.cart.wait_hours <= self.cart.latest_hours,
            "firing.page": 1 <= self.firing.page <= 1000,
            "firing.workers": 1 <= self.firing.workers <= 64,
            "firing.again_from": self.firing.again_from >= 1,
            "firing.overlap_hours": self.firing.overlap_hours > 0,
        }.items():
            if not sound:
                raise Invalid(f"triggers.{path}: out of range", field=f"triggers.{path}")

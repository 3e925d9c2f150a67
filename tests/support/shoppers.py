"""Shoppers, their events, and a capture on memory adapters; the words its tests are written in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from regulars.adapters.memory.catalogue import MemoryCatalogue
from regulars.adapters.memory.contacts import MemoryContacts
from regulars.adapters.memory.events import MemoryEventLog
from regulars.adapters.memory.profiles import MemoryProfiles
from regulars.adapters.memory.quarantine import MemoryQuarantine
from regulars.capture.applying import CaptureEvents
from regulars.capture.log import EventLog
from regulars.capture.model import Event
from regulars.catalogue.model import Item
from regulars.catalogue.ports import Catalogue
from regulars.clock import to_ms
from regulars.decisions.ports import Contacts
from regulars.ids import stable_id
from regulars.messages import EventUnit
from regulars.profiles.config import ProfilesConfig, Weights
from regulars.profiles.model import Profile
from regulars.profiles.reading import ProfileReader
from regulars.profiles.rules import Rule, load_rules
from regulars.profiles.writing import ProfileStore
from regulars.shop import section

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""A Monday."""
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SHE = "user:42"
MUG = Item(
    item_id="mug",
    title="Red mug, gift boxed",
    category="Home / Mugs",
    brand="Kiln",
    price_cents=1200,
    stock=3,
    attributes={"style": "minimal", "material": "stoneware", "colour": "red"},
)


@cache
def config() -> ProfilesConfig:
    """The shop's defaults."""
    return section(ProfilesConfig, "profiles")


def weights() -> Weights:
    return config().weights


@cache
def rules() -> tuple[Rule, ...]:
    return load_rules(None, config().festivals)


def event(name: str = "Product Viewed", at: datetime = NOON, *, id: str = "", **changes: Any) -> Event:
    """A track event of `SHE`, received a second after the deed; keyword `properties` and the fields of Event."""
    shopper = changes.pop("shopper", SHE)
    kind, _, rest = shopper.partition(":")
    values: dict[str, Any] = {
        "type": "track",
        "name": name,
        "shopper": shopper,
        "user_id": rest if kind == "user" else "",
        "anonymous_id": rest if kind == "anon" else "",
        "at": at,
        "received_at": at + SECOND,
        "properties": {"product_id": "mug"} if name.startswith("Product ") else {},
    } | changes
    values["message_id"] = id or stable_id(
        name, at.isoformat(), shopper, repr(values["properties"]), repr(values.get("traits"))
    )
    return Event(**values)


def identify(traits: Mapping[str, Any], at: datetime = NOON, **changes: Any) -> Event:
    return event("", at, type="identify", properties={}, traits=traits, **changes)


def order(order_id: str, at: datetime = NOON, total: float = 20.0, items: Iterable[str] = ("mug",), **changes: Any) -> Event:
    products = [{"product_id": item, "price": total, "quantity": 1} for item in items]
    properties = {"order_id": order_id, "total": total, "currency": "GBP", "products": products}
    return event("Order Completed", at, properties=properties, **changes)


def unit(events: Sequence[Event], received_at: datetime | None = None) -> EventUnit:
    """What the collector queues for these events of one shopper."""
    received_at = received_at or max(entry.received_at for entry in events)
    wires = tuple(entry.to_wire() for entry in events)
    shopper = events[0].shopper
    received_ms = to_ms(received_at)
    return EventUnit(
        id=stable_id(shopper, *(wire["id"] for wire in wires)),
        correlation_id="corr",
        sent_at_ms=received_ms,
        shopper=shopper,
        received_at_ms=received_ms,
        events=wires,
    )


@dataclass
class Shop:
    """A capture and what it writes to. `counted` is what was counted; `now` what its clock says."""

    profiles: ProfileStore = field(default_factory=MemoryProfiles)
    log: EventLog = field(default_factory=MemoryEventLog)
    contacts: Contacts = field(default_factory=MemoryContacts)
    catalogue: Catalogue = field(default_factory=lambda: MemoryCatalogue([MUG]))
    quarantine: MemoryQuarantine = field(default_factory=MemoryQuarantine)
    now: datetime = NOON
    counted: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.capture = CaptureEvents(
            profiles=self.profiles,
            log=self.log,
            contacts=self.contacts,
            catalogue=self.catalogue,
            quarantine=self.quarantine,
            config=config(),
            rules=rules(),
            keep_days=730,
            quarantine_days=30,
            clock=lambda: self.now,
            count=self.counted.update,
        )

    def profile(self, shopper: str = SHE, at: datetime | None = None) -> Profile:
        return ProfileReader(self.profiles, weights()).load(shopper, at or self.now)

    def logged(self, shopper: str = SHE) -> list[str]:
        """Message ids in the log of one shopper, in order."""
        return [entry.message_id for entry in self.log.read(shopper, datetime(2000, 1, 1, tzinfo=UTC))]


def same(one: Profile, other: Profile, accuracy: float = 1e-9) -> bool:
    """Equal, with weights as alike as two orders of adding floats make them (stores keep seven digits: 1e-5)."""
    weights = ("tags", "items", "channel_weights", "hour_weights")
    plain = [replace(it, tags={}, items={}, channel_weights={}, hour_weights={}) for it in (one, other)]
    return plain[0] == plain[1] and all(
        getattr(one, name) == pytest.approx(getattr(other, name), rel=accuracy, abs=accuracy) for name in weights
    )

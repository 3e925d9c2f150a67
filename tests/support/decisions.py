"""A shop that decides, on memory adapters, and the words its tests are written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from regulars.adapters.memory.contacts import MemoryContacts
from regulars.adapters.memory.messages import MemoryLedger
from regulars.adapters.memory.queues import MemoryQueue
from regulars.adapters.memory.suppressions import MemorySuppressions
from regulars.catalogue.model import Item
from regulars.clock import to_ms
from regulars.decisions.config import Decisions
from regulars.decisions.model import CHANNELS, Message, State
from regulars.decisions.service import DecideMessage
from regulars.messages import Moment, SendOrder
from regulars.profiles.model import Order, Profile
from regulars.shop import section

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EVENING = datetime(2026, 6, 10, 20, 30, tzinfo=UTC)
"""A Wednesday, 20:30 in UTC, which is where shoppers of these tests live: everything is open and it is the best hour."""
SHE = "user:42"
KEEP = 40 * DAY


@cache
def numbers() -> Decisions:
    """The shop's defaults, with nobody in the control group."""
    return section(Decisions, "decisions", {"decisions": {"holdout": {"share": 0.0}}})


def moment(kind: str = "cart_abandoned", subject: str = "c1", *, at: datetime = EVENING, **changes: Any) -> Moment:
    """A moment that is due at `at` and lapses two days later; `facts` as given."""
    facts = changes.pop("facts", {"items": ["i1", "i2"]})
    occurred_at, expires_at = changes.pop("occurred_at", at - HOUR), changes.pop("expires_at", at + 2 * DAY)
    moment = Moment(
        id=f"{kind}#{subject}",
        correlation_id="corr",
        sent_at_ms=to_ms(at),
        shopper=SHE,
        kind=kind,
        subject=subject,
        occurred_at_ms=to_ms(occurred_at),
        due_at_ms=to_ms(at),
        expires_at_ms=to_ms(expires_at),
        facts=facts,
    )
    return replace(moment, **changes)


def message(kind: str = "cart_abandoned", subject: str = "c1", *, at: datetime = EVENING, **changes: Any) -> Message:
    """A planned push message decided at `at`."""
    values: dict[str, Any] = {
        "shopper": SHE,
        "moment_id": f"{kind}#{subject}",
        "kind": kind,
        "subject": subject,
        "state": State.PLANNED,
        "reason": "chosen",
        "decided_at": at,
        "expires_at": at + 2 * DAY,
        "channel": "email",
        "address": "mira@example.com",
        "content": {"template": kind, "tier": "low", "items": [{"item_id": "i1", "title": "Lamp"}]},
        "history": ((to_ms(at), "PLANNED", "chosen"),),
    }
    return Message(**{**values, **changes})


@dataclass
class ShopWindow:
    """A showcase of three items and what it recommends; `picked_for`: the kinds of moment it was asked for."""

    stock: dict[str, Item] = field(
        default_factory=lambda: {
            item_id: Item(
                item_id=item_id, title=title, price_cents=1_200, currency="GBP", url=f"https://shop.example/{item_id}"
            )
            for item_id, title in (("i1", "Lamp"), ("i2", "Vase"), ("i3", "Quilt"))
        }
    )
    picked_for: list[str] = field(default_factory=list)

    def items(self, item_ids: Sequence[str]) -> Mapping[str, Item]:
        return {item_id: self.stock[item_id] for item_id in item_ids if item_id in self.stock}

    def picked(self, profile: Profile, *, count: int, now: datetime, kind: str = "") -> Sequence[tuple[Item, str]]:
        self.picked_for.append(kind)
        return [(item, "favourite") for item in self.stock.values()][:count]

    def sell_out(self, item_id: str) -> None:
        self.stock[item_id] = replace(self.stock[item_id], stock=0)


@dataclass
class People:
    """Profiles by shopper; `joined` maps an anonymous shopper to the one she turned out to be."""

    known: dict[str, Profile] = field(default_factory=dict)
    joined: dict[str, str] = field(default_factory=dict)

    def load(self, shopper: str, now: datetime) -> Profile:
        name = self.joined.get(shopper, shopper)
        return self.known.get(name) or Profile(shopper=name, as_of=now)


class Desk:
    """decide_message with everything behind it. `deferred` holds (moment, until); `orders` what each channel was told."""

    def __init__(self, now: datetime = EVENING, **changes: Any) -> None:
        self.now = now
        self.config: Decisions = replace(numbers(), **changes)
        self.contacts, self.suppressions = MemoryContacts(), MemorySuppressions()
        self.ledger = MemoryLedger(self.contacts, self.suppressions)
        self.people, self.window = People(), ShopWindow()
        self.queues = {channel: MemoryQueue() for channel in CHANNELS}
        self.deferred: list[tuple[Moment, datetime]] = []
        self.decide = DecideMessage(
            profiles=self.people,
            contacts=self.contacts,
            suppressions=self.suppressions,
            ledger=self.ledger,
            showcase=self.window,
            queues=self.queues,
            defer=lambda moment, until: self.deferred.append((moment, until)),
            clock=lambda: self.now,
            config=self.config,
        )
        self.knows()
        self.reachable(email="mira@example.com")

    def knows(self, **changes: Any) -> None:
        """The shopper's profile; she lives in UTC and reads in the evening."""
        values: dict[str, Any] = {"first_seen_at": self.now - 90 * DAY, "tier": "low", **changes}
        self.people.known[SHE] = Profile(shopper=SHE, as_of=self.now, **values)

    def ordered(self, at: datetime) -> None:
        self.knows(orders=(Order("o1", at, 5_000),))

    def reachable(self, **addresses: str) -> None:
        """She has these addresses and agreed to them."""
        self.contacts.update(
            SHE,
            now=self.now,
            addresses=addresses,
            consent=dict.fromkeys(addresses, True),
            details={"time_zone": "UTC", "name": "Mira"},
        )

    def consents(self, **consent: bool) -> None:
        self.contacts.update(SHE, now=self.now, consent=consent)

    def got(self, kind: str, at: datetime, channel: str = "email", subject: str = "") -> None:
        """A message of this kind was sent to her at `at`."""
        sent = message(kind, subject or f"s{at:%Y%m%d%H%M%S}", at=at, channel=channel, address="", expires_at=at + 9 * DAY)
        assert self.ledger.record(sent)
        self.send(sent, at)

    def send(self, sent: Message, at: datetime) -> None:
        """The sender's part, without a provider."""
        contact = self.contacts.load(SHE)
        self.ledger.claim(sent, contact, token="t", now=at, lease_until=at + HOUR, takes_slot=True, keep_slots_since=at - KEEP)
        self.ledger.finish(sent, token="t", state=State.SENT, reason="sent", now=at)

    @property
    def orders(self) -> list[SendOrder]:
        """Every send order that was emitted."""
        return [order for queue in self.queues.values() for order in queue.messages if isinstance(order, SendOrder)]

    def verdict(self, moment: Moment) -> tuple[str, str]:
        """(state, reason) of the entry that stands in the ledger after deciding."""
        self.decide(moment)
        entry = self.ledger.get(SHE, moment.id)
        assert entry is not None
        return entry.state.value, entry.reason

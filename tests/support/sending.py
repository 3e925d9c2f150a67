"""A sender on memory adapters, one planned message, and a clock that a test moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from regulars.adapters.memory.channels import MemoryProvider
from regulars.adapters.memory.contacts import MemoryContacts
from regulars.adapters.memory.limits import MemoryGauges, MemoryPauses, MemoryPermits
from regulars.adapters.memory.messages import MemoryLedger
from regulars.adapters.memory.offers import MemoryOffers
from regulars.adapters.memory.profiles import MemoryProfiles
from regulars.adapters.memory.suppressions import MemorySuppressions
from regulars.adapters.memory.timers import MemoryTimers
from regulars.channels.config import ChannelSettings
from regulars.channels.content import Content, ContentItem
from regulars.channels.links import Destinations, LinkMaker
from regulars.channels.pacing import Pace
from regulars.channels.rendering import Renderer
from regulars.channels.sending import SendMessage
from regulars.clock import to_ms
from regulars.decisions.config import Decisions
from regulars.decisions.model import CHANNELS, Message, State
from regulars.ids import message_id
from regulars.messages import SendOrder
from regulars.profiles.reading import NewestOrder
from regulars.shop import section
from regulars.signing import Keys, Signer
from regulars.triggers.service import defer

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
SHOPPER = "user:ann"
EMAIL = "ann@example.com"
SECRET = "s" * 48
BASE_URL = "https://links.example"
DESTINATIONS = Destinations.of("https://shop.example/")
SETTINGS = section(ChannelSettings, "channels", {"channels": {"shop": {"name": "Gift Shop"}}})
DECISIONS = section(Decisions, "decisions")
ADDRESSES = {"email": EMAIL, "sms": "+447700900123", "push": "arn:aws:sns:eu-west-1:123456789012:endpoint/GCM/shop/ann"}
ITEMS = (
    ContentItem(
        item_id="mug",
        title="Mug <b>& Co</b>",
        url="https://shop.example/items/mug?a=1&b=2",
        image_url="https://shop.example/images/mug.jpg",
        price_cents=800,
        list_price_cents=1000,
        currency="GBP",
        reason="in_cart",
    ),
    ContentItem(item_id="tea", title="Tea", price_cents=350, list_price_cents=350, currency="GBP", reason="goes_with"),
)


class Crash(BaseException):
    """The process dies: nothing catches it."""


@dataclass
class Hand:
    """The clock's hand: call it for the time, `pass_` to move it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)

    def sleep(self, seconds: float) -> None:
        self.pass_(seconds=seconds)


def signer(clock: Callable[[], datetime] = lambda: NOW) -> Signer:
    return Signer(Keys.parse(SECRET), clock)


def link_maker(clock: Callable[[], datetime] = lambda: NOW) -> LinkMaker:
    return LinkMaker(signer(clock), BASE_URL, timedelta(days=400), DESTINATIONS)


def content(template: str = "cart_abandoned", **more: Any) -> Content:
    known: dict[str, Any] = {"language": "en", "name": "Ann", "items": ITEMS, "offer": {"text": "Free delivery today."}}
    return Content(template=template, **{**known, **more})


def planned(kind: str = "cart_abandoned", channel: str = "email", **more: Any) -> Message:
    made = Message(
        shopper=SHOPPER,
        moment_id=f"{kind}#1",
        kind=kind,
        subject="1",
        state=State.PLANNED,
        reason="chosen",
        decided_at=NOW,
        expires_at=NOW + timedelta(days=2),
        channel=channel,
        address=ADDRESSES.get(channel, ""),
        content={**content(kind).to_wire(), "tier": "low"},
    )
    return replace(made, **more)


def order(message: Message, at: datetime = NOW) -> SendOrder:
    return SendOrder(
        id=message_id(message.shopper, message.moment_id),
        correlation_id="c",
        sent_at_ms=to_ms(at),
        shopper=message.shopper,
        moment_id=message.moment_id,
        channel=message.channel,
    )


def while_rendering(service: SendMessage, happen: Callable[[], Any]) -> None:
    """Calls `happen` whenever `service` is about to render: the message is claimed, the fence not yet asked."""
    render = service._renderer.render

    def rendering(*arguments: Any, **named: Any) -> Any:
        happen()
        return render(*arguments, **named)

    service._renderer.render = rendering  # type: ignore[method-assign]


def raising(error: BaseException | type[BaseException]) -> Callable[..., Any]:
    """A call that raises `error`, whatever it is given."""

    def call(*_: Any, **__: Any) -> Any:
        raise error

    return call


@dataclass
class Sender:
    """Everything a send touches. `provider` serves all channels; waiting for a turn moves the clock."""

    clock: Hand = field(default_factory=Hand)
    contacts: MemoryContacts = field(default_factory=MemoryContacts)
    suppressions: MemorySuppressions = field(default_factory=MemorySuppressions)
    provider: MemoryProvider = field(default_factory=MemoryProvider)
    offers: MemoryOffers = field(default_factory=MemoryOffers)
    permits: MemoryPermits = field(default_factory=MemoryPermits)
    pauses: MemoryPauses = field(default_factory=MemoryPauses)
    gauges: MemoryGauges = field(default_factory=MemoryGauges)
    profiles: MemoryProfiles = field(default_factory=MemoryProfiles)

    def __post_init__(self) -> None:
        self.timers = MemoryTimers(1)
        self.ledger = MemoryLedger(self.contacts, self.suppressions, self.offers)
        consent = dict.fromkeys(CHANNELS, True)
        details = {"country": "GB", "time_zone": "Europe/London", "language": "en", "name": "Ann"}
        self.contacts.update(SHOPPER, now=NOW, addresses=dict(ADDRESSES), consent=consent, details=details)
        self._tokens = (f"token-{number}" for number in count(1))

    def service(self, **replaced: Any) -> SendMessage:
        """A worker; another call is another worker on the same tables."""
        parts: dict[str, Any] = {
            "ledger": self.ledger,
            "contacts": self.contacts,
            "suppressions": self.suppressions,
            "renderer": Renderer(SETTINGS, link_maker(self.clock)),
            "providers": dict.fromkeys(CHANNELS, self.provider),
            "decisions": DECISIONS,
            "config": SETTINGS.sending,
            "clock": self.clock,
            "defer": partial(defer, self.timers),
            "pace": Pace(self.permits, replace(SETTINGS.pacing, quotas={}), clock=self.clock, sleep=self.clock.sleep),
            "pauses": self.pauses,
            "orders": NewestOrder(self.profiles),
            "chance": lambda: 0.5,
            "new_token": lambda: next(self._tokens),
        }
        return SendMessage(**{**parts, **replaced})

    def plan(self, **more: Any) -> Message:
        message = planned(**more)
        assert self.ledger.record(message)
        return message

    def standing(self, message: Message) -> Message:
        found = self.ledger.get(message.shopper, message.moment_id)
        assert found is not None
        return found

    @property
    def slots(self) -> int:
        return len(self.contacts.load(SHOPPER).slots)

"""The feedback stage on memory adapters, with one message sent to one shopper."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from regulars.adapters.memory.contacts import MemoryContacts
from regulars.adapters.memory.messages import MemoryLedger
from regulars.adapters.memory.metrics import MemoryCounters, MemorySketches, MemoryTouches
from regulars.adapters.memory.suppressions import MemorySuppressions
from regulars.capture.model import Event
from regulars.clock import to_ms
from regulars.decisions.model import Message, State
from regulars.feedback.attribution import Attribution
from regulars.feedback.config import FeedbackConfig, load
from regulars.feedback.service import RecordFeedback
from regulars.ids import message_id
from regulars.messages import Feedback

NOW = datetime(2026, 8, 5, 12, 0, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:regulars-feedback"
SHOPPER = "user:1"
ADDRESS = "recipient@example.com"
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


def sent_message(moment: str = "cart_abandoned#1", *, at: datetime = NOW, **changes: Any) -> Message:
    """A message the provider took at `at`."""
    made = Message(
        shopper=SHOPPER,
        moment_id=moment,
        kind=moment.partition("#")[0],
        subject=moment.partition("#")[2],
        state=State.SENT,
        reason="sent",
        decided_at=at - timedelta(minutes=5),
        expires_at=at + timedelta(days=1),
        channel="email",
        address=ADDRESS,
        history=((to_ms(at), State.SENT.value, "sent"),),
    )
    return replace(made, **changes)


def ordered(order_id: str = "o1", *, at: datetime = NOW, event_id: str = "", **changes: Any) -> Event:
    """An Order Completed of 19.99 GBP with item p1."""
    properties = {
        "order_id": order_id,
        "total": 19.99,
        "currency": "GBP",
        "products": [{"product_id": "p1", "price": 19.99, "quantity": 1}],
        **changes,
    }
    return event("Order Completed", at=at, event_id=event_id or f"event-{order_id}", **properties)


def event(
    name: str, *, at: datetime = NOW, event_id: str = "e", shopper: str = SHOPPER, anonymous: str = "", **properties: Any
) -> Event:
    """A track call."""
    return Event(
        message_id=event_id,
        type="track",
        name=name,
        shopper=shopper,
        user_id=shopper.removeprefix("user:"),
        anonymous_id=anonymous,
        at=at,
        received_at=at,
        properties=properties,
    )


@dataclass
class Desk:
    """The stage and what lies behind it."""

    config: FeedbackConfig = field(default_factory=load)
    contacts: MemoryContacts = field(default_factory=MemoryContacts)
    suppressions: MemorySuppressions = field(default_factory=MemorySuppressions)
    counters: MemoryCounters = field(default_factory=MemoryCounters)
    sketches: MemorySketches = field(default_factory=MemorySketches)

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(self.contacts, self.suppressions)
        self.touches = MemoryTouches(self.counters)
        self.attribution = Attribution(self.ledger, self.touches, self.config.attribution)
        self.record = RecordFeedback(
            self.ledger, self.contacts, self.suppressions, self.attribution, lambda: NOW, self.config, [TOPIC]
        )

    def put(self, message: Message) -> str:
        """Keep a message; its id."""
        assert self.ledger.record(message)
        return message_id(message.shopper, message.moment_id)

    def marks(self, moment: str = "cart_abandoned#1") -> dict[str, int]:
        message = self.ledger.get(SHOPPER, moment)
        assert message
        return dict(message.marks)

    def count(self, group: str, name: str) -> int:
        """One counter, all days of the year."""
        return sum(value for key, value in self.counters.read(*YEAR).items() if (key.group, key.field) == (group, name))


def report(kind: str, message: str = "", *, at: datetime = NOW, channel: str = "email", **other: Any) -> Feedback:
    """Feedback as links and the inbox put it on the queue."""
    return Feedback(
        id="f",
        correlation_id="c",
        sent_at_ms=to_ms(at),
        kind=kind,
        channel=channel,
        at_ms=to_ms(at),
        message_id=message,
        **other,
    )

"""What the channels stage needs of the world: providers and the inbox.

Providers have no idempotency token (SES, SNS, SMS: checked), so the answer to a send is one of four, and only two of them
say that nothing was handed over:

    Accepted   the provider has it
    Refused    it will never take this one; nothing was sent
    Later      not taken now (throttled, paused, unreachable before anything was sent)
    Ambiguous  taken or not cannot be told (time-out, connection lost after sending): never sent again
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from regulars.channels.health import Gauge
from regulars.decisions.model import Message
from regulars.offers.model import Coupon, Reservation


@dataclass(frozen=True, slots=True)
class Accepted:
    provider_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """`address_dead`: the address itself is gone (disabled push endpoint, no such number); it is forgotten."""

    reason: str
    address_dead: bool = False


@dataclass(frozen=True, slots=True)
class Later:
    reason: str
    retry_after_seconds: int = 1


@dataclass(frozen=True, slots=True)
class Ambiguous:
    reason: str


Outcome = Accepted | Refused | Later | Ambiguous


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """`unsubscribe_url` is "" for transactional mail: then no List-Unsubscribe headers go out."""

    subject: str
    html: str
    text: str
    sender_name: str
    reply_to: str = ""
    unsubscribe_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    title: str
    body: str
    url: str
    image_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms:
    """`parts`: how many segments it is billed as."""

    text: str
    parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Popup:
    """`items`: title, price, was, image_url and url of each card, ready to show."""

    title: str
    body: str
    call: str
    url: str
    image_url: str = ""
    items: tuple[Mapping[str, str], ...] = ()


Rendered = Email | Push | Sms | Popup


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One rendered message on its way. `message_id` is the ledger's (`regulars.ids.message_id`); providers carry it as a
    tag so that their reports name it."""

    message_id: str
    shopper: str
    moment_id: str
    kind: str
    channel: str
    address: str
    transactional: bool
    expires_at: datetime
    rendered: Rendered


class Provider(Protocol):
    """One channel's way out."""

    def send(self, envelope: Envelope) -> Outcome:
        """One try, never repeated inside. Raises nothing on purpose; whatever it raises counts as Ambiguous."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxEntry:
    """One in-app message as kept; `content` is the JSON-ready Popup."""

    shopper: str
    moment_id: str
    kind: str
    created_at: datetime
    expires_at: datetime
    content: Mapping[str, Any] = field(default_factory=dict)
    read_at: datetime | None = None


class Inbox(Protocol):
    """In-app messages by shopper. One entry per moment: putting it again changes nothing, so a send may be repeated."""

    def put(self, entry: InboxEntry) -> None: ...

    def list(self, shopper: str, now: datetime, limit: int) -> Sequence[InboxEntry]:
        """Unexpired entries, newest first (by time made, then moment id)."""

    def mark_read(self, shopper: str, moment_id: str, at: datetime) -> bool:
        """True the first time, False when it was read before. Raises NotFound for an unknown entry."""


class Permits(Protocol):
    """How many calls of a window are given away, over all workers."""

    def take(self, channel: str, window: int, most: int) -> bool:
        """One of the `most` permits of the window numbered `window`; False when none is left. One conditional write."""


class Pausing(Protocol):
    """Channels on which marketing stands still; order updates go on."""

    def standing(self) -> Mapping[str, str]:
        """Channel → why (`complaints`, `bounces`, `operator`)."""


class Pauses(Pausing, Protocol):
    """Where pauses are kept; `standing` is strongly consistent."""

    def pause(self, channel: str, reason: str, *, at: datetime, detail: str = "") -> bool:
        """True when this paused it; False, and the first reason stays, when it was paused already."""

    def resume(self, channel: str) -> bool:
        """False when it was not paused."""


class Gauges(Protocol):
    """The health of each channel: one versioned record."""

    def load(self, channel: str) -> Gauge:
        """Strongly consistent; an empty Gauge (version 0) at first."""

    def save(self, gauge: Gauge) -> bool:
        """Put it as its next version; False, and nothing changes, when another was put since it was loaded."""


class Orders(Protocol):
    """What the fence must know of a shopper's orders."""

    def last_at(self, shopper: str) -> datetime | None:
        """When the newest order that counts was placed (cancelled ones do not); follows a merged anonymous shopper."""


class Reserving(Protocol):
    """What a message takes along of what is limited."""

    def reserve(self, message: Message, *, now: datetime, attempt: int) -> Reservation:
        """The coupon and money of this message, NOTHING for most. `attempt` counts from 0: the next one looks at other
        shards. Raises GiveUp (`sold_out`, `over_budget`, `offer_closed`) when the message must not go."""

    def held(self, message: Message) -> Coupon | None:
        """The coupon that she has already of the offer and occasion that `reserve` would have issued; consistent."""

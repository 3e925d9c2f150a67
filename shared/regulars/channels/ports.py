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

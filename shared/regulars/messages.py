"""What crosses a queue: frozen, versioned, with name, id, correlation id and time; JSON both ways.

Adding a field with a default keeps the version; anything else raises it. `decode` refuses what it does not know with
GiveUp, so that a poison entry ends in the dead-letter queue with its reason instead of looping.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar

from regulars.errors import GiveUp


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMessage:
    """Common head. `id` is stable across redelivery; `sent_at_ms` is epoch milliseconds."""

    NAME: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1
    id: str
    correlation_id: str
    sent_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventUnit(QueueMessage):
    """The events of one shopper out of one HTTP call, in call order; what capture applies at once.

    `events` are `regulars.capture.model.Event.to_wire()` dictionaries. `shopper` is `user:…` or `anon:…`.
    """

    NAME: ClassVar[str] = "capture.unit"
    shopper: str
    received_at_ms: int
    events: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment(QueueMessage):
    """A reason to write to a shopper. `id` = `<kind>#<subject>` made of business ids only: it is the send key.

    `subject` tells occurrences apart (cart session, birthday year, order id). Lapses at `expires_at_ms`. `deferrals`: how
    often the arbiter sent it back to the due index. `campaign`: the campaign that made it, "" for a standing trigger.
    """

    NAME: ClassVar[str] = "triggers.moment"
    shopper: str
    kind: str
    subject: str
    occurred_at_ms: int
    due_at_ms: int
    expires_at_ms: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    deferrals: int = 0
    campaign: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOrder(QueueMessage):
    """Hand this decided message to its channel's provider; `id` is the ledger's message id."""

    NAME: ClassVar[str] = "channels.send"
    shopper: str
    moment_id: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback(QueueMessage):
    """What a provider, a link or a shopper tells about a message or an address.

    `kind`: sent, delivered, bounced (detail.permanent), complained, opened, clicked, unsubscribed, stopped, rejected, read.
    `message_id` may be empty when only the address is known.
    """

    NAME: ClassVar[str] = "feedback.report"
    kind: str
    channel: str
    at_ms: int
    message_id: str = ""
    shopper: str = ""
    address: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnsEnvelope(QueueMessage):
    """A notification that came over HTTP and was verified; `body`: its signed fields, as SNS wrote them."""

    NAME: ClassVar[str] = "feedback.sns"
    body: Mapping[str, str]


M = TypeVar("M", bound=QueueMessage)


def encode(message: QueueMessage) -> str:
    """Compact JSON with the message's name and version in front."""
    body: dict[str, Any] = {"name": message.NAME, "v": message.VERSION}
    # Not `asdict`: it copies every leaf of what is plain data already, which costs more than the JSON itself.
    body.update((entry.name, getattr(message, entry.name)) for entry in fields(message))
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def decode(kind: type[M], text: str) -> M:
    """The message of `kind` in `text`; raises GiveUp when it is not JSON, another name, a newer version or lacks a field."""
    try:
        body = json.loads(text)
    except ValueError as error:
        raise GiveUp(f"not JSON: {error}", code="poison") from error
    if not isinstance(body, dict) or body.pop("name", None) != kind.NAME:
        raise GiveUp(f"not a {kind.NAME} message", code="poison")
    if body.pop("v", None) != kind.VERSION:
        raise GiveUp(f"{kind.NAME}: unknown version", code="poison")
    known = {entry.name for entry in fields(kind)}
    try:
        values = {key: value for key, value in body.items() if key in known}
        if "events" in values:
            values["events"] = tuple(values["events"])
        return kind(**values)
    except TypeError as error:
        raise GiveUp(f"{kind.NAME}: {error}", code="poison") from error

"""What a shopper may see and change of how she is reached.

A change is one write and stands for the next decision and for every message not yet handed to its provider. Each change
of consent keeps its proof: where it was said, in which words, when. A token outlives an erasure: whoever was erased is told so,
and nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from regulars.channels.model import Contact
from regulars.clock import Clock, to_ms, zone_named
from regulars.decisions.model import CHANNELS
from regulars.decisions.ports import Contacts
from regulars.errors import Gone, Invalid
from regulars.ids import stable_id
from regulars.messages import Feedback
from regulars.queues import Queue

_FIELDS = ("consent", "topics", "language", "time_zone")
_MAX_TOPICS = 100
_MAX_TEXT = 64


class Preferences:
    """Reads and changes consent by channel and topic, language and time zone. `erased`: whether nothing may be kept of a
    shopper as of an instant."""

    def __init__(self, contacts: Contacts, feedback: Queue, clock: Clock, erased: Callable[[str, datetime], bool]) -> None:
        self._contacts = contacts
        self._feedback = feedback
        self._clock = clock
        self._erased = erased

    def show(self, shopper: str) -> dict[str, Any]:
        """JSON-ready; addresses are only said to be known, never shown: a stolen token must not give them away."""
        return _shown(self._contacts.load(shopper))

    def change(self, shopper: str, wish: Any, *, source: str, agent: str = "") -> dict[str, Any]:
        """Merge the wish and show what stands now; raises Invalid by field, or Gone(erased), and then nothing is changed."""
        consent, topics, details = _checked(wish)
        now = self._clock()
        if self._erased(shopper, now):
            raise Gone("the shopper was erased", code="erased")
        before = self._contacts.load(shopper)
        proof = {"source": source, "agent": agent[:200], "wording": "preferences"}
        self._contacts.update(shopper, now=now, consent=consent, topics=topics, details=details, proof=proof)
        refused = [channel for channel, yes in consent.items() if not yes and before.consent.get(channel)]
        if refused:
            at_ms = to_ms(now)
            self._feedback.send([_unsubscribed(shopper, channel, at_ms, source) for channel in refused])
        return _shown(self._contacts.load(shopper))


def _unsubscribed(shopper: str, channel: str, at_ms: int, source: str) -> Feedback:
    identity = stable_id("unsubscribed", shopper, channel, str(at_ms))
    return Feedback(
        id=identity,
        correlation_id=identity,
        sent_at_ms=at_ms,
        kind="unsubscribed",
        channel=channel,
        at_ms=at_ms,
        shopper=shopper,
        detail={"source": source},
    )


def _shown(contact: Contact) -> dict[str, Any]:
    channels = {
        channel: {
            "consent": contact.consent.get(channel, False),
            "reachable": channel == "inapp" or bool(contact.addresses.get(channel)),
        }
        for channel in CHANNELS
    }
    return {
        "channels": channels,
        "topics": dict(contact.topics),
        "language": contact.language,
        "time_zone": contact.time_zone,
    }


def _checked(wish: Any) -> tuple[dict[str, bool], dict[str, bool], dict[str, str]]:
    """(consent, topics, details) of a well-formed wish."""
    if not isinstance(wish, Mapping):
        raise Invalid("expected an object", field="")
    for name in wish:
        if name not in _FIELDS:
            raise Invalid(f"unknown field; known: {', '.join(_FIELDS)}", field=str(name)[:_MAX_TEXT])
    consent = _switches(wish.get("consent", {}), "consent")
    topics = _switches(wish.get("topics", {}), "topics")
    for channel in consent:
        if channel not in CHANNELS:
            raise Invalid(f"no such channel; known: {', '.join(CHANNELS)}", field=f"consent.{channel}"[:_MAX_TEXT])
    for name in topics:
        if name.partition("/")[0] not in CHANNELS or not name.partition("/")[2] or len(name) > _MAX_TEXT:
            raise Invalid("a topic is written channel/topic", field=f"topics.{name}"[:_MAX_TEXT])
    details = {name: _text(wish[name], name) for name in ("language", "time_zone") if name in wish}
    if details.get("time_zone"):
        _check_zone(details["time_zone"])
    return consent, topics, details


def _switches(value: Any, field: str) -> dict[str, bool]:
    if not isinstance(value, Mapping) or len(value) > _MAX_TOPICS:
        raise Invalid("expected an object of true and false", field=field)
    for name, switch in value.items():
        if not isinstance(switch, bool):
            raise Invalid("expected true or false", field=f"{field}.{name}"[:_MAX_TEXT])
    return dict(value)


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT or not value.isprintable():
        raise Invalid("expected a short text", field=field)
    return value


def _check_zone(name: str) -> None:
    if zone_named(name) is None:
        raise Invalid("not an IANA time zone", field="time_zone")

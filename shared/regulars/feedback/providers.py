"""What each provider says about a message, in our words.

- SES event publishing (`eventType`, with the tags the message was sent with: `message_id` is ours) and identity
  notifications (`notificationType`, without tags: only the address is known).
  AWS: "Contents of event data that Amazon SES publishes to Amazon SNS".
- SNS mobile push: `DeliveryFailure` of a platform application (permanent failures only; names the endpoint, no message).
- End User Messaging SMS: `TEXT_*` events (our `message_id` comes back in `context`) and two-way replies.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from regulars.clock import to_ms
from regulars.errors import GiveUp
from regulars.feedback.config import FeedbackConfig
from regulars.messages import Feedback

TAG = "message_id"
"""Name of the SES tag and the SMS context key that carry the ledger's message id."""
_DEAD_ENDPOINT = frozenset({"EndpointDisabled", "EndpointNotFound", "InvalidPlatformToken"})
_SMS_KINDS: Mapping[str, tuple[str, bool]] = {
    "TEXT_SUCCESSFUL": ("delivered", False),
    "TEXT_DELIVERED": ("delivered", False),
    "TEXT_INVALID": ("bounced", True),
    "TEXT_UNREACHABLE": ("bounced", False),
    "TEXT_CARRIER_UNREACHABLE": ("bounced", False),
    "TEXT_TTL_EXPIRED": ("bounced", False),
    "TEXT_UNKNOWN": ("bounced", False),
    "TEXT_BLOCKED": ("rejected", False),
    "TEXT_CARRIER_BLOCKED": ("rejected", False),
    "TEXT_SPAM": ("rejected", False),
    "TEXT_INVALID_MESSAGE": ("rejected", False),
    "TEXT_PROTECT_BLOCKED": ("rejected", False),
}
_SMS_ON_THE_WAY = frozenset({"TEXT_QUEUED", "TEXT_PENDING", "TEXT_SENT"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """The SNS notification around an event: its id is the same at every redelivery."""

    id: str
    at_ms: int


def from_provider(event: Mapping[str, Any], envelope: Envelope, config: FeedbackConfig) -> tuple[Feedback, ...]:
    """The feedback in one provider event; GiveUp(unknown_event) for an event that is none of the known ones."""
    if "notificationType" in event or ("eventType" in event and "mail" in event):
        return _ses(event, envelope)
    if str(event.get("eventType", "")).startswith("TEXT_"):
        return _sms(event, envelope)
    if "inboundMessageId" in event and "messageBody" in event:
        return _reply(event, envelope, config)
    if event.get("Service") == "SNS" and "EndpointArn" in event:
        return _push(event, envelope)
    raise GiveUp("no known provider event", code="unknown_event")


def _ses(event: Mapping[str, Any], envelope: Envelope) -> tuple[Feedback, ...]:
    kind = event.get("eventType") or event["notificationType"]
    if kind == "AmazonSnsSubscriptionSucceeded":
        return ()
    reader = _SES_READERS.get(kind)
    if reader is None:
        raise GiveUp(f"SES event {str(kind)[:40]!r} is not known", code="unknown_event")
    mail = event["mail"]
    tag = (mail.get("tags") or {}).get(TAG) or [""]
    return tuple(
        Feedback(
            id=f"{envelope.id}#{number}",
            correlation_id=str(mail.get("messageId", "")),
            sent_at_ms=envelope.at_ms,
            kind=word,
            channel="email",
            at_ms=at_ms,
            message_id=str(tag[0]),
            address=bare_address(address),
            detail=detail,
        )
        for number, (word, at_ms, address, detail) in enumerate(reader(event, mail))
    )


_Row = tuple[str, int, str, dict[str, Any]]


def _bounce(event: Mapping[str, Any], mail: Mapping[str, Any]) -> list[_Row]:
    bounce = event["bounce"]
    detail = {
        "permanent": bounce["bounceType"] == "Permanent",
        "type": bounce["bounceType"],
        "subtype": bounce.get("bounceSubType", ""),
    }
    at_ms = _ms(bounce["timestamp"])
    return [("bounced", at_ms, entry["emailAddress"], detail) for entry in bounce["bouncedRecipients"]]


def _complaint(event: Mapping[str, Any], mail: Mapping[str, Any]) -> list[_Row]:
    complaint = event["complaint"]
    detail = {"type": complaint.get("complaintFeedbackType") or "", "subtype": complaint.get("complaintSubType") or ""}
    at_ms = _ms(complaint["timestamp"])
    return [("complained", at_ms, entry["emailAddress"], detail) for entry in complaint["complainedRecipients"]]


def _delivery(event: Mapping[str, Any], mail: Mapping[str, Any]) -> list[_Row]:
    delivery = event["delivery"]
    return [("delivered", _ms(delivery["timestamp"]), address, {}) for address in delivery["recipients"]]


def _send(event: Mapping[str, Any], mail: Mapping[str, Any]) -> list[_Row]:
    return [("sent", _ms(mail["timestamp"]), _first(mail), {})]


def _reject(event: Mapping[str, Any], mail: Mapping[str, Any]) -> list[_Row]:
    return [("rejected", _ms(mail["timestamp"]), _first(mail), {"type": str(event["reject"].get("reason", ""))[:100]})]


def _rendering(event: Mapping[str, Any], mail: Mapping[str, Any]) -> list[_Row]:
    return [("rejected", _ms(mail["timestamp"]), _first(mail), {"type": "rendering_failure"})]


def _open(event: Mapping[str, Any], mail: Mapping[str, Any]) -> list[_Row]:
    opened = event["open"]
    return [("opened", _ms(opened["timestamp"]), _first(mail), {"user_agent": opened.get("userAgent", "")})]


def _click(event: Mapping[str, Any], mail: Mapping[str, Any]) -> list[_Row]:
    click = event["click"]
    return [("clicked", _ms(click["timestamp"]), _first(mail), {"user_agent": click.get("userAgent", "")})]


def _subscription(event: Mapping[str, Any], mail: Mapping[str, Any]) -> list[_Row]:
    """SES's own list headers: everything refused, or single topics of a list."""
    subscription = event["subscription"]
    at_ms, address = _ms(subscription["timestamp"]), _first(mail)
    wanted = subscription.get("newTopicPreferences") or {}
    if wanted.get("unsubscribeAll"):
        return [("unsubscribed", at_ms, address, {})]
    topics = wanted.get("topicSubscriptionStatus") or ()
    refused = [str(entry["topicName"]) for entry in topics if entry.get("subscriptionStatus") == "OptOut"]
    return [("unsubscribed", at_ms, address, {"topic": topic}) for topic in refused]


def _nothing(event: Mapping[str, Any], mail: Mapping[str, Any]) -> list[_Row]:
    return []


_SES_READERS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], list[_Row]]] = {
    "Bounce": _bounce,
    "Complaint": _complaint,
    "Delivery": _delivery,
    "Send": _send,
    "Reject": _reject,
    "Rendering Failure": _rendering,
    "Open": _open,
    "Click": _click,
    "Subscription": _subscription,
    "DeliveryDelay": _nothing,
}


def _push(event: Mapping[str, Any], envelope: Envelope) -> tuple[Feedback, ...]:
    if event["EventType"] != "DeliveryFailure":
        return ()
    failure = str(event.get("FailureType", ""))
    return (
        Feedback(
            id=envelope.id,
            correlation_id=str(event.get("MessageId", "")),
            sent_at_ms=envelope.at_ms,
            kind="bounced",
            channel="push",
            at_ms=_ms(event["Time"]),
            address=str(event["EndpointArn"]),
            detail={"permanent": failure in _DEAD_ENDPOINT, "type": failure},
        ),
    )


def _sms(event: Mapping[str, Any], envelope: Envelope) -> tuple[Feedback, ...]:
    name = event["eventType"]
    if name in _SMS_ON_THE_WAY:
        return ()
    if name not in _SMS_KINDS:
        raise GiveUp(f"SMS event {str(name)[:40]!r} is not known", code="unknown_event")
    kind, permanent = _SMS_KINDS[name]
    return (
        Feedback(
            id=envelope.id,
            correlation_id=str(event.get("messageId", "")),
            sent_at_ms=envelope.at_ms,
            kind=kind,
            channel="sms",
            at_ms=int(event["eventTimestamp"]),
            message_id=str((event.get("context") or {}).get(TAG, "")),
            address=str(event["destinationPhoneNumber"]),
            detail={"permanent": permanent, "type": name} if kind == "bounced" else {"type": name},
        ),
    )


def _reply(event: Mapping[str, Any], envelope: Envelope, config: FeedbackConfig) -> tuple[Feedback, ...]:
    """STOP and its like, or START; other replies are nobody's feedback. The text itself goes no further."""
    word = keyword(str(event["messageBody"]))
    opening = _opening(str(event["messageBody"]), config.stop_openings)
    kind = "stopped" if word in config.stop_words or opening else "resumed" if word in config.start_words else ""
    if not kind:
        return ()
    return (
        Feedback(
            id=envelope.id,
            correlation_id=str(event["inboundMessageId"]),
            sent_at_ms=envelope.at_ms,
            kind=kind,
            channel="sms",
            at_ms=envelope.at_ms,
            address=str(event["originationNumber"]),
            detail={"keyword": word if word in config.stop_words or kind == "resumed" else opening},
        ),
    )


def keyword(text: str) -> str:
    """A reply as one word: NFKC (full-width letters), upper case, nothing but letters and digits; "STOP!" → "STOP"."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(character for character in folded if character.isalnum())


def _opening(text: str, openings: Sequence[str]) -> str:
    """The stop word that a longer reply begins with; Chinese needs no space behind it."""
    folded = unicodedata.normalize("NFKC", text).upper()
    first = next(iter(re.findall(r"\w+", folded)), "")
    return next((word for word in openings if first == word or (not word.isascii() and first.startswith(word))), "")


def bare_address(text: str) -> str:
    """`Name <a@b>` → `a@b`; SES echoes recipients as they were written."""
    start, end = text.rfind("<"), text.rfind(">")
    return (text[start + 1 : end] if 0 <= start < end else text).strip()


def _first(mail: Mapping[str, Any]) -> str:
    return str((mail.get("destination") or [""])[0])


def _ms(text: str) -> int:
    return to_ms(datetime.fromisoformat(text))

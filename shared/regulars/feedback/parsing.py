"""What lies on the feedback queue → Feedback.

Two things arrive there: our own Feedback (links, inbox), put by functions that hold the queue's send permission, and SNS
envelopes, which our topic's subscription puts, and `receive_callbacks` after it has verified them. The queue's policy lets
nobody else in, and the envelope must name one of our topics:
a valid notification of *somebody's* topic is how opt-outs get forged (PostHog #61644). Anything else is poison: `GiveUp`,
which the queue's bounded tries carry to its dead-letter queue.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from regulars.clock import to_ms
from regulars.errors import GiveUp
from regulars.feedback.config import FeedbackConfig
from regulars.feedback.model import KINDS
from regulars.feedback.providers import Envelope, from_provider
from regulars.messages import Feedback, SnsEnvelope, decode

_GREETING = "Successfully validated SNS topic"
"""What SES publishes, as plain text, when a topic becomes an event destination."""


def parse(body: str, *, topics: Collection[str], config: FeedbackConfig) -> tuple[Feedback, ...]:
    """The feedback in a queue body, one entry per recipient; () for provider news that changes nothing.

    Raises GiveUp: `poison` (not ours, not an envelope), `foreign_topic`, `unknown_event`.
    """
    document = _json(body)
    if document.get("name") == SnsEnvelope.NAME:
        document = dict(decode(SnsEnvelope, body).body)
        if "TopicArn" not in document:
            raise GiveUp("an envelope without a topic", code="poison")
    if "TopicArn" not in document:
        feedback = decode(Feedback, body)
        if feedback.kind not in KINDS or not isinstance(feedback.at_ms, int) or not isinstance(feedback.detail, Mapping):
            raise GiveUp(f"feedback of unknown kind {str(feedback.kind)[:40]!r}", code="poison")
        return (feedback,)
    if not isinstance(document["TopicArn"], str) or document["TopicArn"] not in topics:
        raise GiveUp("notification of another topic", code="foreign_topic")
    if document.get("Type") != "Notification":
        raise GiveUp(f"SNS {str(document.get('Type'))[:40]} does not belong on a queue", code="poison")
    if str(document.get("Message", "")).startswith(_GREETING):
        return ()
    envelope = Envelope(id=str(document.get("MessageId", "")), at_ms=instant_ms(document.get("Timestamp")))
    try:
        return from_provider(_json(document.get("Message")), envelope, config)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise GiveUp(f"provider event lacks a field: {type(error).__name__}: {error}"[:200], code="poison") from error


def instant_ms(text: Any) -> int:
    """Epoch milliseconds of an ISO-8601 instant; raises GiveUp(poison)."""
    try:
        return to_ms(datetime.fromisoformat(text))
    except (TypeError, ValueError) as error:
        raise GiveUp("provider event without a readable time", code="poison") from error


def _json(text: Any) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise GiveUp(f"not JSON: {type(error).__name__}", code="poison") from error
    if not isinstance(document, dict):
        raise GiveUp("not a JSON object", code="poison")
    return document

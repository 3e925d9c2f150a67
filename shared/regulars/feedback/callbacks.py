"""receive_callbacks: SNS notifications over HTTP, believed only when they are shown to be Amazon's and of our topics.

AWS, "Verifying the signatures of Amazon SNS messages". A valid signature says only that *some* topic of *some* account sent
it, and a certificate's address is the sender's own word, so the order is (each has let forgeries in elsewhere):

    size, JSON, types            nothing is read that is not a text
    TopicArn on our list         a stranger's topic is signed just as well (PostHog #61644)
    SignatureVersion 2           SHA-256; version 1 is SHA-1 and is not taken
    Timestamp within its window  no replays from last year
    SigningCertURL pinned        https, sns.<the topic's region>.amazonaws.com[.cn], /SimpleNotificationService-<hex>.pem and
                                 not a character more: a bucket's host will do for nobody (Novu, PR #11056)
    the certificate              fetched from there, Amazon's name on it, within its dates
    the signature                over the canonical text, under that certificate

Only then is anything done: a notification goes to the feedback queue, word for word; a subscription is confirmed by an API
call with its token and never by fetching the SubscribeURL (Penpot #11092, useSend PR #444).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from regulars.clock import Clock, to_ms
from regulars.errors import Invalid, TooLarge, Unauthorised
from regulars.feedback.config import CallbackConfig
from regulars.messages import SnsEnvelope
from regulars.queues import Queue
from regulars.web import Reply, Request, View

ROUTE = "POST /v1/callbacks/sns"
NOTIFICATION, SUBSCRIPTION, FAREWELL = "Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"
_SIGNED: Mapping[str, tuple[str, ...]] = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIPTION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    FAREWELL: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
"""Type → the fields under the signature, in their order; Subject only when there is one."""
_OPTIONAL = frozenset({"Subject"})
_ALWAYS = ("Signature", "SignatureVersion", "SigningCertURL")
_TOPIC = re.compile(
    r"arn:aws(?P<partition>-cn|-us-gov)?:sns:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d{1,2}):\d{12}:[A-Za-z0-9_-]{1,256}"
)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z", re.ASCII)


class Certificates(Protocol):
    def verify(self, url: str, text: bytes, signature: bytes, now: datetime) -> bool:
        """Whether `signature` (RSASSA-PKCS1-v1_5, SHA-256) over `text` is that of the certificate at `url`, which is Amazon's
        own and within its dates. Raises TryLater when it cannot be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callbacks:
    """What the view needs. `topics`: ARNs that may speak to us; `confirm(topic, token)`: the API call."""

    topics: frozenset[str]
    certificates: Certificates
    confirm: Callable[[str, str], None]
    feedback: Queue
    clock: Clock
    config: CallbackConfig


def routes(callbacks: Callable[[], Callbacks]) -> dict[str, View]:
    """Route → view; `callbacks` is called inside the first request."""
    return {ROUTE: lambda request: _receive(callbacks(), request)}


def _receive(callbacks: Callbacks, request: Request) -> Reply:
    """200 for what is ours; 4xx, which SNS does not try again, for what is not; 503 for what should come again."""
    if len(request.body) > callbacks.config.most_bytes:
        raise TooLarge(f"at most {callbacks.config.most_bytes} bytes")
    message = verified(callbacks, request.json(), request.headers)
    if message["Type"] == NOTIFICATION:
        envelope = SnsEnvelope(
            id=message["MessageId"],
            correlation_id=message["MessageId"],
            sent_at_ms=to_ms(callbacks.clock()),
            body={name: message[name] for name in _SIGNED[NOTIFICATION] if name in message},
        )
        callbacks.feedback.send([envelope])
    elif message["Type"] == SUBSCRIPTION:
        callbacks.confirm(message["TopicArn"], message["Token"])
    return Reply(200, "", content_type="text/plain")


def verified(callbacks: Callbacks, document: Any, headers: Mapping[str, str]) -> dict[str, str]:
    """The document, when all of it holds; raises Invalid for what is no SNS message, Unauthorised(forged) for what lies."""
    message = _texts(document)
    if any(headers.get(f"x-amz-sns-{name}", message[field]) != message[field] for name, field in _HEADERS):
        raise _forged("headers and body differ")
    topic = _TOPIC.fullmatch(message["TopicArn"])
    if message["TopicArn"] not in callbacks.topics or topic is None:
        raise _forged("the topic is none of ours")
    if message["SignatureVersion"] != "2":
        raise _forged("SignatureVersion 2 is wanted")
    _check_time(message["Timestamp"], callbacks.clock(), callbacks.config)
    url = message["SigningCertURL"]
    if not _certificate_url(topic["region"], topic["partition"] or "").fullmatch(url):
        raise _forged("SigningCertURL is not Amazon's for this topic")
    signature = _signature(message["Signature"])
    if not callbacks.certificates.verify(url, canonical(message), signature, callbacks.clock()):
        raise _forged("the signature does not hold")
    return message


def canonical(message: Mapping[str, str]) -> bytes:
    """What is signed: name, newline, value, newline, of each field in its order."""
    names = [name for name in _SIGNED[message["Type"]] if name in message]
    return "".join(f"{name}\n{message[name]}\n" for name in names).encode()


_HEADERS = (("message-type", "Type"), ("message-id", "MessageId"), ("topic-arn", "TopicArn"))


def _texts(document: Any) -> dict[str, str]:
    if not isinstance(document, Mapping):
        raise Invalid("expected an SNS message", code="not_sns")
    kind = document.get("Type")
    if not isinstance(kind, str) or kind not in _SIGNED:
        raise Invalid("Type is none of SNS", field="Type", code="not_sns")
    message = {name: document[name] for name in (*_SIGNED[kind], *_ALWAYS) if name in document}
    if message.get("Subject", "") is None:
        del message["Subject"]
    for name in (*_SIGNED[kind], *_ALWAYS):
        if name not in message and name in _OPTIONAL:
            continue
        if not isinstance(message.get(name), str):
            raise Invalid(f"{name}: expected a text", field=name, code="not_sns")
        if not _is_text(message[name]):
            raise Invalid(f"{name}: not Unicode", field=name, code="not_sns")
    return message


def _is_text(value: str) -> bool:
    """No lone surrogates: JSON can write them, UTF-8 cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_time(text: str, now: datetime, config: CallbackConfig) -> None:
    if not _TIMESTAMP.fullmatch(text):
        raise _forged("Timestamp is not SNS's")
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise _forged("Timestamp is no time") from error
    if not now - timedelta(seconds=config.age_seconds) <= at <= now + timedelta(seconds=config.ahead_seconds):
        raise _forged("the message is too old, or of the future")


def _certificate_url(region: str, partition: str) -> re.Pattern[str]:
    domain = "amazonaws.com.cn" if partition == "-cn" else "amazonaws.com"
    return re.compile(
        rf"https://sns\.{re.escape(region)}\.{re.escape(domain)}/SimpleNotificationService-[A-Za-z0-9]{{1,64}}\.pem"
    )


def _signature(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _forged("Signature is not base64") from error
    if base64.b64encode(raw).decode() != text:
        raise _forged("Signature is not base64")
    return raw


def _forged(reason: str) -> Unauthorised:
    return Unauthorised(reason, code="forged")

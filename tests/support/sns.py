"""Amazon's side of SNS for tests: a key, a certificate that looks like theirs, and signed messages."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from regulars.adapters.memory.queues import MemoryQueue
from regulars.adapters.sns_callbacks import AmazonCertificates
from regulars.errors import TryLater
from regulars.feedback.callbacks import Callbacks, canonical, routes
from regulars.feedback.config import load
from regulars.web import Request

NOW = datetime(2026, 8, 5, 12, 0, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:regulars-feedback"
CHINA = "arn:aws-cn:sns:cn-north-1:123456789012:feedback"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem"


@cache
def key(name: str = "amazon") -> rsa.RSAPrivateKey:
    """One key a name for the whole run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=1024 if name == "weak" else 2048)


@cache
def certificate(name: str = "amazon", common_name: str = "sns.amazonaws.com", *, days: int = 300, begins: int = -10) -> bytes:
    """A PEM certificate of that key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key(name).public_key())
        .serial_number(7)
        .not_valid_before(NOW + timedelta(days=begins))
        .not_valid_after(NOW + timedelta(days=days))
        .sign(key(name), hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def unsigned(kind: str = "Notification", **changes: Any) -> dict[str, Any]:
    """A message as SNS writes it ("Amazon SNS HTTP/S notification JSON format"), without its signature."""
    message: dict[str, Any] = {
        "Type": kind,
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": json.dumps({"eventType": "Delivery", "mail": {}}),
        "Timestamp": "2026-08-05T11:59:30.123Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE_URL,
    }
    if kind == "Notification":
        message |= {
            "Subject": "Amazon SES Email Event Notification",
            "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?x",
        }
    else:
        message |= {"Token": "2336412f37fb687f5d51e6e2425c464de" * 4, "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?y"}
    return message | changes


def signed(message: Mapping[str, Any], name: str = "amazon", digest: Any = None, pad: Any = None) -> dict[str, Any]:
    """The message with the signature of key `name` over it."""
    raw = key(name).sign(canonical(message), pad or padding.PKCS1v15(), digest or hashes.SHA256())
    return {**message, "Signature": base64.b64encode(raw).decode()}


@dataclass
class Door:
    """The view, and what it did: certificates fetched, subscriptions confirmed, envelopes queued."""

    topics: frozenset[str] = frozenset({TOPIC, CHINA})
    pem: bytes = b""
    now: datetime = NOW
    fetched: list[str] = field(default_factory=list)
    confirmed: list[tuple[str, str]] = field(default_factory=list)
    queue: MemoryQueue = field(default_factory=MemoryQueue)

    def __post_init__(self) -> None:
        self.pem = self.pem or certificate()
        callbacks = Callbacks(
            topics=self.topics,
            certificates=AmazonCertificates(self._fetch),
            confirm=lambda topic, token: self.confirmed.append((topic, token)),
            feedback=self.queue,
            clock=lambda: self.now,
            config=load().callbacks,
        )
        self.view = routes(lambda: callbacks)["POST /v1/callbacks/sns"]

    def _fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        if not self.pem.strip():
            raise TryLater("unreachable")
        return self.pem

    def post(self, message: Any, headers: Mapping[str, str] | None = None) -> Any:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        return self.view(Request("POST", "/v1/callbacks/sns", {}, {}, dict(headers or {}), body))

    @property
    def untouched(self) -> bool:
        return not self.confirmed and not self.queue.messages

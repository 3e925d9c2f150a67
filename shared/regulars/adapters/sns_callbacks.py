"""Amazon's side of SNS over HTTP: its signing certificates, and the call that confirms a subscription.

Verifying is pure Python: `asn1crypto` reads the certificate, `rsa` does the arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, Protocol
from urllib.request import HTTPRedirectHandler, Request, build_opener

from regulars.adapters.aws import session
from regulars.errors import TryLater, Unauthorised

_MOST_BYTES = 16_384
_SECONDS = 3
_KEPT = 16
_LEAST_BITS = 2048
_NAME = re.compile(r"sns[a-z0-9.-]*\.amazonaws\.com(?:\.cn)?")
"""Amazon's certificates for SNS bear sns.amazonaws.com or a region's spelling of it."""


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Where the certificate lies is pinned; nobody may send us elsewhere."""


class _Answer(Protocol):
    def read(self, amount: int, /) -> bytes: ...


def fetch(url: str) -> bytes:
    """The PEM text at `url`, which the caller has pinned; raises TryLater when it cannot be had."""
    try:
        with build_opener(_NoRedirects).open(Request(url, headers={"Accept": "*/*"}), timeout=_SECONDS) as answer:
            return _read(answer)
    except OSError as error:
        raise TryLater(f"the signing certificate cannot be fetched: {type(error).__name__}", code="no_certificate") from error


def _read(answer: _Answer) -> bytes:
    text = answer.read(_MOST_BYTES + 1)
    if len(text) > _MOST_BYTES:
        raise Unauthorised("the signing certificate is too long for one", code="forged")
    return text


class AmazonCertificates:
    """Implements `regulars.feedback.callbacks.Certificates`; keeps the certificates it has read, a handful at most."""

    def __init__(self, fetch: Callable[[str], bytes] = fetch) -> None:
        self._fetch = fetch
        self._kept: dict[str, Any] = {}

    def verify(self, url: str, text: bytes, signature: bytes, now: datetime) -> bool:
        import rsa

        certificate = self._kept.get(url)
        if certificate is None:
            certificate = _parsed(self._fetch(url))
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[url] = certificate
        if not certificate.not_valid_before <= now <= certificate.not_valid_after:
            return False
        numbers = _numbers(certificate)
        try:
            # The signature itself says which hash it was made with; only one is taken.
            return bool(rsa.verify(text, signature, rsa.PublicKey(numbers["modulus"], numbers["public_exponent"])) == "SHA-256")
        except rsa.VerificationError:
            return False


def _parsed(pem_text: bytes) -> Any:
    """The certificate; raises Unauthorised for anything that is none, not Amazon's by name, or too weak."""
    from asn1crypto import pem, x509

    try:
        _, _, der = pem.unarmor(pem_text)
        certificate = x509.Certificate.load(der, strict=True)
        name = certificate.subject.native.get("common_name", "")
        algorithm, bits = certificate.public_key.algorithm, certificate.public_key.bit_size
        _ = certificate.not_valid_before, certificate.not_valid_after, _numbers(certificate)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unauthorised("what lies at SigningCertURL is no certificate", code="forged") from error
    if algorithm != "rsa" or bits < _LEAST_BITS or not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Unauthorised("the signing certificate is not Amazon's", code="forged")
    return certificate


def _numbers(certificate: Any) -> Any:
    """`modulus` and `public_exponent` of an RSA key."""
    return certificate.public_key["public_key"].parsed.native


@cache
def _client(region: str) -> Any:
    """SNS answers for a topic in the topic's own region only."""
    from botocore.config import Config

    retries = {"mode": "standard", "total_max_attempts": 3}
    return session().create_client("sns", region_name=region, config=Config(retries=retries, connect_timeout=2, read_timeout=5))


def confirm(topic: str, token: str) -> None:
    """Confirm a subscription in the topic's own region; raises Unauthorised for a token SNS does not know."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        _client(topic.split(":")[3]).confirm_subscription(TopicArn=topic, Token=token, AuthenticateOnUnsubscribe="true")
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in ("InvalidParameter", "InvalidParameterException", "NotFound", "NotFoundException"):
            raise Unauthorised("SNS does not know this subscription", code="forged") from error
        raise TryLater(f"SNS: {code}", code="unreachable") from error
    except BotoCoreError as error:
        raise TryLater(f"SNS unreachable: {type(error).__name__}", code="unreachable") from error

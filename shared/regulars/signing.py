"""Signed tokens: links in messages, and the shopper's own key to her inbox and preferences.

    token = base64url( version(1) purpose(1) key id(1) expiry(4, epoch seconds, big-endian) payload mac(16) )
    mac   = first 16 bytes of HMAC-SHA256(key, everything before it)

The purpose is signed too, so a token made for one use is refused for every other. Compared in constant time; a text
that is not the one spelling of its bytes is refused. The payload is readable, not secret: it names, it never leads.

The secret is one text (key 1), or JSON `{"current": 2, "keys": {"1": "…", "2": "…"}}`: sign with the current one, accept
all that are listed, drop the old one when its tokens have run out.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from regulars.clock import Clock
from regulars.errors import Misconfigured, Unauthorised

_VERSION = 1
_HEAD = 7
_MAC = 16
_SEPARATOR = "\x1f"
_MIN_SECRET = 16


class Purpose(IntEnum):
    """What a token is good for; the numbers are on the wire for years, never reuse one."""

    OPEN = 1
    CLICK = 2
    UNSUBSCRIBE = 3
    SHOPPER = 4


@dataclass(frozen=True, slots=True)
class Keys:
    """Signing keys by id (1 to 255) and the id that signs."""

    current: int
    secrets: Mapping[int, bytes]

    @classmethod
    def parse(cls, secret: str) -> Keys:
        """The keys in the text of the secret; raises Misconfigured without repeating any of it."""
        if not secret.lstrip().startswith("{"):
            return cls._checked(1, {1: secret.strip().encode()})
        try:
            body = json.loads(secret)
        except ValueError:
            # A generated secret may happen to begin with a brace.
            return cls._checked(1, {1: secret.strip().encode()})
        try:
            keys = {int(name): str(value).encode() for name, value in body["keys"].items()}
            return cls._checked(int(body["current"]), keys)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Misconfigured("signing secret: neither a text nor {current, keys}") from error

    @classmethod
    def _checked(cls, current: int, secrets: Mapping[int, bytes]) -> Keys:
        if current not in secrets or any(not 1 <= name <= 255 for name in secrets):
            raise Misconfigured("signing secret: `current` names no key, or a key id is not 1 to 255")
        if any(len(secret) < _MIN_SECRET for secret in secrets.values()):
            raise Misconfigured(f"signing secret: a key is shorter than {_MIN_SECRET} bytes")
        return cls(current, secrets)


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes and reads tokens against the clock."""

    keys: Keys
    clock: Clock

    def sign(self, purpose: Purpose, *parts: str, lifetime: timedelta) -> str:
        """A token that carries `parts` until `lifetime` from now; parts may not hold the unit separator (U+001F)."""
        if any(_SEPARATOR in part for part in parts):
            raise ValueError("a part of a token may not hold U+001F")
        expiry = int((self.clock() + lifetime).timestamp())
        head = bytes((_VERSION, purpose, self.keys.current)) + expiry.to_bytes(4, "big")
        body = head + _SEPARATOR.join(parts).encode()
        return _spell(body + _mac(self.keys.secrets[self.keys.current], body))

    def read(self, purpose: Purpose, token: str) -> tuple[str, ...]:
        """The parts of a token made for `purpose`; raises Unauthorised(bad_token | expired_token)."""
        raw = _unspell(token)
        body, mac = raw[:-_MAC], raw[-_MAC:]
        secret = self.keys.secrets.get(body[2] if len(body) >= _HEAD else 0)
        if secret is None or not hmac.compare_digest(mac, _mac(secret, body)):
            raise Unauthorised("the token is not valid", code="bad_token")
        if body[0] != _VERSION or body[1] != purpose:
            raise Unauthorised("the token is not valid here", code="bad_token")
        if _expiry(body) <= self.clock().timestamp():
            raise Unauthorised("the token has expired", code="expired_token")
        return tuple(body[_HEAD:].decode().split(_SEPARATOR))

    def shopper_token(self, shopper: str, *, lifetime: timedelta) -> tuple[str, datetime]:
        """A Bearer token for this shopper's inbox and preferences, and when it ends."""
        return self.sign(Purpose.SHOPPER, shopper, lifetime=lifetime), self.clock() + lifetime

    def shopper(self, token: str) -> str:
        """The shopper whom a Bearer token names; raises Unauthorised."""
        if not token:
            raise Unauthorised("a shopper's token is needed: Authorization: Bearer …", code="no_token")
        return self.read(Purpose.SHOPPER, token)[0]


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, body, hashlib.sha256)[:_MAC]


def _expiry(body: bytes) -> int:
    return int.from_bytes(body[3:_HEAD], "big")


def _spell(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _unspell(token: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (ValueError, binascii.Error) as error:
        raise Unauthorised("the token is not valid", code="bad_token") from error
    if _spell(raw) != token:  # base64 leaves unused bits and skips foreign characters: only one spelling counts
        raise Unauthorised("the token is not valid", code="bad_token")
    return raw

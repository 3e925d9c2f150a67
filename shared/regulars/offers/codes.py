"""Coupon codes: 15 characters that say where the coupon is found, and cannot be guessed.

    K7Q4M-8ZT2D-9XWPH = hour of expiry (4) · HMAC-SHA256 of shopper, offer, edition and hour (10, 50 bits) · check (1)

The alphabet is Crockford's base 32 (https://www.crockford.com/base32.html): no I, L, O or U, read without regard to case,
hyphens and spaces, with I and L as 1 and O as 0. The check character is Luhn's, modulo 32: it tells every single mistyped
character and nearly all swapped neighbours, and stays in the alphabet, where Crockford's own needs `*~$=U`.

The hour and the first character of the HMAC name the partition of the index that expiry reads: one row serves both look-up
by code and expiry, and no code needs an index that lags.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime

from regulars.clock import from_ms
from regulars.errors import Invalid

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LANES = len(ALPHABET)
"""Partitions of one hour of the index; it is in every code that was ever issued, so it never changes."""
_HOUR_MS = 3_600_000
_HOUR_CHARACTERS = 4
_SECRET_CHARACTERS = 10
_LENGTH = _HOUR_CHARACTERS + _SECRET_CHARACTERS + 1
_READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0"})


class Codes:
    """Makes codes with one secret. The same shopper, offer, edition, hour and `salt` give the same code."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def make(self, shopper: str, offer: str, edition: str, expires_at: datetime, salt: int = 0) -> str:
        """The code of a coupon that ends at `expires_at`, a full hour."""
        hour = hour_of(expires_at)
        secret = int.from_bytes(self._digest("coupon", shopper, offer, edition, str(hour), str(salt))[:8])
        body = _spell(hour, _HOUR_CHARACTERS) + _spell(secret, _SECRET_CHARACTERS)
        return body + _check(body)

    def conceal(self, kind: str, value: str) -> str:
        """A device or address as it is kept: a keyed hash of it without regard to case, spaces and punctuation."""
        plain = re.sub(r"[\W_]+", "", value.casefold())
        return self._digest("uses", kind, plain)[:16].hex()

    def _digest(self, *parts: str) -> bytes:
        return hmac.digest(self._secret, "\x1f".join(parts).encode(), hashlib.sha256)


def parse(text: str) -> str:
    """The code as it is kept, out of what somebody typed; raises Invalid(bad_code) when it cannot be one."""
    code = re.sub(r"[\s-]+", "", text).upper().translate(_READ_AS)
    if len(code) != _LENGTH or not set(code) <= set(ALPHABET) or _check(code[:-1]) != code[-1]:
        raise Invalid("not a coupon code: a character is missing or mistyped", field="code", code="bad_code")
    return code


def shown(code: str) -> str:
    """A code as people read it, in groups of five."""
    return "-".join(code[start : start + 5] for start in range(0, _LENGTH, 5))


def place_of(code: str) -> tuple[int, int]:
    """(hour of expiry in hours since 1970-01-01 UTC, lane) of a code."""
    hour = 0
    for character in code[:_HOUR_CHARACTERS]:
        hour = hour * LANES + ALPHABET.index(character)
    return hour, ALPHABET.index(code[_HOUR_CHARACTERS])


def hour_of(at: datetime) -> int:
    """Whole hours since 1970-01-01 UTC."""
    return int(at.timestamp()) // 3600


def full_hour(at: datetime) -> datetime:
    """`at`, or the next full hour after it."""
    return from_ms(-(-int(at.timestamp() * 1000) // _HOUR_MS) * _HOUR_MS)


def _spell(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, LANES)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def _check(body: str) -> str:
    """Luhn mod N (ISO/IEC 7812-1 annex B, with N = 32)."""
    total = 0
    for place, character in enumerate(reversed(body)):
        value = ALPHABET.index(character) * (2 if place % 2 == 0 else 1)
        total += value // LANES + value % LANES
    return ALPHABET[-total % LANES]

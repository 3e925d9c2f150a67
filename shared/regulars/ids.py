"""Identifiers: how keys are made of business ids, never of code names."""

from __future__ import annotations

import base64
import hashlib

from regulars.errors import Invalid


def short_hash(*parts: str, size: int = 8) -> bytes:
    """`size` bytes of BLAKE2b over the parts, unit-separated so that ("a","bc") and ("ab","c") differ."""
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=size).digest()


def stable_id(*parts: str) -> str:
    """A 26-character lower-case id that is the same for the same parts (128 bits, base 32)."""
    return base64.b32encode(short_hash(*parts, size=16)).decode("ascii").rstrip("=").lower()


def message_id(shopper: str, moment_id: str) -> str:
    """The reversible, URL- and SES-tag-safe id of a ledger entry (base64url without padding)."""
    return base64.urlsafe_b64encode(f"{shopper}\x1f{moment_id}".encode()).decode("ascii").rstrip("=")


def split_message_id(text: str) -> tuple[str, str]:
    """(shopper, moment_id) of a message id; raises Invalid for anything else."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        shopper, moment_id = raw.split("\x1f")
    except (ValueError, UnicodeDecodeError) as error:
        raise Invalid("not a message id", field="message_id") from error
    return shopper, moment_id

"""Who may call: publishable write keys of apps, secret keys of operators.

Settings hold only the SHA-256 (hex) of each key, comma-separated, so that neither the template nor a log shows a key.
Every hash is compared in constant time. As in Segment's API, a key comes as the user name of Basic credentials, as a
Bearer token, or, for capture alone, as `writeKey` in the body; the first of these that is present decides.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Protocol

from regulars.errors import Misconfigured, Unauthorised


class Credentials(Protocol):
    """What a request shows of its caller (`regulars.adapters.http.Request` does)."""

    def basic_user(self) -> str: ...

    def bearer(self) -> str: ...


class Keys:
    """The keys of one kind; `kind` is the word in the reasons: "write" or "operator"."""

    def __init__(self, hashes: str, kind: str) -> None:
        self._kind = kind
        self._hashes = tuple(entry.strip().lower() for entry in hashes.split(",") if entry.strip())
        for entry in self._hashes:
            if len(entry) != 64 or not set(entry) <= set("0123456789abcdef"):
                raise Misconfigured(f"{kind} key hashes: {entry[:8]}… is not a SHA-256 in hex")

    def check(self, request: Credentials, from_body: object = None) -> None:
        """Raises Unauthorised with code `missing_key` or `invalid_key`."""
        shown = request.basic_user() or request.bearer() or from_body
        if not isinstance(shown, str) or not shown:
            raise Unauthorised(f"no {self._kind} key: send it as the user name of Basic credentials", code="missing_key")
        if not self.knows(shown):
            raise Unauthorised(f"invalid {self._kind} key", code="invalid_key")

    def knows(self, key: str) -> bool:
        """Constant time in the key: every hash is compared, whether or not one has matched."""
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        found = False
        for entry in self._hashes:
            found |= hmac.compare_digest(entry, digest)
        return found


def hash_key(key: str) -> str:
    """The hex SHA-256 to put into WRITE_KEY_HASHES or OPERATOR_KEY_HASHES."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()

"""One place for errors.

    RegularsError
    ├── Invalid            the caller's input is wrong: reason + field; HTTP 400, quarantine
    │   ├── TooLarge       over a stated limit; HTTP 413
    │   └── Unmet          understood, but a rule of the shop is not met; HTTP 422
    ├── Unauthorised       no or bad credentials; HTTP 401
    ├── NotFound           HTTP 404
    ├── Conflict           a condition did not hold: somebody else was first; HTTP 409
    │   └── Gone           its time is over; HTTP 410
    ├── TryLater           throttled, timed out, not ready: the queue brings it back; HTTP 429/503
    │   └── RateLimited    HTTP 429 with Retry-After
    ├── GiveUp             will never succeed: straight to the record with its reason, no retries
    └── Misconfigured      a setting is missing or wrong: says which

Two roots matter to a queue: `TryLater` (return the entry) and `GiveUp` (record and drop). Adapters turn vendor errors
into these; nothing above an adapter sees a vendor's exception.
"""

from __future__ import annotations


class RegularsError(Exception):
    """Root of all errors raised on purpose; `code` is stable and machine-readable."""

    code = "error"

    def __init__(self, reason: str, *, code: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        if code:
            self.code = code


class Invalid(RegularsError):
    """Input that can never be accepted; `field` names the place."""

    code = "invalid"

    def __init__(self, reason: str, *, field: str = "", code: str | None = None) -> None:
        super().__init__(reason, code=code)
        self.field = field


class TooLarge(Invalid):
    code = "too_large"


class Unmet(Invalid):
    code = "unmet"


class Unauthorised(RegularsError):
    code = "unauthorised"


class NotFound(RegularsError):
    code = "not_found"


class Conflict(RegularsError):
    code = "conflict"


class Gone(Conflict):
    code = "gone"


class TryLater(RegularsError):
    code = "try_later"

    def __init__(self, reason: str, *, retry_after_seconds: int = 1, code: str | None = None) -> None:
        super().__init__(reason, code=code)
        self.retry_after_seconds = retry_after_seconds


class RateLimited(TryLater):
    code = "rate_limited"


class GiveUp(RegularsError):
    code = "give_up"


class Misconfigured(RegularsError):
    code = "misconfigured"

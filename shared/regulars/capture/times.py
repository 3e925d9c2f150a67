"""When it happened, in spite of the client's clock.

Segment's rule: `timestamp = receivedAt − (sentAt − originalTimestamp)`. What a client calls `timestamp` is the original
one; without `sentAt` there is nothing to correct by and the client is believed. All in epoch milliseconds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from regulars.errors import Invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def instant_ms(value: Any, field: str) -> int:
    """Epoch ms of an ISO-8601 text (without offset: UTC); raises Invalid(invalid_timestamp)."""
    if type(value) is str and 8 <= len(value) <= 40:
        try:
            at = datetime.fromisoformat(value)
            if at.tzinfo is None:
                at = at.replace(tzinfo=UTC)
            return (at - _EPOCH) // _MILLISECOND
        except (ValueError, OverflowError):
            pass
    raise Invalid(f"{field} is not an ISO-8601 time", field=field, code="invalid_timestamp")


def corrected_ms(original: Any, sent: Any, received_ms: int) -> int:
    """The time of the deed; `original` and `sent` as the client wrote them, None when absent."""
    if original is None:
        return received_ms
    original_ms = instant_ms(original, "timestamp")
    if sent is None:
        return original_ms
    return received_ms - (instant_ms(sent, "sentAt") - original_ms)


def check_age(at_ms: int, now_ms: int, *, max_future_seconds: int, max_age_days: int) -> None:
    """Raises Invalid with code `future_timestamp` or `ancient_timestamp`."""
    if at_ms > now_ms + max_future_seconds * 1000:
        raise Invalid("timestamp lies in the future", field="timestamp", code="future_timestamp")
    if at_ms < now_ms - max_age_days * 86_400_000:
        raise Invalid(f"timestamp is older than {max_age_days} days", field="timestamp", code="ancient_timestamp")

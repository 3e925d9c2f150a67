"""What operators write into queries and bodies."""

from __future__ import annotations

from datetime import date
from typing import Any

from regulars.errors import Invalid

MAX_RECORDS = 1000
_DEFAULT_RECORDS = 100


def limit_of(value: Any) -> int:
    """How many records; 100 when not said. Raises Invalid."""
    if value is None:
        return _DEFAULT_RECORDS
    try:
        limit = int(value)
    except (TypeError, ValueError):
        limit = 0
    if not 1 <= limit <= MAX_RECORDS:
        raise Invalid(f"limit must be a whole number from 1 to {MAX_RECORDS}", field="limit")
    return limit


def parse_day(value: Any) -> date:
    """The date in `value`, written `2026-11-21`; raises Invalid."""
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise Invalid("day must be an ISO-8601 date, as 2026-11-21", field="day") from error

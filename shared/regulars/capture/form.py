"""The form of an entry, before anybody asks what it means: an object of a bounded size that every store behind can hold."""

from __future__ import annotations

import json
from typing import Any

from regulars.errors import Invalid, TooLarge

# DynamoDB holds 38 digits and refuses what is smaller than 1e-130.
_MAX_NUMBER = 10**37
_MIN_NUMBER = 1e-100
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def check_form(raw: Any, *, max_bytes: int, max_depth: int, noun: str = "the entry") -> None:
    """Raises Invalid (not_an_object, too_deep, invalid_number, invalid_text) or TooLarge."""
    if type(raw) is not dict:
        raise Invalid(f"{noun} must be a JSON object", code="not_an_object")
    # Depth first: what it lets through, nothing after it can run out of stack on.
    check_values(raw, max_depth)
    try:
        size = len(_encode(raw).encode())
    except UnicodeEncodeError as error:
        raise Invalid(f"{noun} holds half a surrogate pair", code="invalid_text") from error
    if size > max_bytes:
        raise TooLarge(f"{noun} has more than {max_bytes} bytes")


def check_values(value: Any, depth: int, where: str = "") -> None:
    """Refuses nesting and numbers that no store behind can hold. Recurses into containers only; `where` is the top key."""
    if depth == 0:
        raise Invalid("nested too deeply", field=where, code="too_deep")
    for key, entry in value.items() if type(value) is dict else enumerate(value):
        kind = type(entry)
        if kind is dict or kind is list:
            check_values(entry, depth - 1, where or str(key))
        # Written so that NaN fails it too; infinities come in as 1e999.
        elif (kind is int or kind is float) and not (entry == 0 or _MIN_NUMBER <= abs(entry) <= _MAX_NUMBER):
            raise Invalid("a number is too large or too small", field=where or str(key), code="invalid_number")

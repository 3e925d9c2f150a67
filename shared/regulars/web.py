"""What a view gets and gives: an HTTP request and its reply, of no framework's making."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, TypeVar

from regulars.errors import Invalid
from regulars.values import value

JSON = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
"""How replies are spelled. They never hold themselves: looking for circles takes a third of the time."""
Default = TypeVar("Default", bound=int | None)


@value(frozen=True, slots=True)
class Request:
    """Headers are lower-case; `body` is raw bytes; `query` holds the last value of each parameter."""

    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; raises Invalid for bad UTF-8 or malformed JSON (NaN and Infinity are malformed, RFC 8259)."""
        try:
            return json.loads(self.body.decode("utf-8"), parse_constant=_refuse_constant)
        except UnicodeDecodeError as error:
            raise Invalid("body is not valid UTF-8", code="invalid_utf8") from error
        except (ValueError, RecursionError) as error:
            raise Invalid(f"body is not valid JSON: {error}"[:200], code="invalid_json") from error

    def basic_user(self) -> str:
        """The user name of Basic credentials (Segment: the write key), "" when there are none."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return ""
        try:
            return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[0]
        except ValueError:
            return ""

    def bearer(self) -> str:
        """The Bearer token, "" when there is none."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else ""


@value(frozen=True, slots=True)
class Reply:
    """`body`: dict or list → JSON, str → as `content_type`, bytes → base64."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


View = Callable[[Request], Any]


def whole_number(query: Mapping[str, str], name: str, default: Default, least: int, most: int) -> int | Default:
    """The query parameter `name` as digits tell it, `default` where it is absent or empty; raises Invalid outside
    `least` to `most`."""
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 16 and least <= int(text) <= most):
        raise Invalid(f"{name} must be a whole number from {least} to {most}", field=name, code="invalid_number")
    return int(text)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")

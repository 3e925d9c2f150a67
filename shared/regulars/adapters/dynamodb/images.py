"""Images in a Lambda stream event → plain values.

There binaries are base64 text, unlike in botocore's answers; everything else is as in `client.from_wire`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from regulars.adapters.dynamodb.client import from_wire


def plain(image: Mapping[str, Any]) -> dict[str, Any]:
    """The item of an image, numbers as int or float, binaries as bytes."""
    return {name: _plain(attribute) for name, attribute in image.items()}


def _plain(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    if kind == "B":
        return _bytes(value)
    if kind == "BS":
        return frozenset(_bytes(entry) for entry in value)
    if kind == "M":
        return plain(value)
    if kind == "L":
        return [_plain(entry) for entry in value]
    return from_wire(attribute)


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else base64.b64decode(value)

"""The packed form in which events rest in the log: a list of wire dictionaries, JSON, deflated.

A batch of ten of one shopper becomes one item of about a kilobyte: one write unit instead of ten.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable

from regulars.capture.model import Event


def pack(events: Iterable[Event]) -> bytes:
    """Deflated JSON of the events, in order."""
    text = json.dumps([event.to_wire() for event in events], ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode(), 6)


def unpack(blob: bytes) -> list[Event]:
    """Inverse of `pack`."""
    return [Event.from_wire(wire) for wire in json.loads(zlib.decompress(bytes(blob)))]

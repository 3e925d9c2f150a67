"""Events become queue messages: one unit per shopper and call, in call order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from regulars.capture.model import Event
from regulars.ids import stable_id
from regulars.messages import EventUnit

MAX_UNIT_BYTES = 200_000
"""Of events in one unit; a queue message may have 262,144 bytes and carries the unit's head too."""


def units(events: Iterable[Event], correlation_id: str, now_ms: int) -> list[EventUnit]:
    """The units of the events, by shopper in order of first appearance.

    A shopper's unit that would outgrow a queue message is cut; each part keeps the order. A unit's id is made of the
    shopper and the message ids, so that the same call repeated makes the same units.
    """
    open_units: dict[str, _Open] = {}
    full: list[EventUnit] = []
    for event in events:
        wire = event.to_wire()
        size = len(_encode(wire).encode())
        unit = open_units.get(event.shopper)
        if unit is None or unit.size + size > MAX_UNIT_BYTES:
            if unit is not None:
                full.append(_unit(event.shopper, unit.wires, correlation_id, now_ms))
            unit = open_units[event.shopper] = _Open()
        unit.wires.append(wire)
        unit.size += size
    return full + [_unit(shopper, unit.wires, correlation_id, now_ms) for shopper, unit in open_units.items()]


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class _Open:
    """A unit being filled."""

    __slots__ = ("size", "wires")

    def __init__(self) -> None:
        self.wires: list[dict[str, Any]] = []
        self.size = 0


def _unit(shopper: str, wires: list[dict[str, Any]], correlation_id: str, now_ms: int) -> EventUnit:
    return EventUnit(
        id=stable_id(shopper, *(wire["id"] for wire in wires)),
        correlation_id=correlation_id,
        sent_at_ms=now_ms,
        shopper=shopper,
        received_at_ms=now_ms,
        events=tuple(wires),
    )

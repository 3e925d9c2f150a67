"""An event as the rest of Regulars sees it, and the names it may have.

Names: Segment's e-commerce spec v2 (`/docs/connections/spec/ecommerce/v2`) plus what a shop adds (`custom`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from regulars.clock import from_ms, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One validated call. `type`: track, identify, page, screen, alias, group; `name` is set for track (canonical).

    `at` is the skew-corrected time of the deed, `received_at` ours. `shopper` is `user:<id>` when the call had a userId,
    else `anon:<id>`; `anonymous_id` is kept beside it so that histories can join.
    """

    message_id: str
    type: str
    name: str
    shopper: str
    user_id: str
    anonymous_id: str
    at: datetime
    received_at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    previous_id: str = ""
    group_id: str = ""

    def to_wire(self) -> dict[str, Any]:
        """JSON-ready, empty fields left out."""
        wire: dict[str, Any] = {
            "id": self.message_id,
            "type": self.type,
            "shopper": self.shopper,
            "at": to_ms(self.at),
            "received": to_ms(self.received_at),
        }
        for key in ("name", "user_id", "anonymous_id", "properties", "traits", "context", "previous_id", "group_id"):
            value = getattr(self, key)
            if value:
                wire[key] = dict(value) if isinstance(value, Mapping) else value
        return wire

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Event:
        """Inverse of `to_wire`; raises KeyError when a required field is missing."""
        return cls(
            message_id=wire["id"],
            type=wire["type"],
            name=wire.get("name", ""),
            shopper=wire["shopper"],
            user_id=wire.get("user_id", ""),
            anonymous_id=wire.get("anonymous_id", ""),
            at=from_ms(wire["at"]),
            received_at=from_ms(wire["received"]),
            properties=wire.get("properties", {}),
            traits=wire.get("traits", {}),
            context=wire.get("context", {}),
            previous_id=wire.get("previous_id", ""),
            group_id=wire.get("group_id", ""),
        )

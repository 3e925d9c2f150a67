"""Events that passed the collector and still cannot be applied: quarantined one by one, so that no neighbour is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from regulars.capture.model import Event
from regulars.capture.ports import Quarantine, Quarantined, quarantine_id
from regulars.capture.telling import told
from regulars.clock import Clock, from_ms
from regulars.messages import EventUnit
from regulars.profiles.applying import applied
from regulars.profiles.config import Weights
from regulars.profiles.orders import order_told
from regulars.profiles.record import Record

_SOURCE = "capture_events"


@dataclass(frozen=True, slots=True)
class Refused:
    """One event as it came, and the error it caused."""

    wire: Mapping[str, Any]
    error: str


def readable(unit: EventUnit, weights: Weights) -> tuple[list[Event], list[Refused]]:
    """The events of a unit that can be applied, and the others.

    Each is tried on an empty record: any error a record could meet, it meets there.
    """
    events, refused = list[Event](), list[Refused]()
    for wire in unit.events:
        try:
            event = Event.from_wire(wire)
            applied(Record(shopper=event.shopper), [event], {}, weights)
            order_told(event)
            told(event)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
            refused.append(Refused(wire, f"{type(error).__name__}: {error}"[:200]))
        else:
            events.append(event)
    return events, refused


class Refusals:
    """Puts refused events into the quarantine."""

    def __init__(self, quarantine: Quarantine, clock: Clock, keep_days: int) -> None:
        self._quarantine = quarantine
        self._clock = clock
        self._keep = timedelta(days=keep_days)

    def keep(self, unit: EventUnit, refused: Sequence[Refused]) -> None:
        """One record an event; the unit delivered again makes the same records."""
        received = from_ms(unit.received_at_ms)
        records = []
        for entry in refused:
            raw = json.dumps(entry.wire, ensure_ascii=False, default=str)
            records.append(
                Quarantined(
                    id=quarantine_id(received, raw, _SOURCE),
                    code="unapplicable",
                    message=entry.error,
                    field="",
                    source=_SOURCE,
                    raw=raw,
                    replayable=False,
                    received_at=received,
                    expires_at=self._clock() + self._keep,
                )
            )
        if records:
            self._quarantine.put(records)

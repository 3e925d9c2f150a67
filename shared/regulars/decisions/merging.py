"""Two contacts that turn out to be one shopper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from regulars.channels.model import Contact


def joined(source: Contact, target: Contact, now: datetime) -> Contact:
    """The target's own values win, refusals win over consents, and every slot stays taken, one a moment."""
    slots = {slot.moment_id: slot for slot in (*source.slots, *target.slots)}
    return replace(
        target,
        version=max(source.version, target.version) + 1,
        addresses={**source.addresses, **target.addresses},
        consent=_words(source.consent, target.consent),
        topics=_words(source.topics, target.topics),
        language=target.language or source.language,
        time_zone=target.time_zone or source.time_zone,
        country=target.country or source.country,
        name=target.name or source.name,
        push_vendor=target.push_vendor or source.push_vendor,
        slots=tuple(sorted(slots.values(), key=lambda slot: (slot.at, slot.moment_id))),
        updated_at=now,
    )


def _words(source: Mapping[str, bool], target: Mapping[str, bool]) -> dict[str, bool]:
    return {name: source.get(name, True) and target.get(name, True) for name in {**source, **target}}

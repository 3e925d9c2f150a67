"""What an event tells the contacts: addresses, who made the telephone, consent, language, zone, country, name. Pure.

Fields are flat: `address/email`, `consent/push`, `detail/time_zone`. A profile keeps when each was told and a fingerprint of
the word, so that an app that says the same at every start costs nothing, and a late event does not overrule a newer one. But a
refusal is told each time: the contact is read, and the instant of the refusal that stands there moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from regulars.capture.model import Event
from regulars.clock import from_ms
from regulars.profiles.applying import value_hash
from regulars.profiles.record import Record, newest_told
from regulars.profiles.tagging import deed_ms

_WITH_CONTEXT = frozenset(("Application Installed", "Application Opened", "Signed Up", "Signed In"))
_ADDRESS_TRAITS = {"email": "email", "phone": "sms"}


@dataclass(frozen=True, slots=True)
class News:
    """What is new for the contacts, with its proof; empty when nothing is."""

    addresses: Mapping[str, str | None] = field(default_factory=dict)
    consent: Mapping[str, bool] = field(default_factory=dict)
    consent_at: Mapping[str, datetime] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    proof: Mapping[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.addresses or self.consent or self.details)


def told(event: Event) -> dict[str, Any]:
    """Field → value told by `event`."""
    if event.type != "identify" and event.name not in _WITH_CONTEXT:
        return {}
    traits, context = event.traits, event.context
    found: dict[str, Any] = {}
    for trait, channel in _ADDRESS_TRAITS.items():
        if trait in traits and isinstance(traits[trait], str | None):
            found[f"address/{channel}"] = traits[trait] or None
    device = context.get("device")
    if isinstance(device, Mapping) and isinstance(device.get("token"), str):
        found["address/push"] = device["token"] or None
        if maker := _text(device.get("manufacturer")).lower():
            found["detail/push_vendor"] = maker
    consent = traits.get("consent")
    if isinstance(consent, Mapping):
        found |= {f"consent/{channel}": word for channel, word in consent.items() if isinstance(word, bool)}
    return found | {f"detail/{name}": value for name, value in _details(traits, context).items() if value}


def noted(record: Record, events: Iterable[Event]) -> Record:
    """The record with a fingerprint of all that `events` tell."""
    marks = record.told
    for event in events:
        at_ms = deed_ms(event)
        marks = newest_told(marks, {name: (at_ms, value_hash(value)) for name, value in told(event).items()})
    return replace(record, told=marks)


def news(before: Record, after: Record, fresh: Iterable[Event], own: Iterable[Event]) -> News:
    """What stands in `after` by the word of one of these events; of `fresh` only what `before` did not say already."""
    parts: dict[str, dict[str, Any]] = {"address": {}, "consent": {}, "detail": {}}
    given: dict[str, datetime] = {}
    sources: list[Event] = []
    for events, again in ((fresh, False), (own, True)):
        for event in events:
            for name, value in told(event).items():
                mark = (deed_ms(event), value_hash(value))
                kind, _, key = name.partition("/")
                # A refusal is told every time: a yes may have come another way since the app last said no.
                known = before.told.get(name, (0, ""))[1] == mark[1] and not (kind == "consent" and value is False)
                if after.told.get(name) != mark or (not again and known):
                    continue
                parts[kind][key] = value
                if kind == "consent":
                    given[key] = from_ms(mark[0])
                sources.append(event)
    proof = _proof(sources[-1]) if sources else {}
    return News(parts["address"], parts["consent"], given, parts["detail"], proof)


def _details(traits: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, str]:
    location, address = context.get("location"), traits.get("address")
    return {
        "name": _text(traits.get("firstName")) or _text(traits.get("name")),
        "language": _text(traits.get("language")) or _text(traits.get("locale")) or _text(context.get("locale")),
        "time_zone": _text(traits.get("timezone")) or _text(context.get("timezone")),
        "country": _text(traits.get("country"))
        or (_text(address.get("country")) if isinstance(address, Mapping) else "")
        or (_text(location.get("country")) if isinstance(location, Mapping) else ""),
    }


def _text(value: Any) -> str:
    return value.strip()[:200] if isinstance(value, str) else ""


def _proof(event: Event) -> dict[str, Any]:
    page = event.context.get("page")
    proof = {
        "source": event.type,
        "message_id": event.message_id,
        "at_ms": deed_ms(event),
        "ip": _text(event.context.get("ip")),
        "url": _text(page.get("url")) if isinstance(page, Mapping) else "",
    }
    return {name: value for name, value in proof.items() if value}

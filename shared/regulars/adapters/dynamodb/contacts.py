"""Contacts in DynamoDB: flat attributes, so that any change is one write that needs nothing to stand before it.

pk shopper   sk contact
address.<channel>, consent.<channel>, topic.<channel>/<topic>      text, true or false
slot.<moment id>       {at (ms), channel, kind, campaign?}: one place taken in the rolling caps; by name, so that giving it back
                       is one write without a read
language, time_zone, country, name, push_vendor, updated_at (ms), version

pk shopper   sk consent#<ms>#<channel or topic>        the proof of one change of consent: granted, proof
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import Item, item_to_wire
from regulars.adapters.dynamodb.transactions import Change, Request, apply, get, transact
from regulars.channels.model import Contact, Slot
from regulars.clock import from_ms, to_ms
from regulars.decisions.merging import joined
from regulars.errors import Conflict, TryLater
from regulars.ids import stable_id

ADDRESS, CONSENT, TOPIC, SLOT = "address.", "consent.", "topic.", "slot."
DETAILS = ("language", "time_zone", "country", "name", "push_vendor")
_TRIES = 4


class DynamoContacts:
    """Implements `regulars.decisions.ports.Contacts`."""

    def __init__(self, table: str) -> None:
        self._table = table

    def load(self, shopper: str) -> Contact:
        return contact_of(shopper, get(self._table, keys.contact(shopper)) or {})

    def update(
        self,
        shopper: str,
        *,
        now: datetime,
        addresses: Mapping[str, str | None] | None = None,
        consent: Mapping[str, bool] | None = None,
        topics: Mapping[str, bool] | None = None,
        details: Mapping[str, str] | None = None,
        proof: Mapping[str, Any] | None = None,
    ) -> None:
        change = Change(self._table, keys.contact(shopper)).count("version").set("updated_at", to=to_ms(now))
        for channel, address in (addresses or {}).items():
            name = f"{ADDRESS}{channel}"
            change = change.set(name, to=address) if address else change.remove(name)
        words = {f"{CONSENT}{channel}": word for channel, word in (consent or {}).items()}
        words |= {f"{TOPIC}{topic}": word for topic, word in (topics or {}).items()}
        for name, value in (words | {name: (details or {})[name] for name in DETAILS if name in (details or {})}).items():
            change.set(name, to=value)
        granted = {**(consent or {}), **(topics or {})}
        if not granted:
            apply(change)
            return
        proofs = [("Put", self._proof(shopper, now, subject, word, proof)) for subject, word in granted.items()]
        token = stable_id("consent", shopper, repr(change.request()), repr(proofs))
        transact([("Update", change.request()), *proofs], token=token)

    def merge(self, source: str, target: str, *, now: datetime) -> None:
        for _ in range(_TRIES):
            old, new = self.load(source), self.load(target)
            if old.version == 0:
                return
            merged = _put(self._table, joined(old, new, now), new.version)
            gone = {"TableName": self._table, "Key": item_to_wire(keys.contact(source)), **_unchanged(old.version)}
            try:
                transact(
                    [("Put", merged), ("Delete", gone)],
                    token=stable_id("join", source, str(old.version), target, str(new.version), str(to_ms(now))),
                )
            except Conflict:
                continue
            return
        raise TryLater("the contacts to join keep changing", code="busy")

    def _proof(self, shopper: str, now: datetime, subject: str, granted: bool, proof: Mapping[str, Any] | None) -> Request:
        item = {**keys.consent_proof(shopper, to_ms(now), subject), "granted": granted, "proof": dict(proof or {})}
        return {"TableName": self._table, "Item": item_to_wire(item)}


def claim_place(table: str, contact: Contact, slot: Slot | None, keep_since: datetime) -> Request:
    """The contact's part of a claim: unchanged since it was read, `slot` taken, faded slots dropped."""
    change = Change(table, keys.contact(contact.shopper)).set("version", to=contact.version + 1)
    if slot:
        change.set(f"{SLOT}{slot.moment_id}", to=_slot(slot))
    gone = [old.moment_id for old in contact.slots if old.at < keep_since and not (slot and old.moment_id == slot.moment_id)]
    change.remove(*(f"{SLOT}{moment_id}" for moment_id in gone))
    version = change.name("version")
    if contact.version == 0:
        return change.when(f"attribute_not_exists({version})").request()
    return change.when(f"{version} = {change.value(contact.version)}").request()


def return_place(table: str, shopper: str, moment_id: str) -> Request:
    """The contact's part of a finish that gives the slot back. Its condition fails when the contact was erased."""
    change = Change(table, keys.contact(shopper)).count("version").remove(f"{SLOT}{moment_id}")
    return change.when(f"attribute_exists({change.name('pk')})").request()


def contact_of(shopper: str, item: Item) -> Contact:
    """The contact of an item; an empty one of {}."""
    slots = [
        Slot(from_ms(int(entry["at"])), str(entry["channel"]), str(entry["kind"]), moment_id, str(entry.get("campaign", "")))
        for moment_id, entry in _under(SLOT, item).items()
    ]
    return Contact(
        shopper=shopper,
        version=int(item.get("version", 0)),
        addresses=_under(ADDRESS, item),
        consent=_under(CONSENT, item),
        topics=_under(TOPIC, item),
        slots=tuple(sorted(slots, key=lambda slot: (slot.at, slot.moment_id))),
        updated_at=from_ms(int(item["updated_at"])) if "updated_at" in item else None,
        **{name: str(item.get(name, "")) for name in DETAILS},
    )


def _put(table: str, contact: Contact, version_read: int) -> Request:
    item: Item = {**keys.contact(contact.shopper), "version": contact.version}
    item |= {f"{ADDRESS}{name}": value for name, value in contact.addresses.items()}
    item |= {f"{CONSENT}{name}": value for name, value in contact.consent.items()}
    item |= {f"{TOPIC}{name}": value for name, value in contact.topics.items()}
    item |= {f"{SLOT}{slot.moment_id}": _slot(slot) for slot in contact.slots}
    item |= {name: getattr(contact, name) for name in DETAILS if getattr(contact, name)}
    if contact.updated_at:
        item["updated_at"] = to_ms(contact.updated_at)
    return {"TableName": table, "Item": item_to_wire(item), **_unchanged(version_read)}


def _slot(slot: Slot) -> Item:
    entry: Item = {"at": to_ms(slot.at), "channel": slot.channel, "kind": slot.kind}
    return entry | ({"campaign": slot.campaign} if slot.campaign else {})


def _unchanged(version: int) -> Request:
    if version == 0:
        return {"ConditionExpression": "attribute_not_exists(version)"}
    return {"ConditionExpression": "version = :read", "ExpressionAttributeValues": item_to_wire({":read": version})}


def _under(prefix: str, item: Item) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in item.items() if name.startswith(prefix)}

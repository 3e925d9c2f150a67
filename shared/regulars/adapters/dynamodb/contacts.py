"""Contacts in DynamoDB: flat attributes, so that any change is one write that needs nothing to stand before it.

pk shopper   sk contact
address.<channel>, consent.<channel>, topic.<channel>/<topic>      text, true or false
consent_at.<channel or topic>      when that word was given (ms): a change is conditional on the one it was weighed against
slot.<moment id>       {at (ms), channel, kind, campaign?}: one place taken in the rolling caps; by name, so that giving it back
                       is one write without a read
language, time_zone, country, name, push_vendor, updated_at (ms), version
heard_again            how often a refusal was repeated, which makes no new version: joins are conditional on both

joined                 text: the shopper whom this anonymous one became, once she held slots; the item then has no version and
                       is no contact, but says where her slots lie

pk shopper   sk consent#<ms>#<channel or topic>        the proof of one word, by when it was given: granted, proof
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import Item, item_to_wire
from regulars.adapters.dynamodb.transactions import Change, Request, applies, apply, get, insist, transact
from regulars.channels.model import Contact, Slot
from regulars.clock import from_ms, to_ms
from regulars.decisions.merging import given, joined, newer, unsaid
from regulars.ids import stable_id

ADDRESS, CONSENT, TOPIC, SLOT, GIVEN = "address.", "consent.", "topic.", "slot.", "consent_at."
JOINED, AGAIN = "joined", "heard_again"
DETAILS = ("language", "time_zone", "country", "name", "push_vendor")
_DOUBLINGS = 2
"""She, or a batch of call-backs, waits for the answer."""


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
        consent_at: Mapping[str, datetime] | None = None,
        proof: Mapping[str, Any] | None = None,
    ) -> None:
        words = {**(consent or {}), **(topics or {})}
        given_ms = given(words, consent_at, now)
        known = {name: value for name, value in (details or {}).items() if name in DETAILS}

        def write() -> None:
            standing = self.load(shopper) if words else None
            stand = newer(standing, words, given_ms) if standing else {}
            if standing and stand and not (unsaid(standing, stand) or known or addresses):
                self._repeat(standing, stand, given_ms)
                return
            change = self._change(shopper, now, addresses or {}, known)
            if standing and stand:
                self._change_consent(change, standing, stand, given_ms, dict(proof or {}))
            elif known or any((addresses or {}).values()) or not (words or addresses):
                apply(change)
            elif addresses:
                applies(change.when(f"attribute_exists({change.name('version')})"))

        # Another word about the same channel or topic may come between, or a claim of hers; whoever posted an opt-out may not
        # do so again.
        insist(write, doublings=_DOUBLINGS)

    def drop_address(self, shopper: str, channel: str, address: str, *, now: datetime) -> None:
        change = self._change(shopper, now, {channel: None}, {})
        change.when(f"{change.name(f'{ADDRESS}{channel}')} = {change.value(address)}")
        # The refusal is written by now, so that no delivery would come again to drop it.
        insist(lambda: applies(change), doublings=_DOUBLINGS)

    def _change(self, shopper: str, now: datetime, addresses: Mapping[str, str | None], details: Mapping[str, str]) -> Change:
        change = Change(self._table, keys.contact(shopper)).count("version").set("updated_at", to=to_ms(now))
        for channel, address in addresses.items():
            name = f"{ADDRESS}{channel}"
            change = change.set(name, to=address) if address else change.remove(name)
        for name, value in details.items():
            change.set(name, to=value)
        return change

    def _change_consent(
        self,
        change: Change,
        standing: Contact,
        words: Mapping[str, bool],
        given_ms: Mapping[str, int],
        proof: Mapping[str, Any],
    ) -> None:
        """The change and `words`, on the condition that the words they were weighed against still stand, with the proofs."""
        change.when(_said(change, standing, words, given_ms))
        proofs = [
            ("Put", self._proof(standing.shopper, given_ms[subject], subject, word, proof))
            for subject, word in unsaid(standing, words).items()
        ]
        token = stable_id("consent", standing.shopper, repr(change.request()), repr(proofs))
        transact([("Update", change.request()), *proofs], token=token)

    def _repeat(self, standing: Contact, refusals: Mapping[str, bool], given_ms: Mapping[str, int]) -> None:
        """The later instants of what is refused already. Claims at work have seen the refusal: their version stays."""
        change = Change(self._table, keys.contact(standing.shopper)).count(AGAIN)
        there = f"attribute_exists({change.name('version')})"
        apply(change.when(f"{there} AND {_said(change, standing, refusals, given_ms)}"))

    def merge(self, source: str, target: str, *, now: datetime) -> None:
        insist(lambda: self._merge(source, target, now), doublings=_DOUBLINGS)

    def _merge(self, source: str, target: str, now: datetime) -> None:
        left, joins = (get(self._table, keys.contact(shopper)) or {} for shopper in (source, target))
        old, new = contact_of(source, left), contact_of(target, joins)
        if old.version == 0:
            return
        read = [str(count) for item in (left, joins) for count in (item.get("version", 0), item.get(AGAIN, 0))]
        transact(
            [("Put", _put(self._table, joined(old, new, now), joins)), self._left(old, target, left)],
            token=stable_id("join", source, target, *read, str(to_ms(now))),
        )

    def _left(self, old: Contact, target: str, item: Item) -> tuple[str, Request]:
        """What is left of a contact that joined `target`: nothing, or where its slots went, as some may be given back yet."""
        key = keys.contact(old.shopper)
        if not (old.slots or JOINED in item):
            return "Delete", {"TableName": self._table, "Key": item_to_wire(key), **_unchanged(item)}
        return "Put", {"TableName": self._table, "Item": item_to_wire({**key, JOINED: target}), **_unchanged(item)}

    def _proof(self, shopper: str, at_ms: int, subject: str, granted: bool, proof: Mapping[str, Any]) -> Request:
        item = {**keys.consent_proof(shopper, at_ms, subject), "granted": granted, "proof": dict(proof)}
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


def return_place(table: str, shopper: str, moment_id: str, claimed_ms: int) -> Request:
    """The contact's part of a finish that gives back the slot taken at `claimed_ms`. Its condition fails when that is not
    there: the contact has joined another (`moved_place` finds it), or was erased, or the slot counts in no window any more."""
    slot = f"{SLOT}{moment_id}"
    change = Change(table, keys.contact(shopper)).count("version").remove(slot)
    return change.when(f"{change.name(slot, 'at')} = {change.value(claimed_ms)}").request()


def moved_place(table: str, shopper: str, moment_id: str, claimed_ms: int) -> Request | None:
    """As `return_place`, wherever the slot lies since the shopper joined another; None when it is nowhere. The other may hold a
    slot of a moment called the same, taken at another time."""
    asked: set[str] = set()
    while shopper and shopper not in asked:
        asked.add(shopper)
        item = get(table, keys.contact(shopper)) or {}
        slot = item.get(f"{SLOT}{moment_id}")
        if slot and int(slot["at"]) == claimed_ms:
            return return_place(table, shopper, moment_id, claimed_ms)
        shopper = str(item.get(JOINED, ""))
    return None


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
        consent_at={subject: int(at) for subject, at in _under(GIVEN, item).items()},
        slots=tuple(sorted(slots, key=lambda slot: (slot.at, slot.moment_id))),
        updated_at=from_ms(int(item["updated_at"])) if "updated_at" in item else None,
        **{name: str(item.get(name, "")) for name in DETAILS},
    )


def _put(table: str, contact: Contact, read: Item) -> Request:
    item: Item = {**keys.contact(contact.shopper), "version": contact.version}
    item |= {f"{ADDRESS}{name}": value for name, value in contact.addresses.items()}
    item |= {f"{CONSENT}{name}": value for name, value in contact.consent.items()}
    item |= {f"{TOPIC}{name}": value for name, value in contact.topics.items()}
    item |= {f"{GIVEN}{name}": value for name, value in contact.consent_at.items()}
    item |= {f"{SLOT}{slot.moment_id}": _slot(slot) for slot in contact.slots}
    item |= {name: getattr(contact, name) for name in DETAILS if getattr(contact, name)}
    if contact.updated_at:
        item["updated_at"] = to_ms(contact.updated_at)
    return {"TableName": table, "Item": item_to_wire(item), **_unchanged(read)}


def _slot(slot: Slot) -> Item:
    entry: Item = {"at": to_ms(slot.at), "channel": slot.channel, "kind": slot.kind}
    return entry | ({"campaign": slot.campaign} if slot.campaign else {})


def _said(change: Change, standing: Contact, words: Mapping[str, bool], given_ms: Mapping[str, int]) -> str:
    """Sets `words`; the condition that those they were weighed against still stand."""
    conditions = []
    for subject, word in words.items():
        at = change.name(f"{GIVEN}{subject}")
        read = standing.consent_at.get(subject)
        conditions.append(f"attribute_not_exists({at})" if read is None else f"{at} = {change.value(read)}")
        change.set(f"{TOPIC if '/' in subject else CONSENT}{subject}", to=word)
        change.set(f"{GIVEN}{subject}", to=given_ms[subject])
    return " AND ".join(conditions)


def _unchanged(item: Item) -> Request:
    """The contact is as it was read. (What has no version has no consent either, and no refusal to repeat.)"""
    if not item.get("version"):
        return {"ConditionExpression": "attribute_not_exists(version)"}
    values = {":read": item["version"], **({":again": item[AGAIN]} if AGAIN in item else {})}
    again = f"{AGAIN} = :again" if AGAIN in item else f"attribute_not_exists({AGAIN})"
    return {"ConditionExpression": f"version = :read AND {again}", "ExpressionAttributeValues": item_to_wire(values)}


def _under(prefix: str, item: Item) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in item.items() if name.startswith(prefix)}

"""Contacts in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from regulars.channels.model import Contact, Slot
from regulars.clock import from_ms, to_ms
from regulars.decisions.merging import given, joined, newer, unsaid

_DETAILS = ("language", "time_zone", "country", "name", "push_vendor")


class MemoryContacts:
    """Implements `regulars.decisions.ports.Contacts`. `proofs`: (shopper, at, channel or topic, granted, proof), in order."""

    def __init__(self) -> None:
        self._contacts: dict[str, Contact] = {}
        self._joined: dict[str, str] = {}
        self.proofs: list[tuple[str, datetime, str, bool, Mapping[str, Any]]] = []

    def put(self, contact: Contact) -> None:
        """A contact as it stands elsewhere, version and slots too: for copies."""
        self._contacts[contact.shopper] = contact

    def load(self, shopper: str) -> Contact:
        return self._contacts.get(shopper) or Contact(shopper=shopper)

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
        old, words = self.load(shopper), {**(consent or {}), **(topics or {})}
        given_ms = given(words, consent_at, now)
        stand = newer(old, words, given_ms)
        told = any((addresses or {}).values()) or bool(details) or (bool(addresses) and old.version > 0)
        if not stand and not told and (words or addresses):
            return
        said_at = {**old.consent_at, **{subject: given_ms[subject] for subject in stand}}
        fresh = unsaid(old, stand)
        if stand and not (fresh or addresses or details):
            self._contacts[shopper] = replace(old, consent_at=said_at)
            return
        known = {**old.addresses, **(addresses or {})}
        self._contacts[shopper] = replace(
            old,
            version=old.version + 1,
            addresses={channel: address for channel, address in known.items() if address},
            consent={**old.consent, **{subject: word for subject, word in stand.items() if "/" not in subject}},
            topics={**old.topics, **{subject: word for subject, word in stand.items() if "/" in subject}},
            consent_at=said_at,
            updated_at=now,
            **_details(details or {}),
        )
        for subject, granted in fresh.items():
            self.proofs.append((shopper, from_ms(given_ms[subject]), subject, granted, dict(proof or {})))

    def drop_address(self, shopper: str, channel: str, address: str, *, now: datetime) -> None:
        if self.load(shopper).addresses.get(channel) == address:
            self.update(shopper, now=now, addresses={channel: None})

    def forget(self, shopper: str) -> int:
        """Delete the contact and its proofs, as `DynamoContacts` does; how many records."""
        proofs = [proof for proof in self.proofs if proof[0] == shopper]
        self.proofs = [proof for proof in self.proofs if proof[0] != shopper]
        self._joined.pop(shopper, None)
        return len(proofs) + (self._contacts.pop(shopper, None) is not None)

    def merge(self, source: str, target: str, *, now: datetime) -> None:
        old = self.load(source)
        if old.version:
            self._contacts[target] = joined(old, self.load(target), now)
            del self._contacts[source]
            self._joined[source] = target

    def claim_place(self, contact: Contact, slot: Slot | None, keep_since: datetime) -> bool:
        """The contact's part of a claim; False, and nothing changes, when it is not the version that was read."""
        standing = self.load(contact.shopper)
        if standing.version != contact.version:
            return False
        taken = {old.moment_id: old for old in standing.slots if old.at >= keep_since}
        if slot:
            taken[slot.moment_id] = slot
        self._keep(standing, taken)
        return True

    def return_place(self, shopper: str, moment_id: str, claimed_ms: int) -> None:
        """The contact's part of a finish that gives the slot back, wherever it lies since the shopper joined another. The other
        may hold a slot of a moment called the same: hers is the one taken at `claimed_ms`."""
        asked: set[str] = set()
        while shopper and shopper not in asked:
            asked.add(shopper)
            standing = self.load(shopper)
            if any(slot.moment_id == moment_id and to_ms(slot.at) == claimed_ms for slot in standing.slots):
                self._keep(standing, {slot.moment_id: slot for slot in standing.slots if slot.moment_id != moment_id})
                return
            shopper = self._joined.get(shopper, "")

    def _keep(self, contact: Contact, slots: Mapping[str, Slot]) -> None:
        ordered = tuple(sorted(slots.values(), key=lambda slot: (slot.at, slot.moment_id)))
        self._contacts[contact.shopper] = replace(contact, slots=ordered, version=contact.version + 1)


def _details(given: Mapping[str, str]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in _DETAILS}

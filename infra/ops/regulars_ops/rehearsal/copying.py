"""A shop read into memory. Sources are only ever read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from regulars.adapters.memory.contacts import MemoryContacts
from regulars.adapters.memory.messages import MemoryLedger
from regulars.adapters.memory.offers import MemoryOffers
from regulars.adapters.memory.profiles import MemoryProfiles
from regulars.adapters.memory.suppressions import MemorySuppressions
from regulars.adapters.memory.timers import MemoryTimers
from regulars.decisions.ports import Contacts, Ledger, Suppressions
from regulars.ids import short_hash
from regulars.profiles.writing import ProfileStore, Stored
from regulars.triggers.ports import Timers

_RECENT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The shop as it is."""

    profiles: ProfileStore
    contacts: Contacts
    suppressions: Suppressions
    ledger: Ledger
    timers: Timers


@dataclass(slots=True)
class Copy:
    """The shop that is rehearsed on."""

    profiles: MemoryProfiles = field(default_factory=MemoryProfiles)
    contacts: MemoryContacts = field(default_factory=MemoryContacts)
    suppressions: MemorySuppressions = field(default_factory=MemorySuppressions)
    offers: MemoryOffers = field(default_factory=MemoryOffers)
    timers: MemoryTimers = field(default_factory=MemoryTimers)
    shoppers: list[str] = field(default_factory=list)
    ledger: MemoryLedger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(self.contacts, self.suppressions, self.offers)


def sampled(stored: Iterable[Stored], share: float) -> Iterator[Stored]:
    """A share of the shoppers (0 to 1), the same ones every time."""
    for entry in stored:
        if int.from_bytes(short_hash("rehearsal", entry.record.shopper), "big") / 2**64 < share:
            yield entry


def copy_shopper(stored: Stored, sources: Sources, into: Copy, now: datetime) -> None:
    """One shopper: the profile that was read, four reads for the rest. Timers that are past stay behind."""
    shopper = stored.record.shopper
    into.profiles.save(replace(stored.record, version=0))
    into.profiles.join_orders(shopper, stored.orders)
    contact = sources.contacts.load(shopper)
    if contact.version:
        into.contacts.put(contact)
        for channel, reason in sources.suppressions.among(contact.addresses).items():
            into.suppressions.add(channel, contact.addresses[channel], reason=reason, now=now)
    for message in sources.ledger.list(shopper, _RECENT):
        into.ledger.put(message)
    for timer in sources.timers.known(shopper):
        if timer.due_at >= now:
            into.timers.set(timer)
    into.shoppers.append(shopper)

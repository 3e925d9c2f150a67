"""A ledger with the contacts and suppressions it asks, and claims and receipts with their usual arguments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tests.support.decisions import EVENING, HOUR, KEEP, SHE, message

from regulars.channels.model import Contact
from regulars.decisions.model import Message, State
from regulars.decisions.ports import Contacts, Ledger, Suppressions

SECOND = timedelta(seconds=1)


@dataclass
class Books:
    ledger: Ledger
    contacts: Contacts
    suppressions: Suppressions

    def planned(self, **changes: object) -> Message:
        """A recorded plan for a shopper with a contact."""
        plan = message(**changes)  # type: ignore[arg-type]
        assert self.ledger.record(plan)
        if self.contacts.load(SHE).version == 0:
            self.contacts.update(SHE, now=EVENING, addresses={"email": "mira@example.com"}, consent={"email": True})
        return plan

    def claim(self, plan: Message, contact: Contact | None = None, token: str = "t1", takes_slot: bool = True) -> None:
        self.ledger.claim(
            plan,
            contact or self.contacts.load(plan.shopper),
            token=token,
            now=EVENING + SECOND,
            lease_until=EVENING + HOUR,
            takes_slot=takes_slot,
            keep_slots_since=EVENING - KEEP,
        )

    def finish(self, plan: Message, state: State, token: str = "t1", gives_slot_back: bool = False) -> None:
        self.ledger.finish(
            plan,
            token=token,
            state=state,
            reason="because",
            now=EVENING + 2 * SECOND,
            provider_id="p1",
            gives_slot_back=gives_slot_back,
        )

    def stands(self, plan: Message) -> Message:
        found = self.ledger.get(plan.shopper, plan.moment_id)
        assert found is not None
        return found

    @property
    def slots(self) -> list[str]:
        return [slot.moment_id for slot in self.contacts.load(SHE).slots]

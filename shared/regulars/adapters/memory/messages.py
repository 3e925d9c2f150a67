"""The ledger in memory, with the contacts and suppressions that its claims are conditional on. One thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from regulars.adapters.memory.contacts import MemoryContacts
from regulars.adapters.memory.offers import MemoryOffers
from regulars.adapters.memory.suppressions import MemorySuppressions
from regulars.channels.model import Contact, Slot
from regulars.clock import to_ms
from regulars.decisions.model import SETTLING_MARKS, Message, State
from regulars.errors import Conflict, NotFound
from regulars.offers.model import NOTHING, Reservation


class MemoryLedger:
    """Implements `regulars.decisions.ports.Ledger`."""

    def __init__(self, contacts: MemoryContacts, suppressions: MemorySuppressions, offers: MemoryOffers | None = None) -> None:
        self._contacts, self._suppressions = contacts, suppressions
        self._offers = offers or MemoryOffers()
        self._messages: dict[str, dict[str, Message]] = {}
        self._released: dict[tuple[str, str], str] = {}

    def put(self, message: Message) -> None:
        """An entry as it stands elsewhere: for copies."""
        self._keep(message)

    def record(self, message: Message) -> bool:
        standing = self.get(message.shopper, message.moment_id)
        if standing and standing.state is not State.DEFERRED:
            return False
        self._keep(message)
        return True

    def get(self, shopper: str, moment_id: str) -> Message | None:
        return self._messages.get(shopper, {}).get(moment_id)

    def list(self, shopper: str, limit: int = 100) -> Sequence[Message]:
        found = self._messages.get(shopper, {}).values()
        return sorted(found, key=lambda message: (message.decided_at, message.moment_id), reverse=True)[:limit]

    def claim(
        self,
        message: Message,
        contact: Contact,
        *,
        token: str,
        now: datetime,
        lease_until: datetime,
        takes_slot: bool,
        keep_slots_since: datetime,
        reservation: Reservation = NOTHING,
    ) -> None:
        standing = self.get(message.shopper, message.moment_id)
        if standing is None or standing.state is not State.PLANNED:
            raise Conflict("the claim's conditions did not hold", code="not_planned")
        if message.address and self._suppressions.reason(message.channel, message.address):
            raise Conflict("the claim's conditions did not hold", code="suppressed")
        slot = Slot(now, message.channel, message.kind, message.moment_id, message.campaign) if takes_slot else None
        if self._contacts.load(contact.shopper).version == contact.version and (lacks := self._offers.lacks(reservation)):
            raise Conflict("the claim's conditions did not hold", code=lacks)
        if not self._contacts.claim_place(contact, slot, keep_slots_since):
            raise Conflict("the claim's conditions did not hold", code="contact_changed")
        self._offers.take(reservation)
        taken = message.moment_id if takes_slot else standing.slot
        self._move(replace(standing, token=token, lease_until=lease_until, slot=taken), State.CLAIMED, now, "")

    def holds(self, shopper: str, moment_id: str, token: str) -> bool:
        standing = self.get(shopper, moment_id)
        return standing is not None and standing.state is State.CLAIMED and standing.token == token

    def fence(self, message: Message, token: str, contact: Contact) -> bool:
        suppressed = message.address and self._suppressions.reason(message.channel, message.address)
        unchanged = self._contacts.load(contact.shopper).version == contact.version
        return unchanged and not suppressed and self.holds(message.shopper, message.moment_id, token)

    def finish(
        self,
        message: Message,
        *,
        token: str,
        state: State,
        reason: str,
        now: datetime,
        provider_id: str = "",
        gives_slot_back: bool = False,
        returns: Reservation = NOTHING,
        not_before: datetime | None = None,
        tried: str = "",
    ) -> None:
        standing = self.get(message.shopper, message.moment_id)
        if standing is None or standing.state is not State.CLAIMED or standing.token != token:
            if not self._was_finished(message, standing, token, state):
                raise Conflict("another token holds the message", code="token_lost")
            return
        done = replace(standing, reason=reason, lease_until=None, provider_id=provider_id or standing.provider_id)
        if state is State.PLANNED:
            self._released[(message.shopper, message.moment_id)] = token
            done = replace(done, token="")
        if not_before:
            done = replace(done, not_before=not_before)
        if tried:
            done = replace(done, tried=(*done.tried, tried))
        if gives_slot_back:
            claimed_ms = next(at for at, word, _ in reversed(standing.history) if word == State.CLAIMED.value)
            self._contacts.return_place(message.shopper, message.moment_id, claimed_ms)
            done = replace(done, slot="")
        self._offers.give_back(returns)
        self._settle(self._move(done, state, now, reason), now)

    def close(self, shopper: str, moment_id: str, *, state: State, reason: str, now: datetime) -> bool:
        standing = self.get(shopper, moment_id)
        if standing is None or standing.state not in (State.PLANNED, State.DEFERRED):
            return False
        self._move(replace(standing, reason=reason, not_before=None), state, now, reason)
        return True

    def postpone(self, shopper: str, moment_id: str, *, not_before: datetime, reason: str, now: datetime) -> bool:
        standing = self.get(shopper, moment_id)
        if standing is None or standing.state is not State.PLANNED:
            return False
        self._move(replace(standing, reason=reason, not_before=not_before), State.DEFERRED, now, reason)
        return True

    def mark(self, shopper: str, moment_id: str, *, mark: str, at: datetime, detail: str = "") -> bool:
        standing = self.get(shopper, moment_id)
        if standing is None:
            raise NotFound("no such message")
        first = mark not in standing.marks
        if first:
            step = (to_ms(at), mark, detail)
            standing = self._keep(
                replace(standing, marks={**standing.marks, mark: to_ms(at)}, history=(*standing.history, step))
            )
        self._settle(standing, at)
        return first

    def forget(self, shopper: str) -> int:
        """Delete every decision about the shopper; how many."""
        return len(self._messages.pop(shopper, {}))

    def _was_finished(self, message: Message, standing: Message | None, token: str, state: State) -> bool:
        if state is State.PLANNED:
            return self._released.get((message.shopper, message.moment_id)) == token
        settled = state is State.UNKNOWN and standing is not None and standing.state is State.SENT
        return standing is not None and standing.token == token and (standing.state is state or settled)

    def _settle(self, message: Message, now: datetime) -> None:
        if message.state is State.UNKNOWN and SETTLING_MARKS.intersection(message.marks):
            self._move(replace(message, reason="sent"), State.SENT, now, "settled")

    def _move(self, message: Message, state: State, now: datetime, detail: str) -> Message:
        step = (to_ms(now), state.value, detail)
        return self._keep(replace(message, state=state, history=(*message.history, step)))

    def _keep(self, message: Message) -> Message:
        self._messages.setdefault(message.shopper, {})[message.moment_id] = message
        return message

"""Taking a message and all it takes along, and writing down what became of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from regulars.channels.config import Sending
from regulars.channels.model import Contact
from regulars.channels.ports import Reserving
from regulars.clock import Clock
from regulars.decisions import reasons
from regulars.decisions.config import Decisions
from regulars.decisions.gate import keep_slots_since, may_send, takes_slot
from regulars.decisions.model import Message, State
from regulars.decisions.ports import Contacts, Ledger
from regulars.errors import Conflict, GiveUp, TryLater
from regulars.offers.model import NOTHING, Coupon, CouponState, Reservation

_PASSED = frozenset({reasons.EXPIRED, reasons.ANSWERED, reasons.QUIET_HOURS, reasons.GAVE_UP, reasons.OFFER_CLOSED})
_HANDED_OVER = frozenset({State.SENT, State.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Held:
    """A claim: ours until `lease_until` while the ledger shows `token`. `code`: of the coupon that the message tells of.
    `contact`: as the claim left it."""

    message: Message
    token: str
    lease_until: datetime
    reservation: Reservation = NOTHING
    code: str = ""
    contact: Contact | None = None


class Claiming:
    """`reserving` says what messages take along of what is limited; without it, none takes anything."""

    def __init__(
        self,
        ledger: Ledger,
        contacts: Contacts,
        decisions: Decisions,
        config: Sending,
        clock: Clock,
        reserving: Reserving | None = None,
        new_token: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._ledger, self._contacts, self._decisions, self._config = ledger, contacts, decisions, config
        self._clock, self._reserving, self._new_token = clock, reserving, new_token

    def claim(self, message: Message) -> Held | None:
        """The message when it is ours now; None when something stands against it (it is closed with that). A contact that
        changed under us is read and asked again, and an empty shard's neighbour, a few times; then TryLater with the code of
        what was in the way last, and also when another delivery was first, and with the code `quiet_hours` for what
        `waits_for_hours`."""
        attempt = 0
        in_the_way = ""
        hers: Coupon | None = None
        for _ in range(self._config.claim_tries):
            now = self._clock()
            contact = self._contacts.load(message.shopper)
            against = may_send(message, contact, now, self._decisions)
            if against and waits_for_hours(against, message, self._decisions):
                raise TryLater("the hours of its channel have closed", code=against)
            if against:
                self.close(message, against)
                return None
            try:
                return self._take(message, contact, now, attempt, hers)
            except GiveUp as must_not_go:
                self.close(message, must_not_go.code)
                return None
            except Conflict as conflict:
                if conflict.code == "suppressed":
                    self.close(message, reasons.SUPPRESSED)
                    return None
                if conflict.code == "not_planned":
                    raise moved() from conflict
                if conflict.code == "coupon_held":
                    hers = self._hers(message, now)
                    if hers and (hers.state is not CouponState.ISSUED or now >= hers.expires_at):
                        self.close(message, reasons.OFFER_CLOSED)
                        return None
                in_the_way = conflict.code
                attempt += in_the_way != "contact_changed"
        raise TryLater("the claim's conditions keep changing", code=in_the_way)

    def _take(self, message: Message, contact: Contact, now: datetime, attempt: int, hers: Coupon | None) -> Held:
        reservation = self._reserving.reserve(message, now=now, attempt=attempt) if self._reserving else NOTHING
        if hers:
            reservation = replace(reservation, coupon=None)
        coupon = hers or reservation.coupon
        lease_until = now + timedelta(seconds=self._config.lease_seconds)
        after = replace(contact, version=contact.version + 1)
        held = Held(message, self._new_token(), lease_until, reservation, coupon.code if coupon else "", after)
        try:
            self._ledger.claim(
                message,
                contact,
                token=held.token,
                now=now,
                lease_until=lease_until,
                takes_slot=takes_slot(message, self._decisions),
                keep_slots_since=keep_slots_since(now, self._decisions),
                reservation=reservation,
            )
        except TryLater:
            # Perhaps only the answer was lost. The token is this very attempt's, so nobody else can hold by it.
            if not self._ledger.holds(message.shopper, message.moment_id, held.token):
                raise
        return held

    def _hers(self, message: Message, now: datetime) -> Coupon | None:
        """The coupon she has of this offer already, from this very moment or another: the message tells of that one and takes
        none, nor gives it back. None when it was given back meanwhile. Raises TryLater while the message that took it is at
        work: it may give it back yet, and a code told here would be worth nothing."""
        coupon = self._reserving.held(message) if self._reserving else None
        if coupon is None or not coupon.moment_id:
            return coupon
        holder = self._ledger.get(coupon.shopper, coupon.moment_id)
        if holder is None or holder.state in _HANDED_OVER:
            return coupon
        if holder.state is State.CLAIMED:
            left = int(((holder.lease_until or now) - now).total_seconds()) + 1
            raise TryLater("another message is bringing her this coupon", retry_after_seconds=max(1, left), code="coupon_held")
        return self._reserving.held(message) if self._reserving else None

    def finish(
        self,
        held: Held,
        state: State,
        reason: str,
        *,
        provider_id: str = "",
        gives_back: bool = False,
        not_before: datetime | None = None,
        tried: str = "",
    ) -> bool:
        """Write the receipt. A lost token is no error, but False: whoever took it has written the message's fate."""
        for attempt in range(1, self._config.finish_tries + 1):
            try:
                self._ledger.finish(
                    held.message,
                    token=held.token,
                    state=state,
                    reason=reason,
                    now=self._clock(),
                    provider_id=provider_id,
                    gives_slot_back=gives_back and takes_slot(held.message, self._decisions),
                    returns=held.reservation if gives_back else NOTHING,
                    not_before=not_before,
                    tried=tried,
                )
                return True
            except Conflict:
                return False
            except TryLater:
                if attempt == self._config.finish_tries:
                    raise
        return False

    def close(self, message: Message, reason: str) -> None:
        """Over before it was claimed. Raises TryLater when another delivery has moved it."""
        state, now = closed_as(reason), self._clock()
        if not self._ledger.close(message.shopper, message.moment_id, state=state, reason=reason, now=now):
            raise moved()

    def postpone(self, message: Message, reason: str, not_before: datetime) -> None:
        """PLANNED → DEFERRED. Raises TryLater when another delivery has moved it."""
        now = self._clock()
        if not self._ledger.postpone(message.shopper, message.moment_id, not_before=not_before, reason=reason, now=now):
            raise moved()


def moved() -> TryLater:
    """Another delivery was first, or the message is over. This one must not acknowledge the order: the other may die with its
    claim or give the message back, and nobody else would come to see to it. It comes again and looks."""
    return TryLater("another delivery has moved the message", code="claimed")


def waits_for_hours(against: str, message: Message, config: Decisions) -> bool:
    """What became of an order is news still when the hours open again; marketing that missed them has had its time."""
    return against == reasons.QUIET_HOURS and not takes_slot(message, config)


def closed_as(reason: str) -> State:
    """LAPSED for what time or an order overtook, WITHHELD for what must not be sent."""
    return State.LAPSED if reason in _PASSED else State.WITHHELD

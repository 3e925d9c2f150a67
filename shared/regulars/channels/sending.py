"""send_message: one order → at most one hand-over to a provider, whatever fails in between.

    read the ledger   ──▶ over or not ours: done · CLAIMED and alive: later · CLAIMED, lease run out: UNKNOWN
    gate              ──▶ a reason: closed with it
    claim             one transaction: PLANNED → CLAIMED(token, lease), slot taken, contact unchanged, not suppressed
    render            ──▶ wrong content or template: FAILED, slot back
    fence             still our token, lease alive, nothing withdrawn since ──▶ else no call
    provider          Accepted → SENT · Refused → FAILED, slot back · Later → back to PLANNED, slot back, the queue brings it
                      again · Ambiguous or anything raised → UNKNOWN, slot kept, never sent again

A crash after the claim leaves CLAIMED; the redelivery that finds the lease run out makes it UNKNOWN, and delivery events
tagged with the message id settle it. The receipt is written first and tried again; it never causes a second call.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from regulars.channels.config import Sending
from regulars.channels.model import Contact
from regulars.channels.ports import Accepted, Ambiguous, Envelope, Later, Outcome, Provider, Refused
from regulars.channels.rendering import Renderer
from regulars.clock import Clock
from regulars.decisions import reasons
from regulars.decisions.config import Decisions
from regulars.decisions.gate import keep_slots_since, may_send, takes_slot
from regulars.decisions.model import Message, State
from regulars.decisions.ports import Contacts, Ledger, Suppressions
from regulars.errors import Conflict, GiveUp, TryLater
from regulars.ids import message_id
from regulars.messages import SendOrder

_PASSED = frozenset({reasons.EXPIRED, reasons.ANSWERED, reasons.QUIET_HOURS})


class SendMessage:
    """Sends what was decided. `providers`: channel → its way out; `new_token` makes the claim's token."""

    def __init__(
        self,
        ledger: Ledger,
        contacts: Contacts,
        suppressions: Suppressions,
        renderer: Renderer,
        providers: Mapping[str, Provider],
        decisions: Decisions,
        config: Sending,
        clock: Clock,
        new_token: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._ledger = ledger
        self._contacts = contacts
        self._suppressions = suppressions
        self._renderer = renderer
        self._providers = providers
        self._decisions = decisions
        self._config = config
        self._clock = clock
        self._new_token = new_token

    def __call__(self, order: SendOrder) -> None:
        """Raises TryLater to have the order back, GiveUp when there is nothing to send by it."""
        message = self._ledger.get(order.shopper, order.moment_id)
        if message is None:
            raise GiveUp("no such message in the ledger", code="no_such_message")
        if message.state is State.CLAIMED:
            self._claimed_before(message)
        elif message.state is State.PLANNED and message.channel == order.channel:
            self._send(message)
        # Anything else is over, or was decided anew for another channel, which has its own order.

    def _claimed_before(self, message: Message) -> None:
        """Another delivery of this order got as far as the claim: it is at work, or it died."""
        now = self._clock()
        if message.lease_until is not None and now < message.lease_until:
            raise TryLater("claimed by another delivery", code="claimed")
        self._finish(message, message.token, State.UNKNOWN, reasons.LEASE_EXPIRED)

    def _send(self, message: Message) -> None:
        if message.channel not in self._providers:
            self._close(message, reasons.NO_PROVIDER)
            return
        token, lease_until = self._new_token(), self._clock() + timedelta(seconds=self._config.lease_seconds)
        if not self._claim(message, token, lease_until):
            return
        try:
            envelope = self._envelope(message)
        except GiveUp as error:
            self._finish(message, token, State.FAILED, reasons.RENDER_FAILED, gives_slot_back=True)
            raise GiveUp(error.reason, code=reasons.RENDER_FAILED) from error
        if self._may_call(message, token, lease_until):
            self._settle(message, token, self._call(envelope))

    def _claim(self, message: Message, token: str, lease_until: datetime) -> bool:
        """True when the message is ours. A contact that changed under us is read and asked again, a few times."""
        for _ in range(self._config.claim_tries):
            now = self._clock()
            contact = self._contacts.load(message.shopper)
            against = may_send(message, contact, now, self._decisions)
            if against:
                self._close(message, against)
                return False
            try:
                self._take(message, contact, token, now, lease_until)
                return True
            except Conflict as conflict:
                if conflict.code == "suppressed":
                    self._close(message, reasons.SUPPRESSED)
                    return False
                if conflict.code != "contact_changed":
                    return False  # another delivery was first, or the message has lapsed
        raise TryLater("the contact keeps changing", code="contact_changed")

    def _take(self, message: Message, contact: Contact, token: str, now: datetime, lease_until: datetime) -> None:
        self._ledger.claim(
            message,
            contact,
            token=token,
            now=now,
            lease_until=lease_until,
            takes_slot=takes_slot(message, self._decisions),
            keep_slots_since=keep_slots_since(now, self._decisions),
        )

    def _envelope(self, message: Message) -> Envelope:
        transactional = not takes_slot(message, self._decisions)
        return Envelope(
            message_id=message_id(message.shopper, message.moment_id),
            shopper=message.shopper,
            moment_id=message.moment_id,
            kind=message.kind,
            channel=message.channel,
            address=message.address,
            transactional=transactional,
            expires_at=message.expires_at,
            rendered=self._renderer.render(message, transactional=transactional),
        )

    def _may_call(self, message: Message, token: str, lease_until: datetime) -> bool:
        """The fence. Everything that may have changed since the claim is read again, strongly consistent."""
        against = may_send(message, self._contacts.load(message.shopper), self._clock(), self._decisions)
        if not against and message.address and self._suppressions.reason(message.channel, message.address):
            against = reasons.SUPPRESSED
        if against:
            self._finish(message, token, _closed_as(against), against, gives_slot_back=True)
            return False
        if not self._ledger.holds(message.shopper, message.moment_id, token):
            return False
        if self._clock() >= lease_until:
            self._finish(message, token, State.PLANNED, reasons.LEASE_EXPIRED, gives_slot_back=True)
            raise TryLater("the lease ran out before the call", code=reasons.LEASE_EXPIRED)
        return True

    def _call(self, envelope: Envelope) -> Outcome:
        try:
            return self._providers[envelope.channel].send(envelope)
        except Exception as error:
            # The provider may hold the message already: only a delivery event can tell.
            return Ambiguous(type(error).__name__)

    def _settle(self, message: Message, token: str, outcome: Outcome) -> None:
        match outcome:
            case Accepted(provider_id):
                self._finish(message, token, State.SENT, reasons.SENT, provider_id=provider_id)
            case Refused(reason, address_dead):
                self._finish(message, token, State.FAILED, f"{reasons.REFUSED}:{reason}", gives_slot_back=True)
                if address_dead:
                    self._contacts.update(message.shopper, now=self._clock(), addresses={message.channel: None})
            case Later(reason, retry_after_seconds):
                self._finish(message, token, State.PLANNED, f"{reasons.THROTTLED}:{reason}", gives_slot_back=True)
                raise TryLater(f"{message.channel}: {reason}", retry_after_seconds=retry_after_seconds, code=reasons.THROTTLED)
            case Ambiguous(reason):
                self._finish(message, token, State.UNKNOWN, f"{reasons.UNDECIDABLE}:{reason}")

    def _finish(
        self, message: Message, token: str, state: State, reason: str, *, provider_id: str = "", gives_slot_back: bool = False
    ) -> None:
        """Write the receipt. Lost tokens are no error: whoever holds the message now has written its fate."""
        gives_slot_back = gives_slot_back and takes_slot(message, self._decisions)
        for attempt in range(1, self._config.finish_tries + 1):
            try:
                self._ledger.finish(
                    message,
                    token=token,
                    state=state,
                    reason=reason,
                    now=self._clock(),
                    provider_id=provider_id,
                    gives_slot_back=gives_slot_back,
                )
                return
            except Conflict:
                return
            except TryLater:
                if attempt == self._config.finish_tries:
                    raise

    def _close(self, message: Message, reason: str) -> None:
        self._ledger.close(message.shopper, message.moment_id, state=_closed_as(reason), reason=reason, now=self._clock())


def _closed_as(reason: str) -> State:
    """LAPSED for what time or an order overtook, WITHHELD for what must not be sent."""
    return State.LAPSED if reason in _PASSED else State.WITHHELD

"""send_message: one order → at most one hand-over to a provider, whatever fails in between.

    read the ledger   ──▶ over or not ours: done · CLAIMED and alive: later · CLAIMED, lease run out: UNKNOWN ·
                          DEFERRED by a worker: its timer once more
    pause, permit     ──▶ the channel stands still, or all calls of the next seconds are given away: later, nothing written
    gate              ──▶ a reason: closed with it; an order update whose hours have closed is decided anew
    claim             one transaction: PLANNED → CLAIMED(token, lease), slot, coupon and money taken, contact unchanged
    render            ──▶ wrong content or template: FAILED, all given back
    turn              wait for the permit's time; past ──▶ another permit, or later
    fence             nothing withdrawn or ordered since, still our token, lease alive ──▶ else no call
    provider          Accepted → SENT · Refused → the next channel, or FAILED · Later → back to PLANNED, the queue brings it
                      again · Ambiguous or anything raised → UNKNOWN, nothing given back, never sent again

A crash after the claim leaves CLAIMED; the redelivery that finds the lease run out makes it UNKNOWN, and delivery events
tagged with the message id settle it. The receipt is written first and tried again; it never causes a second call.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace

from regulars.channels.claiming import Claiming, Held, closed_as, moved, waits_for_hours
from regulars.channels.config import Sending
from regulars.channels.model import Contact
from regulars.channels.pacing import Pace, Turn
from regulars.channels.ports import (
    Accepted,
    Ambiguous,
    Envelope,
    Later,
    Orders,
    Outcome,
    Pausing,
    Provider,
    Refused,
    Reserving,
)
from regulars.channels.putting_off import PuttingOff, others_left
from regulars.channels.rendering import Renderer
from regulars.clock import Clock
from regulars.decisions import reasons
from regulars.decisions.config import Decisions
from regulars.decisions.gate import may_send, takes_slot
from regulars.decisions.model import Message, State
from regulars.decisions.ports import Contacts, Deferral, Ledger, Suppressions
from regulars.errors import GiveUp, TryLater
from regulars.ids import message_id
from regulars.messages import SendOrder
from regulars.offers.codes import shown

_OWN_RATE = f"{reasons.THROTTLED}:own_rate"
_UNSETTLED = f"{reasons.THROTTLED}:contact_changed"


class SendMessage:
    """Sends what was decided. `providers`: channel → its way out; `defer`: the due index; `pace`: what providers take a
    second; `pauses`: channels whose marketing stands still; `orders`: whether she has bought since; `new_token` makes the
    claim's token."""

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
        defer: Deferral,
        pace: Pace,
        pauses: Pausing,
        orders: Orders,
        reserving: Reserving | None = None,
        new_token: Callable[[], str] = lambda: uuid.uuid4().hex,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._ledger = ledger
        self._contacts = contacts
        self._suppressions = suppressions
        self._renderer = renderer
        self._providers = providers
        self._decisions = decisions
        self._config = config
        self._clock = clock
        self._pace = pace
        self._pauses = pauses
        self._orders = orders
        self._claiming = Claiming(ledger, contacts, decisions, config, clock, reserving, new_token)
        self._off = PuttingOff(self._claiming, defer, config, clock, chance)

    def __call__(self, order: SendOrder, tries: int = 1) -> None:
        """`tries`: how often the queue has delivered the order, this time too. Raises TryLater to have it back, GiveUp when
        there is nothing to send by it."""
        message = self._ledger.get(order.shopper, order.moment_id)
        if message is None:
            raise GiveUp("no such message in the ledger", code="no_such_message")
        if message.state is State.CLAIMED:
            self._claimed_before(message)
        elif message.channel != order.channel:
            pass  # decided anew for another channel, which has its own order
        elif message.state is State.PLANNED:
            self._send(message, tries)
        elif message.state is State.DEFERRED:
            self._off.again(message)
        # Anything else is over.

    def _claimed_before(self, message: Message) -> None:
        """Another delivery of this order got as far as the claim: it is at work, or it died."""
        now = self._clock()
        if message.lease_until is not None and now < message.lease_until:
            left = int((message.lease_until - now).total_seconds()) + 1
            raise TryLater("claimed by another delivery", retry_after_seconds=left, code="claimed")
        held = Held(message, message.token, message.lease_until or now)
        if not self._claiming.finish(held, State.UNKNOWN, reasons.LEASE_EXPIRED):
            raise moved()

    def _send(self, message: Message, tries: int) -> None:
        if message.channel not in self._providers:
            self._claiming.close(message, reasons.NO_PROVIDER)
            return
        if self._clock() >= message.expires_at:
            self._claiming.close(message, reasons.EXPIRED)
            return
        if self._is_paused(message):
            self._off.paused(message, None)
            return
        turn = self._pace.turn(message.channel)
        if turn is None:
            self._off.later(message, None, _OWN_RATE, tries)
            return
        try:
            held = self._claiming.claim(message)
        except TryLater as error:
            if error.code == "claimed":
                raise  # the other delivery sees to it
            if error.code == reasons.QUIET_HOURS:
                self._off.closed(message, None)
                return
            self._off.later(message, None, f"{reasons.THROTTLED}:{error.code}", tries, error.retry_after_seconds)
            return
        if held is None:
            return
        try:
            envelope = self._envelope(held)
        except GiveUp as error:
            self._claiming.finish(held, State.FAILED, reasons.RENDER_FAILED, gives_back=True)
            raise GiveUp(error.reason, code=reasons.RENDER_FAILED) from error
        try:
            contact = self._in_turn(held, turn, tries)
        except TryLater as error:
            if not self._ledger.holds(message.shopper, message.moment_id, held.token):
                raise  # put off already
            # A store was in the way, and nothing was handed over: with the claim left standing it would end UNKNOWN.
            self._off.later(message, held, f"{reasons.THROTTLED}:{error.code}", tries, error.retry_after_seconds)
            return
        if contact:
            self._settle(held, contact, self._call(envelope), tries)

    def _in_turn(self, held: Held, turn: Turn | None, tries: int) -> Contact | None:
        """Waits for the turn and asks the fence within it. The contact as it is, when the call may start now."""
        for attempt in range(1, self._config.turn_tries + 1):
            if turn is not None and self._pace.reached(turn):
                contact = self._may_call(held, tries)
                if contact is None or self._pace.reached(turn):
                    return contact
            turn = self._pace.turn(held.message.channel) if attempt < self._config.turn_tries else None
        self._off.later(held.message, held, _OWN_RATE, tries)
        return None

    def _envelope(self, held: Held) -> Envelope:
        message = _with_code(held.message, held.code)
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

    def _may_call(self, held: Held, tries: int) -> Contact | None:
        """The fence. Everything that may have changed since the claim is asked again, strongly consistent; at last our token,
        the contact (by its version) and the suppression as of one instant, so that no opt-out falls between two reads. None:
        no call, and what there was to write is written."""
        message = held.message
        answered = self._is_answered(message)
        if self._is_paused(message):
            self._off.paused(message, held)
            return None
        contact = held.contact
        for _ in range(self._config.claim_tries):
            contact = contact or self._contacts.load(message.shopper)
            against = may_send(message, contact, self._clock(), self._decisions, answered=answered)
            if not against and self._ledger.fence(message, held.token, contact):
                break
            # Something of it did not hold: her address is suppressed, or the message is another's by now, or the contact has
            # changed, for better or worse, and is asked again.
            if not against and message.address and self._suppressions.reason(message.channel, message.address):
                against = reasons.SUPPRESSED
            if against and waits_for_hours(against, message, self._decisions):
                self._off.closed(message, held)
                return None
            if against:
                self._claiming.finish(held, closed_as(against), against, gives_back=True)
                return None
            if not self._ledger.holds(message.shopper, message.moment_id, held.token):
                return None
            contact = None
        else:
            self._off.later(message, held, _UNSETTLED, tries)
            return None
        if self._clock() >= held.lease_until:
            self._off.later(message, held, reasons.LEASE_EXPIRED, tries)
            return None
        return contact

    def _is_answered(self, message: Message) -> bool:
        kind = self._decisions.kinds.get(message.kind)
        if kind is None or not kind.answered_by_order:
            return False
        last = self._orders.last_at(message.shopper)
        return last is not None and last > (message.occurred_at or message.decided_at)

    def _is_paused(self, message: Message) -> bool:
        return takes_slot(message, self._decisions) and message.channel in self._pauses.standing()

    def _call(self, envelope: Envelope) -> Outcome:
        try:
            return self._providers[envelope.channel].send(envelope)
        except Exception as error:
            # The provider may hold the message already: only a delivery event can tell.
            return Ambiguous(type(error).__name__)

    def _settle(self, held: Held, contact: Contact, outcome: Outcome, tries: int) -> None:
        match outcome:
            case Accepted(provider_id):
                self._claiming.finish(held, State.SENT, reasons.SENT, provider_id=provider_id)
            case Refused(reason, address_dead):
                elsewhere = others_left(held.message, contact, self._providers, self._decisions)
                self._off.refused(held, f"{reasons.REFUSED}:{reason}", elsewhere=elsewhere)
                if address_dead:
                    self._forget(held.message)
            case Later(reason, retry_after_seconds):
                self._off.later(held.message, held, f"{reasons.THROTTLED}:{reason}", tries, retry_after_seconds)
            case Ambiguous(reason):
                self._claiming.finish(held, State.UNKNOWN, f"{reasons.UNDECIDABLE}:{reason}")

    def _forget(self, message: Message) -> None:
        """The address is gone; one that she gave us since is not."""
        self._contacts.drop_address(message.shopper, message.channel, message.address, now=self._clock())


def _with_code(message: Message, code: str) -> Message:
    """The message with its own coupon's code in place of the offer's."""
    if not code:
        return message
    offer = {**message.content.get("offer", {}), "code": shown(code)}
    return replace(message, content={**message.content, "offer": offer})

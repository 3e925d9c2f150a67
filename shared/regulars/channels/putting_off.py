"""A message that cannot go now, or not this way: back to the due index, to be decided anew; never back into a queue.

Every entry is written before its timer. A crash between the two leaves a DEFERRED entry without a timer, and the order,
which was not acknowledged, comes again: finding DEFERRED with a reason of ours it sets the timer once more. Setting it
twice does no harm: the timer's key is the moment's, and a moment that comes again finds its entry decided.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta

from regulars.channels.claiming import Claiming, Held
from regulars.channels.config import Sending
from regulars.channels.model import Contact
from regulars.clock import Clock, to_ms
from regulars.decisions import reasons
from regulars.decisions.channel import NEEDS_NO_ADDRESS
from regulars.decisions.config import Decisions
from regulars.decisions.model import Message, State
from regulars.decisions.ports import Deferral
from regulars.errors import TryLater
from regulars.messages import Moment

_OURS = frozenset({reasons.THROTTLED, reasons.CHANNEL_PAUSED, reasons.REFUSED, reasons.LEASE_EXPIRED})
CLOSED = f"{reasons.QUIET_HOURS}:since"
"""The hours were open when it was decided. The arbiter's own waiting has the code alone."""


class PuttingOff:
    """Gives messages back: to the queue for a while, to the due index for longer, to another channel for good."""

    def __init__(
        self,
        claiming: Claiming,
        defer: Deferral,
        config: Sending,
        clock: Clock,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._claiming, self._defer, self._config, self._clock, self._chance = claiming, defer, config, clock, chance

    def later(self, message: Message, held: Held | None, reason: str, tries: int, retry_after_seconds: int = 1) -> None:
        """Raises TryLater, so that the queue brings the order again; before the queue would give it up, the due index."""
        if tries >= self._config.postpone_after:
            minutes = self._config.postpone_minutes * (0.5 + self._chance())  # not all at once again
            self.postpone(message, held, reason, timedelta(minutes=minutes))
            return
        if held:
            self._claiming.finish(held, State.PLANNED, reason, gives_back=True)
        raise TryLater(f"{message.channel}: {reason}", retry_after_seconds=retry_after_seconds, code=reason.partition(":")[0])

    def paused(self, message: Message, held: Held | None) -> None:
        """Marketing of its channel stands still: it is decided anew soon."""
        self.postpone(message, held, reasons.CHANNEL_PAUSED, timedelta(minutes=self._config.pause_minutes))

    def closed(self, message: Message, held: Held | None) -> None:
        """The hours of its channel have closed since it was decided: the arbiter decides anew at once, and takes a channel that
        does not ring or waits for the opening."""
        self.postpone(message, held, CLOSED, timedelta())

    def postpone(self, message: Message, held: Held | None, reason: str, wait: timedelta) -> None:
        """DEFERRED, and a timer; LAPSED when the moment would be over by then."""
        now = self._clock()
        not_before = now + wait
        over = not_before >= message.expires_at
        if held and over:
            self._claiming.finish(held, State.LAPSED, reasons.GAVE_UP, gives_back=True)
        elif held:
            self._claiming.finish(held, State.DEFERRED, reason, gives_back=True, not_before=not_before)
        elif over:
            self._claiming.close(message, reasons.GAVE_UP)
        else:
            self._claiming.postpone(message, reason, not_before)
        if not over:
            self.arm(replace(message, not_before=not_before))

    def refused(self, held: Held, reason: str, *, elsewhere: bool) -> None:
        """The provider will never take it: `elsewhere`, on a channel it has not tried, or FAILED."""
        if not elsewhere:
            self._claiming.finish(held, State.FAILED, reason, gives_back=True)
            return
        now = self._clock()
        self._claiming.finish(held, State.DEFERRED, reason, gives_back=True, not_before=now, tried=held.message.channel)
        self.arm(replace(held.message, not_before=now))

    def again(self, message: Message) -> None:
        """A delivery found it DEFERRED: if that was our doing, its timer may be missing."""
        if message.not_before and (message.reason == CLOSED or message.reason.partition(":")[0] in _OURS):
            self.arm(message)

    def arm(self, message: Message) -> None:
        now = self._clock()
        # The timer counts one deferral; waiting for a provider is none of the arbiter's, and the moment's expiry bounds it.
        moment = replace(moment_of(message, to_ms(now)), deferrals=message.deferrals - 1)
        self._defer(moment, max(now, message.not_before or now))


def moment_of(message: Message, now_ms: int) -> Moment:
    """The moment that a ledger entry decided about."""
    return Moment(
        id=message.moment_id,
        correlation_id=message.correlation_id,
        sent_at_ms=now_ms,
        shopper=message.shopper,
        kind=message.kind,
        subject=message.subject,
        occurred_at_ms=to_ms(message.occurred_at or message.decided_at),
        due_at_ms=now_ms,
        expires_at_ms=to_ms(message.expires_at),
        facts=dict(message.facts),
        deferrals=message.deferrals,
        campaign=message.campaign,
    )


def others_left(message: Message, contact: Contact, served: Collection[str], config: Decisions) -> bool:
    """Whether another channel of the kind could take it: served, agreed to, with an address, not tried."""
    kind = config.kinds.get(message.kind)
    if kind is None:
        return False
    tried = {*message.tried, message.channel}
    return any(
        channel in served
        and channel not in tried
        and (kind.transactional or contact.allows(channel, kind.topic))
        and (channel in NEEDS_NO_ADDRESS or bool(contact.addresses.get(channel)))
        for channel in kind.channels
    )

"""The in-app channel: the inbox table is the provider."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from regulars.channels.ports import Accepted, Envelope, Inbox, InboxEntry, Later, Outcome, Popup, Refused
from regulars.clock import Clock
from regulars.errors import TryLater


class InboxProvider:
    """Puts pop-ups into the inbox, where they stay `keep`. The put repeats without effect, so no try is ambiguous."""

    def __init__(self, inbox: Inbox, clock: Clock, keep: timedelta) -> None:
        self._inbox = inbox
        self._clock = clock
        self._keep = keep

    def send(self, envelope: Envelope) -> Outcome:
        popup = envelope.rendered
        if not isinstance(popup, Popup):
            return Refused("not_a_popup")
        now = self._clock()
        entry = InboxEntry(
            shopper=envelope.shopper,
            moment_id=envelope.moment_id,
            kind=envelope.kind,
            created_at=now,
            expires_at=now + self._keep,
            content={key: value for key, value in asdict(popup).items() if value},
        )
        try:
            self._inbox.put(entry)
        except TryLater as error:
            return Later(error.code)
        return Accepted(envelope.message_id)

"""The shopper's own inbox: what the app and the site show as pop-ups and list."""

from __future__ import annotations

from typing import Any

from regulars.channels.ports import Inbox, InboxEntry
from regulars.clock import Clock, to_ms
from regulars.errors import NotFound
from regulars.ids import message_id, split_message_id, stable_id
from regulars.messages import Feedback
from regulars.queues import Queue


class ShopperInbox:
    """Lists a shopper's in-app messages and marks them read; the first reading is reported once."""

    def __init__(self, inbox: Inbox, feedback: Queue, clock: Clock, page: int) -> None:
        self._inbox = inbox
        self._feedback = feedback
        self._clock = clock
        self._page = page

    def show(self, shopper: str) -> dict[str, Any]:
        """The newest unexpired messages, and how many of them are unread."""
        entries = self._inbox.list(shopper, self._clock(), self._page)
        unread = sum(1 for entry in entries if entry.read_at is None)
        return {"messages": [_shown(entry) for entry in entries], "unread": unread}

    def read(self, shopper: str, wanted: str) -> dict[str, Any]:
        """Mark one message read; repeating changes nothing. Raises NotFound also for another shopper's message."""
        owner, moment_id = split_message_id(wanted)
        if owner != shopper:
            raise NotFound("no such message in the inbox")
        now = self._clock()
        first = self._inbox.mark_read(shopper, moment_id, now)
        # Reported every time, under one id: a report that was lost after the mark would else be lost for good.
        identity = stable_id("read", wanted)
        report = Feedback(
            id=identity,
            correlation_id=identity,
            sent_at_ms=to_ms(now),
            kind="read",
            channel="inapp",
            at_ms=to_ms(now),
            message_id=wanted,
            shopper=shopper,
        )
        self._feedback.send([report])
        return {"message_id": wanted, "first": first}


def _shown(entry: InboxEntry) -> dict[str, Any]:
    return {
        "message_id": message_id(entry.shopper, entry.moment_id),
        "kind": entry.kind,
        "created_at": entry.created_at.isoformat(),
        "expires_at": entry.expires_at.isoformat(),
        "read_at": entry.read_at.isoformat() if entry.read_at else None,
        **entry.content,
    }

"""Providers and inbox in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from regulars.channels.ports import Accepted, Envelope, InboxEntry, Outcome
from regulars.errors import NotFound


class MemoryProvider:
    """Implements `regulars.channels.ports.Provider`; `outbox` holds what was handed over, in order.

    `behaviour`, when set, is asked first: an outcome it returns is the answer (the envelope is kept when that is Accepted),
    None means the usual one; what it raises is raised, after the provider has taken the envelope when `takes_first` is
    set (a time-out or crash after acceptance).
    """

    def __init__(self) -> None:
        self.outbox: list[Envelope] = []
        self.behaviour: Callable[[Envelope], Outcome | None] | None = None
        self.takes_first = False

    def send(self, envelope: Envelope) -> Outcome:
        if self.takes_first:
            self.outbox.append(envelope)
        outcome = self.behaviour(envelope) if self.behaviour else None
        outcome = outcome or Accepted(f"memory-{len(self.outbox) + 1}")
        if isinstance(outcome, Accepted) and not self.takes_first:
            self.outbox.append(envelope)
        return outcome


class MemoryInbox:
    """Implements `regulars.channels.ports.Inbox`."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], InboxEntry] = {}

    def put(self, entry: InboxEntry) -> None:
        self._entries.setdefault((entry.shopper, entry.moment_id), entry)

    def list(self, shopper: str, now: datetime, limit: int) -> Sequence[InboxEntry]:
        mine = [entry for entry in self._entries.values() if entry.shopper == shopper and entry.expires_at > now]
        return sorted(mine, key=lambda entry: (entry.created_at, entry.moment_id), reverse=True)[:limit]

    def forget(self, shopper: str) -> int:
        """Delete the shopper's entries; how many."""
        mine = [key for key in self._entries if key[0] == shopper]
        for key in mine:
            del self._entries[key]
        return len(mine)

    def mark_read(self, shopper: str, moment_id: str, at: datetime) -> bool:
        entry = self._entries.get((shopper, moment_id))
        if entry is None:
            raise NotFound("no such message in the inbox")
        if entry.read_at is not None:
            return False
        self._entries[shopper, moment_id] = replace(entry, read_at=at)
        return True

"""What decisions, channels and feedback need of the world: the ledger, contacts, suppressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from regulars.channels.model import Contact
from regulars.decisions.model import Message, State


class Ledger(Protocol):
    """Every decision by (shopper, moment_id); each transition is one conditional write.

    A condition that does not hold raises `Conflict` whose code says which: `not_planned`, `contact_changed`,
    `suppressed`, `token_lost`.
    """

    def record(self, message: Message) -> bool:
        """Put a decision. False, and nothing changes, when one stands already that is not DEFERRED."""

    def get(self, shopper: str, moment_id: str) -> Message | None:
        """Strongly consistent."""

    def list(self, shopper: str, limit: int = 100) -> Sequence[Message]:
        """Newest decision first."""

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
    ) -> None:
        """One transaction: PLANNED → CLAIMED(token, lease) in the ledger; on the contact, `version` still the one read,
        slot appended when `takes_slot` (slots older than `keep_slots_since` dropped), version + 1; and the message's
        address not suppressed. Raises Conflict(not_planned | contact_changed | suppressed)."""

    def holds(self, shopper: str, moment_id: str, token: str) -> bool:
        """The fence: strongly consistent, True while CLAIMED with this very token."""

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
    ) -> None:
        """CLAIMED(token) → SENT | FAILED | UNKNOWN | LAPSED, and the slot returned in the same transaction when asked.
        Raises Conflict(token_lost) when another token holds it."""

    def close(self, shopper: str, moment_id: str, *, state: State, reason: str, now: datetime) -> bool:
        """PLANNED or DEFERRED → LAPSED | WITHHELD. False when it stands otherwise."""

    def mark(self, shopper: str, moment_id: str, *, mark: str, at: datetime, detail: str = "") -> bool:
        """Set `marks[mark]` (delivered, opened, clicked, bounced, …) once; True the first time. Also settles UNKNOWN → SENT
        for delivered/opened/clicked/bounced/complained. Raises NotFound when there is no such message."""


class Contacts(Protocol):
    """Addresses, consent and cap slots by shopper."""

    def load(self, shopper: str) -> Contact:
        """Strongly consistent; an empty Contact (version 0) for an unknown shopper."""

    def update(
        self,
        shopper: str,
        *,
        now: datetime,
        addresses: Mapping[str, str | None] | None = None,
        consent: Mapping[str, bool] | None = None,
        topics: Mapping[str, bool] | None = None,
        details: Mapping[str, str] | None = None,
        proof: Mapping[str, Any] | None = None,
    ) -> None:
        """Merge the given parts in one write, version + 1. An address of None is removed. `details`: language, time_zone,
        country, name. `proof` (source, ip, wording …) is kept with each consent change."""

    def merge(self, source: str, target: str, *, now: datetime) -> None:
        """The anonymous contact joins the shopper: target's own values win, refusals win over consents."""


class Suppressions(Protocol):
    """Addresses that are never written to, by hash of channel and normalised address."""

    def add(self, channel: str, address: str, *, reason: str, now: datetime) -> None: ...

    def reason(self, channel: str, address: str) -> str:
        """Why the address is suppressed, "" when it is not."""

    def remove(self, channel: str, address: str) -> None: ...

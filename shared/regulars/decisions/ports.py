"""What decisions, channels and feedback need of the world: the ledger, contacts, suppressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from regulars.catalogue.model import Item
from regulars.channels.model import Contact
from regulars.decisions.model import Message, State
from regulars.messages import Moment
from regulars.offers.model import NOTHING, Reservation
from regulars.profiles.model import Profile


class Ledger(Protocol):
    """Every decision by (shopper, moment_id); each transition is one conditional write.

    A condition that does not hold raises `Conflict` whose code says which: `not_planned`, `contact_changed`,
    `suppressed`, `coupon_held` (she has this coupon already), `pool_empty` (stock or budget of that shard), `token_lost`.
    """

    def record(self, message: Message) -> bool:
        """Put a decision. False, and nothing changes, when one stands already that is not DEFERRED."""

    def get(self, shopper: str, moment_id: str) -> Message | None:
        """Strongly consistent."""

    def list(self, shopper: str, limit: int = 100) -> Sequence[Message]:
        """Newest decision first; eventually consistent: what must be exact is conditional or read with `get`."""

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
        """One transaction: PLANNED → CLAIMED(token, lease) in the ledger; on the contact, `version` still the one read,
        slot appended when `takes_slot` (slots older than `keep_slots_since` dropped), version + 1; and the message's
        address not suppressed (read just before, and again at the fence); and all of `reservation` taken.
        Raises Conflict(not_planned | contact_changed | suppressed | coupon_held | pool_empty)."""

    def holds(self, shopper: str, moment_id: str, token: str) -> bool:
        """Strongly consistent, True while CLAIMED with this very token."""

    def fence(self, message: Message, token: str, contact: Contact) -> bool:
        """All that may stand against the call, read as of one instant: True while CLAIMED with this very token, the contact is
        of the version given, and the message's address is not suppressed. Reads one after the other would leave a gap behind
        each for an opt-out to fall into."""

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
        """CLAIMED(token) → SENT | FAILED | UNKNOWN | LAPSED | WITHHELD, or back to PLANNED (token, lease cleared: nothing was
        handed over, the queue brings it again) or DEFERRED (to be decided anew from `not_before` on; `tried`: the channel whose
        provider refused it, which joins those that did before); the slot and `returns` come back in the same transaction
        when asked, the slot also from the contact that the shopper's own has joined since the claim.
        Raises Conflict(token_lost) when another token holds it. Repeated with the same token and state it does nothing.
        UNKNOWN becomes SENT at once when feedback that settles it came first."""

    def close(self, shopper: str, moment_id: str, *, state: State, reason: str, now: datetime) -> bool:
        """PLANNED or DEFERRED → LAPSED | WITHHELD. False when it stands otherwise."""

    def postpone(self, shopper: str, moment_id: str, *, not_before: datetime, reason: str, now: datetime) -> bool:
        """PLANNED → DEFERRED, to be decided anew from `not_before` on. False when it stands otherwise."""

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
        consent_at: Mapping[str, datetime] | None = None,
        proof: Mapping[str, Any] | None = None,
    ) -> None:
        """Merge the given parts in one write, version + 1. An address of None is removed. `details`: language, time_zone,
        country, name. `consent_at`: when the word about a channel or channel/topic was given, `now` where it does not say; a
        word that is not newer than the one that stands changes nothing (`regulars.decisions.merging`). `proof` (source, ip,
        wording …) is kept with each word that stands. A refusal of what is refused already moves `consent_at` only: no proof,
        and alone no version. Only taking addresses away makes no contact."""

    def drop_address(self, shopper: str, channel: str, address: str, *, now: datetime) -> None:
        """Remove the channel's address if it is still this one, in one write; else nothing changes."""

    def merge(self, source: str, target: str, *, now: datetime) -> None:
        """The anonymous contact joins the shopper: target's own values win, of words about consent the later."""


class Suppressions(Protocol):
    """Addresses that are never written to, by hash of channel and normalised address."""

    def add(self, channel: str, address: str, *, reason: str, now: datetime) -> None:
        """From now on nothing goes there. The first reason stays; said again later, it stands as of then."""

    def reason(self, channel: str, address: str) -> str:
        """Why the address is suppressed, "" when it is not."""

    def among(self, addresses: Mapping[str, str]) -> Mapping[str, str]:
        """Channel → reason for those of `addresses` (channel → address) that are suppressed; one round trip, none for none.
        Eventually consistent: the claim has the last word."""

    def lift(self, channel: str, address: str, *, reason: str, said_at: datetime) -> bool:
        """Take back the suppression if it has this reason and was last said before `said_at`; whether it was."""

    def remove(self, channel: str, address: str) -> None: ...


class Showcase(Protocol):
    """Items a message may show."""

    def items(self, item_ids: Sequence[str]) -> Mapping[str, Item]:
        """Known items among `item_ids`, with the stock that is known now."""

    def picked(self, profile: Profile, *, count: int, now: datetime, kind: str = "") -> Sequence[tuple[Item, str]]:
        """Up to `count` recommended items in stock that suit the moment's kind, best first, each with its reason's code."""


class Pools(Protocol):
    """What was taken of budgets and stocks (`regulars.offers.ports.Offers` keeps them)."""

    def taken(self, pool: str, shards: int) -> Sequence[int]:
        """Units taken of each shard, as it was a moment ago: the claim has the last word."""


class Deferral(Protocol):
    """Brings a moment back later, by the due index; never by a queue."""

    def __call__(self, moment: Moment, until: datetime) -> None: ...

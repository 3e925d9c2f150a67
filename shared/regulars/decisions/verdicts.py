"""What a decision is made of, and what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from regulars.channels.model import Contact
from regulars.clock import from_ms
from regulars.decisions.channel import Barred
from regulars.decisions.holdout import campaign_of
from regulars.decisions.model import Message, State
from regulars.decisions.offering import Terms
from regulars.messages import Moment
from regulars.profiles.model import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a decision may depend on. `recent`: the shopper's ledger. `barred`: channels closed to this message.

    `terms`: of the offer that the message would bring, None without one; `sold_out`: none of it is left.
    """

    moment: Moment
    profile: Profile
    contact: Contact
    now: datetime
    recent: Sequence[Message] = ()
    barred: Barred = field(default_factory=Barred)
    terms: Terms | None = None
    sold_out: bool = False

    @property
    def expires_at(self) -> datetime:
        """Nothing is sent from here on: the moment's expiry, or its offer's when that is earlier."""
        lapses = from_ms(self.moment.expires_at_ms)
        return min(lapses, self.terms.ends_at) if self.terms and self.terms.ends_at else lapses

    @property
    def campaign(self) -> str:
        return campaign_of(self.moment.kind, self.moment.campaign)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`state`: PLANNED, DEFERRED (until `not_before`), WITHHELD or LAPSED. `detail` explains the reason's particulars.

    `refused`: why not on each channel passed over. `overtakes`: moment ids of lesser plans that lapse for this one.
    `enrolled`: experiments that she enters with this decision (`regulars.decisions.holdout`).
    """

    state: State
    reason: str
    detail: str = ""
    channel: str = ""
    not_before: datetime | None = None
    arm: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)
    overtakes: tuple[str, ...] = ()
    enrolled: tuple[str, ...] = ()


def withheld(reason: str, detail: str = "", refused: Mapping[str, str] | None = None) -> Decision:
    """Nothing is written."""
    return Decision(state=State.WITHHELD, reason=reason, detail=detail, refused=refused or {})

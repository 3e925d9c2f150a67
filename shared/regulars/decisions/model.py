"""The ledger entry and the words it uses.

States (data, one way only):

    PLANNED ──▶ CLAIMED(token, lease) ──▶ SENT ──▶ (feedback: delivered, opened, clicked, converted …)
       │            ├──▶ FAILED            slot given back
       │            └──▶ UNKNOWN           accepted or not cannot be told; never sent again, settled by feedback
       ├──▶ LAPSED                          its time passed, or an order answered it; slot never taken or given back
    WITHHELD                                decided not to write; reason says why
    DEFERRED                                decided to wait; a timer brings the moment back at `not_before`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    PLANNED = "PLANNED"
    CLAIMED = "CLAIMED"
    SENT = "SENT"
    FAILED = "FAILED"
    LAPSED = "LAPSED"
    UNKNOWN = "UNKNOWN"
    WITHHELD = "WITHHELD"
    DEFERRED = "DEFERRED"


CHANNELS = ("email", "push", "sms", "inapp")
SETTLING_MARKS = frozenset({"accepted", "delivered", "opened", "clicked", "bounced", "complained", "unsubscribed", "read"})
"""Feedback that shows that the provider had the message: settles UNKNOWN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One decision about one moment, for the ledger. Key: shopper + moment_id.

    `reason` is a code of `regulars.decisions.reasons` (also for PLANNED: `chosen`). `content` holds what rendering needs:
    template, language, tone, items with reasons, offer, greeting name (`regulars.channels.content.Content`); no rendered
    text. `history` is the story: one (epoch ms, word, detail) a step, newest last. `campaign`, `facts` and `deferrals` are the
    moment's, so that it can be decided anew; `tried`: channels whose provider refused it.
    `occurred_at` is the moment's: an order after it answers it.
    """

    shopper: str
    moment_id: str
    kind: str
    subject: str
    state: State
    reason: str
    decided_at: datetime
    expires_at: datetime
    channel: str = ""
    address: str = ""
    not_before: datetime | None = None
    content: Mapping[str, Any] = field(default_factory=dict)
    token: str = ""
    lease_until: datetime | None = None
    provider_id: str = ""
    slot: str = ""
    marks: Mapping[str, int] = field(default_factory=dict)
    history: tuple[tuple[int, str, str], ...] = ()
    arm: str = ""
    correlation_id: str = ""
    campaign: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    deferrals: int = 0
    tried: tuple[str, ...] = ()
    occurred_at: datetime | None = None

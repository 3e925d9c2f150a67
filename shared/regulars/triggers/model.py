"""A timer, the moment it emits, and the timer that brings a moment back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from regulars.clock import from_ms, to_ms
from regulars.ids import short_hash, stable_id
from regulars.messages import Moment

_SUBJECT_BYTES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """Due work of one shopper. `key` = `<kind>#<subject>`; one timer per shopper and key, setting it again moves it.

    `expires_at`: fired later than this it lapses. `remember_until`: how long the timer stays known after firing, so that
    planning does not arm again what was said (None: until it expires). `notes` is what planning keeps for itself and no
    moment carries. `deferrals` counts how often the arbiter sent it back. `campaign`: as of the moment.
    """

    shopper: str
    kind: str
    subject: str
    due_at: datetime
    occurred_at: datetime
    expires_at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    correlation_id: str = ""
    deferrals: int = 0
    campaign: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)
    remember_until: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}#{self.subject}"

    @property
    def forget_at(self) -> datetime:
        """When a store may forget it: never before it is due and expired."""
        return max(self.due_at, self.expires_at, self.remember_until or self.expires_at)


def subject_of(*parts: str) -> str:
    """A subject of business ids, hashed when it would not fit a key (200 bytes of UTF-8)."""
    text = "/".join(parts)
    return text if len(text.encode()) <= _SUBJECT_BYTES else stable_id(*parts)


def shard_of(shopper: str, shards: int) -> int:
    """The part of the due index in which a shopper's timers lie."""
    return int.from_bytes(short_hash(shopper)) % shards


def moment_of(timer: Timer, now: datetime) -> Moment:
    """What a due timer emits. Its id is the timer's key, so firing twice is telling the same thing twice."""
    return Moment(
        id=timer.key,
        correlation_id=timer.correlation_id,
        sent_at_ms=to_ms(now),
        shopper=timer.shopper,
        kind=timer.kind,
        subject=timer.subject,
        occurred_at_ms=to_ms(timer.occurred_at),
        due_at_ms=to_ms(timer.due_at),
        expires_at_ms=to_ms(timer.expires_at),
        facts=dict(timer.facts),
        deferrals=timer.deferrals,
        campaign=timer.campaign,
    )


def timer_of(moment: Moment, due_at: datetime) -> Timer:
    """The timer that emits this very moment again at `due_at`, one deferral older."""
    return Timer(
        shopper=moment.shopper,
        kind=moment.kind,
        subject=moment.subject,
        due_at=due_at,
        occurred_at=from_ms(moment.occurred_at_ms),
        expires_at=from_ms(moment.expires_at_ms),
        facts=dict(moment.facts),
        correlation_id=moment.correlation_id,
        deferrals=moment.deferrals + 1,
        campaign=moment.campaign,
    )

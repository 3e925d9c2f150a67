"""Of several live moments of one shopper the highest wins: cart > dormant activation > repurchase > benefit notices.

What is live is read from the ledger: messages planned or sent within the spacing, and decisions that wait and will be
back within it. An equal or lesser moment waits until the spacing after the winner has passed, or lapses if it expires
before. A higher one goes at once, and a lesser plan that no worker has claimed yet lapses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from regulars.decisions.config import Decisions
from regulars.decisions.model import Message, State

_GOING = frozenset({State.PLANNED, State.CLAIMED, State.SENT, State.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Winner:
    """The message that goes first, and until when the other waits."""

    kind: str
    moment_id: str
    until: datetime


def winner(recent: Iterable[Message], config: Decisions, *, kind: str, moment_id: str, now: datetime) -> Winner | None:
    """The live message that this moment must wait for, the one it waits for longest; None when it may go."""
    mine = config.kinds[kind].priority
    space = timedelta(hours=config.spacing.hours)
    found: Winner | None = None
    for other in _marketing(recent, config, moment_id):
        theirs = config.kinds[other.kind].priority
        goes_at = _goes_at(other, now)
        if goes_at is None or not now - space < goes_at <= now + space:
            continue
        if theirs < mine or (theirs == mine and other.state in _GOING):
            until = goes_at + space
            if found is None or until > found.until:
                found = Winner(other.kind, other.moment_id, until)
    return found


def outranked(recent: Iterable[Message], config: Decisions, *, kind: str, moment_id: str) -> tuple[str, ...]:
    """Lesser plans that nobody has claimed: their moment ids."""
    mine = config.kinds[kind].priority
    return tuple(
        other.moment_id
        for other in _marketing(recent, config, moment_id)
        if other.state is State.PLANNED and config.kinds[other.kind].priority > mine
    )


def _marketing(recent: Iterable[Message], config: Decisions, moment_id: str) -> list[Message]:
    return [
        other
        for other in recent
        if other.moment_id != moment_id and other.kind in config.kinds and not config.kinds[other.kind].transactional
    ]


def _goes_at(other: Message, now: datetime) -> datetime | None:
    if other.state in _GOING:
        return other.decided_at
    waits = other.state is State.DEFERRED and other.expires_at > now
    return other.not_before if waits else None

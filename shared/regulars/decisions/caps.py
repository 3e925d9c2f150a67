"""Rolling caps: at most so many marketing messages within any stretch of so many hours.

23:00 and 00:00 are two within a day. Places are slots on the contact; a slot is taken in the claim and given back when
nothing was sent. A decision that is planned but not claimed yet counts too, so that two moments of one minute do not both
count on the last place; the claim, conditional on the contact's version, is what makes the figure exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from regulars.channels.model import Slot
from regulars.decisions import reasons
from regulars.decisions.config import Cap, Decisions
from regulars.decisions.model import Message, State

_CODES = {"": reasons.CAP_OVERALL, "channel": reasons.CAP_CHANNEL, "kind": reasons.CAP_KIND}


@dataclass(frozen=True, slots=True)
class Full:
    """A cap without a free place; `frees_at` is when the next one frees, None for never."""

    code: str
    cap: str
    limit: int
    frees_at: datetime | None

    @property
    def detail(self) -> str:
        return f"{self.cap}: all {self.limit} taken"


def taken(slots: Iterable[Slot], recent: Iterable[Message], config: Decisions, now: datetime) -> tuple[Slot, ...]:
    """Slots held, and places that unclaimed plans will want, each moment once."""
    held = {slot.moment_id: slot for slot in slots}
    for message in recent:
        kind = config.kinds.get(message.kind)
        planned = message.state is State.PLANNED and message.expires_at > now and not (kind and kind.transactional)
        if planned and message.moment_id not in held:
            held[message.moment_id] = Slot(message.decided_at, message.channel, message.kind, message.moment_id)
    return tuple(held.values())


def full(
    slots: Sequence[Slot], config: Decisions, *, kind: str, channel: str, tier: str, moment_id: str, now: datetime
) -> Full | None:
    """The cap that leaves no place for one more message, the one that frees last when there are several."""
    found: Full | None = None
    for name, cap in config.caps.items():
        limit = limit_of(cap, tier, config.kinds[kind].priority <= config.reserve_priority)
        counted = sorted(slot.at for slot in slots if slot.moment_id != moment_id and _counts(cap, slot, kind, channel, now))
        if not _speaks(cap, kind, channel) or len(counted) < limit:
            continue
        frees_at = counted[len(counted) - limit] + timedelta(hours=cap.hours) if limit > 0 else None
        this = Full(_CODES[cap.per], name, limit, frees_at)
        if frees_at is None:
            return this
        if found is None or (found.frees_at is not None and frees_at > found.frees_at):
            found = this
    return found


def usage(slots: Sequence[Slot], config: Decisions, tier: str, now: datetime) -> list[tuple[str, int, int]]:
    """(cap, taken, most) of the caps that count everything, for reading."""
    return [
        (name, sum(_counts(cap, slot, "", "", now) for slot in slots), limit_of(cap, tier, True))
        for name, cap in config.caps.items()
        if not cap.per
    ]


def limit_of(cap: Cap, tier: str, reserved: bool) -> int:
    """How many the cap allows; the strictest tier's figure for a tier it does not name."""
    figures = cap.at_most if reserved or not cap.usual else cap.usual
    return figures.get(tier, min(figures.values()))


def longest(config: Decisions) -> timedelta:
    """The longest window: slots older than this count nowhere."""
    return timedelta(hours=max((cap.hours for cap in config.caps.values()), default=0))


def _speaks(cap: Cap, kind: str, channel: str) -> bool:
    subject = {"channel": channel, "kind": kind}.get(cap.per, "")
    return not cap.only or subject in cap.only


def _counts(cap: Cap, slot: Slot, kind: str, channel: str, now: datetime) -> bool:
    same = {"": True, "channel": slot.channel == channel, "kind": slot.kind == kind}[cap.per]
    return same and slot.at > now - timedelta(hours=cap.hours)

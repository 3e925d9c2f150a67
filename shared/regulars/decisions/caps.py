"""Rolling caps: at most so many marketing messages within any stretch of so many hours.

23:00 and 00:00 are two within a day. Places are slots on the contact; a slot is taken in the claim and given back when
nothing was sent. A decision that is planned but not claimed yet counts too, so that two moments of one minute do not both
count on the last place; the claim, conditional on the contact's version, is what makes the figure exact.

All caps hold at once: the shop's, by value tier, each over all marketing or over a channel, kind, topic or campaign; and what
the maker of the shopper's telephone allows. Order updates hold no slot and ask no cap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from regulars.channels.model import Contact, Slot
from regulars.decisions import reasons
from regulars.decisions.config import Cap, Decisions
from regulars.decisions.holdout import campaign_of
from regulars.decisions.model import Message, State

_CODES = {
    "": reasons.CAP_OVERALL,
    "channel": reasons.CAP_CHANNEL,
    "kind": reasons.CAP_KIND,
    "topic": reasons.CAP_TOPIC,
    "campaign": reasons.CAP_CAMPAIGN,
}
PUSH = "push"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The message that asks for a place, as caps see it. `vendor`: of the telephone, "" without a limit."""

    kind: str
    channel: str
    tier: str
    moment_id: str
    campaign: str = ""
    vendor: str = ""


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
            held[message.moment_id] = _planned(message)
    return tuple(held.values())


def full(slots: Sequence[Slot], config: Decisions, wanted: Wanted, now: datetime) -> Full | None:
    """The cap that leaves no place for one more message, the one that frees last when there are several."""
    others = [slot for slot in slots if slot.moment_id != wanted.moment_id]
    found: Full | None = None
    for this in (*_shops(others, config, wanted, now), *_vendors(others, config, wanted, now)):
        if this.frees_at is None:
            return this
        if found is None or (found.frees_at is not None and this.frees_at > found.frees_at):
            found = this
    return found


def usage(contact: Contact, config: Decisions, tier: str, now: datetime) -> list[tuple[str, int, int]]:
    """(cap, taken, most) for reading: caps of everything always, those of a channel, kind … where one is taken
    (`push_day/push`), and what the maker of the telephone allows."""
    found = []
    for name, cap in config.caps.items():
        subjects = [
            _subjects(slot.kind, slot.channel, slot.campaign, config)[cap.per]
            for slot in contact.slots
            if slot.at > now - timedelta(hours=cap.hours)
        ]
        counts = Counter(subject for subject in subjects if not cap.only or subject in cap.only)
        limit = limit_of(cap, tier, True)
        if not cap.per:
            found.append((name, counts[""], limit))
        else:
            found += [(f"{name}/{subject}", count, limit) for subject, count in sorted(counts.items())]
    vendor = config.vendors.vendor(contact.push_vendor)
    if vendor:
        since = now - timedelta(hours=config.vendors.hours)
        pushes = sum(slot.channel == PUSH and slot.at > since for slot in contact.slots)
        found.append((f"vendor/{vendor}", pushes, config.vendors.at_most[vendor]))
    return found


def limit_of(cap: Cap, tier: str, reserved: bool) -> int:
    """How many the cap allows; the strictest tier's figure for a tier it does not name."""
    figures = cap.at_most if reserved or not cap.usual else cap.usual
    return figures.get(tier, min(figures.values()))


def longest(config: Decisions) -> timedelta:
    """The longest window: slots older than this count nowhere."""
    return timedelta(hours=max((*(cap.hours for cap in config.caps.values()), config.vendors.hours)))


def _shops(slots: Sequence[Slot], config: Decisions, wanted: Wanted, now: datetime) -> Iterator[Full]:
    """The shop's own caps that are full."""
    mine = _subjects(wanted.kind, wanted.channel, wanted.campaign, config)
    for name, cap in config.caps.items():
        if cap.only and mine[cap.per] not in cap.only:
            continue
        limit = limit_of(cap, wanted.tier, config.kinds[wanted.kind].priority <= config.reserve_priority)
        same = [slot for slot in slots if _subjects(slot.kind, slot.channel, slot.campaign, config)[cap.per] == mine[cap.per]]
        yield from _when_full(_CODES[cap.per], name, limit, cap.hours, same, now)


def _vendors(slots: Sequence[Slot], config: Decisions, wanted: Wanted, now: datetime) -> Iterator[Full]:
    """What the telephone's maker allows, if that is full."""
    limit = config.vendors.at_most.get(wanted.vendor)
    if wanted.channel == PUSH and limit is not None:
        pushes = [slot for slot in slots if slot.channel == PUSH]
        yield from _when_full(reasons.CAP_VENDOR, wanted.vendor, limit, config.vendors.hours, pushes, now)


def _when_full(code: str, name: str, limit: int, hours: float, slots: Iterable[Slot], now: datetime) -> Iterator[Full]:
    window = timedelta(hours=hours)
    counted = sorted(slot.at for slot in slots if slot.at > now - window)
    if len(counted) >= limit:
        yield Full(code, name, limit, counted[len(counted) - limit] + window if limit > 0 else None)


def _subjects(kind: str, channel: str, campaign: str, config: Decisions) -> Mapping[str, str]:
    """What a message is counted under, by `Cap.per`. A kind that left the settings has no topic."""
    known = config.kinds.get(kind)
    return {
        "": "",
        "channel": channel,
        "kind": kind,
        "topic": known.topic if known else "",
        "campaign": campaign_of(kind, campaign),
    }


def _planned(message: Message) -> Slot:
    return Slot(message.decided_at, message.channel, message.kind, message.moment_id, message.campaign)

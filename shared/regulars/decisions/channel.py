"""The channel: consent first, then an address that is not suppressed; of what is left, the one most likely to be worth it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from regulars.channels.model import Contact
from regulars.decisions import reasons
from regulars.decisions.config import Decisions, Kind
from regulars.profiles.model import Profile

NEEDS_NO_ADDRESS = frozenset({"inapp"})
_DEPTH = (
    reasons.NO_CONSENT,
    reasons.NO_ADDRESS,
    reasons.SUPPRESSED,
    reasons.PROVIDER_REFUSED,
    reasons.CHANNEL_PAUSED,
    reasons.OVER_BUDGET,
)


@dataclass(frozen=True, slots=True)
class Ranking:
    """`usable` channels, best first; `refused` says why not, by channel."""

    usable: tuple[str, ...]
    refused: Mapping[str, str]

    @property
    def reason(self) -> str:
        """Why none is usable: the furthest that any channel got, in the order in which they are asked."""
        return max(self.refused.values(), key=_DEPTH.index, default=reasons.NO_CONSENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Barred:
    """Channels closed to this message. `suppressed`: channel → why her address is; `tried`: the provider refused it before;
    `paused`: channel → why its marketing rests; `unaffordable`: channel → the budget that cannot pay for it."""

    suppressed: Mapping[str, str] = field(default_factory=dict)
    tried: tuple[str, ...] = ()
    paused: Mapping[str, str] = field(default_factory=dict)
    unaffordable: Mapping[str, str] = field(default_factory=dict)


def rank(kind: Kind, contact: Contact, profile: Profile, barred: Barred, config: Decisions) -> Ranking:
    """All channels of `kind`, sorted into usable and refused. Transactional kinds need an address and a provider only."""
    refused: dict[str, str] = {}
    for channel in kind.channels:
        if not kind.transactional and not contact.allows(channel, kind.topic):
            refused[channel] = reasons.NO_CONSENT
        elif channel not in NEEDS_NO_ADDRESS and not contact.addresses.get(channel):
            refused[channel] = reasons.NO_ADDRESS
        elif barred.suppressed.get(channel):
            refused[channel] = reasons.SUPPRESSED
        elif channel in barred.tried:
            refused[channel] = reasons.PROVIDER_REFUSED
        elif not kind.transactional and channel in barred.paused:
            refused[channel] = reasons.CHANNEL_PAUSED
        elif not kind.transactional and channel in barred.unaffordable:
            refused[channel] = reasons.OVER_BUDGET
    usable = [channel for channel in kind.channels if channel not in refused]
    scores = {channel: score(channel, profile, config) for channel in usable}
    return Ranking(tuple(sorted(usable, key=lambda channel: -scores[channel])), refused)


def addresses_worth_checking(kind: Kind, contact: Contact) -> dict[str, str]:
    """Addresses on channels that consent leaves open: those whose suppression matters."""
    return {
        channel: address
        for channel in kind.channels
        if (address := contact.addresses.get(channel)) and (kind.transactional or contact.allows(channel, kind.topic))
    }


def score(channel: str, profile: Profile, config: Decisions) -> float:
    """Expected worth: response × (1 + affinity × share of use) − cost over the worth of an answer."""
    total = sum(weight for weight in profile.channel_weights.values() if weight > 0)
    share = max(profile.channel_weights.get(channel, 0.0), 0.0) / total if total else 0.0
    entry, choice = config.channels[channel], config.choice
    return entry.response * (1 + choice.affinity * share) - entry.cost_cents / choice.answer_worth_cents

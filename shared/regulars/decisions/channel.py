"""The channel: consent first, then an address that is not suppressed; of what is left, the one most likely to be worth it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from regulars.channels.model import Contact
from regulars.decisions import reasons
from regulars.decisions.config import Decisions, Kind
from regulars.profiles.model import Profile

NEEDS_NO_ADDRESS = frozenset({"inapp"})
_DEPTH = (reasons.NO_CONSENT, reasons.NO_ADDRESS, reasons.SUPPRESSED)


@dataclass(frozen=True, slots=True)
class Ranking:
    """`usable` channels, best first; `refused` says why not, by channel."""

    usable: tuple[str, ...]
    refused: Mapping[str, str]

    @property
    def reason(self) -> str:
        """Why none is usable: the furthest that any channel got (no consent < no address < suppressed)."""
        return max(self.refused.values(), key=_DEPTH.index, default=reasons.NO_CONSENT)


def rank(kind: Kind, contact: Contact, profile: Profile, suppressed: Mapping[str, str], config: Decisions) -> Ranking:
    """All channels of `kind`, sorted into usable and refused. Transactional kinds need an address only."""
    refused: dict[str, str] = {}
    for channel in kind.channels:
        if not kind.transactional and not contact.allows(channel, kind.topic):
            refused[channel] = reasons.NO_CONSENT
        elif channel not in NEEDS_NO_ADDRESS and not contact.addresses.get(channel):
            refused[channel] = reasons.NO_ADDRESS
        elif suppressed.get(channel):
            refused[channel] = reasons.SUPPRESSED
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

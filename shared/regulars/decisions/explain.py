"""The story of one shopper: who she is to us, and every moment with what was decided, why, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from regulars.channels.model import Contact
from regulars.clock import Clock, from_ms
from regulars.decisions import caps, zones
from regulars.decisions.addresses import masked
from regulars.decisions.config import Decisions
from regulars.decisions.explain_text import as_text
from regulars.decisions.holdout import CONTROL, HOLDOUT, arm_of
from regulars.decisions.model import CHANNELS, Message, State
from regulars.decisions.ports import Contacts, Ledger
from regulars.decisions.reasons import sentence
from regulars.profiles.model import Expected, Profile
from regulars.profiles.ports import Profiles


class Explain:
    """What `regulars explain SHOPPER` and the operator's API show. Reads only. `paused`: channel → why marketing rests."""

    def __init__(
        self,
        profiles: Profiles,
        contacts: Contacts,
        ledger: Ledger,
        clock: Clock,
        config: Decisions,
        paused: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._profiles, self._contacts, self._ledger = profiles, contacts, ledger
        self._clock, self._config, self._paused = clock, config, paused

    def __call__(self, shopper: str, limit: int = 50) -> dict[str, Any]:
        """The story as JSON-ready values; of an unknown shopper, one without moments."""
        now = self._clock()
        profile = self._profiles.load(shopper, now)
        contact = self._contacts.load(profile.shopper)
        return story(profile, contact, self._ledger.list(profile.shopper, limit), self._config, now, self._paused())

    def text(self, shopper: str, limit: int = 50) -> str:
        """The same for reading."""
        return as_text(self(shopper, limit))


def story(
    profile: Profile,
    contact: Contact,
    messages: Sequence[Message],
    config: Decisions,
    now: datetime,
    paused: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Who, and the moments newest first; times in UTC and on the shopper's own clock."""
    zone = zones.clock_of(contact, config.place)
    who = _who(profile, contact, zone, config, now) | ({"paused_channels": dict(paused)} if paused else {})
    return {"shopper": profile.shopper, "as_of": _utc(now), "who": who} | {
        "moments": [_moment(message, zone) for message in messages]
    }


def _who(profile: Profile, contact: Contact, zone: ZoneInfo, config: Decisions, now: datetime) -> dict[str, Any]:
    said = {name: "yes" if granted else "no" for name, granted in sorted(contact.consent.items())}
    refused = {topic: "no" for topic, granted in sorted(contact.topics.items()) if not granted}
    return {
        "stage": profile.stage,
        "tier": profile.tier,
        "rfm": profile.rfm,
        "orders": len(profile.orders),
        **({"expected": _expected(profile.expected)} if profile.expected else {}),
        "time_zone": zone.key,
        "country": zones.country_of(contact, config.place),
        "language": contact.language or config.place.language,
        "holdout": arm_of(profile.shopper, config) == HOLDOUT,
        "control_of": [
            name for name in config.holdout.campaigns if arm_of(profile.shopper, config, name) == f"{CONTROL}:{name}"
        ],
        "consent": said | refused,
        **({"telephone": contact.push_vendor} if contact.push_vendor else {}),
        "addresses": {name: masked(contact.addresses[name]) for name in CHANNELS if contact.addresses.get(name)},
        "caps": {name: f"{count} of {limit}" for name, count, limit in caps.usage(contact, config, profile.tier, now)},
    }


def _expected(expected: Expected) -> dict[str, Any]:
    """What the needs model expects of her."""
    return {
        "purchases": expected.purchases,
        "within_days": expected.horizon_days,
        "chance": expected.chance,
        "next_purchase": expected.next_day.isoformat(),
        "lifetime_value_cents": expected.lifetime_cents,
    }


def _moment(message: Message, zone: ZoneInfo) -> dict[str, Any]:
    told: dict[str, Any] = {
        "moment_id": message.moment_id,
        "kind": message.kind,
        "state": message.state.value,
        "reason": message.reason,
        "sentence": sentence(message.reason),
        "decided_at": _utc(message.decided_at),
        "decided_at_local": _local(message.decided_at, zone),
        "history": [{"at": _utc(from_ms(at)), "what": what, "detail": detail} for at, what, detail in message.history],
    }
    for name in ("channel", "campaign", "arm"):
        if getattr(message, name):
            told[name] = getattr(message, name)
    if message.tried:
        told["refused_by"] = list(message.tried)
    if offer := message.content.get("offer"):
        told["offer"] = dict(offer)
    if message.not_before and message.state is State.DEFERRED:
        told["waits_until"] = _utc(message.not_before)
        told["waits_until_local"] = _local(message.not_before, zone)
    if message.content:
        told["shows"] = [str(item.get("title", "")) for item in message.content.get("items", ())]
    if message.marks:
        told["feedback"] = {mark: _utc(from_ms(at)) for mark, at in sorted(message.marks.items(), key=lambda mark: mark[1])}
    return told


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"

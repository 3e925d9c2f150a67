"""The last gate: the stops that may have come up since the decision, asked just before the claim.

The claim is conditional on the version of the very contact that was asked about, so what holds here holds in the claim;
suppression is a condition of the claim itself. A reason means: close the message with it and send nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regulars.channels.model import Contact
from regulars.decisions import caps, quiet, reasons, zones
from regulars.decisions.channel import NEEDS_NO_ADDRESS
from regulars.decisions.config import Decisions
from regulars.decisions.model import Message

_TIER, _ZONE, _COUPON_CENTS = "tier", "zone", "coupon_cents"


def stamp(tier: str, zone: str, coupon_cents: int = 0) -> Mapping[str, Any]:
    """What the decision knew of the shopper and her offer and the gate and the claim must know; kept in the message's
    content."""
    return {_TIER: tier, _ZONE: zone, **({_COUPON_CENTS: coupon_cents} if coupon_cents else {})}


def coupon_cents(content: Mapping[str, Any]) -> int:
    """What the coupon of a message with this content is expected to cost, 0 without one."""
    return int(content.get(_COUPON_CENTS, 0))


def may_send(message: Message, contact: Contact, now: datetime, config: Decisions, *, answered: bool = False) -> str | None:
    """None when the message may go; else the code of what stands against it, in the order of the arbiter.

    `answered`: an order came since, if the caller knows of one.
    """
    kind = config.kinds.get(message.kind)
    if kind is None:
        return reasons.UNKNOWN_KIND
    if now >= message.expires_at:
        return reasons.EXPIRED
    if answered and kind.answered_by_order:
        return reasons.ANSWERED
    if not kind.transactional and not contact.allows(message.channel, kind.topic):
        return reasons.CONSENT_WITHDRAWN
    if message.channel not in NEEDS_NO_ADDRESS and contact.addresses.get(message.channel) != message.address:
        return reasons.ADDRESS_CHANGED
    if not kind.transactional and _is_full(message, contact, now, config):
        return reasons.CAP_FULL
    country = zones.country_of(contact, config.place)
    hours = quiet.hours_for(
        config, message.channel, country, transactional=kind.transactional, manufacturer=contact.push_vendor
    )
    return None if quiet.is_open(now, zones.zones_of(contact, config.place), hours) else reasons.QUIET_HOURS


def takes_slot(message: Message, config: Decisions) -> bool:
    """Marketing counts against the caps, order updates do not."""
    kind = config.kinds.get(message.kind)
    return not (kind and kind.transactional)


def keep_slots_since(now: datetime, config: Decisions) -> datetime:
    """Slots before this count in no window."""
    return now - caps.longest(config)


def _is_full(message: Message, contact: Contact, now: datetime, config: Decisions) -> bool:
    wanted = caps.Wanted(
        kind=message.kind,
        channel=message.channel,
        tier=str(message.content.get(_TIER, "")),
        moment_id=message.moment_id,
        campaign=message.campaign,
        vendor=config.vendors.vendor(contact.push_vendor),
    )
    return caps.full(contact.slots, config, wanted, now) is not None

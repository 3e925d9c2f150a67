"""What a decision must know of the offer that its message would bring; the coupon itself is issued with the claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from regulars.decisions.config import Decisions, Kind
from regulars.decisions.zones import shop_zone
from regulars.offers.config import OfferSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """`closed`: it does not exist, has not begun or ends too soon. `ends_at`: the last instant at which a coupon of it is
    issued, None for no end; a message that brings one is sent before. `cost_cents`: what a coupon is expected to cost, in
    `currency`. `text`: language → wording."""

    offer: str
    closed: bool = False
    ends_at: datetime | None = None
    cost_cents: int = 0
    currency: str = ""
    text: Mapping[str, str] = field(default_factory=dict)


def terms_of(kind: Kind, offers: OfferSettings | None, config: Decisions, now: datetime) -> Terms | None:
    """The terms of the kind's offer now, None for a kind without one."""
    if not kind.offer:
        return None
    offer = offers.offers.get(kind.offer) if offers else None
    if offers is None or offer is None:
        return Terms(offer=kind.offer, closed=True)
    zone = shop_zone(config.place)
    starts_at, until = offer.starts_at(zone), offer.ends_at(zone)
    ends_at = until - timedelta(hours=offers.least_hours) if until else None
    closed = bool((starts_at and now < starts_at) or (ends_at and now >= ends_at))
    return Terms(
        offer=kind.offer,
        closed=closed,
        ends_at=ends_at,
        cost_cents=offer.cost_cents,
        currency=offer.currency,
        text=offer.text,
    )

"""How an offer stands: for the operator."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from regulars.clock import Clock
from regulars.offers.config import OfferSettings
from regulars.offers.issuing import Issuing, edition_of
from regulars.offers.ports import Offers
from regulars.offers.redeeming import COUNTED
from regulars.offers.stock import pool_of


class Standing:
    """Stock, coupons taken and redeemed, what they cost, and what was refused."""

    def __init__(self, issuing: Issuing, store: Offers, clock: Clock) -> None:
        self._issuing = issuing
        self._store = store
        self._clock = clock

    def __call__(self, name: str) -> Mapping[str, Any]:
        """`stock` and `taken` (of the running edition) are null where there is no limit. `cost_cents`: discounts given.
        Raises NotFound(unknown_offer)."""
        offer = self._issuing.offer(name)
        counts = self._store.counts(name)
        edition = "" if offer.edition == "moment" else self._issuing.edition(offer, "", self._clock())
        pieces, taken = offer.pieces, None
        if pieces:
            taken = taken_of(self._store, pool_of(name, offer, edition))
        return {
            "offer": name,
            "kind": offer.kind,
            "edition": edition,
            "stock": pieces,
            "taken": taken,
            "left": None if taken is None or pieces is None else max(0, pieces - taken),
            "redeemed": counts.get("redeemed", 0),
            "returned": counts.get("returned", 0),
            "expired": counts.get("expired", 0),
            "currency": offer.currency,
            "cost_cents": counts.get("discount_cents", 0),
            "expected_cost_cents": None if taken is None else taken * offer.cost_cents,
            "refused": {code: counts[code] for code in COUNTED if counts.get(code)},
        }


class SoldOut:
    """Whether nothing is left of an offer, for decisions: reads only, and asks the store once in `view_seconds`. The claim has
    the last word."""

    def __init__(self, config: OfferSettings, zone: tzinfo, store: Offers, clock: Clock) -> None:
        self._config = config
        self._zone = zone
        self._store = store
        self._clock = clock
        self._known: dict[str, tuple[bool, datetime]] = {}

    def __call__(self, name: str) -> bool:
        offer, now = self._config.offers.get(name), self._clock()
        if offer is None or offer.pieces is None:
            return False
        known = self._known.get(name)
        if known is None or not now - known[1] < timedelta(seconds=self._config.sharding.view_seconds):
            edition = edition_of(offer, "", now, self._zone)
            known = (taken_of(self._store, pool_of(name, offer, edition)) >= offer.pieces, now)
            self._known[name] = known
        return known[0]


def taken_of(store: Offers, pool: str) -> int:
    """Units taken of a pool, 0 while it was never touched."""
    return sum(store.taken(pool, store.shards(pool) or 0))

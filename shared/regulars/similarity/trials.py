"""What a build learns from the stream of events besides interactions: popularity by context, and how new items fare.

`Watching` passes events through and counts on the way, so that the archive is read once. Both tables are small: a few
contexts, and the items that are new.

A new item's chance is believed to be Beta(α, β). With s of n showings taken up, and q the rate of its category,

    q = (s_category + m·(s_shop + m·prior_rate)/(n_shop + m)) / (n_category + m)      α = m·q + s      β = m·(1−q) + n − s

m = `prior_shown` (empirical Bayes as in Thompson sampling's usual prior: Chapelle and Li, "An Empirical Evaluation of Thompson
Sampling", NIPS 2011). A showing is an item of a `Product List Viewed`; where the shop tells of none, a look at the item.
Taken up is what follows: a click on it (a look, where lists are told), else a cart, a wish or a purchase.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from regulars.capture.model import Event
from regulars.catalogue.model import Item
from regulars.clock import to_ms, zone_named
from regulars.similarity.config import PopularitySettings, TrialSettings
from regulars.similarity.contexts import device_of, part_of_day
from regulars.similarity.interactions import KINDS, VIEW, deeds
from regulars.similarity.model import ON_TRIAL, Popularity, daypart_scope, device_scope

LIST_SEEN = "Product List Viewed"
_DAY_MS = 86_400_000


class Watching:
    """Counts what passes: `scopes` in decayed weights, scope → item → sum; `shown`, `looks` and `wants` in items of the last
    `new_arrival_days`."""

    def __init__(self, settings: PopularitySettings, now: datetime) -> None:
        self._settings = settings
        self._now = now
        self._since = now - timedelta(days=settings.new_arrival_days)
        self._weights = [settings.kinds.get(kind, 0.0) for kind in KINDS]
        self._zone = zone_named(settings.time_zone) or UTC
        self.scopes: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
        self.shown: Counter[str] = Counter()
        self.looks: Counter[str] = Counter()
        self.wants: Counter[str] = Counter()

    def __call__(self, events: Iterable[Event]) -> Iterator[Event]:
        """The same events."""
        for event in events:
            self._see(event)
            yield event

    def contexts(self, keep: int) -> list[Popularity]:
        """One row per kind of device and part of the day that anything was done in."""
        rows = []
        for scope, totals in sorted(self.scopes.items()):
            best = sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))[:keep]
            highest = best[0][1]
            shares = tuple((item_id, total / highest) for item_id, total in best)
            rows.append(Popularity(scope, shares, (), self._now, sum(totals.values())))
        return rows

    def _see(self, event: Event) -> None:
        at = min(event.at, event.received_at)
        recent = at >= self._since
        if recent and event.name == LIST_SEEN:
            self.shown.update(set(_products(event.properties)))
        done = list(deeds(event))
        if not done:
            return
        kind = device_of(event.context)
        zone = event.context.get("timezone")
        part = part_of_day(at, (zone_named(zone) if isinstance(zone, str) else None) or self._zone)
        scopes = [self.scopes[daypart_scope(part)], *([self.scopes[device_scope(kind)]] if kind else [])]
        fading = 0.5 ** (max(0, to_ms(self._now) - to_ms(at)) / _DAY_MS / self._settings.half_life_days)
        for item_id, deed, _ in done:
            if recent:
                (self.looks if deed == VIEW else self.wants)[item_id] += 1
            if weight := self._weights[deed] * fading:
                for totals in scopes:
                    totals[item_id] += weight


def _products(properties: Mapping[str, Any]) -> Iterator[str]:
    products = properties.get("products")
    for product in products if isinstance(products, list) else ():
        if isinstance(product, Mapping) and product.get("product_id"):
            yield str(product["product_id"])


def on_trial(
    arrivals: Popularity, catalogue: Mapping[str, Item], seen: Watching, settings: TrialSettings, now: datetime
) -> Popularity:
    """The row of new arrivals that too few have seen to judge, newest first: α in `trend`, β in `week`."""
    lists_told = bool(seen.shown)
    tried, taken = (seen.shown, seen.looks) if lists_told else (seen.looks, seen.wants)
    weight = settings.prior_shown
    of_category: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    whole = [0, 0]
    new = [item_id for item_id, _ in arrivals.trend if item_id in catalogue]
    for item_id in new:
        for sums in (of_category[catalogue[item_id].category], whole):
            sums[0] += min(taken[item_id], tried[item_id])
            sums[1] += tried[item_id]
    shop = (whole[0] + weight * settings.prior_rate) / (whole[1] + weight)
    alphas: list[tuple[str, float]] = []
    betas: list[tuple[str, float]] = []
    for item_id in new:
        touched = seen.looks[item_id] + seen.wants[item_id]
        if tried[item_id] >= settings.enough_shown or touched >= settings.enough_deeds or len(alphas) >= settings.keep:
            continue
        hits, trials = of_category[catalogue[item_id].category]
        rate = (hits + weight * shop) / (trials + weight)
        mine = min(taken[item_id], tried[item_id])
        alphas.append((item_id, weight * rate + mine))
        betas.append((item_id, weight * (1 - rate) + tried[item_id] - mine))
    return Popularity(ON_TRIAL, tuple(alphas), tuple(betas), now)

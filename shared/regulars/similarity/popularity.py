"""What sells now: overall, per category, per region; and what is new.

`trend` = Σ weight(kind) · 0.5^(age / half-life); `week` counts distinct buyers of the last `window_days` (deeds of any kind
where nobody bought), each buyer once an item, so that one reseller does not make a hit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import numpy as np

from regulars.catalogue.model import Item
from regulars.clock import to_ms
from regulars.similarity.config import PopularitySettings
from regulars.similarity.interactions import PURCHASE, Floats, Interactions, Ints
from regulars.similarity.model import EVERYWHERE, NEW_ARRIVALS, Popularity, Scored, category_scope, region_scope
from regulars.similarity.relations import kind_weights

_DAY_MS = 86_400_000


def rank(data: Interactions, catalogue: Mapping[str, Item], settings: PopularitySettings, now: datetime) -> list[Popularity]:
    """Rows for everywhere, new arrivals, and the busiest categories and regions."""
    age_days, decayed = _decayed(data, settings, now)
    everyone = np.ones(len(data), dtype=bool)
    rows = [
        _scope(EVERYWHERE, data, everyone, decayed, age_days, settings, settings.keep, now),
        new_arrivals(catalogue.values(), settings, now),
    ]
    for name, mask in _scopes(data, catalogue, decayed, settings.max_scopes):
        rows.append(_scope(name, data, mask, decayed, age_days, settings, settings.keep_per_scope, now))
    return rows


def heat(data: Interactions, settings: PopularitySettings, now: datetime) -> dict[str, float]:
    """Item id → `trend` as a share of the highest, of every item that anybody touched; the search orders by it."""
    _, decayed = _decayed(data, settings, now)
    trend = np.bincount(data.item, decayed, len(data.item_ids))
    highest = float(trend.max(initial=0.0))
    return dict(zip(data.item_ids, (trend / highest).tolist(), strict=True)) if highest > 0 else {}


def _decayed(data: Interactions, settings: PopularitySettings, now: datetime) -> tuple[Floats, Floats]:
    """(age in days, decayed weight) of every interaction."""
    age_days = np.maximum(to_ms(now) - data.at, 0) / _DAY_MS
    return age_days, kind_weights(settings.kinds)[data.kind] * 0.5 ** (age_days / settings.half_life_days)


def new_arrivals(items: Iterable[Item], settings: PopularitySettings, now: datetime) -> Popularity:
    """Items in stock that were listed within `new_arrival_days`; the score falls from 1 to 0 with age."""
    oldest = now - timedelta(days=settings.new_arrival_days)
    fresh = [
        (item.item_id, (item.listed_at - oldest) / (now - oldest))
        for item in items
        if item.in_stock and item.listed_at and oldest < item.listed_at <= now
    ]
    fresh.sort(key=lambda pair: (-pair[1], pair[0]))
    return Popularity(NEW_ARRIVALS, tuple(fresh[: settings.keep]), (), now)


def _scopes(
    data: Interactions, catalogue: Mapping[str, Item], decayed: Floats, max_scopes: int
) -> Iterator[tuple[str, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]]:
    """(scope, mask) of the categories and regions with the most decayed deeds."""
    known = (catalogue.get(item_id) for item_id in data.item_ids)
    categories = [category_scope(item.category) if item and item.category else "" for item in known]
    names: dict[str, int] = {"": 0}
    by_item = np.array([names.setdefault(name, len(names)) for name in categories], dtype=np.int64)
    by_shopper = np.zeros(len(data.shopper_ids), dtype=np.int64)
    if data.countries:
        regions = (region_scope(data.countries[text]) if text in data.countries else "" for text in data.shopper_ids)
        by_shopper[:] = [names.setdefault(name, len(names)) for name in regions]
    if not len(data):
        return
    column_of_item, column_of_shopper = by_item[data.item], by_shopper[data.shopper]
    mass = np.bincount(column_of_item, decayed, len(names)) + np.bincount(column_of_shopper, decayed, len(names))
    mass[0] = 0.0
    texts = list(names)
    for number in np.argsort(-mass, kind="stable")[:max_scopes]:
        if mass[number] > 0:
            yield texts[number], (column_of_item == number) | (column_of_shopper == number)


def _scope(
    name: str,
    data: Interactions,
    mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    decayed: Floats,
    age_days: Floats,
    settings: PopularitySettings,
    keep: int,
    now: datetime,
) -> Popularity:
    n_items = len(data.item_ids)
    trend = np.bincount(data.item[mask], decayed[mask], n_items)
    recent = mask & (age_days <= settings.window_days)
    bought = recent & (data.kind == PURCHASE)
    week = _distinct_shoppers(data, bought if bought.any() else recent, n_items)
    best, recent_best = _best(trend, data.item_ids, keep), _best(week, data.item_ids, keep)
    return Popularity(name, best, recent_best, now, float(trend.sum()))


def _distinct_shoppers(data: Interactions, mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], n_items: int) -> Ints:
    pairs = np.unique(data.shopper[mask].astype(np.int64) * n_items + data.item[mask])
    return np.bincount(pairs % n_items, minlength=n_items) if n_items else np.zeros(0, dtype=np.int64)


def _best(scores: Floats | Ints, item_ids: tuple[str, ...], keep: int) -> Scored:
    """The best `keep` positive scores as shares of the highest; ties in order of first sight."""
    order = np.argsort(-scores, kind="stable")[:keep]
    highest = float(scores[order[0]]) if len(order) else 0.0
    return tuple((item_ids[number], float(scores[number]) / highest) for number in order if scores[number] > 0)

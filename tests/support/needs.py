"""Purchases out of thin air, seeded."""

from __future__ import annotations

from functools import cache

import numpy as np

from regulars.needs.config import NeedsSettings
from regulars.needs.pairs import Lines, lines_of
from regulars.needs.purchases import Purchases, purchases_of
from regulars.shop import section


@cache
def settings() -> NeedsSettings:
    """The defaults."""
    return section(NeedsSettings, "needs")


def random_purchases(*, shoppers: int, days: int, seed: int) -> Purchases:
    """Every shopper buys on day 0 or 1, then at her own rate; some stop half-way."""
    draw = np.random.default_rng(seed)
    who, day = [np.arange(shoppers)], [draw.integers(0, 2, shoppers)]
    for shopper in range(shoppers):
        end = days if draw.random() < 0.6 else days // 2
        own = np.cumsum(draw.exponential(draw.uniform(5, 80), 60)).astype(int) + 2
        who.append(np.full(60, shopper)[own < end])
        day.append(own[own < end])
    where, when = np.concatenate(who), np.concatenate(day)
    return purchases_of(where, when, draw.gamma(2, 10, len(when)))


def random_lines(*, shoppers: int, items: int, days: int, seed: int) -> Lines:
    """Some items are staples with a gap of their own, some are bought at random."""
    draw = np.random.default_rng(seed)
    rows = []
    for shopper in range(shoppers):
        for item in draw.choice(items, 6, replace=False):
            gap = draw.uniform(5, 40) if item < items // 2 else 150
            own = np.cumsum(draw.gamma(4, gap / 4, 40)).astype(int)
            rows += [(shopper, item, day) for day in own[own < days]]
    return lines_of(*np.array(rows).T)

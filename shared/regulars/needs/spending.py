"""The gamma-gamma fit of `worth`, by maximum likelihood over shoppers' order counts n and mean order values m > 0:

ln L = lnΓ(pn+q) − lnΓ(pn) − lnΓ(q) + q·ln γ + (pn−1)·ln m + pn·ln n − (pn+q)·ln(γ + n·m)
"""

from __future__ import annotations

from math import lgamma

import numpy as np
from numpy.typing import NDArray

from regulars.needs.config import ValueSettings
from regulars.needs.optimise import minimise, numeric_slope
from regulars.needs.purchases import Purchases, habits_at
from regulars.needs.worth import OrderValue

Floats = NDArray[np.float64]
_lgamma = np.frompyfunc(lgamma, 1, 1)
_BOUND = 8.0
_MOST = 20_000
_WIDEST = 50.0


def fit(orders: Floats, mean: Floats, settings: ValueSettings) -> OrderValue:
    """Gamma-gamma, from shoppers with `orders` orders of `mean` worth. The shrunk mean where fewer than `min_repeaters`
    shoppers spent on two orders or more, and where the fit has no mean (q ≤ 1) or trusts it beyond reason."""
    paid = mean > 0
    shop = float(np.average(mean[paid], weights=orders[paid])) if paid.any() else 0.0
    shrunk = shrunk_mean(orders, mean, settings)
    kept = np.flatnonzero(paid & (orders > 1))
    if len(kept) < settings.min_repeaters:
        return shrunk
    kept = kept[np.linspace(0, len(kept) - 1, min(len(kept), _MOST)).astype(np.int64)]
    n, m = orders[kept], mean[kept] / shop
    best, _ = minimise(numeric_slope(lambda logs: _loss(logs, n, m)), np.log([2.0, 3.0, 1.0]), tolerance=1e-5)
    p, q, gamma = np.exp(np.clip(best, -_BOUND, _BOUND))
    if q <= 1 or (q - 1) / p > _WIDEST:
        return shrunk
    return OrderValue(float(p * gamma / (q - 1) * shop), float((q - 1) / p), "gamma-gamma")


def shrunk_mean(orders: Floats, mean: Floats, settings: ValueSettings) -> OrderValue:
    """The shop's mean order value, that counts as `trusted_purchases` orders."""
    paid = mean > 0
    shop = float(np.average(mean[paid], weights=orders[paid])) if paid.any() else 0.0
    return OrderValue(shop, settings.trusted_purchases)


def learn(purchases: Purchases, cut: int, settings: ValueSettings, validation_days: int) -> OrderValue:
    """Gamma-gamma or the shrunk mean as of `cut`, whichever told better, `validation_days` earlier, what the orders since
    were worth (mean absolute error); the shrunk mean where nothing can be told."""
    _, habit = habits_at(purchases, cut)
    shrunk = shrunk_mean(habit.purchases, habit.value, settings)
    day = cut - validation_days
    who, before = habits_at(purchases, day)
    since = (purchases.day >= day) & (purchases.day < cut)
    spent = np.bincount(purchases.shopper[since], purchases.value[since], purchases.shoppers)[who]
    times = purchases.counts(day, cut)[who]
    came = (times > 0) & (spent > 0)
    if not came.any():
        return shrunk
    worth = spent[came] / times[came]
    errors = [
        np.abs(model.expected(before.purchases, before.value)[came] - worth).mean()
        for model in (shrunk_mean(before.purchases, before.value, settings), fit(before.purchases, before.value, settings))
    ]
    return fit(habit.purchases, habit.value, settings) if errors[1] < errors[0] else shrunk


def _loss(logs: Floats, n: Floats, m: Floats) -> float:
    p, q, gamma = np.exp(np.clip(logs, -_BOUND, _BOUND))
    shape = p * n
    gammas = (_lgamma(shape + q) - _lgamma(shape)).astype(np.float64) - lgamma(q)
    logs_of = q * np.log(gamma) + (shape - 1) * np.log(m) + shape * np.log(n) - (shape + q) * np.log(gamma + n * m)
    return -float(np.mean(gammas + logs_of))

"""MBG/NBD over arrays: the fit by maximum likelihood, and expected purchases of many shoppers (`expecting` has the model).

    ln L = ln (r)ₓ + r·ln α + ln (b)ₓ₊₁ − ln (a+b)ₓ₊₁ − (r+x)·ln(α+T) + ln(1 + u),   u = a/(b+x) · ((α+T)/(α+tₓ))^(r+x)

The rising factorials (y)ₖ = y(y+1)…(y+k−1) stand for the quotients of Gamma functions: with whole x they are sums of
logarithms, their slopes sums of reciprocals, so neither gammaln nor digamma is needed. A weak prior (standard deviation of
several powers of e on each parameter) keeps a shop without drop-out from sending a and b to infinity.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regulars.needs.expecting import Mbg
from regulars.needs.optimise import minimise

Floats = NDArray[np.float64]
_BOUND = 6.0
_PRIOR = 0.1
_NEAR_ONE = 1e-6
_SMALL = 1e-12
_MOST_TERMS = 20_000


def fit(repeats: Floats, recency: Floats, span: Floats, *, most: int) -> Mbg:
    """Parameters of the shop; equal histories are fitted once with their number, and above `most` different ones an even
    sample of them."""
    rows, weight = np.unique(np.column_stack([repeats, recency, span]), axis=0, return_counts=True)
    if len(rows) > most:
        chosen = np.linspace(0, len(rows) - 1, most).astype(np.int64)
        rows, weight = rows[chosen], weight[chosen]
    scale = max(float(np.average(rows[:, 2], weights=weight)), 1.0) / 10
    x = rows[:, 0].astype(np.int64)
    likelihood = _Likelihood(x, rows[:, 1] / scale, rows[:, 2] / scale, weight / weight.sum(), _PRIOR / weight.sum())
    starts = (np.log([1.0, 1.0, 0.5, 2.0]), np.log([0.5, 5.0, 0.2, 4.0]))
    best, _ = min((minimise(likelihood, start) for start in starts), key=lambda found: found[1])
    r, alpha, a, b = _bounded(best)
    return Mbg(float(r), float(alpha * scale), float(a), float(b))


def _bounded(logs: Floats) -> Floats:
    """Parameters of their logarithms, which approach ± `_BOUND` smoothly: a kink would stop the search."""
    parameters: Floats = np.exp(_BOUND * np.tanh(logs / _BOUND))
    return parameters


class _Likelihood:
    """Minus mean ln L with its slope, over what `_bounded` makes parameters of."""

    def __init__(self, x: NDArray[np.int64], recency: Floats, span: Floats, weight: Floats, prior: float) -> None:
        self._x, self._recency, self._span, self._weight, self._prior = x, recency, span, weight, prior
        self._steps = np.arange(int(x.max()) + 1, dtype=np.float64)

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = _bounded(logs)
        x, mean = self._x, self._weight
        seen, bought = np.log(alpha + self._span), np.log(alpha + self._recency)
        with np.errstate(over="ignore"):
            odds = a / (b + x) * np.exp(np.minimum((r + x) * (seen - bought), 700))
        dead = odds / (1 + odds)
        rising_r, slope_r = self._rising(r, x)
        rising_b, slope_b = self._rising(b, x + 1)
        rising_ab, slope_ab = self._rising(a + b, x + 1)
        value = rising_r + r * np.log(alpha) + rising_b - rising_ab - (r + x) * seen + np.log1p(odds)
        slopes = (
            r * (slope_r + np.log(alpha) - seen + dead * (seen - bought)),
            r - alpha * (r + x) * (np.exp(-seen) - dead * (np.exp(-seen) - np.exp(-bought))),
            a * (dead / a - slope_ab),
            b * (slope_b - slope_ab - dead / (b + x)),
        )
        steepness = 1 - np.tanh(logs / _BOUND) ** 2
        slope = steepness * np.array([-(mean @ each) for each in slopes]) + 2 * self._prior * logs
        return float(-(mean @ value) + self._prior * (logs @ logs)), slope

    def _rising(self, base: float, count: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """ln (base)ₖ and its slope for each k."""
        terms = base + self._steps
        logs, slopes = (np.concatenate([[0.0], np.cumsum(part)]) for part in (np.log(terms), 1 / terms))
        return logs[count], slopes[count]


def alive(model: Mbg, repeats: Floats, recency: Floats, span: Floats) -> Floats:
    """P(alive) of each shopper."""
    power = (model.r + repeats) * np.log((model.alpha + span) / (model.alpha + recency))
    dead: Floats = model.a / (model.b + repeats) * np.exp(np.minimum(power, 700))
    return 1 / (1 + dead)


def expected(model: Mbg, repeats: Floats, recency: Floats, span: Floats, horizon_days: float) -> Floats:
    """Purchases of each shopper in the next `horizon_days`."""
    a = model.a if abs(model.a - 1) > _NEAR_ONE else 1 + _NEAR_ONE
    z = horizon_days / (model.alpha + span + horizon_days)
    top = a + model.b + repeats
    if a + model.b >= model.r:
        lasting = (1 - z) ** (a - 1) * _hyp2f1(np.full_like(z, a + model.b - model.r), np.full_like(z, a - 1), top, z)
    else:
        lasting = (1 - z) ** (model.r + repeats) * _hyp2f1(model.r + repeats, model.b + repeats + 1, top, z)
    return np.maximum(0.0, top / (a - 1) * (1 - lasting) * alive(model, repeats, recency, span))


def _hyp2f1(a: Floats, b: Floats, c: Floats, z: Floats) -> Floats:
    """Gauss's series as in `expecting.hyp2f1`, until the slowest has converged."""
    term, total = np.ones_like(z), np.ones_like(z)
    for k in range(_MOST_TERMS):
        term = term * (a + k) * (b + k) / ((c + k) * (k + 1)) * z
        total += term
        if np.all(np.abs(term) <= _SMALL * np.abs(total)):
            break
    return total

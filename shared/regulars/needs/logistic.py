"""Ridge logistic regression by iteratively reweighted least squares (Newton's method), features standardised inside.

Hastie, Tibshirani & Friedman, "The Elements of Statistical Learning" (2nd ed.), section 4.4.1, with the ridge of 18.4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_ROUNDS = 50
_CONVERGED = 1e-8
_FARTHEST = 30.0


@dataclass(frozen=True, slots=True)
class Fitted:
    """ln(p / (1−p)) = intercept + weights · features, on the features as they come."""

    intercept: float
    weights: Floats

    def score(self, features: Floats) -> Floats:
        """Log odds of each row."""
        scores: Floats = self.intercept + features @ self.weights
        return scores


def fit(features: Floats, happened: NDArray[np.bool_], ridge: float) -> Fitted:
    """`features` (n, k) finite, `happened` (n,). A feature that never varies gets no weight; where all or none happened the
    intercept alone says so, at (hits + ½) / (n + 1)."""
    target = happened.astype(np.float64)
    share = (target.sum() + 0.5) / (len(target) + 1)
    intercept = float(np.log(share / (1 - share)))
    middle, spread = features.mean(axis=0), features.std(axis=0)
    varies = spread > 1e-9
    weights = np.zeros(features.shape[1])
    if happened.all() or not happened.any() or not varies.any():
        return Fitted(intercept, weights)
    design = np.column_stack([np.ones(len(target)), (features[:, varies] - middle[varies]) / spread[varies]])
    penalty = np.diag([0.0, *np.full(int(varies.sum()), ridge)])
    solved = np.array([intercept, *np.zeros(int(varies.sum()))])
    worth = _worth(design, target, penalty, solved)
    for _ in range(_ROUNDS):
        chance = sigmoid(design @ solved)
        weight = np.maximum(chance * (1 - chance), 1e-9)
        slope = design.T @ (target - chance) - penalty @ solved
        step = np.linalg.solve(design.T @ (design * weight[:, None]) + penalty, slope)
        better = _worth(design, target, penalty, solved + step)
        while better < worth and np.abs(step).max() > _CONVERGED:  # Newton overshoots where nearly all or none happened
            step = step / 2
            better = _worth(design, target, penalty, solved + step)
        if better < worth:
            break
        solved, worth = solved + step, better
        if np.abs(step).max() < _CONVERGED:
            break
    weights[varies] = solved[1:] / spread[varies]
    return Fitted(float(solved[0] - weights[varies] @ middle[varies]), weights)


def _worth(design: Floats, target: Floats, penalty: Floats, at: Floats) -> float:
    """The penalised log likelihood."""
    scores = design @ at
    return float(target @ scores - np.logaddexp(0.0, scores).sum() - at @ penalty @ at / 2)


def sigmoid(scores: Floats) -> Floats:
    """Log odds to probability, without overflow."""
    chance: Floats = 1 / (1 + np.exp(-np.clip(scores, -_FARTHEST, _FARTHEST)))
    return chance


def area_under_curve(scores: Floats, happened: NDArray[np.bool_]) -> float:
    """The chance that one that happened outranks one that did not, ties half (Mann–Whitney); NaN without both kinds."""
    hits = int(happened.sum())
    misses = len(happened) - hits
    if not hits or not misses:
        return float("nan")
    _, tied, count = np.unique(scores, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - (count - 1) / 2
    return float((rank[tied][happened].sum() - hits * (hits + 1) / 2) / (hits * misses))


def average_precision(scores: Floats, happened: NDArray[np.bool_]) -> float:
    """Σ (Rₙ − Rₙ₋₁)·Pₙ over thresholds, tied scores as one threshold; NaN when nothing happened."""
    if not happened.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.cumsum(happened[order])[last]
    precision = hits / (last + 1)
    return float(np.sum(np.diff(hits, prepend=0) * precision) / happened.sum())

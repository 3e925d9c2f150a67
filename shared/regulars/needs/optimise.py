"""A small quasi-Newton minimiser: scipy does not fit beside numpy in the layer for the sake of four parameters.

BFGS (Nocedal & Wright, "Numerical Optimization", 2006, algorithm 6.1) with Armijo backtracking (algorithm 3.1) and a cap on
the step, for smooth functions of a handful of parameters.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_ARMIJO = 1e-4
_LONGEST_STEP = 2.0
_MOST_HALVINGS = 40
_LEAST_GAIN = 1e-10


def minimise(
    function: Callable[[Floats], tuple[float, Floats]], start: Floats, *, rounds: int = 200, tolerance: float = 1e-7
) -> tuple[Floats, float]:
    """(where, value) of a local minimum; `function` gives value and gradient. Ends when the gradient is below `tolerance`,
    when a step gains next to nothing, or after `rounds`."""
    at = start.astype(np.float64)
    value, slope = function(at)
    inverse = np.eye(len(at))
    for _ in range(rounds):
        if np.abs(slope).max() < tolerance:
            break
        direction = -inverse @ slope
        if direction @ slope >= 0:
            inverse, direction = np.eye(len(at)), -slope
        direction *= min(1.0, _LONGEST_STEP / max(np.abs(direction).max(), 1e-300))
        found = _backtrack(function, at, value, slope, direction)
        if found is None:
            break
        step, new_value, new_slope = found
        gained, value = value - new_value, new_value
        change = new_slope - slope
        at, slope = at + step, new_slope
        if gained < _LEAST_GAIN * (1 + abs(value)):
            break
        curvature = float(change @ step)
        if curvature > 1e-12:
            inverse = _updated(inverse, step, change, curvature)
    return at, value


def numeric_slope(function: Callable[[Floats], float], step: float = 1e-5) -> Callable[[Floats], tuple[float, Floats]]:
    """`function` with its gradient by central differences."""

    def both(at: Floats) -> tuple[float, Floats]:
        moves = np.eye(len(at)) * step
        slope = np.array([(function(at + move) - function(at - move)) / (2 * step) for move in moves])
        return function(at), slope

    return both


def _backtrack(
    function: Callable[[Floats], tuple[float, Floats]], at: Floats, value: float, slope: Floats, direction: Floats
) -> tuple[Floats, float, Floats] | None:
    wanted, length = _ARMIJO * float(slope @ direction), 1.0
    for _ in range(_MOST_HALVINGS):
        new_value, new_slope = function(at + length * direction)
        if np.isfinite(new_value) and new_value <= value + length * wanted:
            return length * direction, new_value, new_slope
        length /= 2
    return None


def _updated(inverse: Floats, step: Floats, change: Floats, curvature: float) -> Floats:
    left = np.eye(len(step)) - np.outer(step, change) / curvature
    updated: Floats = left @ inverse @ left.T + np.outer(step, step) / curvature
    return updated

"""One way to draw lots: sticky, weighted, with nothing stored. Control groups use it, and so does any experiment."""

from __future__ import annotations

from collections.abc import Mapping

from regulars.errors import Invalid
from regulars.ids import short_hash


def point_of(experiment: str, unit: str, salt: str = "") -> float:
    """Where in [0, 1) the lot of `unit` falls: uniform, and independent between experiments and salts."""
    return int.from_bytes(short_hash(experiment, salt, unit), "big") / 2**64


def assign(experiment: str, unit: str, arms: Mapping[str, float], salt: str = "") -> str:
    """The arm of `unit` (a shopper, a device, an order): the same for the same words, whoever asks and whenever.

    `arms`: arm → weight ≥ 0, in order; raising the weight of the first at the expense of the next only adds to it. Another
    `salt` draws anew. Raises Invalid for weights that sum to nothing or are negative.
    """
    total = sum(arms.values())
    if total <= 0 or any(weight < 0 for weight in arms.values()):
        raise Invalid(f"experiment {experiment}: weights must not be negative and must sum to more than 0", field="arms")
    point, reached = point_of(experiment, unit, salt) * total, 0.0
    last = ""
    for arm, weight in arms.items():
        reached += weight
        if weight:
            last = arm
            if point < reached:
                return arm
    return last

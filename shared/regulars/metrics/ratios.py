"""Sample-ratio check: do the arms of an experiment hold shoppers in the ratio in which they were drawn?

When they do not, something lost or added shoppers in one arm only, and no figure of that experiment means anything (Fabijan
et al., "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments", KDD 2019: chi-squared test, alarm below 0.001).
Counted are shoppers at their first decision under a draw (`regulars.decisions.holdout`), before anything tells arms apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regulars.decisions.holdout import TREATED

ARMS = "arms"
"""Group of the counters: `arms/<experiment>`, with fields `<arm>/<share>/<draw>`."""
_LEAST_EXPECTED = 5
"""Fewer than that are expected in an arm: the chi-squared distribution is no good description (Cochran 1952)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One experiment under one draw: `held` shoppers in its control arm, `treated` in the other; `share` is what was drawn.

    `p`: how likely a ratio at least so far off is by chance, None while there are too few shoppers to tell.
    """

    experiment: str
    share: float
    draw: str
    held: int
    treated: int
    p: float | None
    mismatch: bool

    def to_wire(self) -> dict[str, Any]:
        return {
            "experiment": self.experiment,
            "share": self.share,
            "draw": self.draw,
            "control": self.held,
            "treated": self.treated,
            "p": None if self.p is None else float(f"{self.p:.3g}"),
            "mismatch": self.mismatch,
        }


def ratios(arms: Mapping[str, Mapping[str, int]], alarm_below: float) -> tuple[Ratio, ...]:
    """The check of every experiment and draw. `arms`: experiment → field → shoppers."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for experiment, fields in arms.items():
        for field, shoppers in fields.items():
            arm, share, draw = (*field.split("/", 2), "", "")[:3]
            held_treated = found.setdefault((experiment, share, draw), [0, 0])
            held_treated[arm == TREATED] += shoppers
    return tuple(_ratio(draw, held, treated, alarm_below) for draw, (held, treated) in sorted(found.items()))


def mismatch_p(held: int, treated: int, share: float) -> float | None:
    """Pearson's chi-squared test with one degree of freedom: its tail is erfc(√(x/2)). None with too few to tell."""
    both = held + treated
    expected, rest = both * share, both * (1 - share)
    if min(expected, rest) < _LEAST_EXPECTED:
        return None
    squares = (held - expected) ** 2 / expected + (treated - rest) ** 2 / rest
    return math.erfc(math.sqrt(squares / 2))


def _ratio(drawn: tuple[str, str, str], held: int, treated: int, alarm_below: float) -> Ratio:
    experiment, share, draw = drawn
    p = mismatch_p(held, treated, float(share))
    return Ratio(
        experiment=experiment,
        share=float(share),
        draw=draw,
        held=held,
        treated=treated,
        p=p,
        mismatch=p is not None and p < alarm_below,
    )

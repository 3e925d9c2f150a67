"""Would the forecasts of items have been right: which pairs are bought again, and when.

Pairs are (shopper, item) bought on two days or more before the cut.
"""

from __future__ import annotations

from bisect import insort
from typing import Any

import numpy as np

from regulars.errors import Invalid
from regulars.needs import pairs, rebuying
from regulars.needs.config import RebuyingSettings
from regulars.needs.evaluation import WINBACK_DAYS, Measured
from regulars.needs.logistic import average_precision
from regulars.needs.purchases import Floats, Ints

DATE_TOLERANCE_DAYS = 7


def what_is_rebought(lines: pairs.Lines, cut: int, settings: RebuyingSettings) -> Measured:
    """Average precision of "this pair is bought within the horizon". Raises Invalid where no pair exists or none is bought."""
    lines, every = pairs.sampled(lines, settings.max_lines)
    found = pairs.pairs_at(lines, cut, settings)
    if not len(found.shopper):
        raise Invalid("no shopper bought an item on two days before the cut")
    happened = pairs.rebought(lines, found, cut, cut + settings.horizon_days)
    if not happened.any():
        raise Invalid(f"no such pair is bought within {settings.horizon_days} days after the cut")
    state = found.state
    rule = rebuying.rule(state, np.exp)
    fitted = pairs.learn(lines, cut, settings)
    scores = {"logistic": pairs.scores(fitted, found)} if fitted else {}
    scores |= {
        "rule (n+.3)/(T+60)·exp(−age/(3·gap+30))": rule,
        "frequency": state.purchases,
        "overdue ratio": state.age / state.own_gap,
    }
    active = state.visit_age <= WINBACK_DAYS
    rows = {
        name: {
            "average_precision": average_precision(score, happened),
            "of_active": average_precision(score[active], happened[active]),
        }
        for name, score in scores.items()
    }
    facts: dict[str, Any] = {"pairs": len(happened), "rebought": float(happened.mean()), "of_active_pairs": int(active.sum())}
    if every > 1:
        facts["sample"] = f"one shopper in {every}"
    if fitted is None:
        facts["note"] = f"fewer than {settings.min_hits} rebought pairs to learn from: the rule stands alone"
    first = next(iter(scores.values()))
    return Measured(rows, facts, (found.shopper, found.item, first, happened))


def when_it_is_rebought(lines: pairs.Lines, cut: int, settings: RebuyingSettings) -> Measured:
    """Share of the purchases of a pair after the cut, its third or later, whose day the pair's earlier gaps told within
    ± `DATE_TOLERANCE_DAYS`: every repeat is asked for on the day of the purchase before it. Items' gaps and the global median
    are those of the cut. Raises Invalid where there is no such repeat."""
    gap, before, told = _gaps(lines)
    asked = (lines.day[told] >= cut) & (before > 0)
    if not asked.any():
        raise Invalid("no pair is bought a third time after the cut")
    own = _running_medians(gap, before)[asked]
    facts, usual = pairs.item_facts(lines, cut, settings)
    item = lines.item[told][asked]
    known = item < len(facts.gap_days)
    item_gap = np.where(known, facts.gap_days[np.where(known, item, 0)], usual) if len(facts.gap_days) else usual
    trusted, came = before[asked] >= settings.trusted_gaps, gap[asked]
    past = gap[lines.day[told] < cut]
    guesses = {
        "shrunk (used)": rebuying.shrunk(
            own, np.minimum(before[asked], settings.trusted_gaps), item_gap, settings.trusted_gaps
        ),
        "personal median": own,
        "item's gap": np.broadcast_to(item_gap, own.shape),
        "global median": np.full(len(own), float(np.median(past)) if len(past) else usual),
    }
    rows = {}
    for name, guess in guesses.items():
        hit = np.abs(guess - came) <= DATE_TOLERANCE_DAYS
        rows[name] = {"within": float(hit.mean()), "three_gaps": float(hit[trusted].mean()) if trusted.any() else float("nan")}
    return Measured(rows, {"repeats": int(asked.sum()), "three_gaps": int(trusted.sum())})


def _gaps(lines: pairs.Lines) -> tuple[Floats, Ints, Ints]:
    """(days between, how many gaps of the pair came before, row of the later purchase) of every gap."""
    same = (lines.shopper[1:] == lines.shopper[:-1]) & (lines.item[1:] == lines.item[:-1])
    row = np.cumsum(np.append([True], ~same))[1:][same]
    gap = np.diff(lines.day)[same].astype(np.float64)
    return gap, np.arange(len(row)) - np.searchsorted(row, row), np.flatnonzero(same) + 1


def _running_medians(gap: Floats, before: Ints) -> Floats:
    """Of each gap, the median of those of its pair before it; NaN for the first."""
    found, seen = np.full(len(gap), np.nan), list[float]()
    for number, (value, place) in enumerate(zip(gap.tolist(), before.tolist(), strict=True)):
        if not place:
            seen = []
        else:
            found[number] = (seen[(place - 1) // 2] + seen[place // 2]) / 2
        insort(seen, value)
    return found

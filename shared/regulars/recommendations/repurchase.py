"""What a shopper is due to buy again.

Gap: the shopper's median days between purchases of the item, shrunk to the item's own median with fewer than three gaps
(k gaps count k to 3 − k). Due from `due_from` to `due_until` gaps after the last purchase. Ranked, unfitted, by

    (n + .3) / (T + 60) · exp(−age / (3 · gap + 30))

with n purchases, T days since the shopper's first purchase and age days since the last of the item (see RECSYS notes in
docs/decisions.md: average precision .335 / .440 against .279 / .326 for frequency).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import exp
from statistics import median

from regulars.profiles.model import Profile
from regulars.recommendations.config import Repurchase
from regulars.recommendations.ports import Row

_ENOUGH_GAPS = 3


@dataclass(frozen=True, slots=True)
class Due:
    """One item of the shopper's past. `due_in_days` is negative when overdue; `score` ranks."""

    item_id: str
    purchases: int
    last: date
    gap_days: float
    due_in_days: float
    is_due: bool
    score: float


def dues(profile: Profile, rows: Mapping[str, Row], settings: Repurchase, today: date) -> list[Due]:
    """Items that have a rhythm (bought on two days, or rebought by others), best first; ties in id order."""
    first = min((days[0] for days in profile.purchases.values() if days), default=today)
    span = max(0, (today - first).days)
    found = []
    for item_id, days in profile.purchases.items():
        row = rows.get(item_id)
        gap = gap_days(days, row.gap_days if row else None, settings.default_gap_days)
        if gap is None:
            continue
        age = max(0, (today - days[-1]).days)
        score = (len(days) + 0.3) / (span + 60) * exp(-age / (3 * gap + 30))
        is_due = settings.due_from * gap <= age <= settings.due_until * gap
        found.append(Due(item_id, len(days), days[-1], gap, gap - age, is_due, score))
    return sorted(found, key=lambda due: (-due.score, due.item_id))


def gap_days(days: tuple[date, ...], item_gap: float | None, default: float) -> float | None:
    """The expected gap; None for an item bought once that nobody is known to have rebought."""
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    if not gaps:
        return item_gap if days else None
    personal = max(1.0, float(median(gaps)))
    if len(gaps) >= _ENOUGH_GAPS:
        return personal
    usual = default if item_gap is None else item_gap
    return (len(gaps) * personal + (_ENOUGH_GAPS - len(gaps)) * usual) / _ENOUGH_GAPS


def seeds(profile: Profile, settings: Repurchase, today: date, count: int) -> list[str]:
    """The items whose rows are worth reading: best by the rule with the default gap where none is personal."""
    known = {item_id: Row({}, settings.default_gap_days) for item_id in profile.purchases}
    return [due.item_id for due in dues(profile, known, settings, today)[:count]]

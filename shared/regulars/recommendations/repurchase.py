"""What a shopper is due to buy again.

When: the expected gap of `needs.rebuying.expected_gap` after the last purchase, the shopper's median shrunk to the item's own.
Due from `due_from` to `due_until` gaps. In which order: by the chance that the fitted model of `forecast_needs` gives. Where
there is none (not built yet, or damaged), by the rule that needs no fit,

    (n + .3) / (T + 60) · exp(−age / (3 · gap + 30))

with n purchases, T days since the shopper's first purchase and age days since the last of the item (docs/decisions.md: average
precision .335 / .440 against .279 / .326 for frequency). What was bought once has no rhythm of its own, of which the model
knows nothing: it follows by the rule, where others are known to buy it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import exp

from regulars.needs.rebuying import Rebuying, expected_gap
from regulars.profiles.model import Profile
from regulars.recommendations.config import Repurchase
from regulars.recommendations.ports import Row

_ENOUGH_GAPS = 3


@dataclass(frozen=True, slots=True)
class Due:
    """One item of the shopper's past. `due_in_days` is negative when overdue; `score` ranks among those of its kind;
    `source` says by what: `needs` or `history`."""

    item_id: str
    purchases: int
    last: date
    gap_days: float
    due_in_days: float
    is_due: bool
    score: float
    source: str = "history"


def dues(
    profile: Profile, rows: Mapping[str, Row], settings: Repurchase, today: date, learned: Rebuying | None = None
) -> list[Due]:
    """Items that have a rhythm (bought on two days, or rebought by others), best first; ties in id order."""
    by_chance = _by_chance(profile, settings, today, learned) if learned else []
    told = {due.item_id for due in by_chance}
    by_rule = []
    first = min((days[0] for days in profile.purchases.values() if days), default=today)
    span = max(0, (today - first).days)
    for item_id, days in profile.purchases.items():
        gap = None if item_id in told else gap_days(days, _gap_of(item_id, rows, learned), settings.default_gap_days)
        if gap is None:
            continue
        age = max(0, (today - days[-1]).days)
        score = (len(days) + 0.3) / (span + 60) * exp(-age / (3 * gap + 30))
        by_rule.append(Due(item_id, len(days), days[-1], gap, gap - age, _is_due(age, gap, settings), score))
    return by_chance + sorted(by_rule, key=lambda due: (-due.score, due.item_id))


def _by_chance(profile: Profile, settings: Repurchase, today: date, learned: Rebuying) -> list[Due]:
    """What was bought on two days, as the model sees it this evening: today's purchases are known."""
    purchases = {item_id: [day.toordinal() for day in days] for item_id, days in profile.purchases.items()}
    found = []
    for due in learned.dues(purchases, today.toordinal() + 1):
        age, last = today.toordinal() - due.last_day, date.fromordinal(due.last_day)
        is_due = _is_due(age, due.gap_days, settings)
        found.append(Due(due.item_id, due.purchases, last, due.gap_days, due.gap_days - age, is_due, due.score, source="needs"))
    return found


def _is_due(age: int, gap: float, settings: Repurchase) -> bool:
    return settings.due_from * gap <= age <= settings.due_until * gap


def _gap_of(item_id: str, rows: Mapping[str, Row], learned: Rebuying | None) -> float | None:
    """Days that all who rebuy the item leave between."""
    if item_id in rows and rows[item_id].gap_days is not None:
        return rows[item_id].gap_days
    facts = learned.items.get(item_id) if learned else None
    return float(facts.gap_days) if facts else None


def gap_days(days: tuple[date, ...], item_gap: float | None, default: float) -> float | None:
    """The expected gap; None for an item bought once that nobody is known to have rebought."""
    if len(days) < 2 and (item_gap is None or not days):
        return None
    usual = default if item_gap is None else item_gap
    return expected_gap([day.toordinal() for day in days], usual, _ENOUGH_GAPS)


def seeds(profile: Profile, settings: Repurchase, today: date, count: int, learned: Rebuying | None = None) -> list[str]:
    """The items whose rows are worth reading: what is due, then the others, with the default gap where none is known."""
    known = {item_id: Row({}, _gap_of(item_id, {}, learned) or settings.default_gap_days) for item_id in profile.purchases}
    found = dues(profile, known, settings, today, learned)
    return [due.item_id for due in sorted(found, key=lambda due: not due.is_due)[:count]]

"""The best hour: when this shopper usually reads, else the evening. Marketing only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from regulars.decisions.config import Hours, Timing
from regulars.decisions.quiet import is_open, meet, next_open
from regulars.ids import short_hash
from regulars.profiles.model import Profile


def best_hours(profile: Profile, timing: Timing) -> Hours:
    """The heaviest local hour among those that may be learned; `otherwise` while there is too little to believe in."""
    learn = timing.learn
    weights = {hour: weight for hour, weight in profile.hour_weights.items() if learn.opens <= hour < learn.closes}
    if sum(weights.values()) < timing.least_weight:
        return timing.otherwise
    best = min(weights, key=lambda hour: (-weights[hour], hour))
    return Hours(opens=best, closes=best + 1, weekdays=learn.weekdays)


def best_instant(at: datetime, zones: Sequence[ZoneInfo], best: Hours, allowed: Hours, shopper: str) -> datetime | None:
    """The first instant from `at` on inside `best` (where she most likely lives) and `allowed` (wherever she may live).

    `at` itself when it is inside; else a point of the next such stretch that is the shopper's own, so that not everybody's
    evening begins at 20:00:00; the last tenth stays free for those who come late. None when the two never meet.
    """
    candidate = at
    for _ in range(30):
        begins = next_open(candidate, zones[:1], meet(best, allowed))
        begins = begins and next_open(begins, zones, allowed)
        if begins is None:
            return None
        if is_open(begins, zones[:1], best):
            return begins if begins == at else _spread(begins, zones, best, allowed, shopper)
        candidate = begins
    return None


def _spread(begins: datetime, zones: Sequence[ZoneInfo], best: Hours, allowed: Hours, shopper: str) -> datetime:
    share = int.from_bytes(short_hash("spread", shopper, size=4), "big") / 2**32
    later = begins + share * timedelta(hours=0.9 * (best.closes - best.opens))
    return later if is_open(later, zones[:1], best) and is_open(later, zones, allowed) else begins

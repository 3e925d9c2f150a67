"""The stage machine (P5), as data.

Silence rules first: a shopper quiet for long is at risk, dormant, then lost, whatever she was. One who returns from dormant
or lost is won back for a while; then orders make her loyal, youth makes her new, and otherwise she is active.

    from \\ when        quiet long    back again      many orders     lately come    else
    any               → churn-risk → dormant → lost
    dormant, lost                   → won-back
    won-back (fresh)                  stays
    any                                               → loyal         → new          → active

Rules are tried in order; the first that holds decides, and its reason is kept with the change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from regulars.profiles.config import Lifecycle

GONE = frozenset(("dormant", "lost"))


@dataclass(frozen=True, slots=True)
class Situation:
    """`stage` and since how many days; days since first and last seen; orders in the loyalty window and in all."""

    stage: str
    days_in_stage: float
    days_since_first: float
    days_quiet: float
    orders_in_window: int
    orders: int


@dataclass(frozen=True, slots=True)
class StageRule:
    """`reason` is a stable code."""

    stage: str
    reason: str
    holds: Callable[[Situation, Lifecycle], bool]


RULES: tuple[StageRule, ...] = (
    StageRule("lost", "quiet_for_lost_days", lambda s, c: s.days_quiet >= c.lost_days),
    StageRule("dormant", "quiet_for_dormant_days", lambda s, c: s.days_quiet >= c.dormant_days),
    StageRule("churn-risk", "quiet_for_churn_risk_days", lambda s, c: s.days_quiet >= c.churn_risk_days),
    StageRule("won-back", "returned", lambda s, c: s.stage in GONE),
    StageRule("won-back", "returned", lambda s, c: s.stage == "won-back" and s.days_in_stage < c.won_back_days),
    StageRule("loyal", "loyal_orders", lambda s, c: s.orders_in_window >= c.loyal_orders),
    StageRule("new", "first_seen_lately", lambda s, c: s.days_since_first < c.new_days and s.orders <= 1),
    StageRule("active", "seen_lately", lambda s, c: True),
)


def decide(situation: Situation, config: Lifecycle) -> StageRule:
    """The rule that decides the shopper's stage."""
    return next(rule for rule in RULES if rule.holds(situation, config))

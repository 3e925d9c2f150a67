"""Which of her items a shopper buys again within the horizon, and when: formulas for one pair or for all of them.

A pair is a shopper and an item she bought on two days or more. As in `habits`, a `Pair` holds floats or arrays of one length,
and the features are arithmetic on them.

    rule(pair) = (n + .3) / (T + 60) · exp(−age / (3·gap + 30))

needs no fit and stands in where a shop has too few repeats to learn from: n purchase days, T days since the first of them,
age days since the last, gap the median of the days between. When: the personal median gap after the last purchase, shrunk to
the item's with fewer than three gaps: (k·own + (3−k)·usual) / 3.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log1p
from statistics import median
from typing import Any

FRESH_DAYS = (14.0, 45.0, 150.0)
"""Half-lives of the decayed counts of a pair's purchases."""
SOLD_DAYS = (14, 28, 84)
VISIT_DAYS = (28, 90)
_PRIOR_RATE = (0.5, 5.0)
PAIR_FEATURES = (
    "purchases", "age", "span", "gap", "overdue", "off_gap", "item_rebuying", "item_buyers", "item_trend", "item_lift",
    "visits", "visit_age", "visit_span", "visits_90", "visits_28", "since", "within", "share", "gap_visits", "overdue_visits",
    "fresh_14", "fresh_45", "fresh_150", "rule", "visit_rate",
)  # fmt: skip
PRODUCTS = (
    ("share", "overdue_visits"), ("visits_28", "share"), ("visit_age", "visits_90"), ("item_lift", "rule"),
    ("rule", "visits_28"), ("age", "gap"), ("rule", "rule"), ("visit_age", "visit_age"), ("overdue_visits", "overdue_visits"),
    ("share", "share"), ("fresh_45", "fresh_45"), ("fresh_14", "visits_28"), ("item_rebuying", "share"),
)  # fmt: skip
"""Pairs of features whose product is one more: what a straight line over logarithms cannot say."""
_FACTORS = tuple((PAIR_FEATURES.index(one), PAIR_FEATURES.index(other)) for one, other in PRODUCTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFacts:
    """What all shoppers tell of an item: who ever bought it, who on two days or more, the days they leave between, and
    purchases of the last `SOLD_DAYS`."""

    buyers: Any = 0.0
    rebuyers: Any = 0.0
    gap_days: Any
    sold_14: Any = 0.0
    sold_28: Any = 0.0
    sold_84: Any = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """`purchases` days of the item, `age` days since the last, `span` since the first; `own_gap` the median between them,
    `gap` the same shrunk. `fresh_*`: purchases decayed with `FRESH_DAYS`. The shopper's visits (days with any purchase): how
    many, days since the last and the first, within `VISIT_DAYS`; `since` the last purchase of the item, `within` from its
    first on."""

    purchases: Any
    age: Any
    span: Any
    own_gap: Any
    gap: Any
    fresh_14: Any
    fresh_45: Any
    fresh_150: Any
    visits: Any
    visit_age: Any
    visit_span: Any
    visits_28: Any
    visits_90: Any
    since: Any
    within: Any
    item: ItemFacts


@dataclass(frozen=True, slots=True)
class Due:
    """One item of a shopper's past. `due_in_days` is negative when overdue; `score` ranks, and where `fitted` it is the
    chance of buying within the horizon."""

    item_id: str
    purchases: int
    last_day: int
    gap_days: float
    due_in_days: float
    score: float
    fitted: bool


def shrunk(own: Any, gaps: Any, usual: Any, trusted: int) -> Any:
    """Median of `gaps` gaps, mixed with the usual one below `trusted`; `gaps` at most `trusted`."""
    return (gaps * own + (trusted - gaps) * usual) / trusted


def expected_gap(days: Sequence[int], usual: float, trusted: int) -> float:
    """Days from the last purchase of an item to the next, out of distinct purchase days in order: the median between them,
    shrunk to the `usual` gap below `trusted` gaps; the usual one alone where there is none. The one rule for when something is
    due: the repurchase scene, its reminders and the fitted model count by it."""
    gaps = [later - earlier for earlier, later in pairwise(days)]
    if not gaps:
        return usual
    trusted = max(1, trusted)
    return float(shrunk(float(median(gaps)), min(len(gaps), trusted), usual, trusted))


def rule(pair: Pair, exponential: Callable[[Any], Any]) -> Any:
    """The unfitted rank of a pair."""
    return (pair.purchases + 0.3) / (pair.span + 60) * exponential(-pair.age / (3 * pair.own_gap + 30))


def pair_features(pair: Pair, log: Callable[[Any], Any]) -> tuple[Any, ...]:
    """What the logistic of `pairs` weighs, `PAIR_FEATURES` and then `PRODUCTS`; `log` is log1p."""
    n, item = pair.purchases, pair.item
    gap_visits = (pair.within - 1 - pair.since) / (n - 1)
    told = (
        log(n),
        log(pair.age),
        log(pair.span),
        log(pair.gap),
        log(pair.age / (pair.gap + 1)),
        abs(log(pair.age) - log(pair.gap)),
        log((item.rebuyers + _PRIOR_RATE[0]) / (item.buyers + _PRIOR_RATE[1]) - 1),
        log(item.buyers),
        log(item.sold_14) - log(item.sold_84 / 6),
        log(item.sold_28) - log(item.sold_84 / 3),
        log(pair.visits),
        log(pair.visit_age),
        log(pair.visit_span),
        log(pair.visits_90),
        log(pair.visits_28),
        log(pair.since),
        log(pair.within),
        log(n - 0.5) - log(pair.within + 2),
        log(gap_visits),
        log(pair.since / (gap_visits + 0.5)),
        log(pair.fresh_14),
        log(pair.fresh_45),
        log(pair.fresh_150),
        log(n - 0.7) - log(pair.span + 59) - pair.age / (3 * pair.own_gap + 30),
        log(pair.visits) - log(pair.visit_span + 29),
    )
    return told + tuple(told[one] * told[other] for one, other in _FACTORS)


def pair_of(days: Sequence[int], visits: Sequence[int], item: ItemFacts, today: int, trusted_gaps: int) -> Pair:
    """One shopper's pair: distinct purchase days of the item (two or more) and visit days, in order, all before `today`."""
    gaps = [later - earlier for earlier, later in pairwise(days)]
    own = float(median(gaps))
    fresh = [sum(0.5 ** ((today - day) / half_life) for day in days) for half_life in FRESH_DAYS]
    recent = [len(visits) - bisect_left(visits, today - span) for span in VISIT_DAYS]
    return Pair(
        purchases=float(len(days)),
        age=float(today - days[-1]),
        span=float(today - days[0]),
        own_gap=own,
        gap=expected_gap(days, item.gap_days, trusted_gaps),
        fresh_14=fresh[0],
        fresh_45=fresh[1],
        fresh_150=fresh[2],
        visits=float(len(visits)),
        visit_age=float(today - visits[-1]),
        visit_span=float(today - visits[0]),
        visits_28=float(recent[0]),
        visits_90=float(recent[1]),
        since=float(len(visits) - bisect_right(visits, days[-1])),
        within=float(len(visits) - bisect_left(visits, days[0])),
        item=item,
    )


@dataclass(frozen=True, slots=True)
class Rebuying:
    """What a build learned of rebuying: log odds over `pair_features` (no weights: the rule), item → what is known of it, the
    gap of items that nobody is known to have rebought."""

    horizon_days: int
    intercept: float
    weights: tuple[float, ...]
    items: Mapping[str, ItemFacts]
    usual_gap_days: float
    trusted_gaps: int = 3

    def dues(self, purchases: Mapping[str, Sequence[int]], today: int) -> list[Due]:
        """A shopper's items bought on two days or more before `today`, likeliest first, ties in id order. `purchases`: item
        id → distinct day numbers in order (`date.toordinal()` will do), all her items, since they tell her visits."""
        past = {item: [day for day in days if day < today] for item, days in purchases.items()}
        visits = sorted({day for days in past.values() for day in days})
        found = [self._due(item, days, visits, today) for item, days in past.items() if len(days) > 1]
        return sorted(found, key=lambda due: (-due.score, due.item_id))

    def _due(self, item_id: str, days: Sequence[int], visits: Sequence[int], today: int) -> Due:
        facts = self.items.get(item_id) or ItemFacts(gap_days=self.usual_gap_days)
        pair = pair_of(days, visits, facts, today, self.trusted_gaps)
        if self.weights:
            told = zip(self.weights, pair_features(pair, log1p), strict=True)
            odds = self.intercept + sum(weight * feature for weight, feature in told)
            score = 1 / (1 + exp(-max(-30.0, min(30.0, odds))))
        else:
            score = rule(pair, exp)
        return Due(item_id, len(days), days[-1], pair.gap, pair.gap - pair.age, score, bool(self.weights))

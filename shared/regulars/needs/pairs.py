"""All pairs of a shop as arrays: their state on a day, the logistic of who rebuys what, and the items' own numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.needs.config import RebuyingSettings
from regulars.needs.logistic import Fitted, fit
from regulars.needs.purchases import Floats, Ints, medians
from regulars.needs.rebuying import FRESH_DAYS, SOLD_DAYS, VISIT_DAYS, ItemFacts, Pair, pair_features, shrunk

_PRIOR_GAPS = 5.0
_AT_ONCE = 200_000


@dataclass(frozen=True, slots=True)
class Lines:
    """Distinct (shopper, item, day), sorted so. Shoppers and items count from 0."""

    shopper: Ints
    item: Ints
    day: Ints

    def before(self, cut: int) -> Lines:
        mask = self.day < cut
        return Lines(self.shopper[mask], self.item[mask], self.day[mask])


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of `least_purchases` days or more, with how many gaps lie between; `usual_gap` is the shop's."""

    shopper: Ints
    item: Ints
    gaps: Ints
    state: Pair
    usual_gap: float

    def take(self, where: Ints | slice) -> Pairs:
        """Some of them."""
        state = {name: getattr(self.state, name)[where] for name in Pair.__dataclass_fields__ if name != "item"}
        item = _taken(self.state.item, where)
        return Pairs(self.shopper[where], self.item[where], self.gaps[where], Pair(**state, item=item), self.usual_gap)


def lines_of(shopper: NDArray[np.integer], item: NDArray[np.integer], day: NDArray[np.integer]) -> Lines:
    """Distinct rows out of lines in any order."""
    if not len(day):
        empty = np.zeros(0, np.int64)
        return Lines(empty, empty, empty)
    first, days = int(day.min()), int(day.max()) - int(day.min()) + 1
    items = int(item.max()) + 1
    keys = np.unique((shopper.astype(np.int64) * items + item) * days + (day - first))
    pair, of_day = keys // days, keys % days + first
    return Lines(pair // items, pair % items, of_day)


def sampled(lines: Lines, most: int) -> tuple[Lines, int]:
    """(the lines of every k-th shopper, k): about `most` lines, all of them where they are fewer."""
    every = max(1, -(-len(lines.day) // most))
    if every == 1:
        return lines, 1
    mask = lines.shopper % every == 0
    return Lines(lines.shopper[mask], lines.item[mask], lines.day[mask]), every


def pairs_at(lines: Lines, today: int, settings: RebuyingSettings) -> Pairs:
    """Every pair of at least `least_purchases` days before `today`."""
    known = lines.before(today)
    opens = _opens(known.shopper, known.item)
    row = np.cumsum(opens) - 1
    start = np.flatnonzero(opens)
    count = np.diff(np.append(start, len(row)))
    gaps, of = np.diff(known.day).astype(np.float64), row[1:]
    inside = ~opens[1:]
    own = medians(of[inside], gaps[inside], len(start))
    shopper, item = known.shopper[start], known.item[start]
    first, last = known.day[start], known.day[start + count - 1]
    facts, usual = _items(known, settings, today)
    kept = np.flatnonzero(count >= max(2, settings.least_purchases))
    n, gap_count = count[kept].astype(np.float64), np.minimum(count[kept] - 1, settings.trusted_gaps)
    age = today - known.day
    ages = np.arange(int(age.max(initial=0)) + 1)
    fresh = [np.bincount(row, (0.5 ** (ages / half))[age], len(start))[kept] for half in FRESH_DAYS]
    of_item = _taken(facts, item[kept])
    visits = _Visits(known, today)
    who = shopper[kept]
    state = Pair(
        purchases=n,
        age=(today - last[kept]).astype(np.float64),
        span=(today - first[kept]).astype(np.float64),
        own_gap=own[kept],
        gap=shrunk(own[kept], gap_count, of_item.gap_days, settings.trusted_gaps),
        fresh_14=fresh[0],
        fresh_45=fresh[1],
        fresh_150=fresh[2],
        visits=visits.count[who],
        visit_age=visits.age[who],
        visit_span=visits.span[who],
        visits_28=visits.recent[0][who],
        visits_90=visits.recent[1][who],
        since=visits.after(who, last[kept] + 1),
        within=visits.after(who, first[kept]),
        item=of_item,
    )
    return Pairs(who, item[kept], count[kept] - 1, state, usual)


class _Visits:
    """Distinct (shopper, day) before today, and each shopper's numbers."""

    def __init__(self, known: Lines, today: int) -> None:
        self._first = int(known.day.min()) if len(known.day) else today
        self._width = max(1, today - self._first + 1)
        self._keys = np.unique(known.shopper * self._width + known.day - self._first)
        shopper, day = self._keys // self._width, self._keys % self._width + self._first
        shoppers = int(shopper[-1]) + 1 if len(shopper) else 0
        self.count = np.bincount(shopper, minlength=shoppers).astype(np.float64)
        self._end = np.cumsum(self.count).astype(np.int64)
        newest, oldest = np.zeros(shoppers), np.zeros(shoppers)
        newest[shopper] = day  # of equal indices the last assignment stands: the newest day
        oldest[shopper[::-1]] = day[::-1]
        self.age, self.span = today - newest, today - oldest
        self.recent = [np.bincount(shopper[day >= today - days], minlength=shoppers).astype(np.float64) for days in VISIT_DAYS]

    def after(self, shopper: Ints, day: Ints) -> Floats:
        """Visits of each shopper on that day or later."""
        at = np.searchsorted(self._keys, shopper * self._width + day - self._first)
        return (self._end[shopper] - at).astype(np.float64)


def _opens(shopper: Ints, item: Ints) -> NDArray[np.bool_]:
    opens = np.ones(len(shopper), dtype=np.bool_)
    opens[1:] = (shopper[1:] != shopper[:-1]) | (item[1:] != item[:-1])
    return opens


def _items(known: Lines, settings: RebuyingSettings, today: int) -> tuple[ItemFacts, float]:
    """(numbers of every item, the usual gap of the shop). An item's gap is the median of all gaps its rebuyers left, with
    five more of the shop's: means of so skewed a thing tell no date."""
    items = int(known.item.max()) + 1 if len(known.item) else 0
    opens = _opens(known.shopper, known.item)
    inside = ~opens[1:]
    gaps, of = np.diff(known.day)[inside].astype(np.float64), known.item[1:][inside]
    usual = float(np.median(gaps)) if len(gaps) else settings.default_gap_days
    count = np.bincount(of, minlength=items)
    own = np.nan_to_num(medians(of, gaps, items))
    second = inside & opens[:-1]
    sold = [np.bincount(known.item[known.day >= today - days], minlength=items).astype(np.float64) for days in SOLD_DAYS]
    facts = ItemFacts(
        buyers=np.bincount(known.item[opens], minlength=items).astype(np.float64),
        rebuyers=np.bincount(known.item[1:][second], minlength=items).astype(np.float64),
        gap_days=(count * own + _PRIOR_GAPS * usual) / (count + _PRIOR_GAPS),
        sold_14=sold[0],
        sold_28=sold[1],
        sold_84=sold[2],
    )
    return facts, usual


def _taken(facts: ItemFacts, where: Ints | slice) -> ItemFacts:
    return ItemFacts(
        buyers=facts.buyers[where],
        rebuyers=facts.rebuyers[where],
        gap_days=facts.gap_days[where],
        sold_14=facts.sold_14[where],
        sold_28=facts.sold_28[where],
        sold_84=facts.sold_84[where],
    )


def item_facts(lines: Lines, today: int, settings: RebuyingSettings) -> tuple[ItemFacts, float]:
    """Numbers of every item before `today`, and the usual gap of the shop."""
    return _items(lines.before(today), settings, today)


def matrix(pairs: Pairs) -> Floats:
    """(pairs, features)."""
    return np.column_stack(pair_features(pairs.state, np.log1p))


def scores(fitted: Fitted, pairs: Pairs) -> Floats:
    """Log odds of each pair, a block at a time: all features of millions of pairs would not fit."""
    starts = range(0, len(pairs.shopper), _AT_ONCE)
    parts = [fitted.score(matrix(pairs.take(slice(start, start + _AT_ONCE)))) for start in starts]
    return np.concatenate(parts) if parts else np.zeros(0)


def rebought(lines: Lines, pairs: Pairs, start: int, end: int) -> NDArray[np.bool_]:
    """Which pairs are bought in [start, end)."""
    mask = (lines.day >= start) & (lines.day < end)
    width = int(max(lines.item.max(initial=0), pairs.item.max(initial=0))) + 1
    found: NDArray[np.bool_] = np.isin(pairs.shopper * width + pairs.item, lines.shopper[mask] * width + lines.item[mask])
    return found


def learn(lines: Lines, cut: int, settings: RebuyingSettings) -> Fitted | None:
    """The logistic, out of `training_cuts` windows of the horizon that end at `cut` and before, an even sample of their pairs
    where there are more than `max_rows`; None where fewer than `min_hits` pairs were rebought in them."""
    horizon, parts, hits = settings.horizon_days, [], 0
    for step in range(1, settings.training_cuts + 1):
        day = cut - step * horizon
        pairs = pairs_at(lines, day, settings)
        if not len(pairs.shopper):
            break
        happened = rebought(lines, pairs, day, day + horizon)
        hits += int(happened.sum())
        even = np.arange(0, len(happened), max(1, -(-len(happened) * settings.training_cuts // settings.max_rows)))
        parts.append((matrix(pairs.take(even)), happened[even]))
    if hits < settings.min_hits:
        return None
    features, happened = (np.concatenate([part[n] for part in parts]) for n in (0, 1))
    return fit(features, happened, settings.ridge)

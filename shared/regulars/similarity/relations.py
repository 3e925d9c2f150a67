"""One rule per relation: interactions → weighted rows → neighbours.

Every relation divides by popularity (n + shrink)^power on both sides, where n is the sum of squares of an item's
weights, and every weight halves with each half-life of the interaction's age. The newest distinct items
of a shopper count, at most `max_items_per_shopper`: a reseller who buys everything says little about likeness.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np

from regulars.clock import to_ms
from regulars.similarity.config import (
    BuildLimits,
    NextWeighting,
    SimilaritySettings,
    SimilarWeighting,
    TogetherWeighting,
    Weighting,
)
from regulars.similarity.interactions import KINDS, PURCHASE, VIEW, Floats, Interactions, Ints
from regulars.similarity.kernel import Rows, TopK, stack, top_neighbours
from regulars.similarity.model import NEXT, SIMILAR, TOGETHER

_DAY_MS = 86_400_000


def build_relations(data: Interactions, settings: SimilaritySettings, now: datetime) -> dict[str, TopK]:
    """The neighbours by relation; empty arrays where there is no data."""
    now_ms = to_ms(now)
    limits, kinds = settings.build, kind_weights(settings.kinds)
    similar, together, after = settings.relations.similar, settings.relations.together, settings.relations.next
    bought = data.where(data.kind == PURCHASE)
    rows = {
        SIMILAR: (similar_rows(data, similar, kinds, limits, now_ms),) * 2,
        TOGETHER: (together_rows(bought, together, limits, now_ms),) * 2,
        NEXT: next_rows(data.where(data.kind != VIEW) if len(bought) else data, after, limits, now_ms),
    }
    enough = support(data) >= limits.min_interactions
    weighting: Mapping[str, Weighting] = {SIMILAR: similar, TOGETHER: together, NEXT: after}
    return {
        relation: neighbours(left, right, weighting[relation], enough.astype(np.float64))
        for relation, (left, right) in rows.items()
    }


def kind_weights(weights: Mapping[str, float]) -> Floats:
    """The weight of each kind, by its number; kinds that are not named weigh nothing."""
    return np.array([weights.get(kind, 0.0) for kind in KINDS])


def support(data: Interactions) -> Ints:
    """Interactions of each item."""
    return np.bincount(data.item, minlength=len(data.item_ids))


def neighbours(left: Rows, right: Rows, weighting: Weighting, eligible: Floats) -> TopK:
    """Scaled by popularity and cut to the best `keep`; items that are not eligible (0) neither have nor are neighbours."""
    n_items = len(eligible)
    source = np.bincount(left.columns, left.values**2, n_items)
    target = np.bincount(right.columns, right.values**2, n_items)
    return top_neighbours(
        left,
        right,
        eligible * (source + weighting.shrink) ** -weighting.source_power,
        eligible * (target + weighting.shrink) ** -weighting.popularity_power,
        weighting.keep,
    )


def similar_rows(data: Interactions, weighting: SimilarWeighting, kinds: Floats, limits: BuildLimits, now_ms: int) -> Rows:
    """Shoppers with their strongest deed per item, and below them view sessions with their distinct items."""
    whole = _distinct(data.shopper, data, kinds[data.kind], weighting, limits, now_ms)
    viewed = data.where(data.kind == VIEW)
    gap_ms = weighting.session_gap_minutes * 60_000
    fresh = np.ones(len(viewed), dtype=bool)
    fresh[1:] = (np.diff(viewed.shopper) != 0) | (np.diff(viewed.at) > gap_ms)
    strength = np.full(len(viewed), np.sqrt(weighting.session_weight))
    return stack([whole, _distinct(np.cumsum(fresh), viewed, strength, weighting, limits, now_ms)])


def together_rows(bought: Interactions, weighting: TogetherWeighting, limits: BuildLimits, now_ms: int) -> Rows:
    """Orders, and below them what a shopper bought within `nearby_days` (two half-overlapping calendars, so that
    neighbours across an edge meet once)."""
    parts = [_distinct(bought.group, bought, np.ones(len(bought)), weighting, limits, now_ms)]
    span = weighting.nearby_days * _DAY_MS
    for offset in (0, span // 2):
        bucket = (bought.at + offset) // span
        _, row = np.unique(np.stack((bought.shopper, bucket)), axis=1, return_inverse=True)
        strength = np.full(len(bought), np.sqrt(weighting.nearby_weight / 2))
        parts.append(_distinct(row.reshape(-1), bought, strength, weighting, limits, now_ms))
    return stack(parts)


def next_rows(data: Interactions, weighting: NextWeighting, limits: BuildLimits, now_ms: int) -> tuple[Rows, Rows]:
    """Forward only: one row per shopper and instant; right its items, left the up to `window` items before it.

    The weight of an earlier item is 1/steps^gap_power, halved each half-life by the age of the later instant.
    """
    del limits  # the window bounds the work already
    fresh = np.ones(len(data), dtype=bool)
    fresh[1:] = (np.diff(data.shopper) != 0) | (np.diff(data.at) != 0)
    first = np.flatnonzero(fresh)
    moment = np.cumsum(fresh) - 1
    newcomer = np.ones(len(data), dtype=bool)
    newcomer[1:] = np.diff(data.shopper) != 0
    begun = np.maximum.accumulate(np.where(newcomer, np.arange(len(data)), 0))[first]
    reach = np.minimum(first - begun, weighting.window)
    row = np.repeat(np.arange(len(first)), reach)
    steps = np.arange(len(row)) - np.repeat(np.cumsum(reach) - reach, reach) + 1
    earlier = first[row] - steps
    near = data.at[first[row]] - data.at[earlier] <= weighting.within_days * _DAY_MS
    row, steps, earlier = row[near], steps[near], earlier[near]
    fading = _fading(data.at[first], weighting.half_life_days, now_ms)
    left = _rows(row, data.item[earlier], steps**-weighting.gap_power * fading[row], len(first))
    right = _rows(moment, data.item, np.ones(len(data)), len(first))
    return left, right


def _rows(row: Ints, column: Ints, value: Floats, count: int) -> Rows:
    """Rows that may be empty, of triplets sorted by row."""
    starts = np.searchsorted(row, np.arange(count + 1))
    return Rows(starts.astype(np.int64), column.astype(np.int64), value.astype(np.float64))


def _distinct(row: Ints, data: Interactions, strength: Floats, weighting: Weighting, limits: BuildLimits, now_ms: int) -> Rows:
    """Per row each item once, with its highest strength × fading, newest `max_items_per_shopper`, by length normalised."""
    fading = _fading(data.at, weighting.half_life_days, now_ms)
    value = strength * fading
    order = np.lexsort((-value, data.item, row))
    row, item, value, at = row[order], data.item[order], value[order], data.at[order]
    once = np.ones(len(row), dtype=bool)
    once[1:] = (np.diff(row) != 0) | (np.diff(item) != 0)
    once &= value > 0
    row, item, value, at = row[once], item[once], value[once], at[once]
    order = np.lexsort((item, -at, row))
    row, item, value = row[order], item[order], value[order]
    rows = Rows.from_entries(row, item, value)
    place = np.arange(len(row)) - np.repeat(rows.starts[:-1], rows.lengths())
    short = place < limits.max_items_per_shopper
    rows = Rows.from_entries(row[short], item[short], value[short])
    shortened = np.repeat(rows.lengths().astype(np.float64) ** (-weighting.length_power / 2), rows.lengths())
    return Rows(rows.starts, rows.columns, rows.values * shortened)


def _fading(at: Ints, half_life_days: float, now_ms: int) -> Floats:
    """0.5 to the age in half-lives; what lies ahead of `now` counts as of now."""
    age_days = np.maximum(now_ms - at, 0) / _DAY_MS
    faded: Floats = 0.5 ** (age_days / half_life_days)
    return faded


def repeat_gaps(bought: Interactions) -> dict[int, float]:
    """Item number → median days between one shopper's purchases of it on different days; items never rebought are absent."""
    day = bought.at // _DAY_MS
    order = np.lexsort((day, bought.item, bought.shopper))
    shopper, item, day = bought.shopper[order], bought.item[order], day[order]
    again = (np.diff(shopper) == 0) & (np.diff(item) == 0) & (np.diff(day) > 0)
    gaps, items = np.diff(day)[again], item[1:][again]
    order = np.lexsort((gaps, items))
    gaps, items = gaps[order], items[order]
    numbers, first, counts = np.unique(items, return_index=True, return_counts=True)
    middle = (gaps[first + (counts - 1) // 2] + gaps[first + counts // 2]) / 2
    return dict(zip(numbers.tolist(), middle.tolist(), strict=True))

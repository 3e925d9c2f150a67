"""One rule per relation: interactions → weighted rows → neighbours.

Every relation divides by popularity (n + shrink)^power on both sides, where n is the sum of squares of an item's
weights, and every weight halves with each half-life of the interaction's age. The newest distinct items
of a shopper count, at most `max_items_per_shopper`: a reseller who buys everything says little about likeness.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
_DAYS = 2**24
"""More than there are days or spans of days in any log: with it two numbers make one key."""
_MOMENTS = 10_000
"""Instants whose steps are worked out at once: with thirty on either side 600,000, some 80 bytes each on the way."""
_AT_ONCE = 1_000_000
"""Entries whose squares are summed at once."""
ROWED = (SIMILAR, TOGETHER, NEXT)
"""Relations made of weighted rows."""


def build_relations(data: Interactions, settings: SimilaritySettings, now: datetime) -> dict[str, TopK]:
    """The neighbours by relation; empty arrays where there is no data."""
    return {name: build_relation(data, settings, to_ms(now), name) for name in weightings(settings)}


def build_relation(data: Interactions, settings: SimilaritySettings, now_ms: int, name: str) -> TopK:
    """The neighbours by one relation that is made of rows."""
    return scaled_neighbours(data, settings, rows_of(data, settings, now_ms, name), name)


def rows_of(data: Interactions, settings: SimilaritySettings, now_ms: int, name: str) -> tuple[Rows, Rows]:
    """The relation's (left, right) rows, which `keep`, `shrink` and the powers of popularity have no part in."""
    left, right = weighted_parts(data, settings, now_ms, bool((data.kind == PURCHASE).any()), (name,))[name]
    whole = stack(left)
    return whole, whole if right is left else stack(right)


def scaled_neighbours(data: Interactions, settings: SimilaritySettings, rows: tuple[Rows, Rows], name: str) -> TopK:
    """The neighbours by the relation's rows."""
    enough = (support(data) >= settings.build.min_interactions).astype(np.float64)
    return neighbours(*rows, weightings(settings)[name], enough)


def weightings(settings: SimilaritySettings) -> Mapping[str, Weighting]:
    """The weighting of each relation that is made of rows."""
    relations = settings.relations
    return {SIMILAR: relations.similar, TOGETHER: relations.together, NEXT: relations.next}


def weighted_parts(
    data: Interactions, settings: SimilaritySettings, now_ms: int, purchases: bool, names: Iterable[str] = ROWED
) -> dict[str, tuple[list[Rows], list[Rows]]]:
    """Relation → (left, right) rows, part by part, each part in order of shoppers; no row spans two shoppers, so that any
    split of the log by shopper gives the same rows. `purchases` says whether anybody in the whole log bought."""
    limits, relations = settings.build, settings.relations
    made: dict[str, tuple[list[Rows], list[Rows]]] = {}
    for name in names:
        if name == SIMILAR:
            parts = similar_parts(data, relations.similar, kind_weights(settings.kinds), limits, now_ms)
            made[name] = (parts, parts)
        elif name == TOGETHER:
            parts = together_parts(data.where(data.kind == PURCHASE), relations.together, limits, now_ms)
            made[name] = (parts, parts)
        else:
            followed = data.where(data.kind != VIEW) if purchases and not relations.next.views else data
            left, right = next_rows(followed, relations.next, limits, now_ms)
            made[name] = ([left], [right])
    return made


def kind_weights(weights: Mapping[str, float]) -> Floats:
    """The weight of each kind, by its number; kinds that are not named weigh nothing."""
    return np.array([weights.get(kind, 0.0) for kind in KINDS])


def support(data: Interactions) -> Ints:
    """Interactions of each item."""
    return np.bincount(data.item, minlength=len(data.item_ids))


def neighbours(left: Rows, right: Rows, weighting: Weighting, eligible: Floats) -> TopK:
    """Scaled by popularity and cut to the best `keep`; items that are not eligible (0) neither have nor are neighbours."""
    n_items = len(eligible)
    source, target = scales(mass(left, n_items), mass(right, n_items), weighting, eligible)
    return top_neighbours(left, right, source, target, weighting.keep)


def mass(rows: Rows, n_items: int) -> Floats:
    """The popularity n of each item: the sum of squares of its weights."""
    squares = np.zeros(n_items)
    for low in range(0, len(rows.columns), _AT_ONCE):  # what bincount makes of its arguments is three times as large
        part = slice(low, low + _AT_ONCE)
        squares += np.bincount(rows.columns[part], rows.values[part].astype(np.float64) ** 2, n_items)
    return squares


def scales(left_mass: Floats, right_mass: Floats, weighting: Weighting, eligible: Floats) -> tuple[Floats, Floats]:
    """(source, target) scale of each item."""
    source: Floats = eligible * (left_mass + weighting.shrink) ** -weighting.source_power
    target: Floats = eligible * (right_mass + weighting.shrink) ** -weighting.popularity_power
    return source, target


def similar_parts(
    data: Interactions, weighting: SimilarWeighting, kinds: Floats, limits: BuildLimits, now_ms: int
) -> list[Rows]:
    """Shoppers with their strongest deed per item, and below them view sessions with their distinct items."""
    whole = weighted_distinct(data.shopper, data, kinds[data.kind], weighting, limits, now_ms)
    if weighting.session_weight <= 0:
        return [whole]
    viewed = data.where(data.kind == VIEW)
    gap_ms = weighting.session_gap_minutes * 60_000
    fresh = np.ones(len(viewed), dtype=bool)
    fresh[1:] = (np.diff(viewed.shopper) != 0) | (np.diff(viewed.at) > gap_ms)
    strength = np.full(len(viewed), np.sqrt(weighting.session_weight))
    return [whole, weighted_distinct(np.cumsum(fresh), viewed, strength, weighting, limits, now_ms)]


def together_parts(bought: Interactions, weighting: TogetherWeighting, limits: BuildLimits, now_ms: int) -> list[Rows]:
    """Orders, and below them what a shopper bought within `nearby_days` (two half-overlapping calendars, so that
    neighbours across an edge meet once)."""
    parts = [weighted_distinct(bought.group, bought, np.ones(len(bought)), weighting, limits, now_ms)]
    span = weighting.nearby_days * _DAY_MS
    for offset in (0, span // 2):
        bucket = (bought.at + offset) // span
        _, row = np.unique(bought.shopper.astype(np.int64) * _DAYS + bucket, return_inverse=True)
        strength = np.full(len(bought), np.sqrt(weighting.nearby_weight / 2))
        parts.append(weighted_distinct(row.reshape(-1), bought, strength, weighting, limits, now_ms))
    return parts


def next_rows(data: Interactions, weighting: NextWeighting, limits: BuildLimits, now_ms: int) -> tuple[Rows, Rows]:
    """One row per shopper and instant: right its items, left the up to `window` items before it and, at `backward` of the
    weight, after it.

    The weight of a left item is 1/steps^gap_power, halved each half-life by the age of the instant, and divided by
    (interactions of the shopper)^length_power.
    """
    del limits  # the window bounds the work already
    first = np.flatnonzero(_begins(data.shopper) | _begins(data.at))
    last = np.append(first[1:], len(data))[: len(first)] - 1
    bounds = np.searchsorted(data.shopper, np.arange(len(data.shopper_ids) + 1))
    owner = data.shopper[first]
    fading = fading_of(data.at[first], weighting.half_life_days, now_ms)
    fading = fading * (bounds[owner + 1] - bounds[owner]).astype(np.float64) ** -weighting.length_power
    before, after = first - bounds[owner], bounds[owner + 1] - 1 - last
    parts = [
        _steps(data, (first[part], before[part]), (last[part], after[part]), fading[part], weighting)
        for part in (slice(low, low + _MOMENTS) for low in range(0, max(1, len(first)), _MOMENTS))
    ]
    lengths, column, value = (np.concatenate([part.pop(0) for part in parts]) for _ in range(3))
    moment = np.append(first, len(data)) if len(first) else np.zeros(1, dtype=np.int64)
    left = Rows(np.concatenate(([0], np.cumsum(lengths))), column, value)
    return left, Rows(moment.astype(np.int64), data.item, np.ones(len(data), dtype=np.float32))


def next_steps(data: Interactions, weighting: NextWeighting) -> int:
    """How many entries `next_rows` makes on the left."""
    first = np.flatnonzero(_begins(data.shopper) | _begins(data.at))
    last = np.append(first[1:], len(data))[: len(first)] - 1
    bounds = np.searchsorted(data.shopper, np.arange(len(data.shopper_ids) + 1))
    owner = data.shopper[first]
    sides = [first - bounds[owner], *([bounds[owner + 1] - 1 - last] if weighting.backward > 0 else [])]
    return sum(int(np.minimum(side, weighting.window).sum()) for side in sides)


def _steps(
    data: Interactions, before: tuple[Ints, Ints], after: tuple[Ints, Ints], fading: Floats, weighting: NextWeighting
) -> list[NDArray[Any]]:
    """[length of each row, columns, values] of some moments; `before` and `after`: (edge, room) of each."""
    sides = [_beside(data, *before, -1, weighting)]
    if weighting.backward > 0:
        sides.append(_beside(data, *after, 1, weighting))
    counts = [np.bincount(row, minlength=len(fading)) for row, _, _ in sides]
    lengths: Ints = np.sum(counts, axis=0, dtype=np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    column, value = np.empty(starts[-1], dtype=np.int32), np.empty(starts[-1], dtype=np.float32)  # as the kernel takes them
    offset = starts[:-1]
    for (row, items, weights), count, strength in zip(sides, counts, (1.0, weighting.backward), strict=False):
        place = np.arange(len(row)) + np.repeat(offset - (np.cumsum(count) - count), count)
        column[place], value[place] = items, weights * np.repeat(fading * strength, count)
        offset = offset + count
    return [lengths, column, value]


def _beside(data: Interactions, edge: Ints, room: Ints, side: int, weighting: NextWeighting) -> tuple[Ints, Ints, Floats]:
    """(row, item, weight) of up to `window` interactions before (side -1) or after (1) the edge of each instant; `room` is
    how many of the shopper there are. Sorted by row."""
    reach = np.minimum(room, weighting.window)
    row = np.repeat(np.arange(len(edge)), reach)
    steps = np.arange(len(row)) - np.repeat(np.cumsum(reach) - reach, reach)
    other = edge[row] + side * (steps + 1)
    if weighting.within_days > 0:
        close = np.abs(data.at[edge[row]] - data.at[other]) <= weighting.within_days * _DAY_MS
        row, steps, other = row[close], steps[close], other[close]
    by_step = np.arange(1, weighting.window + 1) ** -weighting.gap_power
    return row, data.item[other], by_step[steps]


def _begins(column: Ints) -> NDArray[np.bool_]:
    """Whether each entry differs from the one before; the first does."""
    begins = np.ones(len(column), dtype=bool)
    begins[1:] = column[1:] != column[:-1]
    return begins


def weighted_distinct(
    row: Ints, data: Interactions, strength: Floats, weighting: Weighting, limits: BuildLimits, now_ms: int
) -> Rows:
    """Per row each item once, with its highest strength × fading, newest `max_items_per_shopper`, by length normalised."""
    value = strength * fading_of(data.at, weighting.half_life_days, now_ms)
    weighs = value > 0
    if not weighs.all():
        row, item, value, at = row[weighs], data.item[weighs], value[weighs], data.at[weighs]
    else:
        item, at = data.item, data.at
    n_items = max(1, len(data.item_ids))
    key = row.astype(np.int64) * n_items + item
    order = np.argsort(key)
    key = key[order]
    begins = np.flatnonzero(_begins(key))
    if not len(begins):
        return Rows.from_entries(key, key, value)
    key, value, at = key[begins], np.maximum.reduceat(value[order], begins), np.maximum.reduceat(at[order], begins)
    del order, begins  # of ten million entries each is 80 MB
    starts = np.append(np.flatnonzero(_begins(key // n_items)), len(key))
    rows = _newest(Rows(starts, key % n_items, value), at, limits.max_items_per_shopper)
    lengths = rows.lengths()
    shortened = np.repeat(lengths.astype(np.float64) ** (-weighting.length_power / 2), lengths)
    return Rows(rows.starts, rows.columns, np.multiply(rows.values, shortened, out=shortened))


def _newest(rows: Rows, at: Ints, most: int) -> Rows:
    """At most `most` entries of each row, the newest; equal instants in item order."""
    lengths = rows.lengths()
    if lengths.max(initial=0) <= most:
        return rows
    owner = rows.row_of_entry()
    order = np.lexsort((rows.columns, -at, owner))
    kept = np.sort(order[np.arange(len(owner)) - np.repeat(rows.starts[:-1], lengths) < most])
    starts = np.concatenate(([0], np.cumsum(np.minimum(lengths, most))))
    return Rows(starts.astype(np.int64), rows.columns[kept], rows.values[kept])


def fading_of(at: Ints, half_life_days: float, now_ms: int) -> Floats:
    """0.5 to the age in half-lives; what lies ahead of `now` counts as of now. A half-life of 0 never ends."""
    if half_life_days <= 0:
        return np.ones(len(at))
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

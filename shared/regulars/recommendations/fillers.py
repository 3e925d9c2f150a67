"""Threshold fillers: the cheapest useful items that close the gap ("spend 200, save 50").

Useful is what goes with the cart, or sells. Of at most `POOL` of the most useful, the cheapest set of one to three that closes
the gap is found exactly (a covering knapsack of bounded size, by sorted prices and two pointers); two small items may be
cheaper than one big. Single items that close it alone follow, cheapest first. When nothing closes it, the set that comes
nearest is shown.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regulars.recommendations.config import Threshold
from regulars.recommendations.model import Candidate
from regulars.recommendations.situation import Situation

CLOSES, CLOSES_WITH, HELPS = "closes_gap", "closes_gap_with", "helps_close_gap"
POOL = 80
"""Most useful items that are combined: three of eighty are 82,160 sets, which two pointers walk in 3,240 steps."""


@dataclass(frozen=True, slots=True)
class Gap:
    """How far the cart is from the next saving. `gap_cents` 0: the highest is reached. `reached_save_cents`: what the cart
    saves already."""

    spend_cents: int
    save_cents: int
    currency: str
    cart_cents: int
    gap_cents: int
    reached_save_cents: int = 0
    tiers: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The cheapest set that closes the gap; ids by usefulness."""

    item_ids: tuple[str, ...]
    total_cents: int


def gap_of(situation: Situation, threshold: Threshold) -> Gap | None:
    """None when there is no threshold, the cart is empty, or its currency is not the threshold's."""
    known = [situation.snapshot[item_id] for item_id in situation.cart if item_id in situation.snapshot]
    tiers = sorted({(threshold.spend_cents, threshold.save_cents), *((t.spend_cents, t.save_cents) for t in threshold.further)})
    tiers = [tier for tier in tiers if tier[0] > 0]
    currency = threshold.currency or (known[0].currency if known else "")
    if not tiers or not currency or (not known and situation.ask.cart_cents is None):
        return None
    cents = situation.ask.cart_cents
    if cents is None:
        same = [item for item in known if item.currency == currency]
        if not same:
            return None
        cents = sum(item.price_cents for item in same)
    spend, save = next((tier for tier in tiers if tier[0] > cents), tiers[-1])
    reached = max((tier[1] for tier in tiers if tier[0] <= cents), default=0)
    return Gap(spend, save, currency, cents, max(0, spend - cents), reached, tuple(tiers))


def cheapest_plan(situation: Situation, gap: Gap, useful: Mapping[str, float], combined: int) -> Plan | None:
    """The cheapest set of at most `combined` (1 to 3) that closes the gap; of equally cheap ones the smaller, then the more
    useful. None when no set closes it."""
    priced = _priced(situation, gap, useful)
    chosen = cheapest_cover([cents for cents, _, _ in priced], gap.gap_cents, max(1, min(3, combined)))
    if not chosen:
        return None
    entries = sorted((priced[place] for place in chosen), key=lambda entry: (entry[1], entry[2]))
    return Plan(tuple(item_id for _, _, item_id in entries), sum(cents for cents, _, _ in entries))


def fillers(situation: Situation, gap: Gap, useful: Mapping[str, float], plan: Plan | None) -> list[Candidate]:
    """At most `threshold.fillers` (the plan is never cut), best first, scored 1 downwards; `useful` maps ids that may be shown
    to how useful they are."""
    if gap.gap_cents <= 0:
        return []
    count, details = situation.settings.threshold.fillers, _details(gap)
    priced = _priced(situation, gap, useful)
    found: list[tuple[str, str, tuple[str, ...]]] = []
    if plan is None:
        nearest = sorted(priced, key=lambda entry: (-entry[0], *entry[1:]))[:count]
        found = [(item_id, HELPS, ()) for _, _, item_id in nearest]
    else:
        for item_id in plan.item_ids:
            others = tuple(other for other in plan.item_ids if other != item_id)
            found.append((item_id, CLOSES_WITH if others else CLOSES, others))
        singles = (item_id for cents, _, item_id in priced if cents >= gap.gap_cents and item_id not in plan.item_ids)
        found += [(item_id, CLOSES, ()) for item_id in singles]
        found = found[: max(count, len(plan.item_ids))]
        details = {**details, "total_cents": plan.total_cents}
    return [
        Candidate(item_id, 1.0 - 0.05 * place, code, others, details) for place, (item_id, code, others) in enumerate(found)
    ]


def _details(gap: Gap) -> dict[str, int | str]:
    return {"gap_cents": gap.gap_cents, "save_cents": gap.save_cents, "currency": gap.currency}


def _priced(situation: Situation, gap: Gap, useful: Mapping[str, float]) -> list[tuple[int, float, str]]:
    """(price, −usefulness, id), cheapest first, of the most useful in the gap's currency."""
    best = sorted(useful.items(), key=lambda pair: (-pair[1], pair[0]))
    items = ((situation.snapshot[item_id], score) for item_id, score in best)
    priced = [
        (item.price_cents, -score, item.item_id)
        for item, score in items
        if item.currency == gap.currency and item.price_cents > 0
    ]
    return sorted(priced[:POOL])


def cheapest_cover(prices: Sequence[int], gap: int, size: int) -> tuple[int, ...]:
    """Places of the cheapest set of at most `size` that adds up to the gap or more; `prices` ascend. Empty when none does."""
    best: tuple[int, ...] = ()
    lowest: float = float("inf")
    for count in range(1, size + 1):
        total, places = _cover(prices, gap, count, 0)
        if total < lowest:
            lowest, best = total, places
    return best


def _cover(prices: Sequence[int], gap: int, count: int, start: int) -> tuple[float, tuple[int, ...]]:
    """Cheapest of exactly `count` places from `start` on."""
    none: tuple[float, tuple[int, ...]] = (float("inf"), ())
    if count == 1:
        place = bisect_left(prices, gap, start)
        return (prices[place], (place,)) if place < len(prices) else none
    if count == 2:
        return _pair(prices, gap, start)
    found = none
    for place in range(start, len(prices) - count + 1):
        total, places = _cover(prices, gap - prices[place], count - 1, place + 1)
        if prices[place] + total < found[0]:
            found = (prices[place] + total, (place, *places))
    return found


def _pair(prices: Sequence[int], gap: int, start: int) -> tuple[float, tuple[int, ...]]:
    low, high = start, len(prices) - 1
    best, places = float("inf"), tuple[int, ...]()
    while low < high:
        total = prices[low] + prices[high]
        if total >= gap:
            if total <= best:  # of equal prices the more useful comes first
                best, places = total, (low, high)
            high -= 1
        else:
            low += 1
    return best, places

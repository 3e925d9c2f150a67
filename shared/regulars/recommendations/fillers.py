"""Threshold fillers: the cheapest useful items that close the gap ("spend 200, save 50").

Useful is what the cart's neighbours or popularity name. First come single items that close the gap, cheapest first; when
none does, the dearest useful items below it, which close it together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from regulars.recommendations.config import Threshold
from regulars.recommendations.model import Candidate
from regulars.recommendations.situation import Situation

CLOSES, HELPS = "closes_gap", "helps_close_gap"


@dataclass(frozen=True, slots=True)
class Gap:
    """How far the cart is from the saving. `gap_cents` 0: reached."""

    spend_cents: int
    save_cents: int
    currency: str
    cart_cents: int
    gap_cents: int


def gap_of(situation: Situation, threshold: Threshold) -> Gap | None:
    """None when there is no threshold, the cart is empty, or its currency is not the threshold's."""
    known = [situation.snapshot[item_id] for item_id in situation.cart if item_id in situation.snapshot]
    currency = threshold.currency or (known[0].currency if known else "")
    if threshold.spend_cents <= 0 or not currency or (not known and situation.ask.cart_cents is None):
        return None
    cents = situation.ask.cart_cents
    if cents is None:
        cents = sum(item.price_cents for item in known if item.currency == currency)
    return Gap(threshold.spend_cents, threshold.save_cents, currency, cents, max(0, threshold.spend_cents - cents))


def fillers(situation: Situation, gap: Gap, useful: Mapping[str, float], count: int) -> list[Candidate]:
    """At most `count`, best first, scored 1 downwards; `useful` maps ids that may be shown to how useful they are."""
    if gap.gap_cents <= 0:
        return []
    priced = [
        (situation.snapshot[item_id].price_cents, -score, item_id)
        for item_id, score in useful.items()
        if situation.snapshot[item_id].currency == gap.currency and situation.snapshot[item_id].price_cents > 0
    ]
    closing = sorted(entry for entry in priced if entry[0] >= gap.gap_cents)[:count]
    if closing:
        chosen = [(CLOSES, entry) for entry in closing]
    else:
        chosen = [(HELPS, entry) for entry in sorted(priced, key=lambda entry: (-entry[0], entry[1:]))[:count]]
    details = {"gap_cents": gap.gap_cents, "save_cents": gap.save_cents, "currency": gap.currency}
    return [Candidate(item_id, 1.0 - 0.05 * place, code, (), details) for place, (code, (_, _, item_id)) in enumerate(chosen)]

"""What a shopper did lately, weighted: how the history is weighted matters more than which similarity.

An item's weight is (kind factor) · 0.5^(age / half-life) · (1 + rank)^−rank_power, with age from the newest deed (so that a
shopper who was long away is still known by her last visit) and rank by recency.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time

from regulars.profiles.model import Profile
from regulars.recommendations.config import HistorySettings


@dataclass(frozen=True, slots=True)
class Deed:
    """The strongest thing done with an item, and when it was last touched."""

    item_id: str
    kind: str
    at: datetime
    weight: float


def recent(profile: Profile, settings: HistorySettings) -> list[Deed]:
    """The newest `settings.items` items with their weights, newest first; ties in id order."""
    latest: dict[str, datetime] = {}
    strongest: dict[str, str] = {}
    for item_id, kind, at in _deeds(profile):
        if item_id not in latest or at > latest[item_id]:
            latest[item_id] = at
        known = strongest.get(item_id)
        if known is None or settings.kinds.get(kind, 0.0) > settings.kinds.get(known, 0.0):
            strongest[item_id] = kind
    ordered = sorted(latest, key=lambda item_id: (-latest[item_id].timestamp(), item_id))[: settings.items]
    if not ordered:
        return []
    newest = latest[ordered[0]]
    deeds = []
    for rank, item_id in enumerate(ordered):
        age_days = (newest - latest[item_id]).total_seconds() / 86_400
        fading = 0.5 ** (age_days / settings.half_life_days) * (1 + rank) ** -settings.rank_power
        kind = strongest[item_id]
        deeds.append(Deed(item_id, kind, latest[item_id], settings.kinds.get(kind, 0.0) * fading))
    return deeds


def _deeds(profile: Profile) -> Iterator[tuple[str, str, datetime]]:
    for item_id, at in profile.item_seen_at.items():
        yield item_id, "view", at
    for item_id, at in profile.wishlist.items():
        yield item_id, "wishlist", at
    for item_id, at in profile.cart.items():
        yield item_id, "cart", at
    for item_id, days in profile.purchases.items():
        if days:
            yield item_id, "purchase", datetime.combine(days[-1], time(12), UTC)

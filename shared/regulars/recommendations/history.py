"""What a shopper did lately, and what it weighs: how the history is weighted matters more than which similarity.

The weights are those of `regulars.similarity.recipe`: (kind factor) · (1 + rank)^−p · 0.5^(age / half-life), with rank dense by
instant and age in days from the newest deed, so that a shopper who was long away is still known by her last visit.
Purchases are known to the day and stand at its noon (UTC).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from regulars.profiles.model import Profile
from regulars.similarity.recipe import Part

_NOON = time(12, tzinfo=UTC)


@dataclass(slots=True)
class Deed:
    """The strongest thing done with an item (`strength` is its kind's factor), and when it was last touched: `rank` 0 is the
    newest instant, 1 the one before; `age_days` counts from the newest."""

    item_id: str
    kind: str
    at: datetime
    strength: float
    rank: int = 0
    age_days: float = 0.0


def recent(profile: Profile, kinds: Mapping[str, float], count: int) -> list[Deed]:
    """The newest `count` distinct items, newest first; equal instants in id order."""
    at, what = _touched(profile, kinds)
    newest_first = sorted(at)
    newest_first.sort(key=at.__getitem__, reverse=True)
    if not newest_first:
        return []
    rank, age_days, newest = 0, 0.0, at[newest_first[0]]
    before, deeds = newest, []
    for item_id in newest_first[:count]:
        when, kind = at[item_id], what[item_id]
        if when != before:
            rank, before = rank + 1, when
            age_days = (newest - when).total_seconds() / 86_400
        deeds.append(Deed(item_id, kind, when, kinds.get(kind, 0.0), rank, age_days))
    return deeds


def _touched(profile: Profile, kinds: Mapping[str, float]) -> tuple[dict[str, datetime], dict[str, str]]:
    """(item → when last, item → the kind of the strongest that was done with it, of equals the first)."""
    at: dict[str, datetime] = {}
    what: dict[str, str] = {}
    for kind, done in _deeds(profile):
        if not done:
            continue
        for item_id in at.keys() & done.keys():
            at[item_id] = max(at[item_id], done[item_id])
            if kinds.get(kind, 0.0) > kinds.get(what[item_id], 0.0):
                what[item_id] = kind
        at = {**done, **at}
        what = {**dict.fromkeys(done, kind), **what}
    return at, what


class Fading:
    """The weights of deeds in each relation; relations that fade alike are worked out once."""

    def __init__(self, deeds: Sequence[Deed]) -> None:
        self._deeds = deeds
        self._ranks, self._ages = [deed.rank for deed in deeds], [deed.age_days for deed in deeds]
        self._known: dict[tuple[float, float], list[tuple[str, float]]] = {}

    def weighted(self, part: Part) -> list[tuple[str, float]]:
        """(item id, weight), newest first."""
        key = (part.rank_power, part.half_life_days)
        if key not in self._known:
            faded = zip(self._deeds, part.fades(self._ranks, self._ages), strict=True)
            self._known[key] = [(deed.item_id, deed.strength * fade) for deed, fade in faded]
        return self._known[key]


def again(
    purchases: Mapping[str, Sequence[date]],
    part: Part,
    today: date,
    habits: Mapping[str, float] | None = None,
    power: float = 0.0,
    weight: float = 0.0,
) -> dict[str, float]:
    """habit^power · (weight · habit + Σ over the days an item was bought on of its fading), by item: rank dense over all the
    shopper's purchase days, age from today (a day ahead of it counts as today). `habits`: of items, 1 for the others."""
    of = (habits or {}).get
    days = sorted({day for bought in purchases.values() for day in bought}, reverse=True)
    fading = {day: part.fade(rank, max(0.0, float((today - day).days))) for rank, day in enumerate(days)}
    found = {}
    for item_id, bought in purchases.items():
        if bought:
            habit = of(item_id, 1.0)
            found[item_id] = habit**power * (weight * habit + sum(map(fading.__getitem__, bought)))
    return found


def _deeds(profile: Profile) -> Iterator[tuple[str, Mapping[str, datetime]]]:
    """(kind, item → when)."""
    yield "view", profile.item_seen_at
    yield "wishlist", profile.wishlist
    yield "cart", profile.cart
    last = {item_id: days[-1] for item_id, days in profile.purchases.items() if days}
    noons = {day: datetime.combine(day, _NOON) for day in set(last.values())}
    yield "purchase", {item_id: noons[day] for item_id, day in last.items()}

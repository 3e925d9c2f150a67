"""A bounded share of places for new items: without being shown an item cannot earn its place.

Of a list's places `share` go to items on trial, on average; at most one of every `one_of` places, and never one of the first
`first_place` − 1. Which item: Thompson sampling (Thompson 1933; Chapelle and Li, NIPS 2011) over the Beta beliefs of the
popularity build (`regulars.similarity.trials`), times how well the item suits the shopper: by content (a look-alike of what she
touched), by her tags, or by the categories of what she touched lately. What suits nothing she is known for is not shown.

Chance comes from hashes: a shopper's bucket of the day, and what was drawn there for each item on trial. So the same question
has the same answer all day, another bucket another one, and a draw is made once a day instead of in every answer.
Rules stand above it: pins keep their places, and what is banned, buried or beyond a limit is not explored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from random import Random

from regulars.catalogue.model import Item
from regulars.catalogue.snapshot import Snapshot
from regulars.ids import short_hash
from regulars.recommendations.blending import tags_of
from regulars.recommendations.model import Candidate
from regulars.recommendations.ruling import BAN, BURY, Active
from regulars.recommendations.situation import Situation
from regulars.similarity.model import CONTENT, ON_TRIAL, Popularity

SOURCE = "exploration"
BUCKETS = 64
"""Shoppers of one bucket share a day's draws (batches of Thompson sampling: Chapelle and Li, section 4)."""
_Tag = tuple[str, str]
_Draw = tuple[float, str]
"""(minus what was drawn, item id)."""
_KNOWN: dict[int, tuple[Popularity, Snapshot, _Trials]] = {}
_KNOWN_KEPT = 4


def with_exploration(chosen: Sequence[Candidate], situation: Situation, claim: Callable[[Item], bool]) -> list[Candidate]:
    """`chosen` in order, as long as before, with items on trial in some of its places; the last give way. New items that
    got there by themselves count as explored. `claim` says whether limits leave room for an item, and counts it if so."""
    settings, limit = situation.settings.exploration, len(chosen)
    result = list(chosen)
    row = situation.popularity.get(ON_TRIAL)
    if row is None or situation.ask.scene not in settings.scenes or limit < settings.first_place:
        return result
    chance = _chance(situation)
    places = min(_rounded(settings.share * limit, chance), max(1, limit // settings.one_of))
    if places <= 0:
        return result
    trials, taken = _trials(row, situation.snapshot), {candidate.item_id for candidate in chosen}
    places -= len(taken & trials.believed)
    if places <= 0:
        return result
    may_hold = range(settings.first_place - 1, limit)
    positions = sorted(_spread(may_hold, places, chance))
    drawn = (entry for entry in _drawn(trials, taken, situation, chance % BUCKETS) if claim(situation.snapshot[entry.item_id]))
    for position, candidate in zip(positions, drawn, strict=False):
        result.insert(position, candidate)
        result.pop()
    return result


def _rounded(expected: float, chance: int) -> int:
    """A whole number with this expectation; `chance` has 64 bits, the lowest of which name the bucket."""
    return int(expected) + ((chance >> 11) / 2**53 < expected - int(expected))


def _spread(among: Sequence[int], count: int, chance: int) -> list[int]:
    """So many of the positions; making dice for one alone would take longer than all else here."""
    if count == 1:
        return [among[(chance >> 6) % len(among)]]
    return Random(chance).sample(among, min(count, len(among)))


@dataclass(frozen=True, slots=True)
class _Tried:
    """An item on trial: its Beta belief, and the tags that would speak for it."""

    item: Item
    alpha: float
    beta: float
    tags: tuple[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Trials:
    """What is on trial, in the catalogue and in stock there; and which of it a category or a tag speaks for."""

    items: Mapping[str, _Tried]
    on_shelf: Mapping[str, Sequence[str]]
    by_tag: Mapping[_Tag, Sequence[str]]
    believed: frozenset[str]
    luck: dict[int, _Luck] = field(default_factory=dict)

    def luck_of(self, day: str, bucket: int) -> _Luck:
        """What is drawn for the bucket's shoppers that day."""
        known = self.luck.get(bucket)
        if known is None or known.day != day:
            known = self.luck[bucket] = _Luck(self.items, day, bucket)
        return known


class _Luck:
    """One draw of each item's belief: the same all day for everybody in the bucket."""

    def __init__(self, items: Mapping[str, _Tried], day: str, bucket: int) -> None:
        self.day = day
        self._items, self._bucket = items, str(bucket)
        self._draws: dict[str, float] = {}
        self._orders: dict[str | _Tag, Sequence[_Draw]] = {}

    def order(self, group: str | _Tag, item_ids: Iterable[str]) -> Sequence[_Draw]:
        """The items with what was drawn for each, best first; `group` names them."""
        known = self._orders.get(group)
        if known is None:
            known = self._orders[group] = sorted((-self.draw(item_id), item_id) for item_id in item_ids)
        return known

    def draw(self, item_id: str) -> float:
        """Between 0 and 1."""
        known = self._draws.get(item_id)
        if known is None:
            one, dice = self._items[item_id], Random(int.from_bytes(short_hash(self.day, self._bucket, item_id)))
            known = self._draws[item_id] = dice.betavariate(one.alpha, one.beta)
        return known


def _trials(row: Popularity, snapshot: Snapshot) -> _Trials:
    """Kept while row and catalogue are the same: the row is read again every few seconds, and says the same for an hour."""
    known = _KNOWN.get(id(snapshot))
    if known is None or known[1] is not snapshot or (known[0] is not row and known[0] != row):
        if len(_KNOWN) >= _KNOWN_KEPT:
            _KNOWN.clear()
        known = (row, snapshot, _read(row, snapshot))
    _KNOWN[id(snapshot)] = (row, *known[1:])
    return known[2]


def _read(row: Popularity, snapshot: Snapshot) -> _Trials:
    betas = dict(row.week)
    alphas = {item_id: alpha for item_id, alpha in row.trend if item_id in betas}
    items: dict[str, _Tried] = {}
    on_shelf: dict[str, list[str]] = {}
    by_tag: dict[_Tag, list[str]] = {}
    for item_id, alpha in alphas.items():
        item = snapshot.get(item_id)
        if item is not None and item.in_stock:
            one = items[item_id] = _Tried(item, alpha, betas[item_id], tags_of(item))
            if item.category:
                on_shelf.setdefault(item.category, []).append(item_id)
            for tag in one.tags:
                by_tag.setdefault(tag, []).append(item_id)
    return _Trials(items, on_shelf, by_tag, frozenset(alphas))


def _drawn(trials: _Trials, taken: set[str], situation: Situation, bucket: int) -> Iterator[Candidate]:
    """The items on trial by how well they suit times what was drawn for them, best first."""
    suits, luck = _Suits(situation, trials), trials.luck_of(situation.now.date().isoformat(), bucket)
    fresh = situation.fresh
    wanted = f"{situation.ask.category}/" if situation.ask.category and situation.ask.scene != "product" else ""
    seen = set(taken)
    for _, item_id in merge(*suits.groups(luck)):
        if item_id in seen:
            continue
        seen.add(item_id)
        one = trials.items[item_id]
        on_shelf = not wanted or f"{one.item.category}/".startswith(wanted)
        if on_shelf and fresh(item_id) and (not situation.active or _open(one.item, situation.active)):
            yield Candidate(item_id, 0.0, *suits.why(one), {"category": one.item.category}, SOURCE)


def _open(item: Item, active: Active) -> bool:
    """Neither banned nor buried."""
    return not any(rule.action in (BAN, BURY) for rule in active.matching(item))


class _Suits:
    """How well an item suits the shopper, 0 to 1, by what this call knows of her."""

    def __init__(self, situation: Situation, trials: _Trials) -> None:
        self._taste, self._trials = situation.taste, trials
        self._alike: dict[str, tuple[float, str]] = {}
        for seed, row in situation.rows.items():
            ranked = row.relations.get(CONTENT)
            if ranked is None:
                continue
            for item_id in trials.items.keys() & ranked.ids:
                score = ranked.scale * ranked.shares[ranked.ids.index(item_id)]
                if score > self._alike.get(item_id, (0.0, ""))[0]:
                    self._alike[item_id] = (min(1.0, score), seed)
        touched = {deed.item_id for deed in situation.deeds}.union(situation.rows, (situation.ask.item_id,))
        self._shelves = situation.snapshot.categories(touched)
        self._shelves.discard("")
        self._stranger = not (self._taste or self._shelves or situation.rows)
        self._category_fit = situation.settings.exploration.category_fit

    def groups(self, luck: _Luck) -> Iterator[Iterable[_Draw]]:
        """Items that suit her alike, each group by minus fit · draw. Nobody knows what suits a stranger: everything does."""
        trials = self._trials
        if self._stranger:
            yield luck.order("", trials.items)
            return
        if self._alike:
            yield sorted((-fit * luck.draw(item_id), item_id) for item_id, (fit, _) in self._alike.items())
        for shelf in self._shelves & trials.on_shelf.keys() if self._category_fit > 0 else ():
            yield _times(self._category_fit, luck.order(shelf, trials.on_shelf[shelf]))
        for tag in self._taste.keys() & trials.by_tag.keys() if self._category_fit > 0 else ():
            fit = self._category_fit * self._taste[tag]
            yield _times(fit, luck.order(tag, trials.by_tag[tag]))

    def why(self, one: _Tried) -> tuple[str, tuple[str, ...]]:
        """(reason code, because)."""
        score, seed = self._alike.get(one.item.item_id, (0.0, ""))
        if not self._stranger and score > 0 and score >= self._liked(one):
            return "new_like", (seed,)
        return "new_in_category" if one.item.category in self._shelves and not self._stranger else "new_arrival", ()

    def _liked(self, one: _Tried) -> float:
        """By shelf and tags; no tag says more than the shelf."""
        if one.item.category in self._shelves or not self._taste:
            return self._category_fit * (one.item.category in self._shelves)
        category, brand = one.tags
        return self._category_fit * max(self._taste.get(category, 0.0), self._taste.get(brand, 0.0))


def _times(fit: float, drawn: Sequence[_Draw]) -> Iterator[_Draw]:
    return ((fit * less, item_id) for less, item_id in drawn)


def _chance(situation: Situation) -> int:
    """The seed of a call: the same for a shopper and scene all day; who is nobody gets another one every hour."""
    who, day = situation.ask.shopper or f"hour {situation.now.hour}", situation.now.date().isoformat()
    return int.from_bytes(short_hash(who, day, situation.ask.scene))

"""A bounded share of places for new items: without being shown an item cannot earn its place.

Of a list's places `share` go to items on trial, on average; at most one of every `one_of` places, and never one of the first
`first_place` − 1. Which item: Thompson sampling (Thompson 1933; Chapelle and Li, NIPS 2011) over the Beta beliefs of the
popularity build (`regulars.similarity.trials`), times how well the item suits the shopper: by content (a look-alike of what she
touched), by her tags, or by the categories of what she touched. An item that suits nothing she is known for is not shown.

Chance comes from a hash of shopper and day: the same question has the same answer all day, and another shopper another one.
Rules stand above it: pins keep their places, and what is banned, buried or beyond a limit is not explored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from operator import itemgetter
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
_KNOWN: dict[tuple[int, int], tuple[Popularity, Snapshot, _Trials]] = {}
_KNOWN_KEPT = 4


def with_exploration(chosen: Sequence[Candidate], situation: Situation, claim: Callable[[Item], bool]) -> list[Candidate]:
    """`chosen` in order, as long as before, with items on trial in some of its places; the last give way. New items that
    got there by themselves count as explored. `claim` says whether limits leave room for an item, and counts it if so."""
    settings, limit = situation.settings.exploration, len(chosen)
    result = list(chosen)
    row = situation.popularity.get(ON_TRIAL)
    if row is None or situation.ask.scene not in settings.scenes or limit < settings.first_place:
        return result
    dice = Random(_chance(situation))
    places = min(_rounded(settings.share * limit, dice), max(1, limit // settings.one_of))
    trials = _trials(row, situation.snapshot)
    places -= sum(candidate.item_id in trials.believed for candidate in chosen)
    if places <= 0:
        return result
    may_hold = range(settings.first_place - 1, limit)
    positions = sorted(dice.sample(may_hold, min(places, len(may_hold))))
    taken = {candidate.item_id for candidate in chosen}
    drawn = (entry for entry in _drawn(trials, taken, situation, dice) if claim(situation.snapshot[entry.item_id]))
    for position, candidate in zip(positions, drawn, strict=False):
        result.insert(position, candidate)
        result.pop()
    return result


def _rounded(expected: float, dice: Random) -> int:
    """A whole number with this expectation."""
    return int(expected) + (dice.random() < expected - int(expected))


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
    by_tag: Mapping[tuple[str, str], Sequence[str]]
    believed: frozenset[str]


def _trials(row: Popularity, snapshot: Snapshot) -> _Trials:
    """Kept while row and catalogue are the same."""
    key = (id(row), id(snapshot))
    known = _KNOWN.get(key)
    if known is None or known[0] is not row or known[1] is not snapshot:
        if len(_KNOWN) >= _KNOWN_KEPT:
            _KNOWN.clear()
        known = _KNOWN[key] = (row, snapshot, _read(row, snapshot))
    return known[2]


def _read(row: Popularity, snapshot: Snapshot) -> _Trials:
    betas = dict(row.week)
    alphas = {item_id: alpha for item_id, alpha in row.trend if item_id in betas}
    items: dict[str, _Tried] = {}
    on_shelf: dict[str, list[str]] = {}
    by_tag: dict[tuple[str, str], list[str]] = {}
    for item_id, alpha in alphas.items():
        item = snapshot.get(item_id)
        if item is not None and item.in_stock:
            one = items[item_id] = _Tried(item, alpha, betas[item_id], tags_of(item))
            if item.category:
                on_shelf.setdefault(item.category, []).append(item_id)
            for tag in one.tags:
                by_tag.setdefault(tag, []).append(item_id)
    return _Trials(items, on_shelf, by_tag, frozenset(alphas))


def _drawn(trials: _Trials, taken: set[str], situation: Situation, dice: Random) -> Iterator[Candidate]:
    """The items on trial that suit best, best draw first. A draw takes microseconds, so only so many are made."""
    suits, chance, fresh = _Suits(situation, trials), dice.random, situation.fresh
    wanted = f"{situation.ask.category}/" if situation.ask.category and situation.ask.scene != "product" else ""
    suitable: list[tuple[float, float, str, _Tried]] = []
    for item_id in suits.worth_a_look():
        if item_id not in taken and fresh(item_id):
            one = trials.items[item_id]
            fit = suits(one)
            if fit > 0 and (not wanted or f"{one.item.category}/".startswith(wanted)):
                suitable.append((-fit, chance(), item_id, one))
    if situation.active:
        suitable = [entry for entry in suitable if _open(entry[3].item, situation.active)]
    drawn = [
        (less * dice.betavariate(one.alpha, one.beta), item_id, one)
        for less, _, item_id, one in nsmallest(situation.settings.exploration.draws, suitable)
    ]
    for _, item_id, one in sorted(drawn, key=itemgetter(0, 1)):
        yield Candidate(item_id, 0.0, *suits.why(one), {"category": one.item.category}, SOURCE)


def _open(item: Item, active: Active) -> bool:
    """Neither banned nor buried."""
    return not any(rule.action in (BAN, BURY) for rule in active.matching(item))


class _Suits:
    """How well an item suits the shopper, by what this call knows of her."""

    def __init__(self, situation: Situation, trials: _Trials) -> None:
        self._taste, self._trials = situation.taste, trials
        self._alike: dict[str, tuple[float, str]] = {}
        for seed, row in situation.rows.items():
            ranked = row.relations.get(CONTENT)
            for item_id, score in ranked or ():
                if item_id in trials.items and score > self._alike.get(item_id, (0.0, ""))[0]:
                    self._alike[item_id] = (min(1.0, score), seed)
        asked = (situation.ask.item_id,) if situation.ask.item_id else ()
        touched = {*asked, *situation.rows, *situation.profile.purchases, *situation.profile.item_seen_at}
        self._shelves = situation.snapshot.categories(touched)
        self._shelves.discard("")
        self._stranger = not (self._taste or self._shelves or situation.rows)
        self._category_fit = situation.settings.exploration.category_fit

    def worth_a_look(self) -> Iterable[str]:
        """What may suit at all, in the order of the ids: chance must not hang on that of a set."""
        if self._stranger:
            return self._trials.items
        found = set(self._alike)
        for shelf in self._shelves & self._trials.on_shelf.keys():
            found.update(self._trials.on_shelf[shelf])
        for tag in self._taste.keys() & self._trials.by_tag.keys():
            found.update(self._trials.by_tag[tag])
        return sorted(found)

    def __call__(self, one: _Tried) -> float:
        """0 to 1. Nobody knows what suits a stranger: everything does."""
        if self._stranger:
            return 1.0
        alike = self._alike.get(one.item.item_id)
        return max(self._liked(one), alike[0]) if alike else self._liked(one)

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


def _chance(situation: Situation) -> int:
    """The seed of a call: the same for a shopper and scene all day; who is nobody gets another one every hour."""
    who, day = situation.ask.shopper or f"hour {situation.now.hour}", situation.now.date().isoformat()
    return int.from_bytes(short_hash(who, day, situation.ask.scene))

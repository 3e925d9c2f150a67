"""A bounded share of places for new items: without being shown an item cannot earn its place.

Of a list's places `share` go to items on trial, on average; at most one of every `one_of` places, and never one of the first
`first_place` − 1. Which item: Thompson sampling (Thompson 1933; Chapelle and Li, NIPS 2011) over the Beta beliefs of the
popularity build (`regulars.similarity.trials`), times how well the item suits the shopper: by content (a look-alike of what she
touched), by her tags, or by the categories of what she touched. An item that suits nothing she is known for is not shown.

Chance comes from a hash of shopper and day: the same question has the same answer all day, and another shopper another one.
Rules stand above it: pins keep their places, and what is banned, buried or beyond a limit is not explored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import nsmallest
from operator import itemgetter
from random import Random

from regulars.catalogue.model import Item
from regulars.ids import short_hash
from regulars.recommendations.blending import liking
from regulars.recommendations.model import Candidate
from regulars.recommendations.ruling import BAN, BURY
from regulars.recommendations.situation import Situation
from regulars.similarity.model import CONTENT, ON_TRIAL

SOURCE = "exploration"
_Why = tuple[float, str, tuple[str, ...]]
"""How well an item suits, 0 to 1; reason code; because."""


def with_exploration(chosen: Sequence[Candidate], situation: Situation, claim: Callable[[Item], bool]) -> list[Candidate]:
    """`chosen` in order, as long as before, with items on trial in some of its places; the last give way. New items that
    got there by themselves count as explored. `claim` says whether limits leave room for an item, and counts it if so."""
    settings, limit = situation.settings.exploration, len(chosen)
    result = list(chosen)
    trials = situation.popularity.get(ON_TRIAL)
    if trials is None or situation.ask.scene not in settings.scenes or limit < settings.first_place:
        return result
    dice = Random(_chance(situation)(situation.ask.scene))
    places = min(_rounded(settings.share * limit, dice), max(1, limit // settings.one_of))
    beliefs = _beliefs(trials.trend, trials.week)
    places -= sum(candidate.item_id in beliefs for candidate in chosen)
    if places <= 0:
        return result
    may_hold = range(settings.first_place - 1, limit)
    positions = sorted(dice.sample(may_hold, min(places, len(may_hold))))
    taken = {candidate.item_id for candidate in chosen}
    drawn = (entry for entry in _drawn(beliefs, taken, situation) if claim(situation.snapshot[entry.item_id]))
    for position, candidate in zip(positions, drawn, strict=False):
        result.insert(position, candidate)
        result.pop()
    return result


def _rounded(expected: float, dice: Random) -> int:
    """A whole number with this expectation."""
    return int(expected) + (dice.random() < expected - int(expected))


def _beliefs(alphas: Iterable[tuple[str, float]], betas: Iterable[tuple[str, float]]) -> dict[str, tuple[float, float]]:
    seconds = dict(betas)
    return {item_id: (alpha, seconds[item_id]) for item_id, alpha in alphas if item_id in seconds}


def _drawn(beliefs: Mapping[str, tuple[float, float]], taken: set[str], situation: Situation) -> list[Candidate]:
    """The items on trial that suit best, best draw first. A draw takes ten microseconds, so only so many are made."""
    suits, chance = _Suits(situation), _chance(situation)
    suitable: list[tuple[float, int, str, _Why]] = []
    for item_id in beliefs:
        if item_id not in taken and situation.fresh(item_id):
            item = situation.snapshot[item_id]
            why = suits(item)
            if why[0] > 0 and _may_explore(item, situation):
                suitable.append((-why[0], chance(item_id), item_id, why))
    drawn = []
    for _, seed, item_id, (fit, code, because) in nsmallest(situation.settings.exploration.draws, suitable):
        details = {"category": situation.snapshot[item_id].category}
        draw = fit * Random(seed).betavariate(*beliefs[item_id])
        drawn.append((-draw, item_id, Candidate(item_id, 0.0, code, because, details, SOURCE)))
    return [candidate for _, _, candidate in sorted(drawn, key=itemgetter(0, 1))]


def _may_explore(item: Item, situation: Situation) -> bool:
    """In stock, in the category of the question (on a product page that is only a hint), neither banned nor buried."""
    wanted = situation.ask.category if situation.ask.scene != "product" else ""
    if not item.in_stock or (wanted and not f"{item.category}/".startswith(f"{wanted}/")):
        return False
    active = situation.active
    return not active or not any(rule.action in (BAN, BURY) for rule in active.matching(item))


class _Suits:
    """How well an item suits the shopper, by what this call knows of her."""

    def __init__(self, situation: Situation) -> None:
        self._taste = situation.taste
        self._alike: dict[str, tuple[float, str]] = {}
        self._shelves: set[str] = set()
        for seed, row in situation.rows.items():
            ranked = row.relations.get(CONTENT)
            for item_id, score in ranked or ():
                if score > self._alike.get(item_id, (0.0, ""))[0]:
                    self._alike[item_id] = (min(1.0, score), seed)
        asked = (situation.ask.item_id,) if situation.ask.item_id else ()
        for touched in (*asked, *situation.rows, *situation.profile.purchases, *situation.profile.item_seen_at):
            if touched in situation.snapshot and situation.snapshot[touched].category:
                self._shelves.add(situation.snapshot[touched].category)
        self._stranger = not (self._taste or self._shelves or situation.rows)
        self._category_fit = situation.settings.exploration.category_fit

    def __call__(self, item: Item) -> _Why:
        """Nobody knows what suits a stranger: everything does."""
        if self._stranger:
            return 1.0, "new_arrival", ()
        score, seed = self._alike.get(item.item_id, (0.0, ""))
        liked = self._category_fit * max(liking(item, self._taste), float(item.category in self._shelves))
        if score >= liked and score > 0:
            return score, "new_like", (seed,)
        return liked, "new_in_category" if item.category in self._shelves else "new_arrival", ()


def _chance(situation: Situation) -> Callable[[str], int]:
    """What → seed: the same for a shopper all day; who is nobody gets another one every hour."""
    who, day = situation.ask.shopper or f"hour {situation.now.hour}", situation.now.date().isoformat()
    return lambda what: int.from_bytes(short_hash(who, day, what))

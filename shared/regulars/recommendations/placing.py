"""A ranking becomes positions. The order of power is written in `regulars.recommendations.rules`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import prod
from operator import attrgetter, gt
from typing import Any

from regulars.recommendations.exploring import with_exploration
from regulars.recommendations.model import Candidate
from regulars.recommendations.quotas import Quotas
from regulars.recommendations.ruling import BAN, BANNER_SLOT, BOOST, LIST_SLOT, PIN, Rule
from regulars.recommendations.scenes import SCENES
from regulars.recommendations.scenes.banner import liked_banner
from regulars.recommendations.scenes.common import Pads, padding
from regulars.recommendations.situation import Situation

FEATURED = "featured"
"""The reason code of what only a rule brought in."""
BANNER_SCENE = "home"
_LOOKED_AT = 1000
"""Padding that is looked at before the diversity settings give way, and again before a list stays short."""
_OWN_SCENES = ("return", "repurchase")
"""Scenes about what the shopper has or had: what is in her cart or was bought may be shown."""


@dataclass(slots=True)
class Placing:
    """The chosen candidates in order; which rule gave which item its place; what every rule did to it; and which candidates
    each rule took away."""

    chosen: list[Candidate] = field(default_factory=list)
    rules: dict[str, str] = field(default_factory=dict)
    traces: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    gone: dict[str, set[str]] = field(default_factory=dict)
    banner: Candidate | None = None

    @property
    def removed(self) -> dict[str, int]:
        """Rule → how many candidates it took away."""
        return {rule_id: len(item_ids) for rule_id, item_ids in self.gone.items()}

    def touched(self, item_id: str, rule: Rule, **effect: Any) -> None:
        """Note what a rule did; the last word gives the place."""
        self.rules[item_id] = rule.rule_id
        self.traces.setdefault(item_id, []).append({"rule": rule.rule_id, "action": rule.action, **effect})

    def removes(self, rule_id: str, item_id: str) -> None:
        """Note a candidate taken away."""
        self.gone.setdefault(rule_id, set()).add(item_id)


def place(candidates: Iterable[Candidate], situation: Situation) -> Placing:
    """At most `ask.limit` candidates, each item once, best first; ties in id order."""
    placing, limit = Placing(), situation.ask.limit
    best = _available(list(candidates), situation)
    pool = _scored(best, situation, placing)
    scores = [candidate.score for candidate in pool]
    if not all(map(gt, scores, islice(scores, 1, None))):  # as a rule they come in order, each with a score of its own
        pool.sort(key=attrgetter("item_id"))
        pool.sort(key=attrgetter("score"), reverse=True)  # stable: ties stay in id order
    if situation.ask.category:
        pool = [candidate for candidate in pool if _asked_for(candidate.item_id, situation)]
    pins = _pins(best, situation, placing)
    if situation.ask.scene == BANNER_SCENE and not situation.ask.category:
        pinned = {candidate.item_id for candidate in pins.values()}
        open_to_all = [entry for entry in pool if entry.item_id not in pinned] if pinned else pool
        placing.banner = _banner(open_to_all, situation, placing)
    set_apart = {candidate.item_id for candidate in (*pins.values(), *([placing.banner] if placing.banner else ()))}
    quotas = Quotas.of(situation)
    for candidate in pins.values():
        quotas.take(situation.snapshot[candidate.item_id])
    wanted = limit - sum(1 for position in pins if position <= limit)
    others = _filled(pool, set_apart, max(0, wanted), quotas, situation, placing)
    if not situation.ask.list_id:
        others = with_exploration(others, situation, lambda item: item.item_id not in set_apart and quotas.claim(item))
    placing.chosen = _assembled(others, pins, limit)
    _trace(situation, placing)
    return placing


def _available(candidates: Sequence[Candidate], situation: Situation) -> dict[str, Candidate]:
    """By item; of an item named twice the higher score."""
    best = {candidate.item_id: candidate for candidate in candidates}
    if len(best) == len(candidates) and best.keys().isdisjoint(situation.ask.exclude) and situation.may_show_all(best):
        return best
    best, available = {}, situation.available
    for candidate in candidates:
        item_id = candidate.item_id
        if item_id in best:
            if candidate.score > best[item_id].score:
                best[item_id] = candidate
        elif available(item_id):
            best[item_id] = candidate
    return best


def _trace(situation: Situation, placing: Placing) -> None:
    """Say of what is shown which boosts and burials touched it, before its pin."""
    for candidate in (*placing.chosen, *([placing.banner] if placing.banner else ())) if situation.active else ():
        rules = [rule for rule in situation.active.matching(situation.snapshot[candidate.item_id]) if rule.factor != 1.0]
        pinned = placing.traces.get(candidate.item_id, [])
        if rules:
            factors = [{"rule": rule.rule_id, "action": rule.action, "factor": rule.factor} for rule in rules]
            placing.traces[candidate.item_id] = [*factors, *pinned]
            placing.rules.setdefault(candidate.item_id, rules[-1].rule_id)


def _scored(best: dict[str, Candidate], situation: Situation, placing: Placing) -> list[Candidate]:
    """Without banned items, with boosted and buried scores, and with boosted items that no model named."""
    active = situation.active
    if not active:
        return list(best.values())
    highest = max((candidate.score for candidate in best.values()), default=1.0)
    for rule in active.of(BOOST):
        for item_id in rule.items:
            if item_id not in best and _may_feature(item_id, situation):
                best[item_id] = Candidate(item_id, 0.1 * highest, FEATURED, source="rule")
    pool = []
    for candidate in best.values():
        matching = active.matching(situation.snapshot[candidate.item_id])
        if not matching:
            pool.append(candidate)
            continue
        ban = next((rule for rule in matching if rule.action == BAN), None)
        if ban is not None:
            placing.removes(ban.rule_id, candidate.item_id)
            continue
        score = candidate.score * prod([rule.factor for rule in matching])
        pool.append(Candidate(candidate.item_id, score, candidate.code, candidate.because, candidate.details, candidate.source))
    return pool


def _may_feature(item_id: str, situation: Situation) -> bool:
    """Whether a rule may bring the item in."""
    return situation.available(item_id) if situation.ask.scene in _OWN_SCENES else situation.fresh(item_id)


def _asked_for(item_id: str, situation: Situation) -> bool:
    """In the category of the question, if it names one; on a product page that is only a hint."""
    parent = situation.ask.category
    if not parent or situation.ask.scene == "product":
        return True
    category = situation.snapshot[item_id].category
    return category == parent or category.startswith(f"{parent}/")


def _pins(best: Mapping[str, Candidate], situation: Situation, placing: Placing) -> dict[int, Candidate]:
    """Position → pinned candidate. Of two for one place the earlier rule has it, and the later follows."""
    places: dict[int, Candidate] = {}
    pinned: set[str] = set()
    for rule in situation.active.of(PIN):
        wanted = rule.position
        for item_id in rule.items if rule.slot == LIST_SLOT else ():
            if item_id in pinned or not _pinnable(item_id, situation, placing):
                continue
            while wanted in places:
                wanted += 1
            if wanted > situation.ask.limit:
                break
            places[wanted] = best.get(item_id) or Candidate(item_id, 0.0, FEATURED, source="rule")
            pinned.add(item_id)
            placing.touched(item_id, rule, position=wanted)
            wanted += 1
    return places


def _pinnable(item_id: str, situation: Situation, placing: Placing) -> bool:
    if not _may_feature(item_id, situation):
        return False
    ban = situation.active.ban(situation.snapshot[item_id])
    if ban is not None:
        placing.removes(ban.rule_id, item_id)
    return ban is None


def _banner(pool: Sequence[Candidate], situation: Situation, placing: Placing) -> Candidate | None:
    """The first item with a picture that a rule pinned to the banner, else the best-liked that is new or reduced."""
    for rule in situation.active.of(PIN):
        for item_id in rule.items if rule.slot == BANNER_SLOT else ():
            if _pinnable(item_id, situation, placing) and situation.snapshot[item_id].image_url:
                placing.touched(item_id, rule, slot=BANNER_SLOT)
                return Candidate(item_id, 0.0, FEATURED, source="rule")
    return liked_banner(pool, situation)


def _filled(
    pool: Sequence[Candidate], set_apart: set[str], wanted: int, quotas: Quotas, situation: Situation, placing: Placing
) -> list[Candidate]:
    """`wanted` candidates: the pool's and padding within all limits; then, if that is too few, what only the diversity
    settings held back, then padding beyond them."""
    chosen: list[Candidate] = []
    held: list[Candidate] = []
    snapshot, limited = situation.snapshot, quotas.limited

    def take(candidates: Iterable[Candidate | None], hold: bool) -> None:
        for candidate in candidates if len(chosen) < wanted else ():
            if candidate is None:
                continue
            item = snapshot[candidate.item_id]
            if limited and (full := quotas.full(item)):
                placing.removes(full, item.item_id)
            elif hold and quotas.crowded(item):
                held.append(candidate)
            else:
                quotas.take(item)
                chosen.append(candidate)
                if len(chosen) >= wanted:
                    return

    take((candidate for candidate in pool if candidate.item_id not in set_apart), True)
    if situation.ask.list_id:
        take(list(held), False)
        return chosen
    if len(chosen) >= wanted:
        return chosen
    taken = {*set_apart, *(candidate.item_id for candidate in pool)}
    rest = _padding(taken, situation, placing, SCENES[situation.ask.scene].pads)
    take(islice(rest, _LOOKED_AT), True)
    take(list(held), False)
    take(islice(rest, _LOOKED_AT), False)
    if not chosen and not set_apart:
        take(rest, False)
        take(_padding(taken, situation, placing, None), False)
    return chosen


def _padding(taken: set[str], situation: Situation, placing: Placing, pads: Pads | None) -> Iterator[Candidate | None]:
    """None for what was looked at in vain, so that looks can be counted."""
    active = situation.active
    for candidate in padding(situation, set(taken)):
        item = situation.snapshot[candidate.item_id]
        ban = active.ban(item) if active else None
        if ban is not None:
            placing.removes(ban.rule_id, candidate.item_id)
        suits = ban is None and _asked_for(candidate.item_id, situation) and (pads is None or pads(situation, item))
        yield candidate if suits else None


def _assembled(others: Iterable[Candidate], pins: dict[int, Candidate], limit: int) -> list[Candidate]:
    """Pins at their positions; a list shorter than a pin's position ends with the pin."""
    if not pins:
        return list(others)
    places, rest, result = dict(pins), iter(others), []
    for position in range(1, limit + 1):
        candidate = places.pop(position, None) or next(rest, None)
        if candidate is None:
            break
        result.append(candidate)
    return (result + [places[position] for position in sorted(places)])[:limit]

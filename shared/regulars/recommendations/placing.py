"""A ranking becomes positions: rules first, then diversity, padding and pins.

Order of power: availability and bans, then pins, then scores (boosted or buried), then diversity, then padding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

from regulars.recommendations.model import Candidate
from regulars.recommendations.rules import Rule, segments_of
from regulars.recommendations.scenes.common import padding
from regulars.recommendations.situation import Situation

FEATURED = "featured"
"""The reason code of what only a rule brought in."""


@dataclass(slots=True)
class Placing:
    """The chosen candidates in order, and which rule moved which item."""

    chosen: list[Candidate] = field(default_factory=list)
    rules: dict[str, str] = field(default_factory=dict)


def place(candidates: Iterable[Candidate], situation: Situation, rules: Sequence[Rule]) -> Placing:
    """At most `ask.limit` candidates, each item once, best first; ties in id order."""
    best: dict[str, Candidate] = {}
    for candidate in candidates:
        known = best.get(candidate.item_id)
        if known is None or candidate.score > known.score:
            best[candidate.item_id] = candidate
    ask, placing = situation.ask, Placing()
    segments = segments_of(situation.profile, situation.country) if rules else frozenset()
    active = [rule for rule in rules if rule.active(ask.scene, segments, situation.now)]
    banned = [rule for rule in active if rule.action == "ban"]
    pool = _scored(best, active, banned, situation, placing)
    pool.sort(key=lambda candidate: (-candidate.score, candidate.item_id))
    if ask.category:
        pool = [candidate for candidate in pool if _asked_for(candidate.item_id, situation)]
    chosen = _diverse(pool, situation) if ask.scene == "home" and not ask.category else pool[: ask.limit]
    if len(chosen) < ask.limit:
        taken = {candidate.item_id for candidate in chosen}
        for candidate in padding(situation, taken):
            if _asked_for(candidate.item_id, situation) and not _banned(candidate.item_id, banned, situation):
                chosen.append(candidate)
            if len(chosen) >= ask.limit:
                break
    placing.chosen = _pinned(chosen, active, banned, situation, placing)[: ask.limit]
    return placing


def _asked_for(item_id: str, situation: Situation) -> bool:
    """In the category of the question, if it names one; on a product page that is only a hint."""
    parent = situation.ask.category
    if not parent or situation.ask.scene == "product":
        return True
    category = situation.snapshot[item_id].category
    return category == parent or category.startswith(f"{parent}/")


def _banned(item_id: str, banned: Sequence[Rule], situation: Situation) -> bool:
    return any(rule.matches(situation.snapshot[item_id]) for rule in banned)


def _scored(
    best: dict[str, Candidate], active: Sequence[Rule], banned: Sequence[Rule], situation: Situation, placing: Placing
) -> list[Candidate]:
    """Without banned items, with boosted and buried scores, and with boosted items that no model named."""
    factors = [rule for rule in active if rule.action in ("boost", "bury")]
    if not factors and not banned:
        return list(best.values())
    highest = max((candidate.score for candidate in best.values()), default=1.0)
    for rule in factors:
        for item_id in rule.items if rule.action == "boost" else ():
            if item_id not in best and situation.fresh(item_id):
                best[item_id] = Candidate(item_id, 0.1 * highest, FEATURED)
    pool = []
    for candidate in best.values():
        item = situation.snapshot[candidate.item_id]
        if any(rule.matches(item) for rule in banned):
            continue
        for rule in factors:
            if rule.matches(item):
                candidate = replace(candidate, score=candidate.score * rule.factor)
                placing.rules[candidate.item_id] = rule.rule_id
        pool.append(candidate)
    return pool


def _diverse(pool: Sequence[Candidate], situation: Situation) -> list[Candidate]:
    """At most the configured share per category while others are to be had; what was held back fills the end."""
    limit = situation.ask.limit
    most = max(1, ceil(situation.settings.diversity.home_category_share * limit))
    counts: dict[str, int] = {}
    chosen: list[Candidate] = []
    held: list[Candidate] = []
    for candidate in pool:
        if len(chosen) >= limit:
            break
        category = situation.snapshot[candidate.item_id].category
        if category and counts.get(category, 0) >= most:
            held.append(candidate)
            continue
        counts[category] = counts.get(category, 0) + 1
        chosen.append(candidate)
    return chosen + held[: limit - len(chosen)]


def _pinned(
    chosen: list[Candidate], active: Sequence[Rule], banned: Sequence[Rule], situation: Situation, placing: Placing
) -> list[Candidate]:
    """Pins stand at their positions; of two for one place the earlier rule wins it and the later follows."""
    places: dict[int, Candidate] = {}
    pinned: set[str] = set()
    for rule in (rule for rule in active if rule.action == "pin"):
        wanted = rule.position
        for item_id in rule.items:
            if item_id in pinned or not situation.available(item_id) or _banned(item_id, banned, situation):
                continue
            while wanted in places:
                wanted += 1
            known = next((candidate for candidate in chosen if candidate.item_id == item_id), None)
            places[wanted] = known or Candidate(item_id, 0.0, FEATURED)
            pinned.add(item_id)
            placing.rules[item_id] = rule.rule_id
            wanted += 1
    others = iter([candidate for candidate in chosen if candidate.item_id not in pinned])
    result: list[Candidate] = []
    for position in range(1, situation.ask.limit + 1):
        candidate = places.pop(position, None) or next(others, None)
        if candidate is None:
            break
        result.append(candidate)
    # A list shorter than a pin's position ends with the pin.
    rest = [places[position] for position in sorted(places)]
    return result + rest[: max(0, situation.ask.limit - len(result))]

"""Rules in the scene `search`: bans and limits always hold; pins, boosts and buries where the order is by relevance.

A rule with `queries` holds only for questions that have all words of one of them, and then its items are shown even where the
words do not find them. Without, a pin or boost only moves what was found: nobody who searches soap is shown a pinned phone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice

from regulars.catalogue.words import pieces_of
from regulars.recommendations.model import Candidate
from regulars.recommendations.placing import FEATURED, Placing
from regulars.recommendations.quotas import Quotas
from regulars.recommendations.ruling import BOOST, LIST_SLOT, PIN, Active
from regulars.recommendations.situation import Situation


def asked(active: Active, text: str) -> Active:
    """The rules that hold for this question."""
    if not any(active.whole.rules[number].when.queries for number in active.numbers):
        return active
    words = _words(text)
    kept = (
        number
        for number in active.numbers
        if not (queries := active.whole.rules[number].when.queries) or any(_words(query) <= words for query in queries)
    )
    return Active(active.whole, frozenset(kept))


def _words(text: str) -> frozenset[str]:
    return frozenset(word for piece in pieces_of(text) for word in piece.ways[0])


def featured(active: Active) -> list[str]:
    """Items that rules for this very question bring in, in the rules' order."""
    rules = [rule for action in (PIN, BOOST) for rule in active.of(action) if rule.when.queries]
    return list(dict.fromkeys(item_id for rule in rules for item_id in rule.items))


def weighed(candidates: Iterable[Candidate], active: Active, situation: Situation, placing: Placing) -> list[Candidate]:
    """Boosted and buried, best first; equal ones in id order."""
    pool = []
    for candidate in candidates:
        for rule in active.matching(situation.snapshot[candidate.item_id]) if active else ():
            if rule.factor != 1.0:
                candidate = replace(candidate, score=candidate.score * rule.factor)
                placing.touched(candidate.item_id, rule, factor=rule.factor)
        pool.append(candidate)
    pool.sort(key=lambda candidate: (-candidate.score, candidate.item_id))
    return pool


def pinned(pool: list[Candidate], active: Active, placing: Placing) -> list[Candidate]:
    """The pool with pins at their positions; of two for one place the earlier rule has it, and the later follows."""
    known = {candidate.item_id: candidate for candidate in pool}
    places: dict[int, Candidate] = {}
    moved: set[str] = set()
    for rule in active.of(PIN):
        wanted = rule.position
        for item_id in rule.items if rule.slot == LIST_SLOT else ():
            if item_id not in known or item_id in moved:
                continue
            while wanted in places:
                wanted += 1
            places[wanted] = known[item_id]
            moved.add(item_id)
            placing.touched(item_id, rule, position=wanted)
            wanted += 1
    if not places:
        return pool
    others = iter([candidate for candidate in pool if candidate.item_id not in moved])
    return [
        candidate
        for position in range(1, len(pool) + max(places) + 1)
        if (candidate := places.get(position) or next(others, None)) is not None
    ]


def page(
    found: Iterator[Candidate], offset: int, limit: int, quotas: Callable[[], Quotas], situation: Situation, placing: Placing
) -> list[Candidate]:
    """`limit` candidates from `offset` on. A limit rule counts by page: what is too much on one page opens the next."""
    if not quotas().limited:
        return list(islice(found, offset, offset + limit))
    held: list[Candidate] = []
    shown: list[Candidate] = []
    for wanted in (offset % limit, *[limit] * (offset // limit + 1)):
        quota, waiting = quotas(), iter(held)
        held, shown = [], []
        for candidate in chain(waiting, found) if wanted else ():
            item = situation.snapshot[candidate.item_id]
            if full := quota.full(item):
                held.append(candidate)
                placing.removes(full, candidate.item_id)
                continue
            quota.take(item)
            shown.append(candidate)
            if len(shown) == wanted:
                break
        held += waiting
    return shown


__all__ = ["FEATURED", "asked", "featured", "page", "pinned", "weighed"]

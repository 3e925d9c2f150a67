"""What meets the needs, and how well: item number → BM25F.

The rarest need is read whole and the others only narrow it: by looking up what is left where the other list is much longer.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from regulars.recommendations.search.index import STEPS, Index
from regulars.recommendations.search.understanding import Need, Way

Scores = dict[int, float]
_MUCH_LONGER = 12
"""A look-up costs about as much as reading this many postings."""


def matches(needs: Sequence[Need], index: Index) -> Scores:
    """Items that meet every need."""
    if not needs:
        return {}
    first, *others = sorted(needs, key=lambda need: _most(need, index))
    scores = _meeting(first, index, None)
    for need in others:
        if not scores:
            break
        further = _meeting(need, index, scores)
        scores = {number: score + further[number] for number, score in scores.items() if number in further}
    return scores


def nearest(found: Iterable[tuple[Need, Scores]]) -> tuple[Scores, tuple[Need, ...]]:
    """(items, needs let go), of each need with the items that meet it: the first needs that go together when one is let go,
    then another, and so on.

    The most common word is tried first, as it says least; where no single one will do, the rarest goes for good.
    """
    whole = sorted(found, key=lambda pair: len(pair[1]))
    gone: list[Need] = []
    while len(whole) > 1:
        for place in reversed(range(len(whole))):
            scores = _together([scores for other, (_, scores) in enumerate(whole) if other != place])
            if scores:
                return scores, (*gone, whole[place][0])
        gone.append(whole.pop(0)[0])
    return (whole[0][1] if whole else {}), tuple(gone)


def _together(lists: Sequence[Scores]) -> Scores:
    scores = lists[0]
    for further in lists[1:]:
        scores = {number: score + further[number] for number, score in scores.items() if number in further}
    return scores


def _most(need: Need, index: Index) -> int:
    """At most so many items meet the need."""
    return sum(min((index.frequency(word) for word in words), default=0) for words, _ in need.ways)


def _meeting(need: Need, index: Index, among: Scores | None) -> Scores:
    """Items (of `among`) that meet the need, each by its best way."""
    if len(need.ways) == 1:
        return _having(need.ways[0], index, among)
    best: Scores = {}
    for way in need.ways:
        for number, score in _having(way, index, among).items():
            if score > best.get(number, 0.0):
                best[number] = score
    return best


def _having(way: Way, index: Index, among: Scores | None) -> Scores:
    words, weight = way
    scores = among
    total: Scores = {}
    for word in sorted(words, key=index.frequency):
        found = _postings(word, weight, index, scores)
        total = {number: score + total[number] for number, score in found.items()} if total else found
        scores = total
        if not total:
            break
    return total


def _postings(word: str, weight: float, index: Index, among: Scores | None) -> Scores:
    """The word's items (of `among`) with what it is worth in each."""
    start, end = index.span(word)
    step = weight * index.rarity(word) / STEPS
    if among is not None and len(among) * _MUCH_LONGER < end - start:
        docs, impacts, found = index.docs, index.impacts, {}
        for number in among:
            place = bisect_left(docs, number, start, end)
            if place < end and docs[place] == number:
                found[number] = step * impacts[place]
        return found
    worth = [step * share for share in range(STEPS + 1)]
    listed = dict(zip(index.docs[start:end], map(worth.__getitem__, index.impacts[start:end]), strict=True))
    return listed if among is None else {number: listed[number] for number in among if number in listed}

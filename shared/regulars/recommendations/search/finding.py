"""What a question finds, and what is done when that is nothing: never an empty list without a word.

1  all words; a last word that few items have also as the beginning of longer ones
2  unknown words corrected or ignored
3  words let go until something is left (`matching.nearest`)
4  nothing: popular items stand in, with the reason
"""

from __future__ import annotations

from collections.abc import Sequence

from regulars.recommendations.search.config import SearchSettings
from regulars.recommendations.search.index import Index
from regulars.recommendations.search.matching import Scores, matches, nearest
from regulars.recommendations.search.model import (
    ALL,
    FILTERED_OUT,
    NO_MATCH,
    NO_WORDS,
    NONE,
    SOLD_OUT,
    SOME,
    Found,
    Sieve,
)
from regulars.recommendations.search.understanding import Need, Understood, understand, widened


def find(text: str, index: Index, sieve: Sieve, gone: frozenset[str], settings: SearchSettings) -> Found:
    """What the text finds within the sieve; items in `gone` are not to be had now."""
    understood = understand(text, index, settings)

    def keep(scores: Scores) -> Scores:
        return _at_hand(sieve.kept(scores, index), index, gone)

    needs = understood.needs
    scores = keep(matches(needs, index))
    if needs and len(scores) < settings.beginnings.when_fewer:
        wider = widened(needs, index, settings)
        if wider != needs:
            needs, scores = wider, keep(matches(wider, index))
    ignored = (*understood.unknown, *understood.skipped)
    if scores:
        return Found(scores=scores, match=SOME if ignored else ALL, ignored=ignored, corrected=understood.corrected)
    scores, let_go = nearest([(need, keep(matches((need,), index))) for need in needs])
    if scores:
        said = (*ignored, *(need.said for need in let_go))
        return Found(scores=scores, match=SOME, ignored=said, corrected=understood.corrected)
    return Found(match=NONE, ignored=_all_said(understood), reason=_why(understood, needs, index, sieve))


def _at_hand(scores: Scores, index: Index, gone: frozenset[str]) -> Scores:
    """Without what is gone."""
    if len(gone) < len(scores):
        numbers = index.numbers
        for item_id in gone:
            scores.pop(numbers.get(item_id, -1), None)
        return scores
    return {number: score for number, score in scores.items() if index.ids[number] not in gone} if gone else scores


def _all_said(understood: Understood) -> tuple[str, ...]:
    return (*understood.unknown, *understood.skipped, *(need.said for need in understood.needs))


def _why(understood: Understood, needs: Sequence[Need], index: Index, sieve: Sieve) -> str:
    """Nothing was left of any single word: was there anything before filters and stock?"""
    if not needs:
        return NO_MATCH if understood.unknown else NO_WORDS
    if any(sieve.kept(matches((need,), index), index) for need in needs):
        return SOLD_OUT
    return FILTERED_OUT if sieve else NO_MATCH

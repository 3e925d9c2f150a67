"""Popularity of a country within the shop's, worked out once for everybody there."""

from __future__ import annotations

from collections.abc import Mapping

from regulars.similarity.model import Scored

_MIXED: dict[tuple[int, int, float], tuple[Scored, Scored, Mapping[str, float]]] = {}
_MIXED_KEPT = 50


def mixed(whole: Scored, local: Scored, share: float) -> Mapping[str, float]:
    """(1 − share) · whole + share · local. Kept while the same lists come again: everybody in a country has the same."""
    key = (id(whole), id(local), share)
    known = _MIXED.get(key)
    if known is not None and known[0] is whole and known[1] is local:
        return known[2]
    scores = {item_id: score * (1 - share) for item_id, score in whole}
    for item_id, score in local:
        scores[item_id] = scores.get(item_id, 0.0) + share * score
    if len(_MIXED) >= _MIXED_KEPT:
        _MIXED.clear()
    _MIXED[key] = (whole, local, scores)
    return scores

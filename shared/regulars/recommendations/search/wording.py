"""Why a found item is shown, in the shopper's language; `regulars.recommendations.reasons` words what stands in."""

from __future__ import annotations

from collections.abc import Mapping

from regulars.recommendations.search.config import Good, RankWeights

TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "found": "Matches your search",
        "found_seen": "Matches your search; you looked at it lately",
        "found_taste": "Matches your search and what you like",
        "found_popular": "Matches your search, popular right now",
        "found_rated": "Matches your search, rated highly",
        "found_near": "Close to your search",
        "found_id": "The item you named",
    },
    "zh": {
        "found": "符合您的搜索",
        "found_seen": "符合您的搜索，您最近浏览过",
        "found_taste": "符合您的搜索与喜好",
        "found_popular": "符合您的搜索，当前热销",
        "found_rated": "符合您的搜索，好评商品",
        "found_near": "与您的搜索相近",
        "found_id": "您指定的商品",
    },
}


def code_of(shares: Mapping[str, float], weights: RankWeights, good: Good) -> str:
    """The most personal thing that speaks for the item and reaches its mark; `shares` are weighted, as in `ranking`."""
    marks = (
        ("found_seen", shares["seen"], weights.seen * good.seen),
        ("found_taste", shares["taste"], weights.taste * good.taste),
        ("found_popular", shares["heat"], weights.heat * good.heat),
        ("found_rated", shares["rating"], weights.rating * good.rating),
    )
    return next((code for code, share, mark in marks if mark > 0 and share >= mark), "found")

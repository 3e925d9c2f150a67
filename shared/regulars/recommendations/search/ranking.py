"""The order of what was found: one sum of shares, each between 0 and 1 and weighted by the settings.

    relevance   BM25F ÷ the best of this answer
    heat        √(decayed popularity ÷ the shop's highest)
    rating      smoothed rating ÷ the best possible
    price       e^(−ln²(price ÷ usual price) / 2·width²); usual is the median of what she looked at and bought in the category,
                else the median price of what sells among the items found
    taste       share of her tags on the item's category or brand
    seen        ½^(age / half-life) since she last looked at it

Everything found is ordered by relevance, heat, rating and taste; the best `pool` of that by all six.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from math import exp, log

from regulars.catalogue.model import Item
from regulars.recommendations.blending import liking
from regulars.recommendations.model import Candidate
from regulars.recommendations.search.config import SearchSettings
from regulars.recommendations.search.index import STEPS, Index
from regulars.recommendations.search.model import NEW, POPULAR, PRICE_DOWN, PRICE_UP, RELEVANCE
from regulars.recommendations.situation import Situation

_LOOKED_AT = 50
"""Of her newest items, those whose prices say what she usually pays."""
_SAMPLE = 16
Keyed = list[tuple[float, float, int]]
"""(key, second key, number): the lowest first."""


def in_order(sort: str, scores: Mapping[int, float], index: Index, situation: Situation, count: int) -> Iterator[int]:
    """All numbers found, best first for the sort; equal ones in id order, as numbers are. The first `count` come cheaply."""
    if sort == RELEVANCE:
        return _by_relevance(scores, index, situation, count)
    column, sign = {
        PRICE_UP: (index.columns.price, 1),
        PRICE_DOWN: (index.columns.price, -1),
        NEW: (index.columns.listed, -1),
        POPULAR: (index.columns.heat, -1),
    }[sort]
    return _lowest([(sign * column[number], -score, number) for number, score in scores.items()], count)


def _lowest(keyed: Keyed, count: int) -> Iterator[int]:
    if len(keyed) > 2 * count:
        first = nsmallest(count, keyed)
        yield from (number for _, _, number in first)
        keyed = [key for key in keyed if key > first[-1]]
    yield from (number for _, _, number in sorted(keyed))


def _by_relevance(scores: Mapping[int, float], index: Index, situation: Situation, count: int) -> Iterator[int]:
    """What she likes is looked at one by one; of the rest, only what a look at every sixteenth says may be among the best."""
    weights = situation.settings.search.weights
    share = weights.relevance / (max(scores.values(), default=0.0) or 1.0)
    priors = index.priors(weights.heat, weights.rating)
    keys = [share * score + priors[number] for number, score in scores.items()]
    lift = _lift(scores, index, situation)
    floor = sorted(keys[::_SAMPLE], reverse=True)[min(2 * count // _SAMPLE + 4, (len(keys) - 1) // _SAMPLE)] if keys else 0.0
    likely = [(-key, 0.0, number) for number, key in zip(scores, keys, strict=True) if key >= floor and number not in lift]
    likely += [(-(share * scores[number] + priors[number] + more), 0.0, number) for number, more in lift.items()]
    best = sorted(key for key in likely if -key[0] >= floor)
    yield from (number for _, _, number in best)
    shown = {number for _, _, number in best}
    yield from (
        number
        for _, _, number in sorted(
            (-(key + lift.get(number, 0.0)), 0.0, number)
            for number, key in zip(scores, keys, strict=True)
            if number not in shown
        )
    )


def _lift(scores: Mapping[int, float], index: Index, situation: Situation) -> Mapping[int, float]:
    """What taste adds to those of her categories and brands."""
    if not situation.taste:
        return {}
    found: tuple[dict[int, float], dict[int, float]] = ({}, {})
    for family, names, codes in (("category", index.category_codes, found[0]), ("brand", index.brand_codes, found[1])):
        for (of, value), share in situation.taste.items():
            if of == family:
                codes.update(dict.fromkeys(names.get(value, ()), share))
    shelves, brands = found
    category, brand = index.columns.category, index.columns.brand
    weight = situation.settings.search.weights.taste
    return {
        number: weight * max(shelves.get(category[number], 0.0), brands.get(brand[number], 0.0))
        for number in scores
        if category[number] in shelves or brand[number] in brands
    }


@dataclass(frozen=True, slots=True)
class Judge:
    """Gives an item its score, with every share that went into it."""

    situation: Situation
    index: Index
    scores: Mapping[int, float]
    best: float
    usual: Mapping[str, float]
    typical: float

    @classmethod
    def of(cls, situation: Situation, index: Index, scores: Mapping[int, float], pool: Sequence[int]) -> Judge:
        """For one answer; `pool` are its best items, whose prices say what is typical for it."""
        best = max(scores.values(), default=0.0) or 1.0
        return cls(situation, index, scores, best, _usual_prices(situation), _typical_price(pool, index))

    def __call__(self, number: int, item: Item) -> Candidate:
        """The item as a candidate; its `details` are the weighted shares."""
        settings = self.situation.settings.search
        weights, columns = settings.weights, self.index.columns
        shares = {
            "relevance": weights.relevance * self.scores[number] / self.best,
            "heat": weights.heat * columns.heat[number] / STEPS,
            "rating": weights.rating * columns.rating[number] / STEPS,
            "price": weights.price * self._price(item, settings.price_width),
            "taste": weights.taste * liking(item, self.situation.taste),
            "seen": weights.seen * _seen(item.item_id, self.situation, settings),
        }
        return Candidate(item.item_id, sum(shares.values()), "", (), shares, "search")

    def _price(self, item: Item, width: float) -> float:
        usual = self.usual.get(item.category) or self.typical
        if usual <= 0 or item.price_cents <= 0:
            return 0.0
        return exp(-(log(item.price_cents / usual) ** 2) / (2 * width**2))


def _usual_prices(situation: Situation) -> Mapping[str, float]:
    """Category → median price, in cents, of what she bought and looked at there last."""
    profile, snapshot = situation.profile, situation.snapshot
    looked = sorted(profile.item_seen_at, key=lambda item_id: profile.item_seen_at[item_id], reverse=True)[:_LOOKED_AT]
    bought = sorted(profile.purchases, key=lambda item_id: profile.purchases[item_id][-1], reverse=True)[:_LOOKED_AT]
    prices: dict[str, list[int]] = {}
    for item_id in dict.fromkeys((*bought, *looked)):
        item = snapshot.get(item_id)
        if item is not None and item.price_cents > 0:
            prices.setdefault(item.category, []).append(item.price_cents)
    return {category: float(sorted(found)[len(found) // 2]) for category, found in prices.items()}


def _typical_price(pool: Sequence[int], index: Index) -> float:
    """The median price, each item counted by one and its heat."""
    columns = index.columns
    priced = sorted((columns.price[number], 1 + columns.heat[number]) for number in pool if columns.price[number] > 0)
    half, passed = sum(weight for _, weight in priced) / 2, 0
    for price, weight in priced:
        passed += weight
        if passed >= half:
            return float(price)
    return 0.0


def _seen(item_id: str, situation: Situation, settings: SearchSettings) -> float:
    at = situation.profile.item_seen_at.get(item_id)
    if at is None:
        return 0.0
    age_days = max(0.0, (situation.now - at).total_seconds() / 86_400)
    return float(0.5 ** (age_days / settings.seen_half_life_days))

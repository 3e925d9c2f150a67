"""Items → Index.

The simple BM25F of Robertson and Zaragoza ("The Probabilistic Relevance Framework: BM25 and Beyond", 2009, section 3.6):

    tf' = Σ over fields  weight · tf / (1 − b + b · words of the field / their average)
    impact = tf' / (k1 + tf')                     score = Σ over words  rarity(word) · impact
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt

from regulars.catalogue.model import Item
from regulars.catalogue.words import words_of
from regulars.clock import to_ms
from regulars.recommendations.search.config import Field, Ratings, SearchSettings
from regulars.recommendations.search.index import STEPS, Columns, Index, assemble, codes, merged

FIELDS = ("title", "brand", "category", "attributes")
_REVIEWS = ("reviews", "review_count", "rating_count")


def build(items: Sequence[Item], heat: Mapping[str, float], settings: SearchSettings, version: str, snapshot: str) -> Index:
    """The index of all items; `heat` is each item's share of the highest popularity. Items are numbered in id order."""
    ordered = sorted(items, key=lambda item: item.item_id)
    read = _read(ordered, settings)
    averages = {name: read.totals[name] / max(read.filled[name], 1) for name in FIELDS}
    terms, starts, docs, impacts = assemble(_postings(read, averages, settings, 0))
    index = Index(version=version, snapshot=snapshot, ids=[item.item_id for item in ordered], forms=read.forms)
    index.terms, index.starts, index.docs, index.impacts, index.averages = terms, starts, docs, impacts, averages
    index.columns = _columns(ordered, heat, settings.ratings, index)
    return index


def extended(index: Index, items: Sequence[Item], settings: SearchSettings) -> Index:
    """The index with further items after its own; what is known of averages stays."""
    read = _read(items, settings)
    averages = index.averages or {name: read.totals[name] / max(read.filled[name], 1) for name in FIELDS}
    terms, starts, docs, impacts = merged(index, _postings(read, averages, settings, len(index)))
    made = replace(
        index, ids=[*index.ids, *(item.item_id for item in items)], categories=[*index.categories], brands=[*index.brands]
    )
    made.terms, made.starts, made.docs, made.impacts, made.averages = terms, starts, docs, impacts, averages
    made.forms = {**read.forms, **index.forms}
    new, old = _columns(items, {}, settings.ratings, made), index.columns
    made.columns = Columns(
        old.heat + new.heat,
        old.rating + new.rating,
        old.price + new.price,
        old.listed + new.listed,
        old.category + new.category,
        old.brand + new.brand,
    )
    return made


@dataclass(slots=True)
class _Read:
    """Per item the words of each field; words and items that have any, by field; stems nobody writes so, with a form."""

    items: list[tuple[list[str], ...]] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)
    written: set[str] = field(default_factory=set)
    stemmed: dict[str, str] = field(default_factory=dict)

    @property
    def forms(self) -> dict[str, str]:
        return {word: form for word, form in self.stemmed.items() if word not in self.written}


def _read(items: Iterable[Item], settings: SearchSettings) -> _Read:
    read, unsearched = _Read(), frozenset(settings.unsearched)
    known: dict[str, list[str]] = {}

    def words(text: str, *, keep: bool) -> list[str]:
        if text in known:
            return known[text]
        found = []
        for word, form in words_of(text):
            found.append(word)
            if form == word:
                read.written.add(word)
            else:
                read.stemmed.setdefault(word, form)
        if keep:
            known[text] = found
        return found

    for item in items:
        values = (value for name, value in item.attributes.items() if name not in unsearched)
        by_field = (
            words(item.title, keep=False),
            words(item.brand, keep=True) if item.brand else [],
            words(item.category, keep=True) if item.category else [],
            [word for value in values for word in words(value, keep=len(value) < 40)],
        )
        for name, found in zip(FIELDS, by_field, strict=True):
            if found:
                read.totals[name] += len(found)
                read.filled[name] += 1
        read.items.append(by_field)
    return read


def _postings(
    read: _Read, averages: Mapping[str, float], settings: SearchSettings, first: int
) -> dict[str, tuple[array[int], array[int]]]:
    relevance = settings.relevance
    shares = [(getattr(relevance, name), averages[name] or 1.0) for name in FIELDS]
    postings: dict[str, tuple[array[int], array[int]]] = {}
    for number, by_field in enumerate(read.items, first):
        weights: dict[str, float] = {}
        for (setting, average), words in zip(shares, by_field, strict=True):
            if words:
                share = field_share(setting, len(words), average)
                for word in words:
                    weights[word] = weights.get(word, 0.0) + share
        for word, weight in weights.items():
            found = postings.get(word)
            if found is None:
                found = postings[word] = (array("I"), array("B"))
            found[0].append(number)
            found[1].append(round(STEPS * weight / (relevance.k1 + weight)) or 1)
    return postings


def field_share(setting: Field, words: int, average: float) -> float:
    """What one occurrence in a field of so many words adds to tf'."""
    return setting.weight / (1 - setting.b + setting.b * words / average)


def _columns(items: Sequence[Item], heat: Mapping[str, float], ratings: Ratings, index: Index) -> Columns:
    """Columns of the items; the index's lists of categories and brands grow by new ones."""
    told = [_rating(item.attributes, ratings.best) for item in items]
    known = [rating for rating, _ in told if rating is not None]
    mean = sum(known) / len(known) if known else 0.0
    smoothed = (_smoothed(rating, reviews, mean, ratings.prior_reviews) for rating, reviews in told)
    return Columns(
        array("B", (round(STEPS * sqrt(min(max(heat.get(item.item_id, 0.0), 0.0), 1.0))) for item in items)),
        array("B", (round(STEPS * share) for share in smoothed)),
        array("q", (item.price_cents for item in items)),
        array("q", (to_ms(item.listed_at) if item.listed_at else 0 for item in items)),
        codes((item.category for item in items), index.categories),
        codes((item.brand.casefold() for item in items), index.brands),
    )


def _rating(attributes: Mapping[str, str], best: float) -> tuple[float | None, float | None]:
    """(share of the best rating, number of reviews), None where not told or no number."""
    rating = _number(attributes.get("rating", ""))
    reviews = next((count for name in _REVIEWS if (count := _number(attributes.get(name, ""))) is not None), None)
    return (None if rating is None else min(rating / best, 1.0)), reviews


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None


def _smoothed(rating: float | None, reviews: float | None, mean: float, prior: float) -> float:
    """The rating drawn to the mean of all as if `prior` more reviews had said that (the Bayesian average); a rating that
    names no count of reviews weighs as much as the prior, and what is not rated is average."""
    if rating is None:
        return mean
    count = prior if reviews is None else reviews
    return (prior * mean + count * rating) / (prior + count) if prior + count > 0 else rating

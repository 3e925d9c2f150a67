"""The values of a search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from regulars.recommendations.model import Ask
from regulars.recommendations.search.index import Index

SCENE = "search"
RELEVANCE, PRICE_UP, PRICE_DOWN, NEW, POPULAR = "relevance", "price", "-price", "new", "popular"
SORTS = (RELEVANCE, PRICE_UP, PRICE_DOWN, NEW, POPULAR)
ALL, SOME, NONE = "all", "some", "none"
NO_WORDS, NO_MATCH, SOLD_OUT, FILTERED_OUT = "no_words", "no_match", "sold_out", "filtered_out"
NOT_OFFERED = "not_offered"
"""Why other things than what was asked for are shown; the last: rules, age or membership keep back what was found."""
NOTHING_FITS, PAST_THE_END = "nothing_fits_the_filters", "past_the_end"
"""Why nothing is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`ask` says who asks, how many places and which category; prices in cents, None for no bound; `brand` any spelling."""

    ask: Ask
    text: str
    offset: int = 0
    brand: str = ""
    price_from: int | None = None
    price_to: int | None = None
    sort: str = RELEVANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`scores`: item number → BM25F of what may be shown. `match`: whether items have all words, some, or none (then popular
    items stand in). `ignored` are the words let go, `corrected` as typed → as searched, `reason` why match is none."""

    scores: dict[int, float] = field(default_factory=dict)
    match: str = ALL
    ignored: tuple[str, ...] = ()
    corrected: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sieve:
    """What of the index a question allows: codes of categories and brands (None: any), prices in cents."""

    categories: frozenset[int] | None
    brands: frozenset[int] | None
    price_from: int | None
    price_to: int | None

    @classmethod
    def of(cls, question: Question, index: Index) -> Sieve:
        """The question's filters in the index's codes."""
        return cls(
            _codes(index.categories, _under(question.ask.category)) if question.ask.category else None,
            _codes(index.brands, question.brand.casefold().__eq__) if question.brand else None,
            question.price_from,
            question.price_to,
        )

    def __bool__(self) -> bool:
        return any(bound is not None for bound in (self.categories, self.brands, self.price_from, self.price_to))

    def kept(self, scores: dict[int, float], index: Index) -> dict[int, float]:
        """Those that pass."""
        columns = index.columns
        if self.categories is not None:
            allowed, category = self.categories, columns.category
            scores = {number: score for number, score in scores.items() if category[number] in allowed}
        if self.brands is not None:
            allowed, brand = self.brands, columns.brand
            scores = {number: score for number, score in scores.items() if brand[number] in allowed}
        if self.price_from is not None or self.price_to is not None:
            low, price = self.price_from or 0, columns.price
            high = self.price_to if self.price_to is not None else max(price, default=0)
            scores = {number: score for number, score in scores.items() if low <= price[number] <= high}
        return scores


def _under(category: str) -> Callable[[str], bool]:
    return lambda name: name == category or name.startswith(f"{category}/")


def _codes(names: list[str], wanted: Callable[[str], bool]) -> frozenset[int]:
    return frozenset(code for code, name in enumerate(names) if wanted(name))

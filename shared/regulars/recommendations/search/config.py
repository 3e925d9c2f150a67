"""The settings of search; the section `search` of recommendations/defaults.yaml says what each means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    weight: float
    b: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Relevance:
    k1: float
    title: Field
    brand: Field
    category: Field
    attributes: Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginnings:
    min_letters: int
    most: int
    weight: float
    when_fewer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RankWeights:
    relevance: float
    heat: float
    rating: float
    price: float
    taste: float
    seen: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    best: float
    prior_reviews: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    heat: float
    rating: float
    taste: float
    seen: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    days: int
    min_shoppers: int
    max_chars: int
    default_limit: int
    max_limit: int
    max_counted: int
    queries: int
    titles: int
    kinds: Mapping[str, float]
    inner: float
    hidden: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    max_query_chars: int
    max_words: int
    max_offset: int
    pool: int
    relevance: Relevance
    unsearched: tuple[str, ...]
    stop_words: tuple[str, ...]
    synonyms: tuple[tuple[str, ...], ...]
    synonym_weight: float
    beginnings: Beginnings
    typo_min_letters: int
    weights: RankWeights
    ratings: Ratings
    price_width: float
    seen_half_life_days: float
    good: Good
    live_items: int
    suggestions: Suggestions

"""The settings of recommendations; defaults.yaml says what each means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySettings:
    items: int
    half_life_days: float
    rank_power: float
    kinds: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    popularity: float
    taste: float
    home: Mapping[str, float]
    product: Mapping[str, float]
    same_category_goes_with: float
    cart: Mapping[str, float]
    new_arrivals_share: float
    region_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    home_category_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    spend_cents: int
    save_cents: int
    currency: str
    fillers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnScene:
    new_of_brand_days: int
    viewed_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repurchase:
    default_gap_days: float
    due_from: float
    due_until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationSettings:
    common_seconds: int
    cache_rows: int
    max_limit: int
    history: HistorySettings
    blend: Blend
    diversity: Diversity
    threshold: Threshold
    return_scene: ReturnScene
    repurchase: Repurchase
    bought_hidden_days: int

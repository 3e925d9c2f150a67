"""The settings of the builds; defaults.yaml says what each means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildLimits:
    history_days: int
    max_interactions: int
    max_items_per_shopper: int
    min_interactions: int
    max_deletes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighting:
    """What every relation has: score = Σ weights / ((n_i + shrink)^source_power · (n_j + shrink)^popularity_power)."""

    keep: int
    half_life_days: float
    length_power: float
    popularity_power: float
    source_power: float
    shrink: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarWeighting(Weighting):
    session_gap_minutes: int
    session_weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TogetherWeighting(Weighting):
    nearby_days: int
    nearby_weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NextWeighting(Weighting):
    window: int
    within_days: int
    gap_power: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Relations:
    similar: SimilarWeighting
    together: TogetherWeighting
    next: NextWeighting


@dataclass(frozen=True, slots=True, kw_only=True)
class PopularitySettings:
    half_life_days: float
    window_days: int
    history_days: int
    keep: int
    keep_per_scope: int
    max_scopes: int
    new_arrival_days: int
    kinds: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilaritySettings:
    build: BuildLimits
    kinds: Mapping[str, float]
    relations: Relations
    popularity: PopularitySettings

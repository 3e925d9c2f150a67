"""The settings of the builds; defaults.yaml says what each means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildLimits:
    history_days: int
    max_interactions: int
    max_items_per_shopper: int
    max_steps: int
    min_interactions: int
    max_deletes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkSettings:
    """The build on many machines: when, in how many pieces, and how large a worker is."""

    max_archive_megabytes: int
    slices: int
    blocks: int
    worker_cores: int
    worker_memory_gb: int
    worker_heap_gb: int
    worker_disk_gb: int
    timeout_minutes: int


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
    backward: float
    views: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearWeighting:
    """A closed-form item–item model over the best-known items; see `regulars.similarity.linear`."""

    kind: str
    keep: int
    penalty: float
    half_life_days: float
    length_power: float
    popularity_power: float
    window: int
    gap_power: float
    max_items: int
    min_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Relations:
    similar: SimilarWeighting
    together: TogetherWeighting
    next: NextWeighting
    linear: LinearWeighting


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSettings:
    """How attributes make items alike. `weights`: title, category, brand, price, any attribute by name, `attributes` for the
    others."""

    keep: int
    new_per_item: int
    few_interactions: int
    champions: int
    least: float
    price_step: float
    weights: Mapping[str, float]
    attributes_ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSettings:
    """Which new items are on trial, and what is believed of them before anybody has seen them."""

    keep: int
    enough_shown: int
    enough_deeds: int
    prior_shown: float
    prior_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PopularitySettings:
    half_life_days: float
    window_days: int
    history_days: int
    keep: int
    keep_per_scope: int
    keep_habits: int
    lately_days: float
    usual_days: float
    max_scopes: int
    new_arrival_days: int
    time_zone: str
    trials: TrialSettings
    kinds: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningSettings:
    """The search for weightings and the recipe; see `regulars.similarity.tuning`."""

    enabled: bool
    protocol: str
    max_interactions: int
    max_items: int
    slices: int
    questions: int
    least_questions: int
    every_days: float
    history_items: tuple[int, ...]
    rounds: int
    least_gain: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceSettings:
    """The sequence model that `regulars train-sequence` trains; see `regulars.similarity.sequence`."""

    dim: int
    blocks: int
    max_length: int
    keep: int
    dropout: float
    epochs: int
    patience: int
    batch: int
    learning_rate: float
    all_items: int
    negatives: int
    held_out: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilaritySettings:
    build: BuildLimits
    tuning: TuningSettings
    bulk: BulkSettings
    kinds: Mapping[str, float]
    relations: Relations
    content: ContentSettings
    sequence: SequenceSettings
    popularity: PopularitySettings

"""The section `needs` of shop.yaml; defaults.yaml says what each means."""

from __future__ import annotations

from dataclasses import dataclass

from regulars.errors import Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturningSettings:
    horizon_days: int
    training_cuts: int
    training_step_days: int
    min_history_days: int
    min_shoppers: int
    ridge: float
    least_gain: float
    max_histories: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSettings:
    horizon_days: int
    step_days: int
    yearly_discount: float
    trusted_purchases: float
    min_repeaters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuyingSettings:
    horizon_days: int
    training_cuts: int
    max_lines: int
    max_rows: int
    ridge: float
    least_purchases: int
    min_hits: int
    trusted_gaps: int
    default_gap_days: float
    max_items: int

    def __post_init__(self) -> None:
        """Raises Invalid for gaps that nobody can lean on."""
        if self.trusted_gaps < 1 or self.default_gap_days <= 0:
            raise Invalid("needs.rebuying: trusted_gaps must be 1 or more, default_gap_days above 0", field="needs.rebuying")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandSettings:
    first_day: int
    last_day: int
    level_half_lives: tuple[float, ...]
    profile_weeks: int
    profile_weight: float
    validation_days: int
    min_history_days: int
    min_daily: float
    stable_variation: float
    own_weight: float
    max_series: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FactSettings:
    tolerance: float
    date_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsSettings:
    history_days: int
    max_orders: int
    returning: ReturningSettings
    value: ValueSettings
    rebuying: RebuyingSettings
    demand: DemandSettings
    facts: FactSettings

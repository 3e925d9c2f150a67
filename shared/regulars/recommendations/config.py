"""The settings of recommendations; defaults.yaml says what each means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from regulars.errors import Invalid
from regulars.recommendations.search.config import SearchSettings
from regulars.recommendations.segments import spelled
from regulars.similarity.model import RELATIONS

AUTO, POPULARITY = "auto", "popularity"
ALGORITHMS = (AUTO, POPULARITY, *RELATIONS)
"""The switch of the shop; see `regulars.recommendations.recipes`."""


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
    product_fading: float
    same_category_goes_with: float
    sets_from: float
    cart: Mapping[str, float]
    new_arrivals_share: float
    region_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """Scene → share of its list."""

    category_share: Mapping[str, float]
    brand_share: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """Spend so much, save so much."""

    spend_cents: int
    save_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    spend_cents: int
    save_cents: int
    currency: str
    fillers: int
    combined: int
    further: tuple[Saving, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnScene:
    new_of_brand_days: int
    viewed_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    loyal: tuple[str, ...]
    dormant: tuple[str, ...]
    high_end_quantile: float
    new_days: int
    bundles: int

    def __post_init__(self) -> None:
        """Raises Invalid for a segment that no shopper can be in: else a slip would quietly shut all members out."""
        spelled(self.loyal, "recommendations.members.loyal")
        spelled(self.dormant, "recommendations.members.dormant")


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    new_days: int
    discount_percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repurchase:
    default_gap_days: float
    due_from: float
    due_until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    share: float
    one_of: int
    first_place: int
    scenes: tuple[str, ...]
    category_fit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomers:
    region: float
    device: float
    daypart: float
    trust_deeds: float
    interests: float
    fade: float
    own_deeds: float
    most_deeds: int
    items_per_interest: int
    names_per_interest: int
    titles_looked_at: int
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationSettings:
    """See defaults.yaml. Making one raises Invalid for an `algorithm` that there is none of."""

    algorithm: str
    common_seconds: int
    cache_rows: int
    max_limit: int
    history: HistorySettings
    blend: Blend
    diversity: Diversity
    threshold: Threshold
    return_scene: ReturnScene
    members: Members
    banner: Banner
    repurchase: Repurchase
    exploration: Exploration
    newcomers: Newcomers
    search: SearchSettings
    bought_hidden_days: int

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            known = ", ".join(ALGORITHMS)
            field = "recommendations.algorithm"
            raise Invalid(f"{field}: expected one of {known}, got {self.algorithm!r}"[:200], field=field)

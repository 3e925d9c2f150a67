"""The section `profiles` of shop.yaml: how deeds become tags, and where the lines between shoppers lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from regulars.errors import Invalid
from regulars.profiles.model import TAG_LAYERS


@dataclass(frozen=True, slots=True)
class Family:
    """Tags of one kind. A weight halves in `half_life_days`; the `keep` heaviest are kept."""

    layer: str
    half_life_days: float
    keep: int


@dataclass(frozen=True, slots=True)
class Deed:
    """What one event of a name is worth.

    `weight`: for the item and for each of its tags. `habit`: the behaviour it shows (`behaviour/habit/<habit>`).
    `channel`: the channel it proves to work.
    """

    weight: float = 0.0
    habit: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """Interest in single items: half-life, how many are kept, and what counts as a long look."""

    half_life_days: float
    keep: int
    long_look_seconds: float
    long_look_factor: float
    lines_per_tag: int


@dataclass(frozen=True, slots=True)
class Opposites:
    """Two tags that push each other down: each is read less `strength` times the other."""

    tags: tuple[str, ...]
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Declared:
    """Tags out of what the shopper says: trait → `layer/family` of its tag, at `weight`; ages are put into `age_bands`."""

    weight: float
    traits: Mapping[str, str]
    age_bands: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """Everything live: families, deeds, words that tell an occasion, and what is kept."""

    families: Mapping[str, Family]
    deeds: Mapping[str, Deed]
    items: Items
    attributes: Mapping[str, str]
    occasion_words: Mapping[str, tuple[str, ...]]
    declared: Declared
    floor: float
    hour_half_life_days: float
    channel_half_life_days: float
    time_zone: str
    seen_per_week: int
    cart_keep: int
    traits_keep: int
    opposites: tuple[Opposites, ...] = ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where H ends and M ends. `quantiles` replaces the lines by the shop's own (shares of its buyers below M and below H)."""

    high: float
    mid: float


@dataclass(frozen=True, slots=True)
class Rfm:
    """`mode`: thresholds, or quantiles of the buyers of the window."""

    mode: str
    window_days: int
    recency_days: Bounds
    orders: Bounds
    spent_cents: Bounds
    quantiles: Bounds


@dataclass(frozen=True, slots=True)
class Tiers:
    """Shares of revenue of the window brought by the high, and by the high and the mid."""

    window_days: int
    high_share: float
    mid_share: float


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Days of silence, and how many orders in `loyal_window_days` make loyal."""

    new_days: int
    churn_risk_days: int
    dormant_days: int
    lost_days: int
    won_back_days: int
    loyal_orders: int
    loyal_window_days: int


@dataclass(frozen=True, slots=True)
class WinBack:
    """When a silent shopper of the high tier is written to, and how long a win-back moment stays good."""

    high_value_days: int
    lapses_after_days: int


EVERYBODY, LEANING = "everybody", "leaning"


@dataclass(frozen=True, slots=True)
class Occasions:
    """When calendar moments are made, and for whom.

    A festival's is made `lead_days` before it, for `audience`: everybody, or those leaning to it: whose `tags` weigh at least
    `least` together or who carry a rule tag of `rule_tags` (festival → rule tags). `anniversaries`: purchase, sign_up; they
    lapse after `anniversary_lapse_days`. A sweep makes up for at most `catch_up_days` missed ones.
    """

    lead_days: int
    audience: str
    tags: tuple[str, ...]
    least: float
    rule_tags: Mapping[str, tuple[str, ...]]
    anniversaries: tuple[str, ...]
    anniversary_lapse_days: int
    catch_up_days: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """A shopper is covered with at least `tags` tags of weight `weight` beside behaviour and base."""

    tags: int
    weight: float


@dataclass(frozen=True, slots=True)
class ProfilesConfig:
    """The section `profiles`."""

    weights: Weights
    rfm: Rfm
    tiers: Tiers
    lifecycle: Lifecycle
    win_back: WinBack
    coverage: Coverage
    occasions: Occasions
    festivals: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises Invalid with the path of what the types cannot tell."""
        for name, family in self.weights.families.items():
            if family.layer not in TAG_LAYERS:
                raise _wrong(f"weights.families.{name}.layer", f"{family.layer!r} is not one of {', '.join(TAG_LAYERS)}")
            if family.half_life_days <= 0:
                raise _wrong(f"weights.families.{name}.half_life_days", "must be positive")
        for trait, place in self.weights.declared.traits.items():
            layer, _, family_name = place.partition("/")
            if layer not in TAG_LAYERS or family_name not in self.weights.families:
                raise _wrong(f"weights.declared.traits.{trait}", f"{place!r} is not layer/family of a known family")
        for attribute, family_name in self.weights.attributes.items():
            if family_name not in self.weights.families:
                raise _wrong(f"weights.attributes.{attribute}", f"no family {family_name!r}")
        for number, pair in enumerate(self.weights.opposites):
            if len(pair.tags) != 2 or not all(tag.count("/") == 2 for tag in pair.tags):
                raise _wrong(f"weights.opposites[{number}].tags", "must be two tags written layer/family/value")
        if self.rfm.mode not in ("thresholds", "quantiles"):
            raise _wrong("rfm.mode", f"{self.rfm.mode!r} is neither thresholds nor quantiles")
        if self.occasions.audience not in (EVERYBODY, LEANING):
            raise _wrong("occasions.audience", f"{self.occasions.audience!r} is neither {EVERYBODY} nor {LEANING}")
        if self.occasions.lead_days < 1 or self.occasions.anniversary_lapse_days < 1 or self.occasions.catch_up_days < 1:
            raise _wrong("occasions", "lead_days, anniversary_lapse_days and catch_up_days are 1 or more")
        if wrong := set(self.occasions.anniversaries) - {"purchase", "sign_up"}:
            raise _wrong("occasions.anniversaries", f"unknown: {', '.join(sorted(wrong))}")


def _wrong(path: str, reason: str) -> Invalid:
    return Invalid(f"profiles.{path}: {reason}", field=f"profiles.{path}")

"""How a shopper's history becomes scores: the formula, and the numbers in it that a build chose for this shop.

    score(j) = Σ_relations w_r · near_r(j) + w_week · week(j) + w_trend · trend(j) + w_repeat · again(j)

    near_r(j)  = Σ_i kind(i) · (1 + rank_i)^−p_r · 0.5^(age_i / h_r) · S_r[i, j], divided by its highest over the items that may
                 be shown; i runs over the newest `history_items` distinct items. rank_i is dense by instant: 0 for whatever
                 carries the newest instant, 1 for the one before. age_i is in days, measured from that newest instant.
    week, trend  popularity rows (distinct buyers of the last days; decayed deeds), as shares of their highest
    again(j)   = habit_j^γ · (m · habit_j + Σ over the days on which j was bought of (1 + rank)^−p · 0.5^(age / h)) for what
                 was bought, divided by its highest; rank dense over the shopper's purchase days, age in days from today.
                 habit_j: baskets with j per buyer of j, from the popularity row "habit" (1 for items that are not in it).
                 m · habit_j stands for what is known of j beside the shopper's own days, as the prior does in the
                 gamma-Poisson model of buying (Ehrenberg, Repeat-Buying, 1988): it says much of what was bought once, little of
                 what is bought weekly. Only where the shop's shoppers buy the same again (`repeats`).

The evaluator, the build's search and the API function use this one formula (`regulars.similarity.scoring` in arrays,
`regulars.recommendations.blending` in plain Python; a test holds them together). No numpy here: readers of a model start
without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from regulars.errors import GiveUp

NO_HALF_LIFE = 0.0
"""A half-life that never ends: age does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One relation's say. `half_life_days` 0 means age does not count."""

    weight: float
    rank_power: float = 1.0
    half_life_days: float = NO_HALF_LIFE

    def fade(self, rank: int, age_days: float) -> float:
        """What an item of the history weighs, before its kind."""
        return self.fades((rank,), (age_days,))[0]

    def fades(self, ranks: Sequence[int], ages_days: Sequence[float]) -> list[float]:
        """As `fade`, of a whole history."""
        power, half_life = -self.rank_power, self.half_life_days
        if half_life <= 0:
            return [(1 + rank) ** power for rank in ranks]
        return [0.5 ** (age / half_life) * (1 + rank) ** power for rank, age in zip(ranks, ages_days, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What the build chose. `parts`: relation → its say. `popularity`: "week" and "trend" → weight. `repeat` is the say of
    what the shopper bought before; `repeats` says that bought items may be shown at all. `kinds`: what a view, wishlist, cart
    or purchase of an item says; an item counts by the strongest thing done with it."""

    protocol: str = ""
    history_items: int = 20
    parts: Mapping[str, Part] = field(default_factory=dict)
    popularity: Mapping[str, float] = field(default_factory=dict)
    repeat: Part | None = None
    habit_power: float = 0.0
    habit_weight: float = 0.0
    repeats: bool = False
    kinds: Mapping[str, float] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON; inverse of `from_wire`."""
        return asdict(self)


def from_wire(raw: Mapping[str, Any]) -> Recipe:
    """The recipe in a pointer's parameters; raises GiveUp(broken_model) for what is none."""
    try:
        return Recipe(
            protocol=str(raw["protocol"]),
            history_items=int(raw["history_items"]),
            parts={str(name): Part(**part) for name, part in raw["parts"].items()},
            popularity={str(name): float(weight) for name, weight in raw["popularity"].items()},
            repeat=Part(**raw["repeat"]) if raw["repeat"] else None,
            habit_power=float(raw["habit_power"]),
            habit_weight=float(raw.get("habit_weight", 0.0)),  # not in recipes of before there was one
            repeats=bool(raw["repeats"]),
            kinds={str(name): float(weight) for name, weight in raw["kinds"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise GiveUp(f"not a recipe: {error}"[:200], code="broken_model") from error

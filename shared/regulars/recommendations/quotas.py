"""How many of one kind an answer may hold: limits of rules are never exceeded, the diversity settings give way last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil

from regulars.catalogue.model import Item
from regulars.recommendations.ruling import BRAND, CATEGORY, LIMIT, Active
from regulars.recommendations.situation import Situation


@dataclass(slots=True)
class Quotas:
    """Counts of one answer. `categories` and `brands` are the settings' numbers, 0 for none."""

    active: Active
    categories: int = 0
    brands: int = 0
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    limited: bool = False

    @classmethod
    def of(cls, situation: Situation) -> Quotas:
        """Those of the question's scene; a question for one category is not spread over categories."""
        settings, ask = situation.settings.diversity, situation.ask
        category_share = 0.0 if ask.category else settings.category_share.get(ask.scene, 0.0)
        return cls(
            situation.active,
            _most(category_share, ask.limit),
            _most(settings.brand_share.get(ask.scene, 0.0), ask.limit),
            limited=bool(situation.active.of(LIMIT)),
        )

    def full(self, item: Item) -> str:
        """The id of the first rule that allows no more of this item's kind, "" for none."""
        if not self.limited:
            return ""
        return next((rule_id for rule_id, key, most in self._limits(item) if self.counts.get(key, 0) >= most), "")

    def crowded(self, item: Item) -> bool:
        """Whether the diversity settings want no more of its category or brand."""
        counts, category, brand, categories, brands = self.counts, item.category, item.brand, self.categories, self.brands
        if category and categories and counts.get((CATEGORY, category), 0) >= categories:
            return True
        return bool(brand and brands) and counts.get((BRAND, brand), 0) >= brands

    def claim(self, item: Item) -> bool:
        """Whether no rule limits the item, which is counted then. The diversity settings give way to one place in ten."""
        if self.full(item):
            return False
        self.take(item)
        return True

    def take(self, item: Item) -> None:
        """Count the item."""
        counts, keys = self.counts, ((CATEGORY, item.category), (BRAND, item.brand))
        for key in (*keys, *(key for _, key, _ in self._limits(item))) if self.limited else keys:
            counts[key] = counts.get(key, 0) + 1

    def _limits(self, item: Item) -> Iterator[tuple[str, tuple[str, str], int]]:
        """(rule id, what it counts, at most how many); items without a brand or category have none to be limited by."""
        for rule in self.active.matching(item):
            value = {CATEGORY: item.category, BRAND: item.brand, "": "*"}[rule.per]
            if rule.action == LIMIT and value:
                yield rule.rule_id, (f"{LIMIT} {rule.rule_id}", value), rule.most


def _most(share: float, limit: int) -> int:
    return max(1, ceil(share * limit)) if 0 < share < 1 else 0

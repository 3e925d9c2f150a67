"""A small phone shop and its visitors, for catalogue, similarity and recommendations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from regulars.adapters.memory.catalogue import MemoryCatalogue
from regulars.adapters.memory.models import MemoryModels
from regulars.adapters.memory.sources import MemorySources
from regulars.adapters.memory.storage import MemoryStorage
from regulars.catalogue.model import Item
from regulars.catalogue.snapshot import load, publish
from regulars.profiles.model import Profile
from regulars.recommendations.config import RecommendationSettings
from regulars.recommendations.model import Answer, Ask
from regulars.recommendations.rulebook import Rulebook
from regulars.recommendations.service import Recommend
from regulars.shop import section
from regulars.similarity.config import SimilaritySettings
from regulars.similarity.model import Neighbours, Pointer, Popularity

NOW = datetime(2026, 8, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SHE = "user:42"
VERSION = "0000000000001"


@cache
def similarity_settings() -> SimilaritySettings:
    return section(SimilaritySettings, "similarity")


@cache
def settings() -> RecommendationSettings:
    return section(RecommendationSettings, "recommendations")


def item(item_id: str, category: str = "phones", **changes: Any) -> Item:
    """An item of 10.00 EUR called after its id, listed a year ago."""
    values: dict[str, Any] = {
        "title": item_id.title(),
        "category": category,
        "price_cents": 1000,
        "list_price_cents": 1000,
        "currency": "EUR",
        "listed_at": NOW - 365 * DAY,
    } | changes
    return Item(item_id=item_id, **{"list_price_cents": values["price_cents"], **values})


SHELF = (
    item("phone", price_cents=60000, list_price_cents=60000, brand="Aa", attributes={"model": "A1", "colour": "black"}),
    item("phone-red", price_cents=60000, list_price_cents=60000, brand="Aa", attributes={"model": "A1", "colour": "red"}),
    item("rival", price_cents=55000, list_price_cents=55000, brand="Bb"),
    item("case", "cases", price_cents=1500, list_price_cents=2000, brand="Aa"),
    item("film", "films", price_cents=800, list_price_cents=800),
    item("charger", "chargers", price_cents=2500, list_price_cents=2500),
    item("cable", "chargers", price_cents=500, list_price_cents=500),
    item("shampoo", "care"),
    item("conditioner", "care"),
    item("novelty", "cases", brand="Aa", listed_at=NOW - 3 * DAY),
)


def profile(**changes: Any) -> Profile:
    """Her profile; `purchases` may map an item to a number of days ago or several."""
    bought = changes.pop("bought", {})
    purchases = {item_id: days_ago(ages) for item_id, ages in bought.items()}
    return Profile(shopper=SHE, as_of=NOW, purchases=purchases, **changes)


def days_ago(ages: int | Iterable[int]) -> tuple[date, ...]:
    listed = [ages] if isinstance(ages, int) else list(ages)
    return tuple(sorted((NOW - age * DAY).date() for age in listed))


@dataclass
class Profiles:
    """The port over a dictionary."""

    known: dict[str, Profile] = field(default_factory=dict)

    def load(self, shopper: str, now: datetime) -> Profile:
        return self.known.get(shopper, Profile(shopper=shopper, as_of=now))


@dataclass
class Window:
    """A shop whose recommendations can be asked; `warnings` are what was logged."""

    shelf: Iterable[Item] = SHELF
    now: datetime = NOW
    settings: RecommendationSettings = field(default_factory=settings)

    def __post_init__(self) -> None:
        self.catalogue = MemoryCatalogue(self.shelf)
        self.storage = MemoryStorage()
        self.models = MemoryModels()
        self.profiles = Profiles()
        self.warnings: list[str] = []
        self.rulebook = Rulebook(self.models, lambda: self.now)
        self.sources: Any = MemorySources(self.profiles, self.models, self.catalogue)
        publish(self.storage, self.catalogue.scan(), self.now)

    @property
    def recommend(self) -> Recommend:
        snapshot = load(self.storage)
        return Recommend(
            self.sources, lambda: snapshot, self.settings, lambda: self.now, lambda text, _: self.warnings.append(text)
        )

    def knows(self, changed: Profile) -> None:
        self.profiles.known[changed.shopper] = changed

    def learns(self, rows: Mapping[str, Mapping[str, Mapping[str, float]]], gaps: Mapping[str, float] | None = None) -> None:
        """Publish neighbours: item → relation → neighbour → score."""
        gaps = gaps or {}
        built = [
            Neighbours(
                item_id,
                {name: tuple(sorted(scores.items(), key=lambda p: -p[1])) for name, scores in relations.items()},
                gaps.get(item_id),
            )
            for item_id, relations in rows.items()
        ]
        self.models.write(VERSION, built)
        self.models.flip(Pointer(version=VERSION, built_at=self.now), self.models.pointer())

    def sells(self, scope: str = "all", **scores: float) -> None:
        """Popularity of a scope; keywords with `_` for `-`."""
        ranked = tuple(sorted(((name.replace("_", "-"), score) for name, score in scores.items()), key=lambda p: -p[1]))
        self.models.put_popularity([Popularity(scope, ranked, ranked, self.now)])

    def rules(self, *rules: Mapping[str, Any]) -> None:
        import json

        self.rulebook.replace(json.dumps({"rules": list(rules)}).encode())

    def ask(self, scene: str, **changes: Any) -> Answer:
        return self.recommend(replace(Ask(scene=scene, shopper=SHE), **changes))

    def ids(self, scene: str, **changes: Any) -> list[str]:
        return [placed.item.item_id for placed in self.ask(scene, **changes).items]

    def codes(self, scene: str, **changes: Any) -> dict[str, str]:
        return {placed.item.item_id: placed.reason.code for placed in self.ask(scene, **changes).items}

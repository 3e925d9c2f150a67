"""Everything one call knows, and who may be shown in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from regulars.catalogue.snapshot import Snapshot
from regulars.lazily import lazily
from regulars.needs.rebuying import Rebuying
from regulars.profiles.model import Profile, age_of
from regulars.recommendations.config import RecommendationSettings
from regulars.recommendations.history import Deed, recent
from regulars.recommendations.mixing import mixed
from regulars.recommendations.model import Ask
from regulars.recommendations.ports import Row
from regulars.recommendations.ruling import NO_RULES, Active, Rules
from regulars.recommendations.segments import segments_of
from regulars.similarity.model import EVERYWHERE, ON_TRIAL, Popularity, Scored, region_scope
from regulars.similarity.recipe import Recipe

_NO_RECIPE = Recipe()
_OF_THE_OPENING = frozenset(("cart", "country", "age", "bought", "had", "segments", "member", "taste", "deeds", "learned"))
"""What follows from the first round trip alone."""


def silent(situation: Situation) -> Mapping[str, float]:
    """Where there is no sequence model."""
    return {}


def unlearned() -> Rebuying | None:
    """Where nothing was learned of rebuying."""
    return None


@dataclass(eq=False)
class Situation:
    """One call. `rows`, `stock_outs`, `rules` and scoped `popularity` are there after the second round trip. `notes` is what a
    scene found while ranking and says beside. `sequence` asks the trained model, where the recipe has one; `rebuying` fetches
    what was learned of buying again, where there is such a model."""

    ask: Ask
    profile: Profile
    snapshot: Snapshot
    settings: RecommendationSettings
    now: datetime
    rows: Mapping[str, Row] = field(default_factory=dict)
    popularity: Mapping[str, Popularity] = field(default_factory=dict)
    stock_outs: frozenset[str] = frozenset()
    rules: Rules = NO_RULES
    notes: dict[str, Any] = field(default_factory=dict)
    recipe: Recipe = _NO_RECIPE
    sequence: Callable[[Situation], Mapping[str, float]] = silent
    rebuying: Callable[[], Rebuying | None] = unlearned

    def with_neighbourhood(self, **found: Any) -> Situation:
        """The same call with what the second round trip brought; what was worked out of the first stays."""
        later = object.__new__(Situation)  # not `replace`, which goes through all fields twice
        kept = {name: value for name, value in self.__dict__.items() if name in _FIELDS or name in _OF_THE_OPENING}
        later.__dict__.update(kept, **found)
        return later

    @lazily
    def deeds(self) -> list[Deed]:
        """The newest items that the recipe looks at, newest first."""
        kinds = self.recipe.kinds or self.settings.history.kinds
        return recent(self.profile, kinds, self.recipe.history_items)

    @lazily
    def learned(self) -> Rebuying | None:
        """What the last build of needs learned of rebuying; asked for by scenes that use it alone."""
        return self.rebuying()

    @lazily
    def cart(self) -> tuple[str, ...]:
        """Item ids in the cart: those of the question, else the profile's, newest first."""
        if self.ask.cart is not None:
            return self.ask.cart
        return tuple(sorted(self.profile.cart, key=lambda item_id: self.profile.cart[item_id], reverse=True))

    @lazily
    def country(self) -> str:
        """Upper-cased; "" when neither the profile nor the question names one."""
        told = self.profile.traits.get("country") or self.ask.country
        return told.upper() if isinstance(told, str) else ""

    @lazily
    def age(self) -> int | None:
        """Years, of the traits `birthday` or `age`; None when unknown."""
        return age_of(self.profile.traits, self.now.date())

    @lazily
    def bought(self) -> frozenset[str]:
        """Items bought so lately that they count as bought."""
        since = (self.now - timedelta(days=min(self.settings.bought_hidden_days, 365_000 // 2))).date()
        return frozenset([item_id for item_id, days in self.profile.purchases.items() if days and days[-1] >= since])

    @lazily
    def had(self) -> frozenset[str]:
        """What is withheld for having been bought: nothing where the recipe says that shoppers here buy the same again. Every
        scene follows it, through `hidden`, `withheld` and `fresh`."""
        return frozenset() if self.recipe.repeats else self.bought

    @lazily
    def hidden(self) -> frozenset[str]:
        """Sold out, excluded, had, in the cart, or the item asked about; known after the second round trip."""
        return self.had.union(self.stock_outs, self.ask.exclude, self.cart, (self.ask.item_id,))

    @lazily
    def withheld(self) -> frozenset[str]:
        """As `hidden`, without the sold out, of which there may be thousands (`may_show` asks)."""
        return self.had.union(self.ask.exclude, self.cart, (self.ask.item_id,))

    @lazily
    def segments(self) -> frozenset[str]:
        """What rules, lists and settings may name of this shopper."""
        return segments_of(self.profile, self.country)

    @lazily
    def active(self) -> Active:
        """The rules that hold in this call."""
        segments = self.segments if self.rules.speak_of_segments else frozenset()
        return self.rules.active(self.ask.scene, segments, self.now)

    @lazily
    def member(self) -> bool:
        """Whether items kept for members may be shown."""
        return not self.segments.isdisjoint(self.settings.members.loyal)

    def available(self, item_id: str) -> bool:
        """In the catalogue, in stock by the live word, allowed by its rules (age, members), not excluded by the question."""
        snapshot = self.snapshot
        if item_id in self.stock_outs or item_id not in snapshot.ids or item_id in self.ask.exclude:
            return False
        return item_id not in snapshot.restricted or self._allowed(item_id)

    def may_show(self, item_id: str) -> bool:
        """Whether an item that is not withheld may be shown: in the catalogue, in stock, and allowed by its rules."""
        snapshot = self.snapshot
        if item_id in self.stock_outs or item_id not in snapshot.ids:
            return False
        return item_id not in snapshot.restricted or self._allowed(item_id)

    def may_show_all(self, item_ids: Collection[str]) -> bool:
        """Whether nothing speaks against any of the items, for whoever asks; False says nothing. Asked of the ranking,
        and again of what is left of it: the catalogue, little of which is in the processor's cache, is looked into once."""
        if self._vouched.issuperset(item_ids):
            return True
        known = self.stock_outs.isdisjoint(item_ids) and self.snapshot.holds_all(item_ids)
        if known:
            self._vouched.update(item_ids)
        return known

    @lazily
    def _vouched(self) -> set[str]:
        """Items that `may_show_all` knows by now; the second round trip begins anew, since it brings the stock-outs."""
        return set()

    def _allowed(self, item_id: str) -> bool:
        if item_id not in self.snapshot.restricted:
            return True
        if item_id in self.snapshot.exclusive and not self.member:
            return False
        minimum = self.snapshot.age_rules.get(item_id)
        return minimum is None or (self.age is not None and self.age >= minimum)

    def fresh(self, item_id: str) -> bool:
        """Available, and neither had, in the cart, nor the item asked about."""
        snapshot = self.snapshot
        if item_id in self.withheld or item_id in self.stock_outs or item_id not in snapshot.ids:
            return False
        return item_id not in snapshot.restricted or self._allowed(item_id)

    def only_fresh(self, scores: Mapping[str, float]) -> dict[str, float]:
        """Those of `scores` that are fresh."""
        hidden, snapshot, restricted = self.hidden, self.snapshot.ids, self.snapshot.restricted
        return {
            item_id: score
            for item_id, score in scores.items()
            if item_id not in hidden and item_id in snapshot and (item_id not in restricted or self._allowed(item_id))
        }

    def selling(self, scope: str) -> Scored:
        """What sold in the scope in the last days, else lately, best first. A row much older than the shop's has faded."""
        row, whole = self.popularity.get(scope), self.popularity.get(EVERYWHERE)
        if row is None:
            return ()
        if whole and whole.built_at and row.built_at and whole.built_at - row.built_at > timedelta(days=1):
            return ()
        return row.week or row.trend

    def trust(self, scope: str) -> float:
        """How far a scope is believed, 0 to 1, by the deeds it was counted from; a row that does not say is believed."""
        row = self.popularity.get(scope)
        deeds = row.deeds if row else 0.0
        return 1.0 if deeds is None else deeds / (deeds + self.settings.newcomers.trust_deeds)

    def trending(self, scope: str) -> Scored:
        """Decayed popularity of the scope."""
        row = self.popularity.get(scope)
        return row.trend if row else ()

    @lazily
    def popular(self) -> Mapping[str, float]:
        """Popularity shares for this shopper: her region's and the shop's."""
        share = self.settings.blend.region_share
        local = self.selling(region_scope(self.country)) if self.country else ()
        share = share * self.trust(region_scope(self.country)) if local else 0.0
        return mixed(self.selling(EVERYWHERE), local, share)

    @lazily
    def local_hits(self) -> frozenset[str]:
        """The thirty best of the shopper's country."""
        local = self.selling(region_scope(self.country)) if self.country else ()
        return frozenset(item_id for item_id, _ in local[:30])

    @lazily
    def taste(self) -> Mapping[tuple[str, str], float]:
        """(family, value) → share of the heaviest preference tag."""
        tags = self.profile.tags
        liked = [tag for tag, weight in tags.items() if weight > 0 and tag.startswith("preference/")]
        highest = max(map(tags.__getitem__, liked), default=0.0)
        parts = [(tag.split("/", 2), tags[tag]) for tag in liked]
        return {(part[1], part[2]): weight / highest for part, weight in parts if len(part) == 3}

    def scopes(self) -> Iterator[str]:
        """Popularity rows that this call needs beside those for everybody."""
        if self.country:
            yield region_scope(self.country)
        if self.ask.scene in self.settings.exploration.scenes:
            yield ON_TRIAL


_FIELDS = frozenset(entry.name for entry in fields(Situation))

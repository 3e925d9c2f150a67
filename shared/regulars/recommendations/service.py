"""The use case: one question, two round trips, one answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from regulars.catalogue.model import Item
from regulars.catalogue.snapshot import Snapshot
from regulars.clock import Clock, to_ms
from regulars.errors import GiveUp, Invalid
from regulars.ids import stable_id
from regulars.profiles.model import Profile
from regulars.recommendations.config import RecommendationSettings
from regulars.recommendations.model import Answer, Ask, Candidate, Placed
from regulars.recommendations.placing import Placing, place
from regulars.recommendations.ports import Neighbourhood, Opening, Sources
from regulars.recommendations.reasons import language_of, reason_for
from regulars.recommendations.rules import Rule, parse
from regulars.recommendations.scenes import SCENES
from regulars.recommendations.situation import Situation

Log = Callable[[str, Mapping[str, Any]], None]
EMPTY_CATALOGUE, NOTHING_TO_SHOW = "empty_catalogue", "nothing_to_show"
MODEL, FALLBACK = "model", "fallback"


@dataclass(frozen=True, slots=True)
class Recommend:
    """Answers an `Ask`. A missing or damaged model, unreadable rules or a new shopper never fail the call: popularity, then
    the newest of the catalogue stand in, and what was broken is logged."""

    sources: Sources
    snapshot: Callable[[], Snapshot]
    settings: RecommendationSettings
    clock: Clock
    log: Log

    def __call__(self, ask: Ask) -> Answer:
        """Raises Invalid for the scene `product` without an item, TryLater when a store cannot be read."""
        if ask.scene == "product" and not ask.item_id:
            raise Invalid("the product scene needs itemId", field="itemId", code="missing_item")
        now = self.clock()
        opening = self.sources.open(ask.shopper, now)
        return self.answer(ask, opening, now)

    def answer(self, ask: Ask, opening: Opening, now: datetime) -> Answer:
        """As a call, of an opening that is at hand."""
        profile, snapshot = opening.profile, self.snapshot()
        situation = Situation(ask, profile, snapshot, self.settings, now, popularity=opening.popularity)
        language = language_of(ask.language, profile.traits.get("language"), profile.traits.get("locale"))
        version = opening.pointer.version if opening.pointer else ""
        if not snapshot:
            return self._answer(ask, version, FALLBACK, now, (), language, EMPTY_CATALOGUE, {})
        seeds = SCENES[ask.scene].seeds(situation)
        around = self._around(situation, version, [item_id for item_id, _ in seeds])
        situation = replace(
            situation,
            rows=around.rows,
            stock_outs=around.stock_outs,
            popularity={**opening.popularity, **around.popularity},
        )
        candidates, arm = self._ranked(situation, seeds)
        placing = place(candidates, situation, self._rules(opening.rules))
        items = tuple(self._placed(situation, placing, language))
        extras = SCENES[ask.scene].extras(situation)
        return self._answer(ask, version, arm, now, items, language, "" if items else NOTHING_TO_SHOW, extras)

    def _around(self, situation: Situation, version: str, item_ids: list[str]) -> Neighbourhood:
        scopes = [*situation.scopes(), *SCENES[situation.ask.scene].scopes(situation)]
        return self.sources.neighbourhood(version, item_ids, scopes, situation.now)

    def _ranked(self, situation: Situation, seeds: list[tuple[str, float]]) -> tuple[list[Candidate], str]:
        rank = SCENES[situation.ask.scene].rank
        try:
            return rank(situation, seeds), MODEL if situation.rows else FALLBACK
        except GiveUp as error:
            self.log("model is damaged: answering without neighbours", {"code": error.code, "reason": error.reason})
            return rank(replace(situation, rows={}), seeds), FALLBACK

    def _rules(self, document: Mapping[str, Any] | None) -> tuple[Rule, ...]:
        if document is None:
            return ()
        try:
            return parse({"rules": document.get("rules")})
        except Invalid as error:
            self.log("stored rules do not parse: answering without them", {"field": error.field, "reason": error.reason})
            return ()

    def _placed(self, situation: Situation, placing: Placing, language: str) -> list[Placed]:
        def title_of(item_id: str) -> str:
            return situation.snapshot[item_id].title if item_id in situation.snapshot else ""

        placed = []
        for position, candidate in enumerate(placing.chosen, 1):
            item = situation.snapshot[candidate.item_id]
            placed.append(
                Placed(
                    item=item,
                    position=position,
                    score=round(candidate.score, 4),
                    reason=reason_for(candidate, language, title_of, discount_percent(item)),
                    details=candidate.details,
                    rule=placing.rules.get(candidate.item_id, ""),
                )
            )
        return placed

    def _answer(
        self,
        ask: Ask,
        version: str,
        arm: str,
        now: datetime,
        items: tuple[Placed, ...],
        language: str,
        reason: str,
        extras: Mapping[str, Any],
    ) -> Answer:
        return Answer(
            recommendation_id=recommendation_id(ask.scene, version, arm, ask.shopper, now),
            scene=ask.scene,
            model_version=version,
            arm=arm,
            generated_at=now,
            items=items,
            language=language,
            reason=reason,
            extras=extras,
        )


def recommendation_id(scene: str, version: str, arm: str, shopper: str, now: datetime) -> str:
    """`<scene>.<version>.<arm>.<hash>`: the same for the same shopper, scene and instant, so attribution can derive it."""
    return f"{scene}.{version or 'none'}.{arm}.{stable_id(shopper, scene, str(to_ms(now)))}"


def discount_percent(item: Item) -> int:
    """Whole percent off the list price, rounded down."""
    if item.list_price_cents <= item.price_cents:
        return 0
    return (item.list_price_cents - item.price_cents) * 100 // item.list_price_cents


def nobody(now: datetime) -> Profile:
    """The profile of somebody who is not known at all."""
    return Profile(shopper="", as_of=now)

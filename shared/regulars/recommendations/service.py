"""The use case: one question, two round trips, one answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from regulars.catalogue.model import Item
from regulars.catalogue.snapshot import Snapshot
from regulars.clock import Clock, to_ms
from regulars.errors import GiveUp, Invalid, TryLater
from regulars.ids import short_hash
from regulars.needs.reading import RebuyingReader
from regulars.needs.rebuying import Rebuying
from regulars.profiles.model import Profile
from regulars.recommendations.blending import Seeds
from regulars.recommendations.config import RecommendationSettings
from regulars.recommendations.model import NO_DETAILS, Answer, Ask, Candidate, Placed
from regulars.recommendations.placing import Placing, place
from regulars.recommendations.ports import Neighbourhood, Opening, Row, Sources
from regulars.recommendations.reasons import language_of, reason_for
from regulars.recommendations.recipes import RecipeReader
from regulars.recommendations.rules import RuleReader
from regulars.recommendations.ruling import NO_RULES, Rules
from regulars.recommendations.scenes import SCENES
from regulars.recommendations.sequences import SequenceReader
from regulars.recommendations.situation import Situation, silent, unlearned
from regulars.similarity.model import RELATIONS, SEQUENCE, Pointer
from regulars.similarity.recipe import Recipe

Log = Callable[[str, Mapping[str, Any]], None]
Count = Callable[[str], None]
MODEL_BROKEN, MODEL_MISSING = "ModelBroken", "ModelMissing"
"""Metrics that raise an alarm: something of the model cannot be read; there is none, or its rows are gone."""
_MISSED_BY_ALL = 10
"""So many items that all lack a row are no coincidence where the model has any."""
EMPTY_CATALOGUE, NOTHING_TO_SHOW = "empty_catalogue", "nothing_to_show"
MODEL, FALLBACK = "model", "fallback"


@dataclass(frozen=True, slots=True)
class Recommend:
    """Answers an `Ask`. A missing or damaged model, unreadable rules or a new shopper never fail the call: popularity, then
    the newest of the catalogue stand in, and what was broken is logged and counted. Of a model with damaged rows the others
    serve."""

    sources: Sources
    snapshot: Callable[[], Snapshot]
    settings: RecommendationSettings
    clock: Clock
    log: Log
    count: Count = lambda metric: None
    read_rules: RuleReader = field(default_factory=RuleReader)
    read_recipe: RecipeReader = field(default_factory=RecipeReader)
    read_sequence: SequenceReader | None = None
    read_rebuying: RebuyingReader | None = None

    def __call__(self, ask: Ask) -> Answer:
        """Raises Invalid for the scene `product` without an item, NotFound for an editorial list that is not shown, TryLater
        when a store cannot be read."""
        if ask.scene == "product" and not ask.item_id:
            raise Invalid("the product scene needs itemId", field="itemId", code="missing_item")
        now = self.clock()
        opening = self.sources.open(ask.shopper, now)
        return self.answer(ask, opening, now)

    def answer(self, ask: Ask, opening: Opening, now: datetime) -> Answer:
        """As a call, of an opening that is at hand."""
        profile, snapshot = opening.profile, self.snapshot()
        language = language_of(ask.language, profile.traits.get("language"), profile.traits.get("locale"))
        version = opening.pointer.version if opening.pointer else ""
        if not snapshot:
            return self._answer(ask, version, FALLBACK, now, (), language, EMPTY_CATALOGUE, {})
        recipe = self._recipe(opening)
        situation = Situation(
            ask,
            profile,
            snapshot,
            self.settings,
            now,
            popularity=opening.popularity,
            recipe=recipe or Recipe(),
            sequence=partial(self._sequence, opening.pointer) if recipe and SEQUENCE in recipe.parts else silent,
            rebuying=self._rebuying if self.read_rebuying else unlearned,
        )
        seeds = SCENES[ask.scene].seeds(situation)
        around = self._around(situation, version if recipe else "", [item_id for item_id, _ in seeds])
        situation = situation.with_neighbourhood(
            rows=around.rows,
            stock_outs=around.stock_outs,
            popularity={**opening.popularity, **around.popularity},
            rules=self._rules(opening.rules if around.rules is None else around.rules),
        )
        self._watch(opening, around, len(seeds) if recipe else 0)
        situation, placing = self._placing(situation, seeds)
        items = tuple(self._placed(situation, placing, language))
        if ask.explain:
            parts = SCENES[ask.scene].parts(situation, seeds, [placed.item.item_id for placed in items])
            items = tuple(replace(placed, parts=parts.get(placed.item.item_id, {})) for placed in items)
        extras = SCENES[ask.scene].extras(situation)
        arm = MODEL if situation.rows else FALLBACK
        banner = self._as_placed(situation, placing, placing.banner, 0, language) if placing.banner else None
        reason = "" if items else NOTHING_TO_SHOW
        return self._answer(ask, version, arm, now, items, language, reason, extras, banner, placing.removed)

    def _recipe(self, opening: Opening) -> Recipe | None:
        """None for one that is damaged: then the neighbours are not used either, since nobody knows what they are worth."""
        try:
            return self.read_recipe(opening.pointer, self.settings)
        except GiveUp as error:
            self._broken("recipe", error.reason)
            return None

    def _sequence(self, pointer: Pointer | None, situation: Situation) -> Mapping[str, float]:
        if self.read_sequence is None:
            return {}
        kinds = self.settings.history.kinds
        try:
            return self.read_sequence(pointer, situation.recipe, situation.profile, kinds, situation.withheld)
        except (GiveUp, TryLater) as error:
            self._broken(SEQUENCE, error.reason)
            return {}

    def _rebuying(self) -> Rebuying | None:
        """None where nothing was learned yet, or what was cannot be read: then the rule without a fit stands in."""
        try:
            learned = self.read_rebuying() if self.read_rebuying else None
        except (GiveUp, TryLater) as error:
            self._broken("rebuying", error.reason)
            return None
        if learned is None:
            self.log("no model of needs: what is due follows the personal cycle alone", {})
        return learned

    def _watch(self, opening: Opening, around: Neighbourhood, asked: int) -> None:
        """Log and count what is damaged or missing."""
        for name in (*opening.damaged, *around.damaged):
            self._broken(name, "cannot be read")
        pointer = opening.pointer
        if pointer is None:
            if "pointer" not in opening.damaged:
                self.log("there is no model: answering without neighbours", {})
                self.count(MODEL_MISSING)
        elif asked >= _MISSED_BY_ALL and not around.rows and pointer.counts.get("rows"):
            self.log("the model's rows are gone: answering without neighbours", {"version": pointer.version})
            self.count(MODEL_MISSING)

    def _broken(self, name: str, reason: str) -> None:
        self.log("model is damaged: answering without that part", {"part": name, "reason": reason})
        self.count(MODEL_BROKEN)

    def _placing(self, situation: Situation, seeds: Seeds) -> tuple[Situation, Placing]:
        """What is shown; where a row turns out to be damaged, once more without the damaged ones."""
        try:
            return situation, _place(situation, seeds)
        except GiveUp:
            sound = {item_id: row for item_id, row in situation.rows.items() if is_sound(row)}
            damaged = sorted(situation.rows.keys() - sound.keys())
            self._broken("rows", f"{len(damaged)} of {len(situation.rows)}, the first is {damaged[:1]}")
            left = situation.with_neighbourhood(rows=sound, notes={})
            return left, _place(left, seeds)

    def _around(self, situation: Situation, version: str, item_ids: list[str]) -> Neighbourhood:
        scopes = [*situation.scopes(), *SCENES[situation.ask.scene].scopes(situation)]
        return self.sources.neighbourhood(version, item_ids, scopes, situation.now)

    def _rules(self, document: Mapping[str, Any] | None) -> Rules:
        try:
            return self.read_rules(document)
        except Invalid as error:
            self.log("stored rules do not parse: answering without them", {"field": error.field, "reason": error.reason})
            return NO_RULES

    def _placed(self, situation: Situation, placing: Placing, language: str) -> list[Placed]:
        return [
            self._as_placed(situation, placing, candidate, position, language)
            for position, candidate in enumerate(placing.chosen, 1)
        ]

    def _as_placed(self, situation: Situation, placing: Placing, candidate: Candidate, position: int, language: str) -> Placed:
        item_id, snapshot = candidate.item_id, situation.snapshot
        item = snapshot[item_id]
        titles = [snapshot[named].title if named in snapshot.ids else "" for named in candidate.because]
        traces = placing.traces.get(item_id)
        return Placed(
            item=item,
            position=position,
            score=round(candidate.score, 4),
            reason=reason_for(candidate, language, titles, discount_percent(item)),
            details=candidate.details,
            rule=placing.rules.get(item_id, ""),
            trace=tuple(traces) if traces else (),
            source=candidate.source,
        )

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
        banner: Placed | None = None,
        removed: Mapping[str, int] = NO_DETAILS,
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
            banner=banner,
            removed=removed,
        )


def _place(situation: Situation, seeds: Seeds) -> Placing:
    scene = SCENES[situation.ask.scene]
    placing = place(scene.rank(situation, seeds), situation)
    placing.chosen = scene.told(situation, placing.chosen)
    return placing


def is_sound(row: Row) -> bool:
    """Whether every relation of the row can be read."""
    try:
        for relation in RELATIONS:
            row.relations.get(relation)
    except GiveUp:
        return False
    return True


def recommendation_id(scene: str, version: str, arm: str, shopper: str, now: datetime) -> str:
    """`<scene>.<version>.<arm>.<hash>`: the same for the same shopper, scene and instant, so attribution can derive it."""
    return f"{scene}.{version or 'none'}.{arm}.{short_hash(shopper, scene, str(to_ms(now)), size=16).hex()}"


def discount_percent(item: Item) -> int:
    """Whole percent off the list price, rounded down."""
    if item.list_price_cents <= item.price_cents:
        return 0
    return (item.list_price_cents - item.price_cents) * 100 // item.list_price_cents


def nobody(now: datetime) -> Profile:
    """The profile of somebody who is not known at all."""
    return Profile(shopper="", as_of=now)

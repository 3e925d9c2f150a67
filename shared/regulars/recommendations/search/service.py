"""The use case: a question in words, two round trips, a page of items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from regulars.catalogue.snapshot import Snapshot
from regulars.clock import Clock
from regulars.errors import Invalid
from regulars.recommendations.config import RecommendationSettings
from regulars.recommendations.model import Answer
from regulars.recommendations.ports import Sources
from regulars.recommendations.rules import RuleReader
from regulars.recommendations.ruling import NO_RULES, Rules
from regulars.recommendations.search.answering import Asked
from regulars.recommendations.search.index import Index
from regulars.recommendations.search.merchandising import asked
from regulars.recommendations.search.model import Question
from regulars.recommendations.service import Log
from regulars.recommendations.situation import Situation


@dataclass(frozen=True, slots=True)
class Search:
    """Answers a `Question`. `index` gives the words of a snapshot. Nothing is ever empty without a reason: see `finding`."""

    sources: Sources
    snapshot: Callable[[], Snapshot]
    index: Callable[[Snapshot], Index]
    settings: RecommendationSettings
    clock: Clock
    log: Log
    read_rules: RuleReader = field(default_factory=RuleReader)

    def __call__(self, question: Question) -> Answer:
        """Raises TryLater when a store cannot be read."""
        now = self.clock()
        opening = self.sources.open(question.ask.shopper, now)
        snapshot = self.snapshot()
        index = self.index(snapshot)
        situation = Situation(question.ask, opening.profile, snapshot, self.settings, now, popularity=opening.popularity)
        around = self.sources.neighbourhood("", (), situation.scopes(), now)
        situation = replace(
            situation,
            stock_outs=around.stock_outs,
            popularity={**opening.popularity, **around.popularity},
            rules=self.rules(opening.rules if around.rules is None else around.rules),
        )
        return Asked(question, situation, index, asked(situation.active, question.text)).answer(now)

    def rules(self, document: Mapping[str, Any] | None) -> Rules:
        """The stored rules; none, with a word in the log, where they do not parse."""
        try:
            return self.read_rules(document)
        except Invalid as error:
            self.log("stored rules do not parse: answering without them", {"field": error.field, "reason": error.reason})
            return NO_RULES

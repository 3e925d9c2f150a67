"""From what one question found to the page that is shown: order, rules, reasons, and what is said beside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, islice
from typing import Any

from regulars.catalogue.model import Item
from regulars.catalogue.words import folded
from regulars.recommendations.model import Answer, Candidate, Placed, Reason
from regulars.recommendations.placing import FEATURED, Placing
from regulars.recommendations.quotas import Quotas
from regulars.recommendations.reasons import language_of, reason_for
from regulars.recommendations.ruling import Active
from regulars.recommendations.scenes.common import popular_code
from regulars.recommendations.search.finding import find
from regulars.recommendations.search.index import Index
from regulars.recommendations.search.merchandising import featured, page, pinned, weighed
from regulars.recommendations.search.model import (
    NONE,
    NOT_OFFERED,
    NOTHING_FITS,
    PAST_THE_END,
    RELEVANCE,
    SCENE,
    SOME,
    Found,
    Question,
    Sieve,
)
from regulars.recommendations.search.ranking import Judge, in_order
from regulars.recommendations.search.wording import TEXTS, code_of
from regulars.recommendations.service import EMPTY_CATALOGUE, FALLBACK, MODEL, discount_percent, recommendation_id
from regulars.recommendations.situation import Situation


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with everything it needs. `kept_back` is what was found and may not be shown, as far as was looked."""

    question: Question
    situation: Situation
    index: Index
    active: Active
    placing: Placing = field(default_factory=Placing)
    kept_back: set[str] = field(default_factory=set)

    def answer(self, now: datetime) -> Answer:
        """Finds, orders and words the page."""
        ask, profile = self.question.ask, self.situation.profile
        language = language_of(ask.language, profile.traits.get("language"), profile.traits.get("locale"))
        settings = self.situation.settings.search
        sieve = Sieve.of(self.question, self.index)
        found = find(self.question.text, self.index, sieve, self.situation.stock_outs | ask.exclude, settings)
        named = self._named()
        if named:
            found = Found(scores=found.scores)
        count = settings.pool + self.question.offset + ask.limit
        order = in_order(self.question.sort, found.scores, self.index, self.situation, count)
        first = {**dict.fromkeys(named, "found_id"), **dict.fromkeys(self._brought_in(found), FEATURED)}
        nothing = found.match == NONE and not first
        chosen = [] if nothing else self._page(self._found(found, order, first))
        if not nothing and not chosen and not self.question.offset:
            nothing, found = True, Found(match=NONE, ignored=found.ignored, corrected=found.corrected, reason=NOT_OFFERED)
        if nothing:
            chosen = self._page(self._popular())
        total = (
            0 if nothing else len(found.scores) + sum(not self._has(found, item_id) for item_id in first) - len(self.kept_back)
        )
        items = tuple(
            self._placed(candidate, position, found, language)
            for position, candidate in enumerate(chosen, self.question.offset + 1)
        )
        version, arm = self.index.version, FALLBACK if nothing else MODEL
        return Answer(
            recommendation_id=recommendation_id(SCENE, version, arm, ask.shopper, now),
            scene=SCENE,
            model_version=version,
            arm=arm,
            generated_at=now,
            items=items,
            language=language,
            reason=self._reason(found, nothing, bool(items)),
            extras=self._extras(found, nothing, total),
            removed=self.placing.removed,
        )

    def _page(self, candidates: Iterator[Candidate]) -> list[Candidate]:
        quotas = _quotas(self.situation, self.active)
        return page(candidates, self.question.offset, self.question.ask.limit, quotas, self.situation, self.placing)

    def _named(self) -> list[str]:
        """The item whose id was typed."""
        text, snapshot = self.question.text.strip(), self.situation.snapshot
        named = next((item_id for item_id in (text, text.upper(), text.lower()) if item_id in snapshot), None)
        return [named] if named is not None and self._may_show(named) else []

    def _brought_in(self, found: Found) -> Iterable[str]:
        """What rules for this question add to what was found."""
        if self.question.sort != RELEVANCE:
            return
        for item_id in featured(self.active):
            if not self._has(found, item_id) and self._may_show(item_id):
                yield item_id

    def _has(self, found: Found, item_id: str) -> bool:
        return self.index.numbers.get(item_id, -1) in found.scores

    def _found(self, found: Found, order: Iterator[int], first: Mapping[str, str]) -> Iterator[Candidate]:
        """What was found, best first; `first` (item id → reason code) opens any order."""
        settings = self.situation.settings.search
        best = list(islice(order, settings.pool))
        judge = Judge.of(self.situation, self.index, found.scores, best)
        shown = self._judged(chain(best, order), first, judge)
        if self.question.sort != RELEVANCE:
            return chain(_opening(first, 0.0), shown)
        pool = weighed(islice(shown, settings.pool), self.active, self.situation, self.placing)
        highest = pool[0].score if pool else 1.0
        return chain(pinned([*_opening(first, highest), *pool], self.active, self.placing), shown)

    def _judged(self, order: Iterable[int], first: Mapping[str, str], judge: Judge) -> Iterator[Candidate]:
        for number in order:
            item_id = self.index.ids[number]
            if item_id in first:
                continue
            if self._may_show(item_id):
                yield judge(number, self.situation.snapshot[item_id])
            else:
                self.kept_back.add(item_id)

    def _popular(self) -> Iterator[Candidate]:
        """What stands in when nothing was found: popular, then the hottest and newest of the index, within the filters."""
        popular = self.situation.popular
        best = sorted(popular, key=lambda item_id: (-popular[item_id], item_id))
        ids = self.index.ids
        seen: set[str] = set()
        for item_id in chain(best, (ids[number] for number in self.index.hottest)):
            if item_id not in seen and self._may_show(item_id):
                seen.add(item_id)
                known = item_id in popular
                code, because, details = popular_code(self.situation, item_id) if known else ("in_catalogue", (), {})
                yield Candidate(item_id, popular.get(item_id, 0.0), code, because, details, "popular")

    def _may_show(self, item_id: str) -> bool:
        """Available, not banned, and (by the catalogue as it stands, not as it was indexed) within the filters."""
        if not self.situation.available(item_id):
            return False
        item = self.situation.snapshot[item_id]
        if not _within(item, self.question):
            return False
        ban = self.active.ban(item)
        if ban is not None:
            self.placing.removes(ban.rule_id, item_id)
        return ban is None

    def _placed(self, candidate: Candidate, position: int, found: Found, language: str) -> Placed:
        snapshot = self.situation.snapshot
        item, settings = snapshot[candidate.item_id], self.situation.settings.search
        code = candidate.code
        if not code:
            code = "found_near" if found.match == SOME else code_of(candidate.details, settings.weights, settings.good)
        if code in TEXTS[language]:
            reason = Reason(code, TEXTS[language][code])
        else:
            reason = reason_for(
                candidate, language, [snapshot[named].title for named in candidate.because], discount_percent(item)
            )
        details = {name: round(share, 4) if isinstance(share, float) else share for name, share in candidate.details.items()}
        return Placed(
            item=item,
            position=position,
            score=round(candidate.score, 4),
            reason=reason,
            details=details,
            rule=self.placing.rules.get(candidate.item_id, ""),
            trace=tuple(self.placing.traces.get(candidate.item_id, ())),
            source=candidate.source,
        )

    def _reason(self, found: Found, nothing: bool, any_items: bool) -> str:
        if not self.situation.snapshot:
            return EMPTY_CATALOGUE
        if not any_items:
            return NOTHING_FITS if nothing and not self.question.offset else PAST_THE_END
        return found.reason if nothing else ""

    def _extras(self, found: Found, nothing: bool, total: int) -> Mapping[str, Any]:
        extras: dict[str, Any] = {
            "query": self.question.text,
            "total": total,
            "offset": self.question.offset,
            "sort": self.question.sort,
            "match": NONE if nothing else found.match,
        }
        if found.corrected:
            extras |= {"corrected": dict(found.corrected), "didYouMean": _meant(self.question.text, found.corrected)}
        if found.ignored:
            extras["ignored"] = list(found.ignored)
        if self.index.left_out:
            extras["notIndexed"] = self.index.left_out
        return extras


def _opening(first: Mapping[str, str], score: float) -> Iterator[Candidate]:
    """Candidates for what words did not bring in: named by its id, or by a rule."""
    for item_id, code in first.items():
        yield Candidate(item_id, score, code, (), {}, "rule" if code == FEATURED else "search")


def _quotas(situation: Situation, active: Active) -> Callable[[], Quotas]:
    whole = Quotas.of(situation)
    return lambda: replace(whole, active=active, counts={})


def _within(item: Item, question: Question) -> bool:
    parent = question.ask.category
    if parent and item.category != parent and not item.category.startswith(f"{parent}/"):
        return False
    if question.brand and item.brand.casefold() != question.brand.casefold():
        return False
    if question.price_from is not None and item.price_cents < question.price_from:
        return False
    return question.price_to is None or item.price_cents <= question.price_to


def _meant(text: str, corrected: Mapping[str, str]) -> str:
    return " ".join(corrected.get(word, word) for word in folded(text).split())

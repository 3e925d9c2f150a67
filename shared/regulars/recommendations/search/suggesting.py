"""The use case: what the shopper may be about to type. No round trip while rules are fresh in memory."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from regulars.catalogue.snapshot import Snapshot
from regulars.catalogue.words import folded
from regulars.recommendations.ruling import BAN, Active
from regulars.recommendations.search.completions import BRAND, CATEGORY, TITLE, Text
from regulars.recommendations.search.index import Index
from regulars.recommendations.search.model import SCENE
from regulars.recommendations.search.service import Search
from regulars.recommendations.search.understanding import understand

_SPARE = 4
"""So many times the wished number is looked at, as bans and items that have left take some away."""


@dataclass(frozen=True, slots=True)
class Suggest:
    """Completes a beginning; `search` lends its sources."""

    search: Search

    def __call__(self, text: str, limit: int) -> tuple[list[Text], str]:
        """(completions, the beginning they complete): at most `limit`, best first. "" gives what is searched most. A misspelt
        beginning is completed as corrected."""
        now = self.search.clock()
        snapshot = self.search.snapshot()
        index, settings = self.search.index(snapshot), self.search.settings.search
        rules = self.search.rules(self.search.sources.open("", now).rules)
        active = rules.active(SCENE, frozenset(), now)
        beginning = " ".join(folded(text).split())
        found = self._completed(beginning, limit, index, snapshot, active)
        if not found and beginning:
            corrected = understand(beginning, index, settings).corrected
            if corrected:
                beginning = " ".join(corrected.get(word, word) for word in beginning.split())
                found = self._completed(beginning, limit, index, snapshot, active)
        return found, beginning

    def _completed(self, beginning: str, limit: int, index: Index, snapshot: Snapshot, active: Active) -> list[Text]:
        inner = self.search.settings.search.suggestions.inner
        texts = index.completions.beginning_with(beginning, limit * _SPARE, inner)
        return list(islice((text for text in texts if _may_show(text, snapshot, active)), limit))


def _may_show(text: Text, snapshot: Snapshot, active: Active) -> bool:
    """Titles of items that are there and not banned; no category or brand that is banned as a whole."""
    if text.kind == TITLE:
        return text.ref in snapshot and snapshot[text.ref].in_stock and active.ban(snapshot[text.ref]) is None
    bans = [rule for rule in active.of(BAN) if rule.price is None and not rule.attributes]
    if text.kind == BRAND:
        return not any(text.ref.casefold() in rule.brands for rule in bans)
    if text.kind == CATEGORY:
        return not any(text.ref == name or text.ref.startswith(f"{name}/") for rule in bans for name in rule.categories)
    return True

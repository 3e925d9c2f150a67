"""The catalogue as capture asks it: one batch read a unit at most, and what was asked lately comes from memory."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from regulars.catalogue.model import Item
from regulars.catalogue.ports import Catalogue
from regulars.clock import Clock

_FRESH = timedelta(minutes=5)
_SIZE = 5_000
_ASKED_AT_ONCE = 100


class CatalogueLookup:
    """Remembers up to 5,000 answers, missing items too, for five minutes: categories and titles hardly change."""

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._known: dict[str, tuple[datetime, Item | None]] = {}

    def get(self, item_ids: Iterable[str]) -> dict[str, Item]:
        """Known items among `item_ids`; beyond a hundred unremembered ones the rest counts as unknown."""
        now = self._clock()
        wanted = sorted(set(item_ids))
        asked = [item_id for item_id in wanted if not self._remembered(item_id, now)][:_ASKED_AT_ONCE]
        if asked:
            found = self._catalogue.get(asked)
            if len(self._known) + len(asked) > _SIZE:
                self._known.clear()
            self._known.update({item_id: (now, found.get(item_id)) for item_id in asked})
        answers = ((item_id, self._known.get(item_id, (now, None))[1]) for item_id in wanted)
        return {item_id: item for item_id, item in answers if item is not None}

    def _remembered(self, item_id: str, now: datetime) -> bool:
        return item_id in self._known and abs(now - self._known[item_id][0]) < _FRESH

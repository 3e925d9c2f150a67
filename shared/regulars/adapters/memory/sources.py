"""What a recommendation reads, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from regulars.adapters.memory.models import MemoryModels
from regulars.catalogue.ports import Catalogue
from regulars.profiles.ports import Profiles
from regulars.recommendations.ports import Neighbourhood, Opening, Row
from regulars.recommendations.service import nobody
from regulars.similarity.model import EVERYWHERE, NEW_ARRIVALS, Neighbours
from regulars.similarity.packed import NumberedRow, numbered_rows
from regulars.similarity.packing import Ranked


class MemorySources:
    """Implements `regulars.recommendations.ports.Sources` over the other stages' memory adapters."""

    def __init__(self, profiles: Profiles, models: MemoryModels, catalogue: Catalogue) -> None:
        self._profiles = profiles
        self._models = models
        self._catalogue = catalogue

    def open(self, shopper: str, now: datetime) -> Opening:
        return Opening(
            self._profiles.load(shopper, now) if shopper else nobody(now),
            self._models.pointer(),
            self._models.rules(),
            {row.scope: row for row in self._models.popularity((EVERYWHERE, NEW_ARRIVALS))},
        )

    def neighbourhood(self, version: str, item_ids: Iterable[str], scopes: Iterable[str], now: datetime) -> Neighbourhood:
        found = self._models.neighbours(version, item_ids) if version else ()
        packed = numbered_rows({row.item_id: self._models.packed(version, row.item_id) for row in found})
        return Neighbourhood(
            {row.item_id: _row(row, packed[row.item_id]) for row in found},
            {row.scope: row for row in self._models.popularity(scopes)},
            self._catalogue.stock_outs(),
            self._models.rules(),
        )


def _row(row: Neighbours, packed: Mapping[str, Any] | None) -> Row:
    columns = {relation: Ranked.of(scored) for relation, scored in row.relations.items()}
    return Row(columns, row.gap_days, packed if isinstance(packed, NumberedRow) else None)

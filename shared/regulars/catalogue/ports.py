"""What the catalogue stage and its readers need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Protocol

from regulars.catalogue.model import Item


class Catalogue(Protocol):
    def get(self, item_ids: Iterable[str]) -> Mapping[str, Item]:
        """Known items among `item_ids` (at most 100 a round trip), with `model.with_list_price` applied."""

    def put(self, items: Iterable[Item], *, at: datetime | None = None) -> None:
        """Store whole items. With `at`, feed updates older than it no longer apply. No id may appear twice."""

    def update(
        self,
        item_id: str,
        *,
        at: datetime,
        price_cents: int | None = None,
        stock: int | None = None,
        active: bool | None = None,
    ) -> bool:
        """A feed's word about price or stock, applied unless a later one (by `at`) stands. False for an unknown item.

        Each of price, stock and active has its own `at`.
        """

    def stock_outs(self) -> frozenset[str]:
        """Items known to be out of stock or inactive right now."""

    def scan(self) -> Iterator[Item]:
        """Every item; operator's tools and builds only."""

"""The catalogue in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from regulars.catalogue.model import Item, with_list_price


class MemoryCatalogue:
    """Implements `regulars.catalogue.ports.Catalogue`."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._items: dict[str, Item] = {}
        self._said_at: dict[tuple[str, str], datetime] = {}
        self._stock_outs: set[str] = set()
        self.put(items)

    def get(self, item_ids: Iterable[str]) -> Mapping[str, Item]:
        return {item_id: with_list_price(self._items[item_id]) for item_id in item_ids if item_id in self._items}

    def put(self, items: Iterable[Item], *, at: datetime | None = None) -> None:
        for item in items:
            self._store(item)
            for field in ("price_cents", "stock", "active"):
                if at is None:
                    self._said_at.pop((item.item_id, field), None)
                else:
                    self._said_at[item.item_id, field] = at

    def update(
        self,
        item_id: str,
        *,
        at: datetime,
        price_cents: int | None = None,
        stock: int | None = None,
        active: bool | None = None,
    ) -> bool:
        item = self._items.get(item_id)
        if item is None:
            return False
        changes: dict[str, Any] = {}
        for field, value in (("price_cents", price_cents), ("stock", stock), ("active", active)):
            said_at = self._said_at.get((item_id, field))
            if value is None or (said_at is not None and said_at > at):
                continue
            self._said_at[item_id, field] = at
            changes[field] = value
        self._store(replace(item, **changes))
        return True

    def stock_outs(self) -> frozenset[str]:
        return frozenset(self._stock_outs)

    def scan(self) -> Iterator[Item]:
        yield from [with_list_price(item) for item in self._items.values()]

    def _store(self, item: Item) -> None:
        self._items[item.item_id] = item
        if item.in_stock:
            self._stock_outs.discard(item.item_id)
        else:
            self._stock_outs.add(item.item_id)

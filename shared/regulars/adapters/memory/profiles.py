"""Profiles in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from regulars.errors import Conflict
from regulars.ids import stable_id
from regulars.profiles.orders import OrderRecord, joined
from regulars.profiles.record import Record
from regulars.profiles.writing import Stored


class MemoryProfiles:
    """The port `ProfileStore`."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self._orders: dict[str, dict[str, OrderRecord]] = {}
        self._aliases: dict[str, set[str]] = {}
        self._erased: dict[str, datetime] = {}

    def load(self, shopper: str) -> Record:
        return self.records.get(shopper) or Record(shopper=shopper)

    def save(self, record: Record, merged: Sequence[Record] = ()) -> None:
        for entry in (record, *merged):
            if self.load(entry.shopper).version != entry.version:
                raise Conflict("a condition did not hold", code="condition")
        for entry in (record, *merged):
            self.records[entry.shopper] = replace(entry, version=entry.version + 1)
        self._aliases.setdefault(record.shopper, set()).update(entry.shopper for entry in merged)

    def join_orders(self, shopper: str, orders: Iterable[OrderRecord]) -> None:
        kept = self._orders.setdefault(shopper, {})
        for order in orders:
            kept[order.order_id] = joined(kept.get(order.order_id, OrderRecord(order_id=order.order_id)), order)

    def orders(self, shopper: str) -> Sequence[OrderRecord]:
        return list(self._orders.get(shopper, {}).values())

    def everything(self, shopper: str) -> Stored:
        return Stored(self.load(shopper), tuple(self.orders(shopper)), frozenset(self._aliases.get(shopper, ())))

    def bury(self, shopper: str, until: datetime) -> None:
        self._erased[stable_id("erased", shopper)] = until

    def erased(self, shopper: str, now: datetime) -> bool:
        until = self._erased.get(stable_id("erased", shopper))
        return until is not None and now < until

    def forget(self, shopper: str) -> int:
        found = self.everything(shopper)
        self.records.pop(shopper, None)
        self._orders.pop(shopper, None)
        self._aliases.pop(shopper, None)
        return (found.record.version > 0) + len(found.orders) + len(found.aliases)

    def scan(self) -> Iterator[Stored]:
        for shopper, record in list(self.records.items()):
            if not record.merged_into:
                yield self.everything(shopper)

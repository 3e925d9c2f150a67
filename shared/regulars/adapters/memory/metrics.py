"""Counters, sketches and touches in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from regulars.feedback.touches import OrderTouch, RecommendationClick
from regulars.metrics.counts import CountKey, Counts
from regulars.metrics.ports import Entry
from regulars.metrics.sketch import Sketch


class MemoryCounters:
    """Implements `regulars.metrics.ports.Counters`."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._seen: set[tuple[str, str]] = set()

    def add_once(self, stream: str, entries: Sequence[Entry]) -> int:
        fresh = {entry.sequence: entry for entry in entries if (stream, entry.sequence) not in self._seen}
        for sequence, entry in fresh.items():
            self._seen.add((stream, sequence))
            self.counts.update(entry.counts)
        return len(fresh)

    def read(self, day_from: date, day_to: date) -> Mapping[CountKey, int]:
        return {key: value for key, value in self.counts.items() if day_from <= key.day <= day_to}


class MemorySketches:
    """Implements `regulars.metrics.ports.Sketches`."""

    def __init__(self) -> None:
        self._sketches: dict[tuple[date, str], Sketch] = {}

    def add(self, day: date, name: str, members: Iterable[str]) -> None:
        self._sketches.setdefault((day, name), Sketch()).add(members)

    def read(self, name: str, day_from: date, day_to: date) -> Sketch:
        union = Sketch()
        for (day, known), sketch in self._sketches.items():
            if known == name and day_from <= day <= day_to:
                union.merge(sketch)
        return union


class MemoryTouches:
    """Implements `regulars.feedback.ports.Touches`; credits add to the counters given."""

    def __init__(self, counters: MemoryCounters) -> None:
        self._counters = counters
        self._clicks: dict[tuple[str, str, str], RecommendationClick] = {}
        self._orders: dict[tuple[str, str], OrderTouch] = {}

    def click(self, shopper: str, click: RecommendationClick, *, expires_at: datetime) -> bool:
        stored = self._clicks.setdefault((shopper, click.item_id, click.recommendation_id), click)
        return stored.event_id == click.event_id

    def clicks(self, shopper: str) -> Sequence[RecommendationClick]:
        found = [click for (owner, *_), click in self._clicks.items() if owner == shopper]
        return sorted(found, key=lambda click: (click.at, click.item_id, click.recommendation_id))

    def order(self, shopper: str, order: OrderTouch, *, expires_at: datetime) -> OrderTouch:
        return self._orders.setdefault((shopper, order.order_id), order)

    def orders(self, shopper: str) -> Sequence[OrderTouch]:
        found = [order for (owner, _), order in self._orders.items() if owner == shopper]
        return sorted(found, key=lambda order: (order.at, order.order_id))

    def credit(self, shopper: str, order_id: str, message_id: str, counts: Counts) -> str:
        order = self._orders.get((shopper, order_id))
        if order is None:
            return ""
        if order.credited:
            return order.credited
        self._orders[shopper, order_id] = replace(order, credited=message_id)
        self._counters.counts.update(counts)
        return message_id

    def forget(self, shopper: str) -> int:
        """Delete the shopper's clicks and orders; the counts stay."""
        clicks = [key for key in self._clicks if key[0] == shopper]
        orders = [key for key in self._orders if key[0] == shopper]
        for click in clicks:
            del self._clicks[click]
        for order in orders:
            del self._orders[order]
        return len(clicks) + len(orders)

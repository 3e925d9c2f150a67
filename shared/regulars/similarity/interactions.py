"""The event archive as plain arrays.

One interaction: a shopper did `kind` with an item at an instant. `group` is the order for purchases, -1 else. An event
that comes twice counts once. Anonymous interactions join the user that an `alias` or a call with both ids names.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.capture import names
from regulars.capture.model import Event
from regulars.clock import to_ms
from regulars.errors import GiveUp

VIEW, WISHLIST, CART, PURCHASE = 0, 1, 2, 3
KINDS = ("view", "wishlist", "cart", "purchase")
_KIND_OF = {
    names.PRODUCT_VIEWED: VIEW,
    names.PRODUCT_CLICKED: VIEW,
    names.WISHLIST_ADDED: WISHLIST,
    names.PRODUCT_LIKED: WISHLIST,
    names.PRODUCT_ADDED: CART,
    names.WISHLIST_TO_CART: CART,
}
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interactions:
    """Parallel arrays, sorted by shopper, then instant, then item. `at` is epoch ms; indices point into the id lists,
    which are sorted when they come from events."""

    shopper: Ints
    item: Ints
    kind: Ints
    at: Ints
    group: Ints
    shopper_ids: Sequence[str]
    item_ids: tuple[str, ...]
    countries: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.item)

    def where(self, mask: NDArray[np.bool_]) -> Interactions:
        """The interactions that `mask` picks; ids keep their indices."""
        return replace(
            self,
            shopper=self.shopper[mask],
            item=self.item[mask],
            kind=self.kind[mask],
            at=self.at[mask],
            group=self.group[mask],
        )


class _Index:
    """Text → number, in order of first sight; `ranks` renumbers in order of code points."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))

    def ranks(self) -> tuple[Ints, tuple[str, ...]]:
        """(rank of each number, texts in order): numbers that do not depend on what was seen first."""
        texts = tuple(sorted(self.numbers))
        ranks = np.empty(len(texts), dtype=np.int64)
        ranks[[self.numbers[text] for text in texts]] = np.arange(len(texts))
        return ranks, texts


class Gathering:
    """Deeds, and who is who, in any order and any part of a log that holds whole shoppers.

    Shoppers, items and orders are numbered by their sorted ids, an order id within its shopper; an anonymous id that joined
    several users belongs to the last. So equal events give equal arrays wherever and in whatever order they are read.
    """

    def __init__(self, max_interactions: int) -> None:
        self._most = max_interactions
        self._shoppers, self._items, self._orders = _Index(), _Index(), _Index()
        self._columns = tuple(array("q") for _ in range(5))
        self._joined: dict[str, tuple[int, str]] = {}
        self._countries: dict[str, tuple[int, str]] = {}

    def event(self, event: Event) -> None:
        """What one event says; raises GiveUp(does_not_fit) once there are twice too many deeds (many may be repeats)."""
        for anonymous, join in joins(event):
            self.join(anonymous, join)
        country = event.traits.get("country")
        if isinstance(country, str) and country:
            known = self._countries.get(event.shopper, (0, ""))
            self._countries[event.shopper] = max(known, (to_ms(event.at), country.upper()))
        for item_id, kind, order_id in deeds(event):
            self.deed(event.shopper, item_id, kind, to_ms(event.at), order_id)
        if len(self._columns[0]) > 2 * self._most:
            raise _too_many(len(self._columns[0]), self._most)

    def deed(self, shopper: str, item_id: str, kind: int, at: int, order_id: str) -> None:
        """One deed; `at` in epoch ms, `order_id` empty but for purchases."""
        order = self._orders(order_id) if order_id else -1
        row = (self._shoppers(shopper), self._items(item_id), kind, at, order)
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)

    def join(self, anonymous: str, join: tuple[int, str]) -> None:
        """From `joins`."""
        self._joined[anonymous] = max(join, self._joined.get(anonymous, join))

    def interactions(self) -> Interactions:
        """All of it, each interaction once; raises GiveUp(does_not_fit) when there are too many."""
        joined = {anonymous: user for anonymous, (_, user) in self._joined.items()}
        merged = _Index()
        of_shopper = np.array([merged(joined.get(text, text)) for text in self._shoppers.numbers], dtype=np.int64)
        shopper_ranks, shopper_ids = merged.ranks()
        item_ranks, item_ids = self._items.ranks()
        order_ranks, _ = self._orders.ranks()
        shopper, item, kind, at, order = (np.frombuffer(column, dtype=np.int64) for column in self._columns)
        if len(shopper):
            shopper, item = shopper_ranks[of_shopper[shopper]], item_ranks[item]
        group = _numbered(shopper, order, order_ranks)
        columns = _each_once(shopper, item, kind, at, group)
        if len(columns[0]) > self._most:
            raise _too_many(len(columns[0]), self._most)
        countries = {joined.get(text, text): country for text, (_, country) in self._countries.items()}
        return Interactions(*columns, shopper_ids, item_ids, countries)


def from_events(events: Iterable[Event], max_interactions: int) -> Interactions:
    """The interactions of the events; raises GiveUp(does_not_fit) above `max_interactions`."""
    gathering = Gathering(max_interactions)
    for event in events:
        gathering.event(event)
    return gathering.interactions()


def deeds(event: Event) -> Iterator[tuple[str, int, str]]:
    """(item id, kind, order id) of what the event says was done with items."""
    if event.type != "track":
        return
    if event.name == names.ORDER_COMPLETED:
        order_id = str(event.properties.get("order_id") or event.message_id)
        for product in event.properties.get("products") or ():
            if item_id := _product_id(product):
                yield item_id, PURCHASE, order_id
    elif event.name in _KIND_OF and (item_id := _product_id(event.properties)):
        yield item_id, _KIND_OF[event.name], ""


def _product_id(properties: Any) -> str:
    return str(properties.get("product_id") or "") if isinstance(properties, Mapping) else ""


def joins(event: Event) -> Iterator[tuple[str, tuple[int, str]]]:
    """(anonymous shopper, (epoch ms, user)) of who the event says is who; the highest pair of an anonymous shopper counts."""
    if event.user_id:
        for anonymous in (event.anonymous_id, event.previous_id):
            if anonymous:
                yield f"anon:{anonymous}", (to_ms(event.at), f"user:{event.user_id}")


def _numbered(shopper: Ints, order: Ints, ranks: Ints) -> Ints:
    """Orders numbered by shopper, then id: an id that two shoppers use names two orders. -1 stays -1."""
    group = np.full(len(order), -1, dtype=np.int64)
    placed = order >= 0
    if placed.any():
        _, group[placed] = np.unique(shopper[placed] * len(ranks) + ranks[order[placed]], return_inverse=True)
    return group


def _each_once(*columns: Ints) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """(shopper, item, kind, at, group) sorted by shopper, instant, item, without repeats."""
    shopper, item, kind, at, group = columns
    order = np.lexsort((group, kind, item, at, shopper))
    shopper, item, kind, at, group = (column[order] for column in columns)
    fresh = np.ones(len(order), dtype=bool)
    for column in (shopper, item, kind, at, group):
        fresh[1:] &= column[1:] == column[:-1]
    fresh[1:] = ~fresh[1:]
    return shopper[fresh], item[fresh], kind[fresh], at[fresh], group[fresh]


def _too_many(found: int, limit: int) -> GiveUp:
    return GiveUp(
        f"{found} interactions do not fit one function (build.max_interactions is {limit}): "
        "deploy the stack with BulkBuilds=ENABLED, which hands such builds to Spark on EMR Serverless; or lower "
        "build.history_days; or raise the function's MemorySize and this limit together (tests/bench/bench_limits.py)",
        code="does_not_fit",
    )

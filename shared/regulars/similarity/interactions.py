"""The event archive as plain arrays.

One interaction: a shopper did `kind` with an item at an instant. `group` is the order for purchases, -1 else. An event
that comes twice counts once. Anonymous interactions join the user that an `alias` or a call with both ids names.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
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
    """Parallel arrays, sorted by shopper, then instant, then item. `at` is epoch ms; indices point into the id lists."""

    shopper: Ints
    item: Ints
    kind: Ints
    at: Ints
    group: Ints
    shopper_ids: tuple[str, ...]
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
    """Text → dense number, in order of first sight."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def from_events(events: Iterable[Event], max_interactions: int) -> Interactions:
    """The interactions of the events; raises GiveUp(does_not_fit) above `max_interactions`."""
    shoppers, items, groups = _Index(), _Index(), _Index()
    columns = tuple(array("q") for _ in range(5))
    joined: dict[str, str] = {}
    countries: dict[str, str] = {}
    for event in events:
        _learn(event, joined, countries)
        for item_id, kind, order_id in deeds(event):
            group = groups(order_id) if order_id else -1
            row = (shoppers(event.shopper), items(item_id), kind, to_ms(event.at), group)
            for column, value in zip(columns, row, strict=True):
                column.append(value)
        if len(columns[0]) > 2 * max_interactions:
            raise _too_many(len(columns[0]), max_interactions)
    return _assemble(columns, shoppers, items, joined, countries, max_interactions)


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


def _learn(event: Event, joined: dict[str, str], countries: dict[str, str]) -> None:
    if event.user_id:
        for anonymous in (event.anonymous_id, event.previous_id):
            if anonymous:
                joined[f"anon:{anonymous}"] = f"user:{event.user_id}"
    country = event.traits.get("country")
    if isinstance(country, str) and country:
        countries[event.shopper] = country.upper()


def _assemble(
    columns: tuple[array[int], ...],
    shoppers: _Index,
    items: _Index,
    joined: Mapping[str, str],
    countries: Mapping[str, str],
    max_interactions: int,
) -> Interactions:
    merged = _Index()
    renumbered = np.array([merged(joined.get(text, text)) for text in shoppers.numbers], dtype=np.int64)
    shopper, item, kind, at, group = (np.frombuffer(column, dtype=np.int64) for column in columns)
    shopper = renumbered[shopper] if len(shopper) else shopper
    order = np.lexsort((group, kind, item, at, shopper))
    sorted_columns = [column[order] for column in (shopper, item, kind, at, group)]
    if len(order):
        same = np.ones(len(order) - 1, dtype=bool)
        for column in sorted_columns:
            same &= column[1:] == column[:-1]
        sorted_columns = [column[np.concatenate(([True], ~same))] for column in sorted_columns]
    if len(sorted_columns[0]) > max_interactions:
        raise _too_many(len(sorted_columns[0]), max_interactions)
    shopper, item, kind, at, group = sorted_columns
    merged_countries = {joined.get(text, text): country for text, country in countries.items()}
    return Interactions(shopper, item, kind, at, group, tuple(merged.numbers), tuple(items.numbers), merged_countries)


def _too_many(found: int, limit: int) -> GiveUp:
    return GiveUp(
        f"{found} interactions do not fit one function (build.max_interactions is {limit}): "
        "lower build.history_days, or run the build where there is more memory",
        code="does_not_fit",
    )

"""An item of the shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """`price_cents` is the price now, `list_price_cents` the one struck through (equal when there is no discount).

    `stock` None means not tracked. `attributes`: brand, model, colour, size, material, style, occasion and others, as text.
    """

    item_id: str
    title: str
    category: str = ""
    brand: str = ""
    price_cents: int = 0
    list_price_cents: int = 0
    currency: str = ""
    stock: int | None = None
    url: str = ""
    image_url: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    listed_at: datetime | None = None
    active: bool = True

    @property
    def in_stock(self) -> bool:
        """Active, and stock untracked or positive."""
        return self.active and (self.stock is None or self.stock > 0)


def with_list_price(item: Item) -> Item:
    """The item with a list price not below its price. Applied on reading, so that a price that went up and down again
    does not leave a struck-through price which was never asked for long."""
    if item.list_price_cents >= item.price_cents:
        return item
    return replace(item, list_price_cents=item.price_cents)

"""The operator's views of the catalogue: `POST /v1/catalogue` and `GET /v1/catalogue/{item_id}`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regulars.catalogue.importing import Importer
from regulars.catalogue.model import Item
from regulars.catalogue.ports import Catalogue
from regulars.errors import Invalid, NotFound
from regulars.web import Request, View


def import_view(importer: Callable[[], Importer]) -> View:
    """The body (CSV, JSON lines or JSON; told by itself or by `?format=`) goes in; the report comes out."""

    def view(request: Request) -> dict[str, Any]:
        if not request.body.strip():
            raise Invalid("the body is empty: send CSV, JSON lines or a JSON array of items", code="empty_body")
        return importer().import_file(request.body, request.query.get("format", "")).to_dict()

    return view


def item_view(catalogue: Callable[[], Catalogue]) -> View:
    """One item as stored; NotFound for an unknown id."""

    def view(request: Request) -> dict[str, Any]:
        item_id = request.params["item_id"]
        item = catalogue().get([item_id]).get(item_id)
        if item is None:
            raise NotFound(f"no item {item_id!r}"[:220])
        return item_to_dict(item)

    return view


def item_to_dict(item: Item) -> dict[str, Any]:
    """JSON-ready, in the API's spelling."""
    return {
        "itemId": item.item_id,
        "title": item.title,
        "category": item.category,
        "brand": item.brand,
        "priceCents": item.price_cents,
        "listPriceCents": item.list_price_cents,
        "currency": item.currency,
        "stock": item.stock,
        "inStock": item.in_stock,
        "active": item.active,
        "url": item.url,
        "imageUrl": item.image_url,
        "attributes": dict(item.attributes),
        "listedAt": item.listed_at.isoformat() if item.listed_at else None,
    }

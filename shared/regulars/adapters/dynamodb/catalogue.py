"""The catalogue in DynamoDB.

item#<id>      the item; `price_cents_at`, `stock_at`, `active_at` (epoch ms) order what feeds say
stockouts#<n>  the ids out of stock, as a string set `ids`, sharded by CRC-32: what recommendations read at every call
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import batch_get, batch_write, dynamodb, item_from_wire, item_to_wire, scan, translated
from regulars.catalogue.model import Item, with_list_price
from regulars.clock import from_ms, to_ms


class DynamoCatalogue:
    """Implements `regulars.catalogue.ports.Catalogue`."""

    def __init__(self, table: str) -> None:
        self._table = table

    def get(self, item_ids: Iterable[str]) -> Mapping[str, Item]:
        wanted = [keys.catalogue_item(item_id) for item_id in dict.fromkeys(item_ids)]
        if not wanted:
            return {}
        stored = (decode_item(raw) for raw in batch_get({self._table: wanted})[self._table])
        return {item.item_id: item for item in stored}

    def put(self, items: Iterable[Item], *, at: datetime | None = None) -> None:
        shards: dict[tuple[int, bool], set[str]] = {}

        def encoded() -> Iterator[dict[str, Any]]:
            for item in items:
                shards.setdefault((keys.stockout_shard(item.item_id), item.in_stock), set()).add(item.item_id)
                yield encode_item(item, at)

        batch_write(self._table, puts=encoded())
        for (shard, in_stock), ids in shards.items():
            self._mark(shard, ids, in_stock)

    def update(
        self,
        item_id: str,
        *,
        at: datetime,
        price_cents: int | None = None,
        stock: int | None = None,
        active: bool | None = None,
    ) -> bool:
        known = True
        for field, value in (("price_cents", price_cents), ("stock", stock), ("active", active)):
            if value is not None:
                known = self._say(item_id, field, value, to_ms(at)) and known
        if price_cents is stock is active is None:
            known = item_id in self.get([item_id])
        return known

    def _say(self, item_id: str, field: str, value: int | bool, at: int) -> bool:
        """One conditional write; then the stock-out set, if the item is or was out. A repeat (same `at`) writes the set
        again, since the first try may have died between the two."""
        from botocore.exceptions import ClientError

        arguments = {
            "TableName": self._table,
            "Key": item_to_wire(keys.catalogue_item(item_id)),
            "UpdateExpression": "SET #field = :value, #at = :at",
            "ConditionExpression": "attribute_exists(pk) AND (attribute_not_exists(#at) OR #at <= :at)",
            "ExpressionAttributeNames": {"#field": field, "#at": f"{field}_at"},
            "ExpressionAttributeValues": item_to_wire({":value": value, ":at": at}),
            "ReturnValues": "ALL_OLD",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        with translated():
            try:
                answer = dynamodb().update_item(**arguments)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                return bool(error.response.get("Item"))
        old = item_from_wire(answer["Attributes"])
        was_in = decode_item(old).in_stock
        is_in = decode_item({**old, field: value}).in_stock
        if field != "price_cents" and (not was_in or not is_in or old.get(f"{field}_at") == at):
            self._mark(keys.stockout_shard(item_id), {item_id}, is_in)
        return True

    def stock_outs(self) -> frozenset[str]:
        shards = [keys.stockouts(shard) for shard in range(keys.STOCKOUT_SHARDS)]
        return decode_stock_outs(batch_get({self._table: shards})[self._table])

    def scan(self) -> Iterator[Item]:
        for raw in scan(self._table):
            if raw["pk"].startswith("item#"):
                yield decode_item(raw)

    def _mark(self, shard: int, ids: set[str], in_stock: bool) -> None:
        with translated():
            dynamodb().update_item(
                TableName=self._table,
                Key=item_to_wire(keys.stockouts(shard)),
                UpdateExpression=f"{'DELETE' if in_stock else 'ADD'} ids :ids",
                ExpressionAttributeValues=item_to_wire({":ids": ids}),
            )


def encode_item(item: Item, at: datetime | None) -> dict[str, Any]:
    """The stored form; empty fields are left out."""
    stored: dict[str, Any] = {**keys.catalogue_item(item.item_id), "title": item.title, "active": item.active}
    for field in ("category", "brand", "price_cents", "list_price_cents", "currency", "url", "image_url"):
        if getattr(item, field):
            stored[field] = getattr(item, field)
    if item.stock is not None:
        stored["stock"] = item.stock
    if item.attributes:
        stored["attributes"] = dict(item.attributes)
    if item.listed_at:
        stored["listed_at"] = to_ms(item.listed_at)
    if at is not None:
        stored |= {"price_cents_at": to_ms(at), "stock_at": to_ms(at), "active_at": to_ms(at)}
    return stored


def decode_item(stored: Mapping[str, Any]) -> Item:
    """Inverse of `encode_item`."""
    return with_list_price(
        Item(
            item_id=stored["pk"].removeprefix("item#"),
            title=stored.get("title", ""),
            category=stored.get("category", ""),
            brand=stored.get("brand", ""),
            price_cents=stored.get("price_cents", 0),
            list_price_cents=stored.get("list_price_cents", 0),
            currency=stored.get("currency", ""),
            stock=stored.get("stock"),
            url=stored.get("url", ""),
            image_url=stored.get("image_url", ""),
            attributes=stored.get("attributes", {}),
            listed_at=from_ms(stored["listed_at"]) if "listed_at" in stored else None,
            active=stored.get("active", True),
        )
    )


def decode_stock_outs(stored: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The ids of the shards that were read."""
    return frozenset().union(*(shard.get("ids", ()) for shard in stored))

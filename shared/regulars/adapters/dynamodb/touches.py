"""What attribution keeps of a shopper, in the metrics table; rows go by TTL when their time is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import dynamodb, item_to_wire, query, translated
from regulars.adapters.dynamodb.counters import count_updates, insist
from regulars.adapters.dynamodb.transactions import get
from regulars.clock import from_ms, to_ms
from regulars.errors import Conflict
from regulars.feedback.touches import OrderTouch, RecommendationClick
from regulars.metrics.counts import Counts


class DynamoTouches:
    """Implements `regulars.feedback.ports.Touches`."""

    def __init__(self, table: str) -> None:
        self._table = table

    def click(self, shopper: str, click: RecommendationClick, *, expires_at: datetime) -> bool:
        key = keys.click_touch(shopper, click.item_id, click.recommendation_id)
        item = {
            **key,
            "recommendation": click.recommendation_id,
            "scene": click.scene,
            "item": click.item_id,
            "position": click.position,
            "at": to_ms(click.at),
            "event": click.event_id,
            "expires_at": int(expires_at.timestamp()),
        }
        return bool(self._put_once(key, item)["event"] == click.event_id)

    def clicks(self, shopper: str) -> Sequence[RecommendationClick]:
        found = [
            RecommendationClick(
                recommendation_id=row["recommendation"],
                scene=row["scene"],
                item_id=row["item"],
                position=row["position"],
                at=from_ms(row["at"]),
                event_id=row["event"],
            )
            for row in self._rows(shopper, keys.TOUCHED_ITEM)
        ]
        return sorted(found, key=lambda click: (click.at, click.item_id, click.recommendation_id))

    def order(self, shopper: str, order: OrderTouch, *, expires_at: datetime) -> OrderTouch:
        key = keys.order_touch(shopper, order.order_id)
        item = {
            **key,
            "order": order.order_id,
            "at": to_ms(order.at),
            "value_cents": order.value_cents,
            "currency": order.currency,
            "event": order.event_id,
            "scene": order.scene,
            "expires_at": int(expires_at.timestamp()),
        }
        return _order(self._put_once(key, item))

    def orders(self, shopper: str) -> Sequence[OrderTouch]:
        found = map(_order, self._rows(shopper, keys.TOUCHED_ORDER))
        return sorted(found, key=lambda order: (order.at, order.order_id))

    def credit(self, shopper: str, order_id: str, message_id: str, counts: Counts) -> str:
        return insist(lambda: self._credit(shopper, order_id, message_id, counts))

    def _credit(self, shopper: str, order_id: str, message_id: str, counts: Counts) -> str:
        key = keys.order_touch(shopper, order_id)
        credit = {
            "Update": {
                "TableName": self._table,
                "Key": item_to_wire(key),
                "UpdateExpression": "SET credited = :message",
                "ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(credited)",
                "ExpressionAttributeValues": item_to_wire({":message": message_id}),
            }
        }
        try:
            with translated():
                dynamodb().transact_write_items(TransactItems=[credit, *count_updates(self._table, counts)])
        except Conflict:
            return str((get(self._table, key) or {}).get("credited", ""))
        return message_id

    def _put_once(self, key: Mapping[str, str], item: Mapping[str, Any]) -> Mapping[str, Any]:
        """Put the item unless one has its key; the one that is there."""
        try:
            with translated():
                dynamodb().put_item(
                    TableName=self._table, Item=item_to_wire(item), ConditionExpression="attribute_not_exists(pk)"
                )
        except Conflict:
            # TTL may take the row between the two: then this one is as good as any.
            return get(self._table, key) or item
        return item

    def _rows(self, shopper: str, prefix: str) -> Iterator[dict[str, Any]]:
        yield from query(
            self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": keys.touches(shopper), ":prefix": prefix},
        )


def _order(row: Mapping[str, Any]) -> OrderTouch:
    return OrderTouch(
        order_id=row["order"],
        at=from_ms(row["at"]),
        value_cents=row["value_cents"],
        currency=row["currency"],
        event_id=row["event"],
        scene=row["scene"],
        credited=row.get("credited", ""),
    )

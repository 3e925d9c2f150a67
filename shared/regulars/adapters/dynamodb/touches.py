"""What attribution keeps of a shopper, in the metrics table; rows go by TTL when their time is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import dynamodb, item_to_wire, translated
from regulars.adapters.dynamodb.counters import count_updates
from regulars.adapters.dynamodb.pynamo import SortedRow, bound
from regulars.adapters.dynamodb.rows import ClickRow, OrderRow
from regulars.adapters.dynamodb.transactions import insist
from regulars.errors import Conflict
from regulars.feedback.touches import OrderTouch, RecommendationClick
from regulars.metrics.counts import Counts

R = TypeVar("R", bound=SortedRow)


class DynamoTouches:
    """Implements `regulars.feedback.ports.Touches`."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._clicks = bound(ClickRow, table)
        self._orders = bound(OrderRow, table)

    def click(self, shopper: str, click: RecommendationClick, *, expires_at: datetime) -> bool:
        row = self._clicks.of(
            keys.click_touch(shopper, click.item_id, click.recommendation_id),
            recommendation=click.recommendation_id,
            scene=click.scene,
            item=click.item_id,
            position=click.position,
            at=click.at,
            event=click.event_id,
            expires_at=expires_at,
        )
        return _first(row).event == click.event_id

    def clicks(self, shopper: str) -> Sequence[RecommendationClick]:
        found = [
            RecommendationClick(
                recommendation_id=row.recommendation,
                scene=row.scene,
                item_id=row.item,
                position=row.position,
                at=row.at,
                event_id=row.event,
            )
            for row in self._clicks.query(keys.touches(shopper), self._clicks.sk.startswith(keys.TOUCHED_ITEM))
        ]
        return sorted(found, key=lambda click: (click.at, click.item_id, click.recommendation_id))

    def order(self, shopper: str, order: OrderTouch, *, expires_at: datetime) -> OrderTouch:
        row = self._orders.of(
            keys.order_touch(shopper, order.order_id),
            order=order.order_id,
            at=order.at,
            value_cents=order.value_cents,
            currency=order.currency,
            event=order.event_id,
            scene=order.scene,
            expires_at=expires_at,
        )
        return _order(_first(row))

    def orders(self, shopper: str) -> Sequence[OrderTouch]:
        rows = self._orders.query(keys.touches(shopper), self._orders.sk.startswith(keys.TOUCHED_ORDER))
        return sorted(map(_order, rows), key=lambda order: (order.at, order.order_id))

    def credit(self, shopper: str, order_id: str, message_id: str, counts: Counts) -> str:
        return insist(lambda: self._credit(shopper, order_id, message_id, counts))

    def _credit(self, shopper: str, order_id: str, message_id: str, counts: Counts) -> str:
        # Not the model's: the updates of counters in the same transaction are made at run time.
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
            row = self._orders.find(key)
            return (row.credited or "") if row else ""
        return message_id


def _first(row: R) -> R:
    """Put the row unless one has its key; the one that is there."""
    # TTL may take the row between the two: then this one is as good as any.
    return row if row.put_once() else row.find({"pk": row.pk, "sk": row.sk}) or row


def _order(row: OrderRow) -> OrderTouch:
    return OrderTouch(
        order_id=row.order,
        at=row.at,
        value_cents=row.value_cents,
        currency=row.currency,
        event_id=row.event,
        scene=row.scene,
        credited=row.credited or "",
    )

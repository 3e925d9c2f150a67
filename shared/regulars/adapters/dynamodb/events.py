"""The log of events in DynamoDB: one item per unit, the events packed (see `regulars.capture.packing`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import batch_write, dynamodb, item_to_wire, query, scan, translated
from regulars.capture.model import Event
from regulars.capture.packing import pack, unpack
from regulars.clock import to_ms

_DAY_SECONDS = 24 * 3600


class DynamoEventLog:
    """The port `EventLog`."""

    def __init__(self, table: str) -> None:
        self._table = table

    def append(self, shopper: str, unit_id: str, received_at: datetime, events: Sequence[Event], keep_days: int) -> None:
        received_ms = to_ms(received_at)
        item = {
            **keys.event(shopper, received_ms, unit_id),
            "events": pack(events),
            "received": received_ms,
            "expires_at": received_ms // 1000 + keep_days * _DAY_SECONDS,
        }
        with translated():
            dynamodb().put_item(TableName=self._table, Item=item_to_wire(item))

    def holds(self, shopper: str, unit_id: str, received_at: datetime) -> bool:
        key = item_to_wire(keys.event(shopper, to_ms(received_at), unit_id))
        with translated():
            answer = dynamodb().get_item(TableName=self._table, Key=key, ConsistentRead=True, ProjectionExpression="pk")
        return "Item" in answer

    def read(self, shopper: str, since: datetime) -> Iterator[Event]:
        values = {":shopper": shopper, ":since": f"{to_ms(since):013d}"}
        for item in query(
            self._table, KeyConditionExpression="pk = :shopper AND sk >= :since", ExpressionAttributeValues=values
        ):
            yield from unpack(item["events"])

    def day(self, day: date) -> Iterator[Event]:
        start = datetime.combine(day, time(), UTC)
        values = {":start": to_ms(start), ":end": to_ms(start + timedelta(days=1))}
        condition = "received >= :start AND received < :end"
        for item in scan(self._table, FilterExpression=condition, ExpressionAttributeValues=values):
            yield from unpack(item["events"])

    def delete_before(self, before: datetime, limit: int) -> int:
        found = scan(
            self._table,
            FilterExpression="received < :before",
            ProjectionExpression="pk, sk",
            ExpressionAttributeValues={":before": to_ms(before)},
        )
        return batch_write(self._table, deletes=[item for item, _ in zip(found, range(limit), strict=False)])

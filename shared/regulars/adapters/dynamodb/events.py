"""The log of events in DynamoDB: one item per unit, the events packed (see `regulars.capture.packing`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import query
from regulars.adapters.dynamodb.partitions import delete_partition
from regulars.adapters.dynamodb.pynamo import bound
from regulars.adapters.dynamodb.rows import EventRow
from regulars.capture.model import Event
from regulars.capture.packing import pack, unpack
from regulars.clock import from_ms, to_ms


class DynamoEventLog:
    """The port `EventLog`."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._rows = bound(EventRow, table)

    def append(self, shopper: str, unit_id: str, received_at: datetime, events: Sequence[Event], keep_days: int) -> None:
        self._rows.of(
            keys.event(shopper, to_ms(received_at), unit_id),
            events=pack(events),
            received=received_at,
            expires_at=received_at + timedelta(days=keep_days),
        ).save()

    def holds(self, shopper: str, unit_id: str, received_at: datetime) -> bool:
        return self._rows.find(keys.event(shopper, to_ms(received_at), unit_id), only=["pk"]) is not None

    def read(self, shopper: str, since: datetime) -> Iterator[Event]:
        for row in self._rows.query(shopper, self._rows.sk >= f"{to_ms(since):013d}"):
            yield from unpack(row.events)

    def day(self, day: date) -> Iterator[Event]:
        start = datetime.combine(day, time(), UTC)
        of_day = (self._rows.received >= start) & (self._rows.received < start + timedelta(days=1))
        for row in self._rows.scan(of_day):
            yield from unpack(row.events)

    def delete_before(self, before: datetime, limit: int) -> int:
        found = self._rows.scan(self._rows.received < before, attributes_to_get=["pk", "sk"])
        return self._rows.delete_all(islice(found, limit))

    def days(self, shopper: str) -> set[date]:
        found = query(
            self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": shopper},
            ProjectionExpression="sk",
            ConsistentRead=True,
        )
        return {from_ms(int(item["sk"][:13])).date() for item in found}

    def forget(self, shopper: str) -> int:
        return delete_partition(self._table, shopper)

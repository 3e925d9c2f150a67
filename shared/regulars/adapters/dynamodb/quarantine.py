"""The quarantine in DynamoDB: a day's records over a few partitions, so that a flood of bad events throttles nobody.

pk <day>#<shard>   sk <hash>   code, message, field, source, raw, replayable, received (ms), expires_at (s: TTL)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from heapq import merge
from itertools import islice
from typing import Any

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import Item, batch_get, batch_write, query, scan
from regulars.capture.ports import Quarantined
from regulars.clock import from_ms, to_ms


class DynamoQuarantine:
    """Implements `regulars.capture.ports.Quarantine`."""

    def __init__(self, table: str) -> None:
        self._table = table

    def put(self, records: Iterable[Quarantined]) -> None:
        # One call may not name a key twice, and a batch may hold the same bad entry twice.
        batch_write(self._table, puts=[_encode(record) for record in {record.id: record for record in records}.values()])

    def list(self, day: date, *, code: str = "", limit: int = 100, after: str = "") -> Sequence[Quarantined]:
        name = day.isoformat()
        behind = after.removeprefix(f"{name}.") if after.startswith(f"{name}.") else ""
        partitions = [self._partition(keys.quarantine_partition(name, shard), code, behind) for shard in keys.QUARANTINE_SHARDS]
        found = merge(*partitions, key=lambda item: str(item["sk"]))
        return [_decode(item) for item in islice(found, limit)]

    def get(self, ids: Iterable[str]) -> Sequence[Quarantined]:
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return []
        items = batch_get({self._table: [keys.quarantined(record_id) for record_id in wanted]}, consistent=True)
        found = {record.id: record for record in map(_decode, items[self._table])}
        return [found[record_id] for record_id in wanted if record_id in found]

    def delete(self, ids: Iterable[str]) -> None:
        batch_write(self._table, deletes=[keys.quarantined(record_id) for record_id in dict.fromkeys(ids)])

    def delete_expired(self, now: datetime, limit: int) -> int:
        """For retention: a scan, as TTL may be days late."""
        found = scan(
            self._table,
            FilterExpression="expires_at <= :now",
            ProjectionExpression="pk, sk",
            ExpressionAttributeValues={":now": int(now.timestamp())},
        )
        return batch_write(self._table, deletes=list(islice(found, limit)))

    def _partition(self, partition: str, code: str, behind: str) -> Iterator[Item]:
        arguments: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk AND sk > :behind",
            "ExpressionAttributeValues": {":pk": partition, ":behind": behind or " "},
            "Limit": 100,
        }
        if code:
            arguments["FilterExpression"] = "#code = :code"
            arguments["ExpressionAttributeNames"] = {"#code": "code"}
            arguments["ExpressionAttributeValues"][":code"] = code
        return query(self._table, **arguments)


def _encode(record: Quarantined) -> Item:
    return {
        **keys.quarantined(record.id),
        "code": record.code,
        "message": record.message,
        "field": record.field,
        "source": record.source,
        "raw": record.raw,
        "replayable": record.replayable,
        "received": to_ms(record.received_at),
        "expires_at": int(record.expires_at.timestamp()),
    }


def _decode(item: Item) -> Quarantined:
    return Quarantined(
        id=f"{item['pk'].partition('#')[0]}.{item['sk']}",
        code=item["code"],
        message=item["message"],
        field=item["field"],
        source=item["source"],
        raw=item["raw"],
        replayable=item["replayable"],
        received_at=from_ms(item["received"]),
        expires_at=datetime.fromtimestamp(item["expires_at"], UTC),
    )

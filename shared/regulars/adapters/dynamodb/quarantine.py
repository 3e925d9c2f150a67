"""The quarantine in DynamoDB: a day's records over a few partitions, so that a flood of bad events throttles nobody.

pk <day>#<shard>   sk <hash>   code, message, field, source, raw, replayable, received (ms), expires_at (s: TTL)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

from regulars.adapters.dynamodb import keys
from regulars.capture.ports import Quarantined, mentions

if TYPE_CHECKING:
    from regulars.adapters.dynamodb.rows import QuarantineRow

_PAGE = 100


class DynamoQuarantine:
    """Implements `regulars.capture.ports.Quarantine`."""

    def __init__(self, table: str) -> None:
        self._table = table

    @property
    def _rows(self) -> type[QuarantineRow]:
        # Imported with the first record: collect_events has a quarantine from its start and seldom anything for it.
        from regulars.adapters.dynamodb.pynamo import bound
        from regulars.adapters.dynamodb.rows import QuarantineRow

        return bound(QuarantineRow, self._table)

    def put(self, records: Iterable[Quarantined]) -> None:
        # One call may not name a key twice, and a batch may hold the same bad entry twice.
        wanted = {record.id: record for record in records}
        if not wanted:
            return
        rows = self._rows
        rows.put_all(_row(rows, record) for record in wanted.values())

    def list(self, day: date, *, code: str = "", limit: int = 100, after: str = "") -> Sequence[Quarantined]:
        name = day.isoformat()
        behind = after.removeprefix(f"{name}.") if after.startswith(f"{name}.") else ""
        partitions = [self._partition(keys.quarantine_partition(name, shard), code, behind) for shard in keys.QUARANTINE_SHARDS]
        return [_record(row) for row in islice(merge(*partitions, key=lambda row: row.sk), limit)]

    def get(self, ids: Iterable[str]) -> Sequence[Quarantined]:
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return []
        rows = self._rows.get_all(map(keys.quarantined, wanted), consistent=True)
        found = {record.id: record for record in map(_record, rows)}
        return [found[record_id] for record_id in wanted if record_id in found]

    def delete(self, ids: Iterable[str]) -> None:
        rows = self._rows
        rows.delete_all(rows.of(keys.quarantined(record_id)) for record_id in dict.fromkeys(ids))

    def delete_expired(self, now: datetime, limit: int) -> int:
        """For retention: a scan, as TTL may be days late."""
        rows = self._rows
        found = rows.scan(rows.expires_at <= now, attributes_to_get=["pk", "sk"])
        return rows.delete_all(islice(found, limit))

    def forget_mentions(self, ids: Collection[str]) -> int:
        """For erasure: a scan, as entries that were refused lie under no shopper."""
        rows, wanted = self._rows, set(ids)
        return rows.delete_all([row for row in rows.scan() if mentions(row.raw, wanted)])

    def _partition(self, partition: str, code: str, behind: str) -> Iterator[QuarantineRow]:
        rows = self._rows
        narrowed = rows.code == code if code else None
        return rows.query(partition, rows.sk > (behind or " "), filter_condition=narrowed, page_size=_PAGE)


def _row(rows: type[QuarantineRow], record: Quarantined) -> QuarantineRow:
    return rows.of(
        keys.quarantined(record.id),
        code=record.code,
        message=record.message,
        field=record.field,
        source=record.source,
        raw=record.raw,
        replayable=record.replayable,
        received=record.received_at,
        expires_at=record.expires_at,
    )


def _record(row: QuarantineRow) -> Quarantined:
    return Quarantined(
        id=f"{row.pk.partition('#')[0]}.{row.sk}",
        code=row.code,
        message=row.message,
        field=row.field,
        source=row.source,
        raw=row.raw,
        replayable=row.replayable,
        received_at=row.received,
        expires_at=row.expires_at,
    )

"""Permits, pauses and health of channels in DynamoDB.

pk permit#<channel>#<window>   sk -            taken; expires_at (epoch s, TTL), ten minutes after it was first asked for
pk paused                      sk <channel>    reason, detail, at (ms)
pk gauge#<channel>             sk -            version; buckets [[sent, bounced, complained], …], newest last; seen and
                                               seen_before: ids of 8 bytes, end to end
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import dynamodb, item_to_wire, query, translated
from regulars.adapters.dynamodb.transactions import Change, applies, get
from regulars.channels.health import ID_BYTES, Bucket, Gauge
from regulars.clock import Clock, system_clock, to_ms
from regulars.errors import Conflict

_KEEP_SECONDS = 600


class DynamoPermits:
    """Implements `regulars.channels.ports.Permits`. Each window is an item of its own, so none is hot for longer than that."""

    def __init__(self, table: str, clock: Clock = system_clock) -> None:
        self._table, self._clock = table, clock

    def take(self, channel: str, window: int, most: int) -> bool:
        change = Change(self._table, keys.permits(channel, window)).count("taken")
        change.set("expires_at", to=int(self._clock().timestamp()) + _KEEP_SECONDS)
        taken = change.name("taken")
        return applies(change.when(f"attribute_not_exists({taken}) OR {taken} < {change.value(most)}"))


class DynamoPauses:
    """Implements `regulars.channels.ports.Pauses`."""

    def __init__(self, table: str) -> None:
        self._table = table

    def standing(self) -> Mapping[str, str]:
        found = query(
            self._table,
            KeyConditionExpression="pk = :paused",
            ExpressionAttributeValues={":paused": keys.PAUSED},
            ConsistentRead=True,
        )
        return {str(item["sk"]): str(item["reason"]) for item in found}

    def pause(self, channel: str, reason: str, *, at: datetime, detail: str = "") -> bool:
        item = {**keys.pause(channel), "reason": reason, "detail": detail, "at": to_ms(at)}
        return _put(self._table, item, "attribute_not_exists(pk)", {})

    def resume(self, channel: str) -> bool:
        with translated():
            gone = dynamodb().delete_item(TableName=self._table, Key=item_to_wire(keys.pause(channel)), ReturnValues="ALL_OLD")
        return bool(gone.get("Attributes"))


class DynamoGauges:
    """Implements `regulars.channels.ports.Gauges`."""

    def __init__(self, table: str) -> None:
        self._table = table

    def load(self, channel: str) -> Gauge:
        item = get(self._table, keys.gauge(channel))
        if item is None:
            return Gauge(channel=channel)
        return Gauge(
            channel=channel,
            version=int(item["version"]),
            buckets=tuple(Bucket(*map(int, counts)) for counts in item["buckets"]),
            seen=_ids(item.get("seen", b"")),
            seen_before=_ids(item.get("seen_before", b"")),
        )

    def save(self, gauge: Gauge) -> bool:
        item = {
            **keys.gauge(gauge.channel),
            "version": gauge.version + 1,
            "buckets": [[bucket.sent, bucket.bounced, bucket.complained] for bucket in gauge.buckets],
            "seen": b"".join(sorted(gauge.seen)),
            "seen_before": b"".join(sorted(gauge.seen_before)),
        }
        if gauge.version == 0:
            return _put(self._table, item, "attribute_not_exists(version)", {})
        return _put(self._table, item, "version = :read", {":read": gauge.version})


def _put(table: str, item: Mapping[str, object], condition: str, values: Mapping[str, object]) -> bool:
    request = {"TableName": table, "Item": item_to_wire(dict(item)), "ConditionExpression": condition}
    try:
        with translated():
            dynamodb().put_item(**request, **({"ExpressionAttributeValues": item_to_wire(dict(values))} if values else {}))
    except Conflict:
        return False
    return True


def _ids(blob: bytes) -> frozenset[bytes]:
    return frozenset(blob[start : start + ID_BYTES] for start in range(0, len(blob), ID_BYTES))

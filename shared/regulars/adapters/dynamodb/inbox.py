"""In-app messages in the inbox table: one item per shopper and moment, gone by TTL at `expires_at`.

Through the plain client: the API function that reads it must start cold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import dynamodb, item_to_wire, query, translated
from regulars.channels.ports import InboxEntry
from regulars.clock import from_ms, to_ms
from regulars.errors import Conflict, NotFound


class DynamoInbox:
    """Implements `regulars.channels.ports.Inbox`."""

    def __init__(self, table: str) -> None:
        self._table = table

    def put(self, entry: InboxEntry) -> None:
        """One conditional put; an entry that stands is left as it is (it may have been read)."""
        item = {
            **keys.inbox(entry.shopper, entry.moment_id),
            "kind": entry.kind,
            "created": to_ms(entry.created_at),
            "expires": to_ms(entry.expires_at),
            "expires_at": int(entry.expires_at.timestamp()),
            "content": dict(entry.content),
        }
        if entry.read_at:
            item["read"] = to_ms(entry.read_at)
        try:
            with translated():
                dynamodb().put_item(
                    TableName=self._table, Item=item_to_wire(item), ConditionExpression="attribute_not_exists(pk)"
                )
        except Conflict:
            return

    def list(self, shopper: str, now: datetime, limit: int) -> Sequence[InboxEntry]:
        """One query: what a shopper gets in a quarter of a year fits on a page. TTL may be days late, so expiry is compared."""
        found = query(
            self._table,
            KeyConditionExpression="pk = :shopper",
            FilterExpression="expires > :now",
            ExpressionAttributeValues={":shopper": shopper, ":now": to_ms(now)},
        )
        entries = [_entry(item) for item in found]
        return sorted(entries, key=lambda entry: (entry.created_at, entry.moment_id), reverse=True)[:limit]

    def mark_read(self, shopper: str, moment_id: str, at: datetime) -> bool:
        """One update; the old image tells a first reading from a repeated one."""
        try:
            with translated():
                answer = dynamodb().update_item(
                    TableName=self._table,
                    Key=item_to_wire(keys.inbox(shopper, moment_id)),
                    UpdateExpression="SET #read = if_not_exists(#read, :at)",
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeNames={"#read": "read"},
                    ExpressionAttributeValues=item_to_wire({":at": to_ms(at)}),
                    ReturnValues="ALL_OLD",
                )
        except Conflict as error:
            raise NotFound("no such message in the inbox") from error
        return "read" not in answer["Attributes"]


def _entry(item: Mapping[str, Any]) -> InboxEntry:
    return InboxEntry(
        shopper=item["pk"],
        moment_id=item["sk"],
        kind=item["kind"],
        created_at=from_ms(item["created"]),
        expires_at=from_ms(item["expires"]),
        content=item["content"],
        read_at=from_ms(item["read"]) if "read" in item else None,
    )

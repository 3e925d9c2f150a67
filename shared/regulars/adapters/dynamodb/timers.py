"""The due index in DynamoDB.

A timer is two items: its pointer (by shopper; holds everything, is the truth) and an entry of the due index (by day and
shard; says only whose pointer to look at). Both carry the `token` of the `set` that wrote them. The order of the writes:

    set      put pointer (returns the old) → put entry → delete the old entry if it still has the old token
    cancel   delete pointer (returns the old) → delete its entry if it still has that token
    due      query entries → read their pointers, consistently → an entry whose pointer names another instant, or is gone, is
             stale: delete it if it still has the token read
    done     delete entries; the pointers stay, and expire

Why nothing is lost: an entry is deleted by another than `done` only under the token that was seen to be outdated, and every
set brings its own, so a deletion that comes late misses the entry of a later set for the same instant. A set that died after
its pointer is repeated by its caller, and always writes its entry. Why nothing cancelled fires: the pointer goes first.

The client is used directly because PynamoDB's models do not return the old item of a put or a delete.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import (
    Item,
    batch_get,
    batch_write,
    dynamodb,
    item_from_wire,
    item_to_wire,
    query,
    translated,
)
from regulars.clock import from_ms, to_ms
from regulars.errors import Conflict
from regulars.triggers.model import Timer, shard_of
from regulars.triggers.ports import DuePage


class DynamoTimers:
    """Implements `regulars.triggers.ports.Timers`. `shards` may only ever rise while timers exist."""

    def __init__(self, table: str, shards: int) -> None:
        self._table = table
        self._shards = shards

    def set(self, timer: Timer) -> None:
        due_ms, token = to_ms(timer.due_at), secrets.token_hex(6)
        entry = keys.due(due_ms, shard_of(timer.shopper, self._shards), timer.shopper, timer.key)
        pointer = {**keys.timer(timer.shopper, timer.kind, timer.subject), **encode_timer(timer)}
        old = self._swap("put_item", Item=item_to_wire({**pointer, "token": token}))
        hint = {"shopper": timer.shopper, "pointer": pointer["sk"], "token": token}
        with translated():
            dynamodb().put_item(
                TableName=self._table, Item=item_to_wire({**entry, **hint, "expires_at": pointer["expires_at"]})
            )
        if old and old["due"] != due_ms:
            self._clear(self._entry_of(old), old["token"])

    def cancel(self, shopper: str, kinds: Sequence[str], *, subject: str | None = None) -> int:
        if subject is None:
            found = [(timer.kind, timer.subject) for timer in self.known(shopper) if timer.kind in kinds]
        else:
            found = [(kind, subject) for kind in kinds]
        cancelled = 0
        for kind, which in found:
            old = self._swap("delete_item", Key=item_to_wire(keys.timer(shopper, kind, which)))
            if old:
                self._clear(self._entry_of(old), old["token"])
                cancelled += 1
        return cancelled

    def known(self, shopper: str) -> Sequence[Timer]:
        items = query(
            self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": shopper, ":sk": keys.TIMER},
            ConsistentRead=True,
        )
        return sorted(map(decode_timer, items), key=lambda timer: (timer.due_at, timer.key))

    def due(self, shard: int, after: datetime, until: datetime, limit: int, cursor: str = "") -> DuePage:
        entries = self._entries(shard, to_ms(after), to_ms(until), limit, cursor)
        if not entries:
            return DuePage(timers=())
        wanted = dict.fromkeys((entry["shopper"], entry["pointer"]) for entry in entries)
        read = batch_get({self._table: [{"pk": pk, "sk": sk} for pk, sk in wanted]}, consistent=True)
        pointers = {(item["pk"], item["sk"]): item for item in read[self._table]}
        timers, stale = [], 0
        for entry in entries:
            pointer = pointers.get((entry["shopper"], entry["pointer"]))
            if pointer is not None and pointer["due"] == _due_ms(entry):
                timers.append(decode_timer(pointer))
            else:
                self._clear({"pk": entry["pk"], "sk": entry["sk"]}, entry["token"])
                stale += 1
        return DuePage(timers=timers, cursor=entries[-1]["sk"] if len(entries) == limit else "", stale=stale)

    def done(self, shard: int, timers: Sequence[Timer]) -> None:
        entries = [keys.due(to_ms(timer.due_at), shard, timer.shopper, timer.key) for timer in timers]
        batch_write(self._table, deletes=entries)

    def forget(self, shopper: str) -> int:
        """Cancel everything set for the shopper, with its entries in the index; how many."""
        return self.cancel(shopper, [timer.kind for timer in self.known(shopper)])

    def watermarks(self) -> Mapping[int, datetime]:
        items = query(
            self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": keys.WATERMARK},
            ConsistentRead=True,
        )
        return {int(item["sk"]): from_ms(item["at"]) for item in items}

    def advance(self, shard: int, to: datetime) -> None:
        try:
            with translated():
                dynamodb().update_item(
                    TableName=self._table,
                    Key=item_to_wire(keys.watermark(shard)),
                    UpdateExpression="SET #at = :to",
                    ConditionExpression="attribute_not_exists(#at) OR #at < :to",
                    ExpressionAttributeNames={"#at": "at"},
                    ExpressionAttributeValues=item_to_wire({":to": to_ms(to)}),
                )
        except Conflict:
            return  # another tick was further

    def _entries(self, shard: int, after_ms: int, until_ms: int, limit: int, cursor: str) -> list[Item]:
        """Index entries in order, at most `limit`, one query a day. "~" follows every digit and letter of a sort key."""
        low = f"{cursor}~" if cursor else f"{after_ms + 1:013d}"
        entries: list[Item] = []
        if low > f"{until_ms:013d}~":
            return entries  # a clock that was set back behind the watermark; BETWEEN takes no empty range
        for partition in _partitions(int(low[:13]), until_ms, shard):
            with translated():
                page = dynamodb().query(
                    TableName=self._table,
                    KeyConditionExpression="pk = :pk AND sk BETWEEN :low AND :high",
                    ExpressionAttributeValues=item_to_wire({":pk": partition, ":low": low, ":high": f"{until_ms:013d}~"}),
                    Limit=limit - len(entries),
                )
            entries += map(item_from_wire, page["Items"])
            if len(entries) >= limit:
                break
        return entries

    def _swap(self, operation: str, **arguments: Any) -> Item:
        with translated():
            answer = getattr(dynamodb(), operation)(TableName=self._table, ReturnValues="ALL_OLD", **arguments)
        return item_from_wire(answer.get("Attributes") or {})

    def _entry_of(self, pointer: Item) -> dict[str, str]:
        """The index entry of a pointer. One set when there were fewer shards is not found; the tick clears it as stale."""
        key = pointer["sk"].removeprefix(keys.TIMER)
        return keys.due(pointer["due"], shard_of(pointer["pk"], self._shards), pointer["pk"], key)

    def _clear(self, entry: Mapping[str, str], token: str) -> None:
        """Delete an index entry, unless a later set wrote it anew."""
        try:
            with translated():
                dynamodb().delete_item(
                    TableName=self._table,
                    Key=item_to_wire(entry),
                    ConditionExpression="#token = :token",
                    ExpressionAttributeNames={"#token": "token"},
                    ExpressionAttributeValues=item_to_wire({":token": token}),
                )
        except Conflict:
            return


def _partitions(low_ms: int, until_ms: int, shard: int) -> Iterator[str]:
    day = from_ms(low_ms).replace(hour=0, minute=0, second=0, microsecond=0)
    while to_ms(day) <= until_ms:
        yield keys.due_partition(to_ms(day), shard)
        day += timedelta(days=1)


def _due_ms(entry: Item) -> int:
    return int(entry["sk"][:13])


def encode_timer(timer: Timer) -> dict[str, Any]:
    """The stored form without keys; empty fields are left out."""
    stored: dict[str, Any] = {
        "due": to_ms(timer.due_at),
        "occurred": to_ms(timer.occurred_at),
        "lapses": to_ms(timer.expires_at),
        "expires_at": -(-to_ms(timer.forget_at) // 1000),
    }
    if timer.remember_until is not None:
        stored["remember"] = to_ms(timer.remember_until)
    for name in ("correlation_id", "campaign"):
        if getattr(timer, name):
            stored[name] = getattr(timer, name)
    if timer.deferrals:
        stored["deferrals"] = timer.deferrals
    for name in ("facts", "notes"):
        if getattr(timer, name):
            stored[name] = json.dumps(dict(getattr(timer, name)), ensure_ascii=False, separators=(",", ":"))
    return stored


def decode_timer(item: Item) -> Timer:
    """Inverse of `encode_timer`, of a whole pointer."""
    kind, subject = item["sk"].removeprefix(keys.TIMER).split("#", 1)
    remember = item.get("remember")
    return Timer(
        shopper=item["pk"],
        kind=kind,
        subject=subject,
        due_at=from_ms(item["due"]),
        occurred_at=from_ms(item["occurred"]),
        expires_at=from_ms(item["lapses"]),
        facts=json.loads(item.get("facts", "{}")),
        correlation_id=item.get("correlation_id", ""),
        deferrals=item.get("deferrals", 0),
        campaign=item.get("campaign", ""),
        notes=json.loads(item.get("notes", "{}")),
        remember_until=None if remember is None else from_ms(remember),
    )

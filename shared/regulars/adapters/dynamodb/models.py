"""Models in DynamoDB: neighbours by version, the pointer to the live one, popularity, merchandising rules.

A version's rows are written first, with chunks of their item ids beside them (so that they can be deleted without a scan),
and the pointer is flipped on the condition that it still is what the build saw.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from itertools import count, islice
from typing import Any

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import (
    batch_get,
    batch_write,
    dynamodb,
    item_from_wire,
    item_to_wire,
    query,
    translated,
)
from regulars.clock import from_ms, to_ms
from regulars.errors import Conflict, GiveUp, NotFound
from regulars.similarity.model import RELATIONS, Neighbours, Pointer, Popularity
from regulars.similarity.packing import fit, pack, room_for, unpack

_CHUNK = 2000
"""Item ids in one chunk: at 200 characters each they still compress far below DynamoDB's 400 KB."""
_CHUNKS_OF_A_PART = 1000
"""Parts of a version that are written side by side number their chunks apart: two million items a part."""
MODEL = "similarity"


class DynamoModels:
    """Implements `regulars.similarity.ports.ModelStore` and `regulars.recommendations.ports.RuleStore`."""

    def __init__(self, table: str) -> None:
        self._table = table

    def pointer(self) -> Pointer | None:
        with translated():
            answer = dynamodb().get_item(TableName=self._table, Key=item_to_wire(keys.pointer(MODEL)), ConsistentRead=True)
        return decode_pointer(item_from_wire(answer["Item"])) if "Item" in answer else None

    def write(self, version: str, rows: Iterable[Neighbours], part: int = 0) -> int:
        batch_write(self._table, puts=[keys.model_version(version)])
        written, iterator = 0, iter(rows)
        for chunk in count(part * _CHUNKS_OF_A_PART):
            some = list(islice(iterator, _CHUNK))
            if not some:
                break
            names = zlib.compress(json.dumps([row.item_id for row in some]).encode())
            batch_write(self._table, puts=[{**keys.version_chunk(version, chunk), "items": names}])
            written += batch_write(self._table, puts=(encode_row(version, row) for row in some))
        return written

    def flip(self, pointer: Pointer, seen: Pointer | None) -> None:
        self._put_pointer(pointer, seen)

    def roll_back(self) -> Pointer:
        live = self.pointer()
        if live is None or not live.previous:
            raise NotFound("there is no previous version to go back to", code="no_previous_version")
        stored = next(query(self._table, **_key_condition(keys.model_version(live.previous))), {})
        if "built_at" not in stored:
            raise NotFound("the previous version is gone", code="no_previous_version")
        back = decode_pointer({**stored, "version": live.previous, "previous": live.version})
        self._put_pointer(back, live)
        return back

    def _put_pointer(self, pointer: Pointer, seen: Pointer | None) -> None:
        body = encode_pointer(pointer)
        if seen is None:
            condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk) OR version = :new"}
            values = {":new": pointer.version}
        else:
            condition = {"ConditionExpression": "version = :seen"}
            values = {":seen": seen.version}
        # The version's own row keeps what the pointer said of it, for the day somebody goes back.
        batch_write(self._table, puts=[{**keys.model_version(pointer.version), **body}])
        try:
            with translated():
                dynamodb().put_item(
                    TableName=self._table,
                    Item=item_to_wire({**keys.pointer(MODEL), **body}),
                    ExpressionAttributeValues=item_to_wire(values),
                    **condition,
                )
        except Conflict as error:
            raise Conflict("another build or roll-back came first", code="pointer_moved") from error

    def neighbours(self, version: str, item_ids: Iterable[str]) -> Iterable[Neighbours]:
        wanted = [keys.neighbours(version, item_id) for item_id in dict.fromkeys(item_ids)]
        if not wanted:
            return []
        return [decode_row(raw) for raw in batch_get({self._table: wanted})[self._table]]

    def sweep(self, keep: Iterable[str], limit: int) -> int:
        kept, deleted = set(keep), 0
        for row in list(query(self._table, **_partition(keys.model_version("")["pk"]))):
            version = row["sk"]
            if version in kept:
                continue
            for chunk in query(self._table, **_partition(keys.version_chunk(version, 0)["pk"])):
                if deleted >= limit:
                    return deleted
                names = json.loads(zlib.decompress(chunk["items"]))
                deleted += batch_write(self._table, deletes=(keys.neighbours(version, name) for name in names))
                batch_write(self._table, deletes=[{"pk": chunk["pk"], "sk": chunk["sk"]}])
            batch_write(self._table, deletes=[keys.model_version(version)])
        return deleted

    def put_popularity(self, rows: Iterable[Popularity]) -> None:
        batch_write(self._table, puts=(encode_popularity(row) for row in rows))

    def popularity(self, scopes: Iterable[str]) -> Iterable[Popularity]:
        wanted = [keys.popularity(scope) for scope in dict.fromkeys(scopes)]
        if not wanted:
            return []
        return [decode_popularity(raw) for raw in batch_get({self._table: wanted})[self._table]]

    def rules(self) -> Mapping[str, Any] | None:
        """The stored rules document, None before the first."""
        raw = batch_get({self._table: [keys.merchandising_rules()]}, consistent=True)[self._table]
        return decode_rules(raw[0]) if raw else None

    def put_rules(self, document: Mapping[str, Any]) -> None:
        """Replace the rules document. It is stored compressed: a reader takes a small one along in every call."""
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        batch_write(self._table, puts=[{**keys.merchandising_rules(), "packed": zlib.compress(body.encode(), 9)}])


def _partition(pk: str) -> dict[str, Any]:
    return {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": pk}, "ConsistentRead": True}


def _key_condition(key: Mapping[str, str]) -> dict[str, Any]:
    values = {":pk": key["pk"], ":sk": key["sk"]}
    return {"KeyConditionExpression": "pk = :pk AND sk = :sk", "ExpressionAttributeValues": values, "ConsistentRead": True}


def encode_row(version: str, row: Neighbours) -> dict[str, Any]:
    """Inverse of `decode_row`; empty relations are left out, and lists are cut so that a read costs half a unit."""
    fitting = fit(row.relations, room_for(row.item_id))
    packed = {relation: pack(scored) for relation, scored in fitting.items() if scored}
    gap = {} if row.gap_days is None else {"gap_days": round(row.gap_days, 1)}
    return {**keys.neighbours(version, row.item_id), **packed, **gap}


def decode_row(raw: Mapping[str, Any]) -> Neighbours:
    """The neighbours in a raw item; raises GiveUp(broken_model) for bytes that are none."""
    item_id = raw["pk"].split("#", 2)[2]
    relations = {relation: unpack(raw[relation]) for relation in RELATIONS if relation in raw}
    return Neighbours(item_id, relations, raw.get("gap_days"))


def encode_pointer(pointer: Pointer) -> dict[str, Any]:
    """Inverse of `decode_pointer`, without its key."""
    return {
        "version": pointer.version,
        "built_at": to_ms(pointer.built_at),
        "previous": pointer.previous,
        "params": json.dumps(pointer.params, separators=(",", ":")),
        "counts": dict(pointer.counts),
    }


def decode_pointer(raw: Mapping[str, Any]) -> Pointer:
    """The pointer in a raw item."""
    return Pointer(
        version=raw["version"],
        built_at=from_ms(raw["built_at"]),
        previous=raw.get("previous", ""),
        params=json.loads(raw.get("params", "{}")),
        counts=raw.get("counts", {}),
    )


def encode_popularity(row: Popularity) -> dict[str, Any]:
    """Inverse of `decode_popularity`."""
    built_at = {"built_at": to_ms(row.built_at)} if row.built_at else {}
    deeds = {} if row.deeds is None else {"deeds": round(row.deeds, 3)}
    return {**keys.popularity(row.scope), "trend": pack(row.trend), "week": pack(row.week), **built_at, **deeds}


def decode_popularity(raw: Mapping[str, Any]) -> Popularity:
    """The popularity in a raw item; raises GiveUp(broken_model) for bytes that are none."""
    built_at = from_ms(raw["built_at"]) if "built_at" in raw else None
    scope, deeds = raw["pk"].removeprefix("popularity#"), raw.get("deeds")
    return Popularity(scope, unpack(raw["trend"]), unpack(raw["week"]), built_at, None if deeds is None else float(deeds))


def decode_rules(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """The rules document in a raw item; raises GiveUp(broken_rules) for what is none."""
    try:
        document: Mapping[str, Any] = json.loads(zlib.decompress(raw["packed"]))
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise GiveUp(f"not a rules document: {error}"[:200], code="broken_rules") from error
    return document

"""Profiles in DynamoDB.

    pk shopper   sk profile             the record: weights, lists and traits as one deflated JSON blob `w`; the rest plain
                 sk order#<order id>    one order
                 sk alias#<anonymous>   an anonymous shopper who joined
    pk hash      sk erased              until (ms): nothing may be kept of the shopper of that hash

A write is one PutItem on the version that was read. It costs a unit a kilobyte, which is why the weights are deflated (about
a third) and message ids are hashes. Orders are items of their own: a write costs one unit, however long the history.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from datetime import date, datetime
from typing import Any

import orjson

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import dynamodb, item_from_wire, item_to_wire, query, scan, translated
from regulars.adapters.dynamodb.partitions import delete_partition
from regulars.clock import to_ms
from regulars.errors import Conflict
from regulars.profiles.model import Expected
from regulars.profiles.orders import OrderRecord
from regulars.profiles.record import ItemMark, OrderFacts, Record, Standing
from regulars.profiles.writing import Stored

_DIGITS = 7
_EXACT = frozenset((str, int, bool, type(None)))
"""Types that orjson reads as `json` does; a float may have been a whole number, a list hold one."""


class DynamoProfiles:
    """The port `ProfileStore`."""

    def __init__(self, table: str) -> None:
        self._table = table

    def load(self, shopper: str) -> Record:
        with translated():
            answer = dynamodb().get_item(TableName=self._table, Key=item_to_wire(keys.profile(shopper)), ConsistentRead=True)
        return _record(item_from_wire(answer["Item"])) if "Item" in answer else Record(shopper=shopper)

    def save(self, record: Record, merged: Sequence[Record] = ()) -> None:
        puts = [self._put(record), *map(self._put, merged)]
        puts += [{"TableName": self._table, "Item": item_to_wire(keys.alias(record.shopper, m.shopper))} for m in merged]
        with translated():
            if len(puts) == 1:
                dynamodb().put_item(**puts[0])
            else:
                dynamodb().transact_write_items(TransactItems=[{"Put": put} for put in puts])

    def join_orders(self, shopper: str, orders: Iterable[OrderRecord]) -> None:
        for order in orders:
            try:
                self._join(shopper, order, tells=order.told_ms > 0)
            except Conflict:  # a later word about total and items stands; payment and refunds join all the same
                if order.placed_ms or order.refunds:
                    self._join(shopper, order, tells=False)

    def orders(self, shopper: str) -> Sequence[OrderRecord]:
        values = {":shopper": shopper, ":order": keys.ORDER}
        condition = "pk = :shopper AND begins_with(sk, :order)"
        found = query(self._table, KeyConditionExpression=condition, ExpressionAttributeValues=values, ConsistentRead=True)
        return [_order(item) for item in found]

    def everything(self, shopper: str) -> Stored:
        found = query(
            self._table,
            KeyConditionExpression="pk = :shopper",
            ExpressionAttributeValues={":shopper": shopper},
        )
        return _stored(shopper, list(found))

    def bury(self, shopper: str, until: datetime) -> None:
        item = {**keys.erased(shopper), "until": to_ms(until), "expires_at": int(until.timestamp()) + 1}
        with translated():
            dynamodb().put_item(TableName=self._table, Item=item_to_wire(item))

    def erased(self, shopper: str, now: datetime) -> bool:
        with translated():
            answer = dynamodb().get_item(TableName=self._table, Key=item_to_wire(keys.erased(shopper)), ConsistentRead=True)
        return "Item" in answer and to_ms(now) < int(item_from_wire(answer["Item"])["until"])

    def forget(self, shopper: str) -> int:
        return delete_partition(self._table, shopper)

    def scan(self) -> Iterator[Stored]:
        shopper, items = "", list[Mapping[str, Any]]()
        for item in scan(self._table):
            if item["pk"] != shopper:
                if items:
                    yield from _standing(shopper, items)
                shopper, items = item["pk"], []
            items.append(item)
        if items:
            yield from _standing(shopper, items)

    def _put(self, record: Record) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self._table, "Item": item_to_wire(_item(record))}
        if record.version == 0:
            return {**put, "ConditionExpression": "attribute_not_exists(pk)"}
        return {
            **put,
            "ConditionExpression": "v = :v",
            "ExpressionAttributeValues": item_to_wire({":v": record.version}),
        }

    def _join(self, shopper: str, order: OrderRecord, *, tells: bool) -> None:
        adds: dict[str, Any] = {}
        if order.placed_ms:
            adds["placed"] = set(order.placed_ms)
        if order.refunds:
            adds["refunds"] = {f"{message_id}\x1f{cents}" for message_id, cents in order.refunds.items()}
        values = {f":{name}": value for name, value in adds.items()}
        expression = f"ADD {', '.join(f'{name} :{name}' for name in adds)}" if adds else ""
        extra: dict[str, Any] = {}
        if tells:
            values |= {":told": order.told_ms, ":cents": order.cents, ":items": _packed(order.items)}
            expression += " SET told = :told, cents = :cents, bought = :items"
            extra["ConditionExpression"] = "attribute_not_exists(told) OR told < :told OR (told = :told AND cents <= :cents)"
        with translated():
            dynamodb().update_item(
                TableName=self._table,
                Key=item_to_wire(keys.order(shopper, order.order_id)),
                UpdateExpression=expression.strip(),
                ExpressionAttributeValues=item_to_wire(values),
                **extra,
            )


def _standing(shopper: str, items: list[Mapping[str, Any]]) -> Iterator[Stored]:
    stored = _stored(shopper, items)
    if stored.record.version and not stored.record.merged_into:
        yield stored


def _stored(shopper: str, items: Iterable[Mapping[str, Any]]) -> Stored:
    record: Record | None = None
    orders, aliases = list[OrderRecord](), set[str]()
    for item in items:
        if item["sk"] == keys.PROFILE:
            record = _record(item)
        elif item["sk"].startswith(keys.ORDER):
            orders.append(_order(item))
        elif item["sk"].startswith(keys.ALIAS):
            aliases.add(item["sk"].removeprefix(keys.ALIAS))
    return Stored(record or Record(shopper=shopper), tuple(orders), frozenset(aliases))


def _item(record: Record) -> dict[str, Any]:
    """The record as an item of the next version; what is empty is left out."""
    weights = {
        "t": _rounded(record.tags),
        "i": {
            item: [_round(mark.interest), mark.seen_ms, mark.views, _round(mark.dwell_seconds)]
            for item, mark in record.items.items()
        },
        "h": _rounded(record.hours),
        "c": _rounded(record.channels),
        "b": record.cart,
        "l": record.wishlist,
        "q": record.traits,
        "d": record.told,
        "r": record.rule_tags,
        "o": list(astuple(record.orders)) if record.orders.count else [],
    }
    standing = record.standing
    item: dict[str, Any] = {
        **keys.profile(record.shopper),
        "v": record.version + 1,
        "into": record.merged_into,
        "al": b"".join(record.aliases),
        "first": record.first_ms,
        "newest": record.newest_ms,
        "emptied": record.cart_cleared_ms,
        "w": _packed({key: value for key, value in weights.items() if value}),
        "stage": standing.stage,
        "since": standing.stage_since_ms,
        "why": standing.stage_reason,
        "tier": standing.tier,
        "rfm": standing.rfm,
        "back": standing.win_back,
        "swept": standing.swept_ms,
        "expected": _expected_to_text(standing.expected),
        **{f"s{week}": blob for week, blob in record.seen.items()},
    }
    return {key: value for key, value in item.items() if value}


def _record(item: Mapping[str, Any]) -> Record:
    weights = _weights(item["w"])
    aliases, marks = item.get("al", b""), weights.get("i", {})
    return Record(
        shopper=item["pk"],
        version=item["v"],
        merged_into=item.get("into", ""),
        aliases=tuple(aliases[start : start + 6] for start in range(0, len(aliases), 6)) if aliases else (),
        first_ms=item.get("first", 0),
        newest_ms=item.get("newest", 0),
        tags=weights.get("t", {}),
        items=dict(zip(marks, map(ItemMark._make, marks.values()), strict=True)),
        hours=weights.get("h", {}),
        channels=weights.get("c", {}),
        cart=_pairs(weights.get("b", {})),
        cart_cleared_ms=item.get("emptied", 0),
        wishlist=_pairs(weights.get("l", {})),
        traits=_pairs(weights.get("q", {})),
        told=_pairs(weights.get("d", {})),
        rule_tags={rule: tuple(tags) for rule, tags in weights.get("r", {}).items()},
        orders=OrderFacts(*weights.get("o", ())),
        seen={int(key[1:]): blob for key, blob in item.items() if key[0] == "s" and key[1:].isdecimal()},
        standing=Standing(
            stage=item.get("stage", "new"),
            stage_since_ms=item.get("since", 0),
            stage_reason=item.get("why", ""),
            tier=item.get("tier", "low"),
            rfm=item.get("rfm", ""),
            win_back=item.get("back", ""),
            swept_ms=item.get("swept", 0),
            expected=_expected_from_text(item.get("expected", "")),
        ),
    )


def _expected_to_text(expected: Expected | None) -> str:
    """A short text: numbers of an item's own attributes would each cost their name."""
    if expected is None:
        return ""
    told = (expected.purchases, expected.horizon_days, expected.chance, expected.next_day, expected.lifetime_cents)
    return "|".join(map(str, told))


def _expected_from_text(text: str) -> Expected | None:
    if not text:
        return None
    purchases, horizon, chance, day, cents = text.split("|")
    return Expected(
        purchases=float(purchases),
        horizon_days=int(horizon),
        chance=float(chance),
        next_day=date.fromisoformat(day),
        lifetime_cents=int(cents),
    )


def _order(item: Mapping[str, Any]) -> OrderRecord:
    refunds = [refund.rpartition("\x1f") for refund in item.get("refunds", ())]
    return OrderRecord(
        order_id=item["sk"].removeprefix(keys.ORDER),
        placed_ms=frozenset(item.get("placed", ())),
        told_ms=item.get("told", 0),
        cents=item.get("cents", 0),
        items=tuple(_unpacked(item["bought"])) if "bought" in item else (),
        refunds={message_id: int(cents) for message_id, _, cents in refunds},
    )


_SMALL = 256
"""Bytes."""


def _packed(value: Any) -> bytes:
    """JSON, deflated where that makes it smaller and it is not small: the items of most orders are a few words, and inflating
    takes longer than reading them."""
    plain = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    if len(plain) <= _SMALL:
        return plain
    deflated = zlib.compress(plain, 9)
    return deflated if len(deflated) < len(plain) else plain


def _unpacked(blob: bytes) -> Any:
    return orjson.loads(_plain(blob))


def _plain(blob: bytes) -> bytes:
    # A zlib stream begins with 0x78 (RFC 1950), a JSON list or object never does.
    return zlib.decompress(blob) if blob.startswith(b"x") else blob


def _weights(blob: bytes) -> dict[str, Any]:
    """The packed part of a record. Traits and totals may be whole numbers beyond 64 bits: orjson makes floats of them."""
    plain = _plain(blob)
    try:
        weights: dict[str, Any] = orjson.loads(plain)
    except ValueError:  # NaN, which `json` writes
        weights = json.loads(plain)
    told = [value for _, value in weights.get("q", {}).values()]
    if not _EXACT.issuperset(map(type, told + weights.get("o", []))):
        weights = json.loads(plain)
    return weights


def _pairs(value: Mapping[str, list[Any]]) -> dict[str, tuple[Any, Any]]:
    return {key: (first, second) for key, (first, second) in value.items()} if value else {}


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {key: _round(value) for key, value in values.items()}


def _round(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")

"""The one DynamoDB client: plain values in, plain values out, vendor errors turned into ours.

PynamoDB serves items with a fixed shape (`pynamo`, `rows`), over this same client; this page serves what is dynamic (batch
reads across tables, set shards, expressions built at run time). Numbers come back as int where whole, else float.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from regulars.adapters.aws import client as aws_client
from regulars.errors import Conflict, GiveUp, Misconfigured, TryLater

BATCH_GET = 100
"""Keys that one BatchGetItem takes."""
BATCH_WRITE = 25
"""Writes that one BatchWriteItem takes."""
_TRIES = 8
_THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalServerError",
        "ServiceUnavailable",
        "TransactionInProgressException",
        "RequestTimeout",
    }
)
Item = dict[str, Any]


def dynamodb() -> Any:
    """The process's DynamoDB client."""
    return aws_client("dynamodb")


class translated:
    """Inside, a botocore error becomes Conflict (a condition failed), TryLater, Misconfigured or GiveUp. botocore is loaded
    when there is an error to look at."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            return
        from botocore.exceptions import BotoCoreError, ClientError

        if isinstance(error, ClientError):
            raise _translate(error) from error
        if isinstance(error, BotoCoreError):
            raise TryLater(f"DynamoDB unreachable: {type(error).__name__}", code="unreachable") from error


def _translate(error: Any) -> Exception:
    details = error.response.get("Error", {})
    code = details.get("Code", "")
    if code == "ConditionalCheckFailedException":
        return Conflict("a condition did not hold", code="condition")
    if code == "TransactionCanceledException":
        reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
        if "ConditionalCheckFailed" in reasons:
            return Conflict("a condition did not hold", code="condition")
        return TryLater("transaction cancelled", code="cancelled")
    if code == "TransactionConflictException":  # the same, of a plain write
        return TryLater("a transaction holds the item", code="cancelled")
    if code in _THROTTLED:
        return TryLater(f"DynamoDB: {code}", code="throttled")
    if code in ("ResourceNotFoundException", "AccessDeniedException", "UnrecognizedClientException"):
        return Misconfigured(f"DynamoDB: {code}: {details.get('Message', '')}"[:300])
    return GiveUp(f"DynamoDB: {code}: {details.get('Message', '')}"[:300], code="storage")


def to_wire(value: Any) -> dict[str, Any]:
    """A plain value as a DynamoDB attribute. Sets must not be empty; datetimes are not taken (epoch ms, says the law)."""
    if isinstance(value, str):
        return {"S": value}
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int | float):
        return {"N": repr(value)}
    if isinstance(value, bytes | bytearray):
        return {"B": bytes(value)}
    if isinstance(value, Mapping):
        return {"M": {str(key): to_wire(entry) for key, entry in value.items()}}
    if isinstance(value, set | frozenset):
        first = next(iter(value))
        kind = "SS" if isinstance(first, str) else "BS" if isinstance(first, bytes) else "NS"
        return {kind: sorted(repr(entry) for entry in value) if kind == "NS" else sorted(value)}
    if isinstance(value, Sequence):
        return {"L": [to_wire(entry) for entry in value]}
    raise TypeError(f"no DynamoDB form for {type(value).__name__}")


def from_wire(attribute: Mapping[str, Any]) -> Any:
    """Inverse of `to_wire`; lists come back as lists, sets as frozensets."""
    ((kind, value),) = attribute.items()
    if kind in ("S", "BOOL"):
        return value
    if kind == "N":
        return _number(value)
    if kind == "B":
        return bytes(value)
    if kind == "M":
        return {key: from_wire(entry) for key, entry in value.items()}
    if kind == "L":
        return [from_wire(entry) for entry in value]
    if kind == "SS":
        return frozenset(value)
    if kind == "NS":
        return frozenset(_number(entry) for entry in value)
    if kind == "BS":
        return frozenset(bytes(entry) for entry in value)
    return None


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def item_to_wire(item: Mapping[str, Any]) -> dict[str, Any]:
    """A whole item (or key, or expression values) as attributes."""
    return {key: to_wire(value) for key, value in item.items()}


def item_from_wire(item: Mapping[str, Any]) -> Item:
    """Inverse of `item_to_wire`."""
    return {
        key: value["S"] if "S" in value else _number(value["N"]) if "N" in value else from_wire(value)
        for key, value in item.items()
    }


def batch_get(requests: Mapping[str, Sequence[Mapping[str, Any]]], *, consistent: bool = False) -> dict[str, list[Item]]:
    """The items of `requests` (table → plain keys), whatever the order; missing ones are left out.

    One round trip for up to 100 keys in all; more keys, or keys DynamoDB leaves unprocessed, take further ones.
    """
    found = batch_get_wired(requests, consistent=consistent)
    return {table: list(map(item_from_wire, items)) for table, items in found.items()}


def batch_get_wired(
    requests: Mapping[str, Sequence[Mapping[str, Any]]], *, consistent: bool = False
) -> dict[str, list[dict[str, Any]]]:
    """As `batch_get`, items as attributes: for who often reads what has not changed since, and need not decode it again."""
    flat = [(table, item_to_wire(key)) for table, keys in requests.items() for key in keys]
    found: dict[str, list[dict[str, Any]]] = {table: [] for table in requests}
    for start in range(0, len(flat), BATCH_GET):
        pending: dict[str, Any] = {}
        for table, key in flat[start : start + BATCH_GET]:
            pending.setdefault(table, {"Keys": [], "ConsistentRead": consistent})["Keys"].append(key)
        for table, items in read_all(pending).items():
            found[table].extend(items)
    return found


def read_all(requests: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The items, as attributes, of one BatchGetItem (its `RequestItems`), asking again for keys left unprocessed."""
    found: dict[str, list[Any]] = {}
    pending = requests
    for attempt in _attempts():
        with translated():
            answer = dynamodb().batch_get_item(RequestItems=pending)
        for table, items in answer.get("Responses", {}).items():
            found.setdefault(table, []).extend(items)
        pending = answer.get("UnprocessedKeys") or {}
        if not pending:
            return found
        back_off(attempt)
    raise TryLater("DynamoDB left keys unread", code="throttled")


def batch_write(table: str, *, puts: Iterable[Mapping[str, Any]] = (), deletes: Iterable[Mapping[str, Any]] = ()) -> int:
    """Put whole items and delete keys, 25 a call, unconditionally; returns how many. No key may appear twice in 25."""
    requests: list[dict[str, Any]] = []
    done = 0
    for request in _write_requests(puts, deletes):
        requests.append(request)
        if len(requests) == BATCH_WRITE:
            done += _write(table, requests)
            requests = []
    return done + (_write(table, requests) if requests else 0)


def _write_requests(puts: Iterable[Mapping[str, Any]], deletes: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in puts:
        yield {"PutRequest": {"Item": item_to_wire(item)}}
    for key in deletes:
        yield {"DeleteRequest": {"Key": item_to_wire(key)}}


def _write(table: str, requests: list[dict[str, Any]]) -> int:
    write_all({table: requests})
    return len(requests)


def write_all(requests: Mapping[str, Any]) -> None:
    """One BatchWriteItem (its `RequestItems`), sending again what was left unprocessed."""
    pending = requests
    for attempt in _attempts():
        with translated():
            pending = dynamodb().batch_write_item(RequestItems=pending).get("UnprocessedItems") or {}
        if not pending:
            return
        back_off(attempt)
    raise TryLater("DynamoDB left writes undone", code="throttled")


def query(table: str, **arguments: Any) -> Iterator[Item]:
    """Every item of a Query, page by page; `arguments` are botocore's, with plain `ExpressionAttributeValues`."""
    yield from _pages("query", table, arguments)


def scan(table: str, **arguments: Any) -> Iterator[Item]:
    """Every item of a Scan; operator's tools and builds only."""
    yield from _pages("scan", table, arguments)


def _pages(operation: str, table: str, arguments: Mapping[str, Any]) -> Iterator[Item]:
    wired = dict(arguments)
    if "ExpressionAttributeValues" in wired:
        wired["ExpressionAttributeValues"] = item_to_wire(wired["ExpressionAttributeValues"])
    while True:
        with translated():
            page = getattr(dynamodb(), operation)(TableName=table, **wired)
        yield from map(item_from_wire, page.get("Items", ()))
        if not page.get("LastEvaluatedKey"):
            return
        wired["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _attempts() -> range:
    return range(_TRIES)


def back_off(attempt: int) -> None:
    """Exponential with full jitter from 50 ms (AWS: "Error retries and exponential backoff")."""
    time.sleep(random.random() * 0.05 * 2**attempt)

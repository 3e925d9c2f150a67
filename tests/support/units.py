"""Counts what AWS would bill of the calls made inside a block; moto's own consumed capacity is wrong.

Sizes follow AWS's "Capacity unit consumption": names and values in bytes; a write unit is a kilobyte of the item, a read unit
4 KB consistently, half as much otherwise; a Query rounds its sum, a BatchGetItem each item; an empty answer costs the least.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Any


@dataclass
class Bill:
    """`calls`: round trips by operation."""

    calls: Counter[str] = field(default_factory=Counter)
    write_units: float = 0
    read_units: float = 0

    @property
    def round_trips(self) -> int:
        return sum(self.calls.values())


def size(attribute: Mapping[str, Any]) -> int:
    """Bytes of one attribute value in wire form."""
    ((kind, value),) = attribute.items()
    if kind == "S":
        return len(value.encode())
    if kind == "N":
        return len(value) // 2 + 2
    if kind == "M":
        return 3 + sum(len(name) + 1 + size(entry) for name, entry in value.items())
    if kind == "L":
        return 3 + sum(1 + size(entry) for entry in value)
    if kind in ("SS", "NS", "BS"):
        return sum(len(entry) for entry in value)
    return len(value) if kind == "B" else 1


def item_size(item: Mapping[str, Any]) -> int:
    return sum(len(name) + size(value) for name, value in item.items())


def _writes(operation: str, given: Mapping[str, Any]) -> float:
    if operation == "PutItem":
        return ceil(item_size(given["Item"]) / 1024)
    if operation in ("DeleteItem", "UpdateItem"):
        return 1
    if operation == "BatchWriteItem":
        requests = (request for table in given["RequestItems"].values() for request in table)
        return sum(
            ceil(item_size(request["PutRequest"]["Item"]) / 1024) if "PutRequest" in request else 1 for request in requests
        )
    return 0


def _reads(operation: str, given: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    if operation == "Query":
        rate = 1.0 if given.get("ConsistentRead") else 0.5
        return rate * max(1, ceil(sum(map(item_size, answer["Items"])) / 4096))
    if operation == "GetItem":
        return (1.0 if given.get("ConsistentRead") else 0.5) * max(1, ceil(item_size(answer.get("Item", {})) / 4096))
    if operation == "BatchGetItem":
        total = 0.0
        for table, asked in given["RequestItems"].items():
            found = answer["Responses"].get(table, [])
            units = sum(max(1, ceil(item_size(item) / 4096)) for item in found) + len(asked["Keys"]) - len(found)
            total += (1.0 if asked.get("ConsistentRead") else 0.5) * units
        return total
    return 0


@contextmanager
def billed(*clients: Any) -> Iterator[Bill]:
    """Everything these botocore clients do inside the block."""
    bill = Bill()
    given: dict[str, Any] = {}

    def before(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        given[model.name] = params
        bill.calls[model.name] += 1
        bill.write_units += _writes(model.name, params)

    def after(parsed: Mapping[str, Any], model: Any, **_: Any) -> None:
        if "Error" not in parsed:
            bill.read_units += _reads(model.name, given[model.name], parsed)

    for client in clients:
        service = client.meta.service_model.service_name
        client.meta.events.register(f"provide-client-params.{service}", before, unique_id=f"bill-before-{service}")
        client.meta.events.register(f"after-call.{service}", after, unique_id=f"bill-after-{service}")
    try:
        yield bill
    finally:
        for client in clients:
            service = client.meta.service_model.service_name
            client.meta.events.unregister(f"provide-client-params.{service}", unique_id=f"bill-before-{service}")
            client.meta.events.unregister(f"after-call.{service}", unique_id=f"bill-after-{service}")

"""What calls to DynamoDB and SQS cost: counted at the client, sized from the items, by the documented rules.

A write is a unit a kilobyte of the larger of the item before and after; a strongly consistent read a unit per four
kilobytes, an eventual one half of that; transactions cost double. moto's own ConsumedCapacity is wrong, hence this.
Source: "Read/write capacity mode" and "Item sizes and formats", DynamoDB developer guide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from tests.support.prices import READ_UNIT, SQS_REQUEST, WRITE_UNIT

from regulars.adapters.aws import client


@dataclass
class Meter:
    """`calls`: operations in order, one a round trip."""

    calls: list[str] = field(default_factory=list)
    reads: float = 0.0
    writes: float = 0.0
    sqs: int = 0

    @property
    def dollars_per_million(self) -> float:
        """Of what was metered, were it done a million times."""
        return self.reads * READ_UNIT + self.writes * WRITE_UNIT + self.sqs * SQS_REQUEST


@contextmanager
def metering() -> Iterator[Meter]:
    """Everything the process's clients do inside is counted."""
    meter, dynamodb, sqs = Meter(), client("dynamodb"), client("sqs")
    recorder = _Recorder(meter, dynamodb)
    dynamodb.meta.events.register("before-parameter-build.dynamodb", recorder.asked)
    dynamodb.meta.events.register("after-call.dynamodb", recorder.answered)
    sqs.meta.events.register("before-call.sqs", recorder.queued)
    try:
        yield meter
    finally:
        dynamodb.meta.events.unregister("before-parameter-build.dynamodb", recorder.asked)
        dynamodb.meta.events.unregister("after-call.dynamodb", recorder.answered)
        sqs.meta.events.unregister("before-call.sqs", recorder.queued)


class _Recorder:
    def __init__(self, meter: Meter, dynamodb: Any) -> None:
        self.meter, self.dynamodb = meter, dynamodb
        self.params: Mapping[str, Any] = {}
        self.before = 0
        self.own_look = False

    def asked(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        if self.own_look:
            return
        self.params = params
        self.meter.calls.append(model.name)
        if model.name in ("PutItem", "UpdateItem", "DeleteItem"):
            self.before = self._size(params)

    def answered(self, parsed: Mapping[str, Any], model: Any, **_: Any) -> None:
        if self.own_look:
            return
        name, params, meter = model.name, self.params, self.meter
        if name == "GetItem":
            meter.reads += _read(item_size(parsed.get("Item", {})), params.get("ConsistentRead", False))
        elif name in ("Query", "Scan"):
            total = sum(map(item_size, parsed.get("Items", ())))
            meter.reads += _read(total, params.get("ConsistentRead", False))
        elif name == "BatchGetItem":
            for table, request in params["RequestItems"].items():
                found = [item_size(item) for item in parsed.get("Responses", {}).get(table, ())]
                missing = len(request["Keys"]) - len(found)
                meter.reads += sum(_read(size, request.get("ConsistentRead", False)) for size in [*found, *[0] * missing])
        elif name == "TransactGetItems":
            meter.reads += sum(2 * _read(item_size(entry.get("Item", {})), consistent=True) for entry in parsed["Responses"])
        elif name == "TransactWriteItems":
            for entry in params["TransactItems"]:
                (request,) = entry.values()
                meter.writes += 2 * _written(self._size(request))
        elif name in ("PutItem", "UpdateItem", "DeleteItem"):
            meter.writes += _written(max(self.before, self._size(params)))

    def queued(self, **_: Any) -> None:
        self.meter.calls.append("SQS")
        self.meter.sqs += 1

    def _size(self, request: Mapping[str, Any]) -> int:
        """Of the item that stands under the request's key now."""
        key = request.get("Key") or {name: request["Item"][name] for name in ("pk", "sk") if name in request["Item"]}
        self.own_look = True
        try:
            found = self.dynamodb.get_item(TableName=request["TableName"], Key=key, ConsistentRead=True).get("Item", {})
        finally:
            self.own_look = False
        return item_size(found)


def item_size(item: Mapping[str, Any]) -> int:
    """Bytes of names and values, as DynamoDB counts them."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return ceil(len(content.strip("-").replace(".", "")) / 2) + 1
    if kind == "B":
        return len(content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _value_size(entry) for name, entry in content.items())
    if kind == "L":
        return 3 + sum(1 + _value_size(entry) for entry in content)
    if kind in ("SS", "BS"):
        return sum(len(entry) for entry in content)
    return 1


def _read(size: int, consistent: bool) -> float:
    return max(1, ceil(size / 4096)) * (1.0 if consistent else 0.5)


def _written(size: int) -> int:
    return max(1, ceil(size / 1024))

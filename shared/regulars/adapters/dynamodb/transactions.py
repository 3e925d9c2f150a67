"""Conditional updates and transactions: plain values in, and which condition failed out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from regulars.adapters.dynamodb.client import Item, back_off, dynamodb, item_from_wire, item_to_wire, to_wire, translated
from regulars.errors import Conflict, TryLater

Request = dict[str, Any]
T = TypeVar("T")
_TRIES = 8


class Cancelled(Conflict):
    """A transaction in which conditions failed; `failed` holds the places of those entries, in order."""

    code = "condition"

    def __init__(self, failed: Sequence[int]) -> None:
        super().__init__(f"conditions of entries {', '.join(map(str, failed))} did not hold")
        self.failed = tuple(failed)


class Change:
    """One Update under construction. A path of several names reaches into maps; names may hold any character."""

    def __init__(self, table: str, key: Mapping[str, Any]) -> None:
        self._request: Request = {"TableName": table, "Key": item_to_wire(key)}
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self._sets: list[str] = []
        self._removes: list[str] = []

    def name(self, *path: str) -> str:
        """The placeholder of an attribute, for conditions."""
        return ".".join(self._names.setdefault(part, f"#n{len(self._names)}") for part in path)

    def value(self, value: Any) -> str:
        """The placeholder of a value."""
        place = f":v{len(self._values)}"
        self._values[place] = to_wire(value)
        return place

    def set(self, *path: str, to: Any) -> Change:
        self._sets.append(f"{self.name(*path)} = {self.value(to)}")
        return self

    def append(self, attribute: str, entry: Any) -> Change:
        """One entry behind a list, which is made when it is not there."""
        place = self.name(attribute)
        self._sets.append(f"{place} = list_append(if_not_exists({place}, {self.value([])}), {self.value([entry])})")
        return self

    def count(self, attribute: str) -> Change:
        """A number one higher, 1 when it is not there."""
        return self.add(attribute, 1)

    def add(self, attribute: str, amount: int) -> Change:
        """A number `amount` higher; one that is not there counts as 0."""
        place = self.name(attribute)
        self._sets.append(f"{place} = if_not_exists({place}, {self.value(0)}) + {self.value(amount)}")
        return self

    def remove(self, *attributes: str) -> Change:
        self._removes += [self.name(attribute) for attribute in attributes]
        return self

    def when(self, condition: str) -> Change:
        """Only if `condition` (made of placeholders) holds."""
        self._request["ConditionExpression"] = condition
        return self

    def request(self) -> Request:
        """What UpdateItem, or an Update of a transaction, takes."""
        parts = [f"SET {', '.join(self._sets)}" if self._sets else "", f"REMOVE {', '.join(self._removes)}"]
        request = {**self._request, "UpdateExpression": " ".join(parts if self._removes else parts[:1]).strip()}
        if self._names:
            request["ExpressionAttributeNames"] = {place: name for name, place in self._names.items()}
        if self._values:
            request["ExpressionAttributeValues"] = self._values
        return request


def apply(change: Change, *, returns: str = "NONE") -> Item:
    """Carry out one Update; the attributes that `returns` (ReturnValues) names. Raises Conflict when its condition fails."""
    with translated():
        answer = dynamodb().update_item(**change.request(), ReturnValues=returns)
    return item_from_wire(answer.get("Attributes", {}))


def applies(change: Change) -> bool:
    """Carry out one Update if its condition holds; whether it did."""
    try:
        apply(change)
    except Conflict:
        return False
    return True


def get(table: str, key: Mapping[str, Any]) -> Item | None:
    """The item under `key`, strongly consistent; None when there is none."""
    with translated():
        found = dynamodb().get_item(TableName=table, Key=item_to_wire(key), ConsistentRead=True).get("Item")
    return item_from_wire(found) if found else None


def get_together(wanted: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Item | None]:
    """The items under these keys (table, key), in their order and as of one instant. Raises TryLater when a write stood in
    the way."""
    gets = [{"Get": {"TableName": table, "Key": item_to_wire(key)}} for table, key in wanted]
    with translated():
        answer = dynamodb().transact_get_items(TransactItems=gets)
    return [item_from_wire(entry["Item"]) if entry.get("Item") else None for entry in answer["Responses"]]


def transact(entries: Sequence[tuple[str, Request]], *, token: str) -> None:
    """All of `entries` (Put, Update, Delete or ConditionCheck; request) or none, once per `token` within ten minutes.

    Raises Cancelled with the places of the conditions that failed; TryLater when another transaction stood in the way.
    """
    wire = [{verb: request} for verb, request in entries]
    from botocore.exceptions import ClientError

    with translated():
        try:
            dynamodb().transact_write_items(TransactItems=wire, ClientRequestToken=token)
        except ClientError as error:
            reasons: Sequence[Any] = error.response.get("CancellationReasons", ())
            failed = [n for n, reason in enumerate(reasons) if reason.get("Code") == "ConditionalCheckFailed"]
            if not failed:
                raise
            raise Cancelled(failed) from error


def insist(attempt: Callable[[], T], *, rereads: bool = True, doublings: int = _TRIES) -> T:
    """Repeat `attempt` while somebody else's transaction holds what it writes: gone in milliseconds, and botocore does not ask
    again. One that `rereads` what its write is conditional on is repeated after a Conflict too, as others were faster.
    `doublings`: of the wait. Raises TryLater when that never ends."""
    for number in range(_TRIES):
        try:
            return attempt()
        except Conflict:
            if not rereads:
                raise
        except TryLater as error:
            if error.code != "cancelled":
                raise
        back_off(min(number, doublings))
    raise TryLater("others keep changing the same row", code="contended")

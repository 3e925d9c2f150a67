"""What PynamoDB's models stand on here: base rows, attributes, and requests that go out over the one DynamoDB client.

A model (see `rows`) names attributes and types and no table; `bound` ties it to an adapter's table. Region, endpoint
(AWS_ENDPOINT_URL), credentials, time limits and retries are those of `client.dynamodb()`, so there is no second client to
open, and a vendor's error is one of ours before PynamoDB sees it: models raise Conflict, TryLater, Misconfigured, GiveUp.

Loading PynamoDB loads botocore: nothing that an API function needs for an ordinary answer may import this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Self, TypeVar, cast

from botocore import xform_name
from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.constants import BATCH_GET_ITEM, BATCH_WRITE_ITEM, NUMBER, REQUEST_ITEMS, RESPONSES, UNPROCESSED_KEYS
from pynamodb.models import MetaModel, Model

from regulars.adapters.dynamodb.client import dynamodb, read_all, translated, write_all
from regulars.adapters.dynamodb.keys import Key
from regulars.clock import from_ms, to_ms
from regulars.errors import Conflict

R = TypeVar("R", bound="Row")


class Row(Model):
    """An item under a partition key."""

    pk = UnicodeAttribute(hash_key=True)

    @classmethod
    def of(cls, key: Key, **attributes: Any) -> Self:
        """The item of `key`, as yet in this process only."""
        return cls(key["pk"], key.get("sk"), **attributes)

    @classmethod
    def find(cls, key: Key, *, only: Sequence[str] | None = None) -> Self | None:
        """The item under `key` (of its attributes, `only` these), strongly consistent; None when there is none."""
        try:
            return cls.get(key["pk"], key.get("sk"), consistent_read=True, attributes_to_get=only)
        except cls.DoesNotExist:
            return None

    def put_once(self) -> bool:
        """Put the item unless one has its key; whether this one was put."""
        try:
            self.save(type(self).pk.does_not_exist())
        except Conflict:
            return False
        return True

    @classmethod
    def get_all(cls, wanted: Iterable[Key], *, consistent: bool = False) -> Iterator[Self]:
        """The items under these keys, 100 a call, whatever the order; missing ones are left out."""
        return cls.batch_get([(key["pk"], key["sk"]) if "sk" in key else key["pk"] for key in wanted], consistent)

    @classmethod
    def put_all(cls, rows: Iterable[Self]) -> int:
        """Put whole items, 25 a call, unconditionally; how many. No key may appear twice in 25."""
        found = list(rows)
        with cls.batch_write() as batch:
            for row in found:
                batch.save(row)
        return len(found)

    @classmethod
    def delete_all(cls, rows: Iterable[Self]) -> int:
        """Delete the items under the keys of `rows`, 25 a call; how many. No key may appear twice in 25."""
        found = list(rows)
        with cls.batch_write() as batch:
            for row in found:
                batch.delete(row)
        return len(found)


class SortedRow(Row):
    """An item under a partition key and a sort key."""

    sk = UnicodeAttribute(range_key=True)


class WholeNumberAttribute(Attribute[int]):
    """An int; PynamoDB's own number is a float to the type checker."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        return str(value)

    def deserialize(self, value: str) -> int:
        return int(value)


class InstantAttribute(Attribute[datetime]):
    """An aware datetime, in the table as epoch milliseconds."""

    attr_type = NUMBER

    def serialize(self, value: datetime) -> str:
        return str(to_ms(value))

    def deserialize(self, value: str) -> datetime:
        return from_ms(int(value))


def bound(model: type[R], table: str) -> type[R]:
    """`model` in the table called `table`: one class a pair for the process."""
    return cast(type[R], _bound(model, table))


@cache
def _bound(model: type[Row], table: str) -> type[Row]:
    namespace = {"__module__": model.__module__, "Meta": type("Meta", (), {"table_name": table})}
    made = cast(type[Row], MetaModel(model.__name__, (model,), namespace))
    # PynamoDB has no public way to bring a client: each model would open a session and a client of its own.
    of_table = made._get_connection()
    ours = _Connection()
    ours.add_meta_table(of_table.get_meta_table())
    of_table.connection = ours
    return made


class _Connection(Connection):
    """PynamoDB's requests, sent by our client."""

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        # PynamoDB repeats what a batch left unprocessed at once: reads without end, writes three times.
        if operation_name == BATCH_GET_ITEM:
            return {RESPONSES: read_all(operation_kwargs[REQUEST_ITEMS]), UNPROCESSED_KEYS: {}}
        if operation_name == BATCH_WRITE_ITEM:
            write_all(operation_kwargs[REQUEST_ITEMS])
            return {}
        with translated():
            answer: dict[str, Any] = getattr(dynamodb(), xform_name(operation_name))(**operation_kwargs)
        return answer

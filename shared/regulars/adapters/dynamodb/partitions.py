"""Everything under one partition key, deleted: what erasure asks of the tables that are keyed by shopper."""

from __future__ import annotations

from collections.abc import Callable

from regulars.adapters.dynamodb.client import batch_write, query


class Partitions:
    """Implements `regulars.privacy.ports.Forgetting`. `pk`: shopper → partition key."""

    def __init__(self, table: str, pk: Callable[[str], str] = str) -> None:
        self._table, self._pk = table, pk

    def forget(self, shopper: str) -> int:
        return delete_partition(self._table, self._pk(shopper))


def delete_partition(table: str, pk: str) -> int:
    """Delete every item of the partition; how many there were."""
    found = query(
        table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": pk},
        ProjectionExpression="pk, sk",
        ConsistentRead=True,
    )
    return batch_write(table, deletes=[{"pk": item["pk"], "sk": item["sk"]} for item in found])

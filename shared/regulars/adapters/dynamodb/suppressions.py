"""Suppressed addresses in DynamoDB: by hash; the address itself is nowhere in the item.

pk hash of channel and normalised address   channel, reason, at (ms)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import batch_get, dynamodb, item_to_wire, translated
from regulars.adapters.dynamodb.transactions import get
from regulars.clock import to_ms
from regulars.decisions.addresses import normalised
from regulars.errors import Conflict


class DynamoSuppressions:
    """Implements `regulars.decisions.ports.Suppressions`."""

    def __init__(self, table: str) -> None:
        self._table = table

    def add(self, channel: str, address: str, *, reason: str, now: datetime) -> None:
        item = {**_key(channel, address), "channel": channel, "reason": reason, "at": to_ms(now)}
        try:
            with translated():
                dynamodb().put_item(
                    TableName=self._table, Item=item_to_wire(item), ConditionExpression="attribute_not_exists(pk)"
                )
        except Conflict:
            return  # suppressed already; the first reason stays

    def reason(self, channel: str, address: str) -> str:
        item = get(self._table, _key(channel, address))
        return str(item["reason"]) if item else ""

    def among(self, addresses: Mapping[str, str]) -> Mapping[str, str]:
        wanted = {_key(channel, address)["pk"]: channel for channel, address in addresses.items()}
        if not wanted:
            return {}
        found = batch_get({self._table: [{"pk": pk} for pk in wanted]})[self._table]
        return {wanted[item["pk"]]: str(item["reason"]) for item in found}

    def remove(self, channel: str, address: str) -> None:
        with translated():
            dynamodb().delete_item(TableName=self._table, Key=item_to_wire(_key(channel, address)))


def _key(channel: str, address: str) -> keys.Key:
    return keys.suppression(channel, normalised(channel, address))

"""Suppressed addresses in DynamoDB: by hash; the address itself is nowhere in the item.

pk hash of channel and normalised address   channel, reason, at (ms)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.pynamo import bound
from regulars.adapters.dynamodb.rows import SuppressionRow
from regulars.decisions.addresses import normalised


class DynamoSuppressions:
    """Implements `regulars.decisions.ports.Suppressions`."""

    def __init__(self, table: str) -> None:
        self._rows = bound(SuppressionRow, table)

    def add(self, channel: str, address: str, *, reason: str, now: datetime) -> None:
        # Suppressed already: the first reason stays.
        self._rows.of(_key(channel, address), channel=channel, reason=reason, at=now).put_once()

    def reason(self, channel: str, address: str) -> str:
        row = self._rows.find(_key(channel, address))
        return row.reason if row else ""

    def among(self, addresses: Mapping[str, str]) -> Mapping[str, str]:
        wanted = {_key(channel, address)["pk"]: channel for channel, address in addresses.items()}
        return {wanted[row.pk]: row.reason for row in self._rows.get_all({"pk": pk} for pk in wanted)}

    def remove(self, channel: str, address: str) -> None:
        self._rows.of(_key(channel, address)).delete()


def _key(channel: str, address: str) -> keys.Key:
    return keys.suppression(channel, normalised(channel, address))

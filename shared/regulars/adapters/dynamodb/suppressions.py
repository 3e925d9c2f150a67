"""Suppressed addresses in DynamoDB: by hash; the address itself is nowhere in the item.

pk hash of channel and normalised address   channel, reason, at (ms)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.pynamo import bound
from regulars.adapters.dynamodb.rows import SuppressionRow
from regulars.adapters.dynamodb.transactions import Change, applies
from regulars.clock import to_ms
from regulars.decisions.addresses import normalised
from regulars.errors import Conflict


class DynamoSuppressions:
    """Implements `regulars.decisions.ports.Suppressions`."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._rows = bound(SuppressionRow, table)

    def add(self, channel: str, address: str, *, reason: str, now: datetime) -> None:
        key = _key(channel, address)
        if not self._rows.of(key, channel=channel, reason=reason, at=now).put_once():
            # Suppressed already: the first reason stays, and the last time it was said.
            change = Change(self._table, key).set("at", to=to_ms(now))
            said, at = change.name("reason"), change.name("at")
            applies(change.when(f"{said} = {change.value(reason)} AND {at} < {change.value(to_ms(now))}"))

    def reason(self, channel: str, address: str) -> str:
        row = self._rows.find(_key(channel, address))
        return row.reason if row else ""

    def among(self, addresses: Mapping[str, str]) -> Mapping[str, str]:
        wanted = {_key(channel, address)["pk"]: channel for channel, address in addresses.items()}
        return {wanted[row.pk]: row.reason for row in self._rows.get_all({"pk": pk} for pk in wanted)}

    def lift(self, channel: str, address: str, *, reason: str, said_at: datetime) -> bool:
        try:
            self._rows.of(_key(channel, address)).delete((self._rows.reason == reason) & (self._rows.at < said_at))
        except Conflict:
            return False
        return True

    def remove(self, channel: str, address: str) -> None:
        self._rows.of(_key(channel, address)).delete()


def _key(channel: str, address: str) -> keys.Key:
    return keys.suppression(channel, normalised(channel, address))

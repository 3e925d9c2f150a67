"""Stream records of the log and the ledger → changes in the words of metrics."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from regulars.adapters.dynamodb.keys import MESSAGE
from regulars.adapters.dynamodb.ledger_items import message_of
from regulars.adapters.lambda_batch import StreamRecord
from regulars.capture.packing import unpack
from regulars.metrics.changes import EVENTS, MESSAGES, Change

_DAMAGE = (KeyError, TypeError, ValueError, AttributeError, zlib.error)


def changes(records: Sequence[StreamRecord], *, messages_table: str) -> Iterator[Change]:
    """What the records tell. Deletions (TTL, erasure) tell nothing; of the log only insertions count."""
    for record in records:
        if record.action == "REMOVE":
            continue
        if record.table == messages_table:
            if str(record.new.get("sk", "")).startswith(MESSAGE):
                yield _ledger(record)
        elif record.action == "INSERT":
            yield _log(record)


def _ledger(record: StreamRecord) -> Change:
    try:
        old = message_of(dict(record.old)) if record.old else None
        return _change(record, MESSAGES, old=old, new=message_of(dict(record.new)))
    except _DAMAGE as error:
        return _change(record, MESSAGES, unreadable=type(error).__name__)


def _log(record: StreamRecord) -> Change:
    try:
        return _change(record, EVENTS, events=tuple(unpack(record.new["events"])))
    except _DAMAGE as error:
        return _change(record, EVENTS, unreadable=type(error).__name__)


def _change(record: StreamRecord, stream: str, **told: Any) -> Change:
    return Change(stream=stream, sequence=record.sequence, created_at_s=record.created_at_s, **told)

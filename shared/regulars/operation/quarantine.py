"""The operator's views of the quarantine: what was rejected and why, and another try for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from regulars.capture.collecting import Collector
from regulars.capture.ports import Quarantine, Quarantined
from regulars.clock import Clock
from regulars.errors import Invalid, TooLarge
from regulars.operation.parsing import MAX_RECORDS, limit_of, parse_day


def list_records(quarantine: Quarantine, clock: Clock, query: Mapping[str, str]) -> dict[str, Any]:
    """`?day=` (default today, UTC) `&reason=&limit=&after=`; `next` is the `after` of the next page, "" at the end."""
    limit = limit_of(query.get("limit"))
    records = quarantine.list(
        _day(query.get("day"), clock), code=query.get("reason", ""), limit=limit, after=query.get("after", "")
    )
    return {"records": [_shown(record) for record in records], "next": _next(records, limit)}


def replay_records(quarantine: Quarantine, collector: Collector, clock: Clock, body: Any) -> dict[str, Any]:
    """`{"ids": […]}`, or `{"day": …, "reason": …, "limit": …, "after": …}`. What still fails stays and says why."""
    if type(body) is not dict:
        raise Invalid("send an object with ids, or with day and reason", code="not_an_object")
    if "ids" in body:
        records, following = quarantine.get(_ids(body["ids"])), ""
    else:
        limit = limit_of(body.get("limit"))
        day = _day(body.get("day"), clock)
        records = quarantine.list(day, code=_text(body, "reason"), limit=limit, after=_text(body, "after"))
        following = _next(records, limit)
    replayed, failed = collector.replay(records)
    reasons = [{"id": key, "reason": {"code": error.code, "message": error.reason}} for key, error in failed.items()]
    return {"found": len(records), "replayed": replayed, "failed": reasons, "next": following}


def _shown(record: Quarantined) -> dict[str, Any]:
    return {
        "id": record.id,
        "reason": {"code": record.code, "message": record.message, "field": record.field},
        "source": record.source,
        "receivedAt": record.received_at.isoformat(),
        "expiresAt": record.expires_at.isoformat(),
        "replayable": record.replayable,
        "entry": json.loads(record.raw) if record.replayable else record.raw,
    }


def _next(records: Sequence[Quarantined], limit: int) -> str:
    return records[-1].id if len(records) == limit else ""


def _ids(value: Any) -> list[str]:
    if type(value) is not list or not all(isinstance(entry, str) and "." in entry for entry in value):
        raise Invalid("ids must be a list of record ids", field="ids")
    if len(value) > MAX_RECORDS:
        raise TooLarge(f"more than {MAX_RECORDS} ids", field="ids")
    return value


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key, "")
    if not isinstance(value, str):
        raise Invalid(f"{key} must be text", field=key)
    return value


def _day(value: Any, clock: Clock) -> date:
    return parse_day(value) if value is not None else clock().date()

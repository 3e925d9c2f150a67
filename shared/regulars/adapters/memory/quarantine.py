"""The quarantine in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from regulars.capture.ports import Quarantined, mentions


class MemoryQuarantine:
    """Implements `regulars.capture.ports.Quarantine`; `failing`, when set, is raised by `put`."""

    def __init__(self) -> None:
        self._records: dict[str, Quarantined] = {}
        self.failing: Exception | None = None

    def put(self, records: Iterable[Quarantined]) -> None:
        if self.failing:
            raise self.failing
        self._records.update({record.id: record for record in records})

    def list(self, day: date, *, code: str = "", limit: int = 100, after: str = "") -> Sequence[Quarantined]:
        found = [
            record
            for record_id, record in sorted(self._records.items())
            if record.day == day.isoformat() and record_id > after and (not code or record.code == code)
        ]
        return found[:limit]

    def get(self, ids: Iterable[str]) -> Sequence[Quarantined]:
        return [self._records[record_id] for record_id in ids if record_id in self._records]

    def delete(self, ids: Iterable[str]) -> None:
        for record_id in ids:
            self._records.pop(record_id, None)

    def delete_expired(self, now: datetime, limit: int) -> int:
        old = [record_id for record_id, record in self._records.items() if record.expires_at <= now][:limit]
        self.delete(old)
        return len(old)

    def forget_mentions(self, ids: Collection[str]) -> int:
        found = [record.id for record in self._records.values() if mentions(record.raw, ids)]
        self.delete(found)
        return len(found)

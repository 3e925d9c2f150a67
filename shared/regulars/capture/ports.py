"""What capture needs of the world beside the queue: where rejected events wait."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from regulars.ids import stable_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """One rejected entry. `id` is `<day>.<hash>`: the same entry rejected twice on a day is one record.

    `raw` is the entry as JSON text, with everything personal in it; it lies here only, until `expires_at`. `source` says
    which call or function refused it. What was too large is kept cut short and, like a conflict, cannot be replayed.
    """

    id: str
    code: str
    message: str
    field: str
    source: str
    raw: str
    replayable: bool
    received_at: datetime
    expires_at: datetime

    @property
    def day(self) -> str:
        """ISO date (UTC) under which the record is listed."""
        return self.id.partition(".")[0]


def quarantine_id(received_at: datetime, raw: str, source: str) -> str:
    """`<day>.<hash of what was refused>`."""
    return f"{received_at.date().isoformat()}.{stable_id(source, raw)}"


_NAMED = r'"(?:userId|user_id|anonymousId|anonymous_id|previousId|previous_id)"\s*:\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,}\]]+))'


def mentions(raw: str, ids: Collection[str]) -> bool:
    """Whether an entry names one of these user or anonymous ids; text, as an entry that was too large is cut short."""
    return any(_unescaped(quoted) in ids if quoted else bare in ids for quoted, bare in re.findall(_NAMED, raw))


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text


class Quarantine(Protocol):
    def put(self, records: Iterable[Quarantined]) -> None:
        """Keep the records; the same id replaces. Raises TryLater when any is not in."""

    def list(self, day: date, *, code: str = "", limit: int = 100, after: str = "") -> Sequence[Quarantined]:
        """Records of the day (of this reason code) by id, those behind the id `after`."""

    def get(self, ids: Iterable[str]) -> Sequence[Quarantined]:
        """The records that are still there, in the order of `ids`."""

    def delete(self, ids: Iterable[str]) -> None:
        """Replayed, or outlived: gone. Unknown ids do not matter."""

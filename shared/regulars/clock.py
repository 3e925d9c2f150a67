"""The one clock. Stages take a `Clock`; nothing calls `datetime.now` elsewhere.

`CLOCK_SOURCE` is `system`, or `file:/path` on the local stack: the file holds one ISO-8601 instant, rewritten by whoever
drives virtual time, so that two years pass in minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from regulars.errors import Misconfigured

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def system_clock() -> datetime:
    """Now, aware, UTC."""
    return datetime.now(UTC)


def file_clock(path: Path) -> Clock:
    """A clock that reads its instant from `path` at every call; real time while the file is absent or empty."""

    def now() -> datetime:
        try:
            text = path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return system_clock()
        return datetime.fromisoformat(text).astimezone(UTC) if text else system_clock()

    return now


def clock_from(source: str) -> Clock:
    """The clock that a `CLOCK_SOURCE` setting names; raises Misconfigured for another word."""
    if source in ("", "system"):
        return system_clock
    if source.startswith("file:"):
        return file_clock(Path(source.removeprefix("file:")))
    raise Misconfigured(f"CLOCK_SOURCE {source!r} is neither 'system' nor 'file:/path'")


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970-01-01 UTC of an aware datetime, in whole numbers: a float would lose one in 160 of them."""
    return (at - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """The aware UTC datetime of epoch milliseconds."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


@lru_cache(maxsize=1024)  # bounded: clients send these names
def zone_named(name: str) -> ZoneInfo | None:
    """The IANA zone called `name`; None for what is none."""
    from zoneinfo import ZoneInfo  # here, so that functions without wall clocks start without it

    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # unknown, malformed, or a directory such as "America"
        return None

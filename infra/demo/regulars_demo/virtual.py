"""Virtual time on the local stack: the clock file that every function reads, and the schedules run against it.

On AWS the EventBridge Scheduler wakes the scheduled functions. Here two years pass in minutes, so the same functions are
invoked with the same schedules, read from `regulars.flow`, at the virtual instants; a schedule more frequent than
`finest` runs that often instead (the due index makes that harmless: what is due is found late, never lost).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from regulars.clock import file_clock
from regulars.errors import Misconfigured
from regulars.flow import FLOW, Schedule


class ClockFile:
    """Writes the instant that `clock.file_clock` reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def read(self) -> datetime:
        """The instant that every function sees."""
        return file_clock(self._path)()

    def set(self, at: datetime) -> None:
        """Replace the instant at once (no reader sees half a line)."""
        fresh = self._path.with_suffix(".new")
        fresh.write_text(at.astimezone(UTC).isoformat(), "ascii")
        fresh.replace(self._path)


@dataclass(frozen=True, slots=True)
class Run:
    """One scheduled run."""

    at: datetime
    function: str


def runs(start: datetime, end: datetime, finest: timedelta, slowed: dict[str, timedelta]) -> Iterator[Run]:
    """Scheduled runs with start < at <= end in time order; `slowed` gives functions a longer interval of their own."""
    found: list[Run] = []
    for function in FLOW:
        for wake in function.woken_by:
            if isinstance(wake, Schedule):
                every, offset = interval(wake.expression)
                every = max(every, finest, slowed.get(function.name, finest))
                found += [Run(at, function.name) for at in _instants(start, end, every, offset)]
    return iter(sorted(found, key=lambda run: (run.at, run.function)))


def interval(expression: str) -> tuple[timedelta, timedelta]:
    """(period, offset after midnight UTC) of `rate(N unit)` or a daily `cron(M H * * ? *)`; raises Misconfigured else."""
    kind, _, rest = expression.rstrip(")").partition("(")
    words = rest.split()
    if kind == "rate":
        return timedelta(**{words[1].rstrip("s") + "s": int(words[0])}), timedelta()
    if kind == "cron" and words[2:] == ["*", "*", "?", "*"]:
        return timedelta(days=1), timedelta(hours=int(words[1]), minutes=int(words[0]))
    raise Misconfigured(f"the virtual schedule does not know {expression!r}")


def _instants(start: datetime, end: datetime, every: timedelta, offset: timedelta) -> Iterator[datetime]:
    origin = datetime(2000, 1, 1, tzinfo=UTC) + offset
    at = origin + every * ((start - origin) // every + 1)
    while at <= end:
        yield at
        at += every

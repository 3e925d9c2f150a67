"""The due index in memory: pointers are the truth, a sorted list per shard the hint, as in DynamoDB."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from datetime import datetime

from regulars.clock import from_ms, to_ms
from regulars.ids import stable_id
from regulars.triggers.model import Timer, shard_of
from regulars.triggers.ports import DuePage

_Entry = tuple[str, str, str]  # (sort key, shopper, timer key)


class MemoryTimers:
    """Implements `regulars.triggers.ports.Timers`; nothing expires."""

    def __init__(self, shards: int = 1) -> None:
        self._shards = shards
        self._pointers: dict[str, dict[str, Timer]] = {}
        self._entries: dict[int, list[_Entry]] = {shard: [] for shard in range(shards)}
        self._watermarks: dict[int, int] = {}

    def set(self, timer: Timer) -> None:
        pointers = self._pointers.setdefault(timer.shopper, {})
        old = pointers.get(timer.key)
        pointers[timer.key] = timer
        if old is not None:
            self._remove(old)
        insort(self._entries[shard_of(timer.shopper, self._shards)], _entry(timer))

    def cancel(self, shopper: str, kinds: Sequence[str], *, subject: str | None = None) -> int:
        pointers = self._pointers.get(shopper, {})
        gone = [timer for timer in pointers.values() if timer.kind in kinds and subject in (None, timer.subject)]
        for timer in gone:
            del pointers[timer.key]
            self._remove(timer)
        return len(gone)

    def known(self, shopper: str) -> Sequence[Timer]:
        return sorted(self._pointers.get(shopper, {}).values(), key=lambda timer: (timer.due_at, timer.key))

    def due(self, shard: int, after: datetime, until: datetime, limit: int, cursor: str = "") -> DuePage:
        entries = self._entries[shard]
        low = f"{cursor}~" if cursor else f"{to_ms(after) + 1:013d}"
        start = bisect_left(entries, (low, "", ""))
        end = bisect_left(entries, (f"{to_ms(until):013d}~", "", ""))
        found = entries[start : min(end, start + limit)]
        timers = [self._pointers[shopper][key] for _, shopper, key in found]
        return DuePage(timers=timers, cursor=found[-1][0] if len(found) == limit else "")

    def done(self, shard: int, timers: Sequence[Timer]) -> None:
        entries = self._entries[shard]
        for timer in timers:
            at = bisect_left(entries, _entry(timer))
            if at < len(entries) and entries[at] == _entry(timer):
                del entries[at]

    def forget(self, shopper: str) -> int:
        """Cancel everything set for the shopper; how many."""
        return self.cancel(shopper, [timer.kind for timer in self.known(shopper)])

    def watermarks(self) -> Mapping[int, datetime]:
        return {shard: from_ms(at) for shard, at in self._watermarks.items()}

    def advance(self, shard: int, to: datetime) -> None:
        self._watermarks[shard] = max(self._watermarks.get(shard, 0), to_ms(to))

    def _remove(self, timer: Timer) -> None:
        self.done(shard_of(timer.shopper, self._shards), [timer])


def _entry(timer: Timer) -> _Entry:
    return f"{to_ms(timer.due_at):013d}#{stable_id(timer.shopper, timer.key)}", timer.shopper, timer.key

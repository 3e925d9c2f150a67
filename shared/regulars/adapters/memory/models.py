"""Models in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from regulars.errors import Conflict, NotFound
from regulars.similarity.model import Neighbours, Pointer, Popularity, Scored
from regulars.similarity.packing import fit, pack, room_for, unpack


class MemoryModels:
    """Implements `regulars.similarity.ports.ModelStore` and `regulars.recommendations.ports.RuleStore`.

    Lists pass through their packed form, so that they are as short and scores as rounded as those that come back from a table.
    """

    def __init__(self) -> None:
        self._pointer: Pointer | None = None
        self._flipped: dict[str, Pointer] = {}
        self._versions: dict[str, dict[str, Neighbours]] = {}
        self._packed: dict[str, dict[str, Mapping[str, bytes]]] = {}
        self._popularity: dict[str, Popularity] = {}
        self._rules: Mapping[str, Any] | None = None

    def pointer(self) -> Pointer | None:
        return self._pointer

    def write(self, version: str, rows: Iterable[Neighbours], part: int = 0) -> int:
        stored = self._versions.setdefault(version, {})
        count = 0
        for row in rows:
            fitting = fit(row.relations, room_for(row.item_id))
            packed = {name: pack(scored) for name, scored in fitting.items() if scored}
            self._packed.setdefault(version, {})[row.item_id] = packed
            lists = {name: unpack(scored) for name, scored in packed.items()}
            stored[row.item_id] = Neighbours(row.item_id, lists, None if row.gap_days is None else round(row.gap_days, 1))
            count += 1
        return count

    def flip(self, pointer: Pointer, seen: Pointer | None) -> None:
        live = self._pointer.version if self._pointer else None
        expected = seen.version if seen else None
        if live != expected and not (expected is None and live == pointer.version):
            raise Conflict("another build or roll-back came first", code="pointer_moved")
        self._versions.setdefault(pointer.version, {})
        self._flipped[pointer.version] = pointer
        self._pointer = pointer

    def roll_back(self) -> Pointer:
        live = self._pointer
        if live is None or not live.previous or live.previous not in self._versions:
            raise NotFound("there is no previous version to go back to", code="no_previous_version")
        back = replace(self._flipped[live.previous], previous=live.version)
        self.flip(back, live)
        return back

    def neighbours(self, version: str, item_ids: Iterable[str]) -> Iterable[Neighbours]:
        stored = self._versions.get(version, {})
        return [stored[item_id] for item_id in dict.fromkeys(item_ids) if item_id in stored]

    def packed(self, version: str, item_id: str) -> Mapping[str, bytes]:
        """The lists of a stored row as a table would hold them."""
        return self._packed[version][item_id]

    def sweep(self, keep: Iterable[str], limit: int) -> int:
        kept, deleted = set(keep), 0
        for version in sorted(self._versions):
            if version in kept:
                continue
            if deleted >= limit:
                break
            deleted += len(self._versions.pop(version))
            self._flipped.pop(version, None)
            self._packed.pop(version, None)
        return deleted

    def put_popularity(self, rows: Iterable[Popularity]) -> None:
        for row in rows:
            self._popularity[row.scope] = replace(row, trend=_packed(row.trend), week=_packed(row.week))

    def popularity(self, scopes: Iterable[str]) -> Iterable[Popularity]:
        return [self._popularity[scope] for scope in dict.fromkeys(scopes) if scope in self._popularity]

    def rules(self) -> Mapping[str, Any] | None:
        """The stored rules document, None before the first."""
        return self._rules

    def put_rules(self, document: Mapping[str, Any]) -> None:
        """Replace the rules document."""
        self._rules = document


def _packed(scored: Scored) -> Scored:
    return unpack(pack(scored))

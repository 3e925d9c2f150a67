"""What a recommendation reads, in two sequential round trips.

    1  Query of the shopper's partition (profile and orders); at the same time, when what is the same for everybody is older
       than `common_seconds`, BatchGetItem of pointer, rules and the popularity of everywhere
    2  BatchGetItem across two tables: neighbour rows, popularity of the call's scopes, live stock-outs, and live rules where
       they are small (half a read unit)

Neighbour rows never change within a version, so they are kept in memory: a warm function rarely reads a popular item's row
again. They are kept packed and with numbers for ids (`regulars.similarity.packed`), at a tenth of the size of objects, and
added up as they lie: a question looks at thousands of entries and names some forty. Reads of models and stock are
eventually consistent: half the price, and fresh within milliseconds. What is there and cannot be read is left out and named.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.catalogue import decode_stock_outs
from regulars.adapters.dynamodb.client import batch_get, batch_get_wired, item_from_wire, item_to_wire, read_all
from regulars.adapters.dynamodb.models import MODEL, decode_pointer, decode_popularity, decode_rules
from regulars.errors import GiveUp
from regulars.profiles.model import Profile
from regulars.profiles.ports import Profiles
from regulars.recommendations.ports import Neighbourhood, Opening, Row
from regulars.recommendations.service import nobody
from regulars.similarity.model import EVERYWHERE, HABIT, NEW_ARRIVALS, Pointer, Popularity
from regulars.similarity.packed import Numbered, NumberedRow, numbered_rows
from regulars.similarity.packing import Ranked, columns

T = TypeVar("T")
_Raw = Mapping[str, Any] | None
_UNREAD = Row({})
"""In place of a row that is not in memory; None is one that does not exist."""
_COMMON_SCOPES = (EVERYWHERE, NEW_ARRIVALS)
_RULES = keys.merchandising_rules()
_SHARDS = [keys.stockouts(shard) for shard in range(keys.STOCKOUT_SHARDS)]
_ROOMY = 0.75
"""Up to this share of its room the memory need not know which rows were asked for lately: none makes place soon."""
_SLOW = 60
"""The habits of items change as slowly as their row is large: kept so many times as long as other popularity."""
_UNPACKED_KEPT = 256
"""Lists that stay unpacked: more than most calls look into."""
_SMALL_RULES = 3800
"""Packed bytes of a rules document that is read at every call: one to two hundred rules."""


@dataclass(frozen=True, slots=True)
class _Common:
    """What is the same for everybody, and when it was read."""

    read_at: datetime
    pointer: Pointer | None
    rules: Mapping[str, Any] | None
    popularity: Mapping[str, Popularity]
    damaged: tuple[str, ...]
    rules_are_small: bool

    def opening(self, profile: Profile) -> Opening:
        """The first round trip's result for this shopper."""
        return Opening(profile, self.pointer, self.rules, self.popularity, self.damaged)


class DynamoSources:
    """Implements `regulars.recommendations.ports.Sources`."""

    def __init__(
        self, profiles: Profiles, models_table: str, catalogue_table: str, *, common_seconds: int, cache_rows: int
    ) -> None:
        self._profiles = profiles
        self._models = models_table
        self._catalogue = catalogue_table
        self._common_seconds = common_seconds
        self._cache_rows = cache_rows
        self._common: _Common | None = None
        self._rows: OrderedDict[str, Row | None] = OrderedDict()
        self._rows_version = ""
        self._scopes: dict[str, tuple[datetime, Popularity | None, bool]] = {}
        self._decoded: dict[str, tuple[_Raw, tuple[Any, bool]]] = {}
        self._sold_out: tuple[list[dict[str, Any]], frozenset[str]] = ([], frozenset())
        tables = {catalogue_table: _SHARDS, models_table: [_RULES]}
        self._usual = {
            table: {"Keys": list(map(item_to_wire, wanted)), "ConsistentRead": False} for table, wanted in tables.items()
        }

    def open(self, shopper: str, now: datetime) -> Opening:
        """See the port; the two reads of the first round trip run side by side."""
        common = self._common
        if common is not None and self._is_fresh(common.read_at, now):
            return common.opening(self._profiles.load(shopper, now) if shopper else nobody(now))
        if not shopper:
            self._common = self._read_common(now)
            return self._common.opening(nobody(now))
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(self._read_common, now)
            profile = self._profiles.load(shopper, now)
            self._common = reading.result()
        return self._common.opening(profile)

    def neighbourhood(self, version: str, item_ids: Iterable[str], scopes: Iterable[str], now: datetime) -> Neighbourhood:
        """See the port."""
        items = list(dict.fromkeys(item_ids)) if version else []
        wanted = list(dict.fromkeys(scopes))
        rows = self._kept(version, items)
        unread = {keys.neighbours(version, item_id)["pk"]: item_id for item_id in items if item_id not in rows}
        stale = {keys.popularity(scope)["pk"]: scope for scope in wanted if not self._knows_scope(scope, now)}
        model_keys = [keys.neighbours(version, item_id) for item_id in unread.values()]
        model_keys += [keys.popularity(scope) for scope in stale.values()]
        read = self._read(model_keys, self._common is None or self._common.rules_are_small)
        raw = {item["pk"]: item for item in map(item_from_wire, read.get(self._models, ()))}
        if unread:
            numbered = numbered_rows({item_id: raw.get(pk) for pk, item_id in unread.items()})
            rows |= self._remember({item_id: _row(one) for item_id, one in numbered.items()})
        for pk, scope in stale.items():
            self._scopes[scope] = (now, *self._sound(decode_popularity, raw.get(pk)))
        popularity = {scope: self._scopes[scope] for scope in wanted}
        rules, rules_broken = self._sound(decode_rules, raw.get(_RULES["pk"]))
        damaged = [f"popularity of {scope}" for scope, (_, _, broken) in popularity.items() if broken]
        return Neighbourhood(
            {item_id: row for item_id, row in rows.items() if row is not None},
            {scope: row for scope, (_, row, _) in popularity.items() if row is not None},
            self._stock_outs(read[self._catalogue]),
            rules,
            (*damaged, *(("rules",) if rules_broken else ())),
        )

    def _read(self, model_keys: list[dict[str, Any]], with_rules: bool) -> dict[str, list[dict[str, Any]]]:
        """Stock-outs, live rules where they are wanted, and of models what else is asked for: mostly nothing, when all is in
        memory."""
        if model_keys or not with_rules:
            wanted = [*model_keys, _RULES] if with_rules else model_keys
            return batch_get_wired({self._catalogue: _SHARDS, **({self._models: wanted} if wanted else {})})
        return {self._catalogue: [], **read_all(self._usual)}

    def _read_common(self, now: datetime) -> _Common:
        wanted = [keys.pointer(MODEL), _RULES, *map(keys.popularity, _COMMON_SCOPES)]
        raw = {item["pk"]: item for item in batch_get({self._models: wanted})[self._models]}
        raw_rules = raw.get(_RULES["pk"])
        pointer, pointer_broken = self._sound(decode_pointer, raw.get(keys.pointer(MODEL)["pk"]))
        rules, rules_broken = self._sound(decode_rules, raw_rules)
        read = {scope: self._sound(decode_popularity, raw.get(keys.popularity(scope)["pk"])) for scope in _COMMON_SCOPES}
        broken = {"pointer": pointer_broken, "rules": rules_broken}
        broken |= {f"popularity of {scope}": is_broken for scope, (_, is_broken) in read.items()}
        return _Common(
            now,
            pointer,
            rules,
            {scope: row for scope, (row, _) in read.items() if row is not None},
            tuple(name for name, is_broken in broken.items() if is_broken),
            raw_rules is None or len(raw_rules.get("packed", b"")) <= _SMALL_RULES,
        )

    def _sound(self, decode: Callable[[Mapping[str, Any]], T], raw: _Raw) -> tuple[T | None, bool]:
        """(what the raw item says, whether it is damaged); nothing for an item that is not there. The same object while the
        item is the same: whoever makes something of it need not do so again."""
        if raw is None:
            return None, False
        known = self._decoded.get(raw["pk"])
        if known is None or known[0] != raw:
            known = self._decoded[raw["pk"]] = (raw, _decoded(decode, raw))
        return known[1]

    def _stock_outs(self, shards: list[dict[str, Any]]) -> frozenset[str]:
        """Live, but seldom other than in the call before: thousands of ids, perhaps, that need not become a set again."""
        before, ids = self._sold_out
        if before != shards:
            ids = decode_stock_outs(map(item_from_wire, shards))
        self._sold_out = (shards, ids)  # those read last, which the next ones mostly are too: then nothing is compared
        return ids

    def _is_fresh(self, read_at: datetime, now: datetime, times: int = 1) -> bool:
        return 0 <= (now - read_at).total_seconds() < self._common_seconds * times

    def _knows_scope(self, scope: str, now: datetime) -> bool:
        known = self._scopes.get(scope)
        return known is not None and self._is_fresh(known[0], now, _SLOW if scope == HABIT else 1)

    def _kept(self, version: str, items: Iterable[str]) -> dict[str, Row | None]:
        """What is in memory of one version: the rows of another one make place at once."""
        if version and version != self._rows_version:
            self._rows.clear()
            self._rows_version = version
        rows = self._rows
        found = {item_id: row for item_id in items if (row := rows.get(item_id, _UNREAD)) is not _UNREAD}
        if len(rows) > _ROOMY * self._cache_rows:
            for item_id in found:
                rows.move_to_end(item_id)
        return found

    def _remember(self, rows: Mapping[str, Row | None]) -> Mapping[str, Row | None]:
        """Keeps what was read and returns it; absence too: an item without neighbours is asked for as often as any other. What
        was longest not asked for makes place."""
        self._rows.update(rows)
        for _ in range(len(self._rows) - self._cache_rows):
            self._rows.popitem(last=False)
        return rows


def _row(raw: _Raw) -> Row | None:
    if raw is None:
        return None
    if isinstance(raw, NumberedRow):
        return Row(_Lazy(raw), raw.gap_days, raw)
    return Row(_Lazy(raw), raw.get("gap_days"))


class _Lazy(Mapping[str, Ranked]):
    """Relations of a raw row, unpacked when asked for: a scene uses one or two of five."""

    __slots__ = ("_raw",)

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw

    def __getitem__(self, relation: str) -> Ranked:
        return _ranked(self, relation)

    def get(self, relation: str, default: Any = None) -> Any:
        """As of any mapping, without the price of an exception for an absent relation."""
        return _ranked(self, relation) if relation in self._raw else default

    def __iter__(self) -> Iterator[str]:
        return (name for name, value in self._raw.items() if isinstance(value, bytes))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def unpacked(self, relation: str) -> Ranked:
        """Raises GiveUp(broken_model)."""
        packed = self._raw[relation]
        if not isinstance(packed, bytes):
            raise GiveUp(f"{relation} is no packed list", code="broken_model")
        return packed.columns() if isinstance(packed, Numbered) else columns(packed)


@lru_cache(maxsize=_UNPACKED_KEPT)
def _ranked(row: _Lazy, relation: str) -> Ranked:
    """Kept for the rest of a call, which may ask twice; rows stay packed, at a tenth of the size."""
    return row.unpacked(relation)


def _decoded(decode: Callable[[Mapping[str, Any]], T], raw: Mapping[str, Any]) -> tuple[T | None, bool]:
    try:
        return decode(raw), False
    except (GiveUp, KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        return None, True

"""What a recommendation reads, in two sequential round trips.

    1  Query of the shopper's partition (profile and orders); at the same time, when what is the same for everybody is older
       than `common_seconds`, BatchGetItem of pointer, rules and the popularity of everywhere
    2  BatchGetItem across two tables: neighbour rows, popularity of the call's scopes, live stock-outs

Neighbour rows never change within a version, so they are kept (packed) in memory; a warm function rarely reads a popular
item's row again. Reads of models and stock are eventually consistent: half the price, and fresh within milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.catalogue import decode_stock_outs
from regulars.adapters.dynamodb.client import batch_get
from regulars.adapters.dynamodb.models import MODEL, decode_pointer, decode_popularity, decode_rules
from regulars.errors import GiveUp
from regulars.profiles.model import Profile
from regulars.profiles.ports import Profiles
from regulars.recommendations.ports import Neighbourhood, Opening, Row
from regulars.recommendations.service import nobody
from regulars.similarity.model import EVERYWHERE, NEW_ARRIVALS, Pointer, Popularity
from regulars.similarity.packing import Ranked, columns


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
        self._rows: dict[tuple[str, str], Mapping[str, Any] | None] = {}
        self._scopes: dict[str, tuple[datetime, Popularity | None]] = {}

    def open(self, shopper: str, now: datetime) -> Opening:
        """See the port; the two reads of the first round trip run side by side."""
        common = self._common
        if common is not None and self._is_fresh(common.read_at, now):
            return common.opening(self._profile(shopper, now))
        if not shopper:
            self._common = self._read_common(now)
            return self._common.opening(nobody(now))
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(self._read_common, now)
            profile = self._profile(shopper, now)
            self._common = reading.result()
        return self._common.opening(profile)

    def neighbourhood(self, version: str, item_ids: Iterable[str], scopes: Iterable[str], now: datetime) -> Neighbourhood:
        """See the port."""
        items = list(dict.fromkeys(item_ids)) if version else []
        wanted_scopes = list(dict.fromkeys(scopes))
        new_items = [item_id for item_id in items if (version, item_id) not in self._rows]
        old_scopes = [scope for scope in wanted_scopes if not self._knows_scope(scope, now)]
        model_keys = [keys.neighbours(version, item_id) for item_id in new_items]
        model_keys += [keys.popularity(scope) for scope in old_scopes]
        shards = [keys.stockouts(shard) for shard in range(keys.STOCKOUT_SHARDS)]
        requests = {self._catalogue: shards, **({self._models: model_keys} if model_keys else {})}
        read = batch_get(requests)
        known = {item_id: self._rows[version, item_id] for item_id in items if (version, item_id) in self._rows}
        rows = {**known, **self._remember(version, new_items, old_scopes, read.get(self._models, []), now)}
        popularity = {scope: self._scopes[scope][1] for scope in wanted_scopes}
        return Neighbourhood(
            {item_id: Row(_Lazy(raw), raw.get("gap_days")) for item_id, raw in rows.items() if raw is not None},
            {scope: row for scope, row in popularity.items() if row is not None},
            decode_stock_outs(read[self._catalogue]),
        )

    def _profile(self, shopper: str, now: datetime) -> Profile:
        return self._profiles.load(shopper, now) if shopper else nobody(now)

    def _read_common(self, now: datetime) -> _Common:
        wanted = [keys.pointer(MODEL), keys.merchandising_rules()]
        wanted += [keys.popularity(scope) for scope in (EVERYWHERE, NEW_ARRIVALS)]
        raw = {item["pk"]: item for item in batch_get({self._models: wanted})[self._models]}
        pointer = raw.get(keys.pointer(MODEL)["pk"])
        rules = raw.get(keys.merchandising_rules()["pk"])
        popularity = (_popularity(raw.get(keys.popularity(scope)["pk"])) for scope in (EVERYWHERE, NEW_ARRIVALS))
        return _Common(
            now,
            decode_pointer(pointer) if pointer else None,
            decode_rules(rules) if rules else None,
            {row.scope: row for row in popularity if row is not None},
        )

    def _is_fresh(self, read_at: datetime, now: datetime) -> bool:
        return 0 <= (now - read_at).total_seconds() < self._common_seconds

    def _knows_scope(self, scope: str, now: datetime) -> bool:
        known = self._scopes.get(scope)
        return known is not None and self._is_fresh(known[0], now)

    def _remember(
        self, version: str, items: list[str], scopes: list[str], raw_items: Iterable[Mapping[str, Any]], now: datetime
    ) -> dict[str, Mapping[str, Any] | None]:
        """Keeps what was read and returns its rows. Absence is kept too: an item without neighbours is asked for as often
        as any other."""
        if len(self._rows) + len(items) > self._cache_rows:
            self._rows.clear()
        raw = {item["pk"]: item for item in raw_items}
        rows = {item_id: raw.get(keys.neighbours(version, item_id)["pk"]) for item_id in items}
        self._rows.update({(version, item_id): row for item_id, row in rows.items()})
        for scope in scopes:
            self._scopes[scope] = (now, _popularity(raw.get(keys.popularity(scope)["pk"])))
        return rows


class _Common:
    """What is the same for everybody, and when it was read."""

    def __init__(
        self,
        read_at: datetime,
        pointer: Pointer | None,
        rules: Mapping[str, Any] | None,
        popularity: Mapping[str, Popularity],
    ) -> None:
        self.read_at = read_at
        self._parts = (pointer, rules, popularity)

    def opening(self, profile: Profile) -> Opening:
        """The first round trip's result for this shopper."""
        return Opening(profile, *self._parts)


class _Lazy(Mapping[str, Ranked]):
    """Relations of a raw row, unpacked when asked for: a scene uses one or two of three."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self._unpacked: dict[str, Ranked] = {}

    def __getitem__(self, relation: str) -> Ranked:
        if relation in self._unpacked:
            return self._unpacked[relation]
        packed = self._raw[relation]
        if not isinstance(packed, bytes):
            raise GiveUp(f"{relation} is no packed list", code="broken_model")
        ranked = self._unpacked[relation] = columns(packed)
        return ranked

    def __iter__(self) -> Iterator[str]:
        return (name for name, value in self._raw.items() if isinstance(value, bytes))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _popularity(raw: Mapping[str, Any] | None) -> Popularity | None:
    """A damaged row counts as none: other popularity, then the catalogue, stand in."""
    if raw is None:
        return None
    try:
        return decode_popularity(raw)
    except (GiveUp, KeyError, TypeError):
        return None

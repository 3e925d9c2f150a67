"""How much CPU one recommendation takes: the whole handler over recorded DynamoDB answers, no network.

    python tests/bench/bench_recommend.py [--items 100000] [--recent 20] [--calls 2000]

Prints p50 and p99 of `time.process_time` a call, with rows already in the function's memory and with none (goal: p50 ≤ 3 ms,
p99 ≤ 10 ms), and what loading the catalogue takes once.
"""

from __future__ import annotations

import argparse
import base64
import gc
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from regulars.access import Keys, hash_key
from regulars.adapters.dynamodb import client as dynamo
from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb import models as stored_models
from regulars.adapters.dynamodb import profiles as stored_profiles
from regulars.adapters.dynamodb.sources import DynamoSources
from regulars.adapters.http import Api
from regulars.adapters.memory.storage import MemoryStorage
from regulars.catalogue.model import Item
from regulars.catalogue.snapshot import SnapshotReader, publish
from regulars.clock import to_ms
from regulars.profiles.config import ProfilesConfig
from regulars.profiles.reading import ProfileReader
from regulars.profiles.record import ItemMark, Record
from regulars.recommendations.config import RecommendationSettings
from regulars.recommendations.http import RecommendationsApi, routes
from regulars.recommendations.service import Recommend
from regulars.shop import section
from regulars.similarity.model import Neighbours, Pointer, Popularity

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)
ROUTE = "GET /v1/recommendations/{scene}"


class Recorded:
    """DynamoDB's answers for these items, in wire form; everything else is missing."""

    def __init__(self) -> None:
        self._items: dict[tuple[str, str], Mapping[str, Any]] = {}

    def add(self, item: Mapping[str, Any]) -> None:
        wire = dynamo.item_to_wire(item)
        self._items[item["pk"], item.get("sk", "")] = wire

    def query(self, *, ExpressionAttributeValues: Mapping[str, Any], **_: Any) -> Mapping[str, Any]:
        pk = next(iter(ExpressionAttributeValues.values()))["S"]
        return {"Items": [item for (owner, _), item in self._items.items() if owner == pk and pk.startswith("user:")]}

    def get_item(self, *, Key: Mapping[str, Any], **_: Any) -> Mapping[str, Any]:
        found = self._items.get(_place(Key))
        return {"Item": found} if found else {}

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> Mapping[str, Any]:
        answers = {}
        for table, request in RequestItems.items():
            found = (self._items.get(_place(key)) for key in request["Keys"])
            answers[table] = [item for item in found if item is not None]
        return {"Responses": answers}


def _place(key: Mapping[str, Any]) -> tuple[str, str]:
    return key["pk"]["S"], key.get("sk", {}).get("S", "")


def world(n_items: int, recent: int) -> tuple[Recorded, MemoryStorage]:
    """A catalogue, one shopper with `recent` items, and neighbours of those."""
    dice, storage, recorded = random.Random(1), MemoryStorage(), Recorded()
    names = [f"item-{number:06d}" for number in range(n_items)]
    items = (
        Item(
            item_id=name,
            title=f"Title of {name}",
            category=f"shelf-{n % 300}",
            price_cents=dice.randrange(100, 9000),
            currency="EUR",
        )
        for n, name in enumerate(names)
    )
    publish(storage, items, NOW)
    for name in names[:recent]:
        near = {
            relation: tuple((other, 1 / (place + 1)) for place, other in enumerate(dice.sample(names, keep)))
            for relation, keep in (("similar", 100), ("together", 50), ("next", 50))
        }
        recorded.add(stored_models.encode_row("1", Neighbours(name, near)))
    for scope in ("all", "new", "region:GB"):
        hits = tuple((name, 1 / (place + 1)) for place, name in enumerate(dice.sample(names, 200)))
        recorded.add(stored_models.encode_popularity(Popularity(scope, hits, hits, NOW)))
    pointer = stored_models.encode_pointer(Pointer(version="1", built_at=NOW))
    recorded.add({**keys.pointer(stored_models.MODEL), **pointer})
    marks = {name: ItemMark(1.0, to_ms(NOW - n * timedelta(days=1)), 2, 30.0) for n, name in enumerate(names[:recent])}
    tags = {f"category/shelf-{n}": 1.0 + n for n in range(12)}
    traits = {"country": (1, "GB"), "language": (1, "en")}
    record = Record(shopper="user:42", version=1, first_ms=1, newest_ms=to_ms(NOW), items=marks, tags=tags, traits=traits)
    recorded.add(stored_profiles._item(record))
    return recorded, storage


def handler(recorded: Recorded, storage: MemoryStorage, cache_rows: int) -> Callable[[], Any]:
    """The deployed handler over what was recorded."""
    setattr(dynamo, "aws_client", lambda service: recorded)  # noqa: B010 - typed as a cached function, and replaced for good
    settings = section(RecommendationSettings, "recommendations")
    sources = DynamoSources(
        ProfileReader(stored_profiles.DynamoProfiles("profiles"), section(ProfilesConfig, "profiles").weights),
        "models",
        "catalogue",
        common_seconds=settings.common_seconds,
        cache_rows=cache_rows,
    )
    snapshot = SnapshotReader(storage, lambda: NOW, 3600)
    began = time.process_time()
    snapshot()
    print(f"catalogue of {len(snapshot())} items in memory after {time.process_time() - began:.2f} s")
    recommend = Recommend(sources, snapshot, settings, lambda: NOW, lambda *_: None)
    api = Api("serve_recommendations")
    api.route(ROUTE, routes(lambda: RecommendationsApi(Keys(hash_key("k"), "write"), recommend))[ROUTE])
    event = {
        "routeKey": ROUTE,
        "headers": {"authorization": "Basic " + base64.b64encode(b"k:").decode()},
        "queryStringParameters": {"userId": "42", "limit": "20"},
        "pathParameters": {"scene": "home"},
        "requestContext": {"http": {"method": "GET", "path": "/v1/recommendations/home"}},
    }
    return lambda: api.handler(event, None)


def measure(call: Callable[[], Any], calls: int) -> None:
    """Prints p50 and p99 in milliseconds of CPU."""
    reply = call()
    assert reply["statusCode"] == 200, reply
    for _ in range(50):
        call()
    gc.collect()
    gc.freeze()
    taken = []
    for _ in range(calls):
        began = time.process_time()
        call()
        taken.append((time.process_time() - began) * 1000)
    taken.sort()
    print(f"  p50 {taken[calls // 2]:.2f} ms, p99 {taken[int(calls * 0.99)]:.2f} ms over {calls} calls")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--recent", type=int, default=20)
    parser.add_argument("--calls", type=int, default=2000)
    chosen = parser.parse_args()
    recorded, storage = world(chosen.items, chosen.recent)
    for words, cache_rows in (("rows in memory", 20_000), ("no row in memory", 0)):
        call = handler(recorded, storage, cache_rows)
        print(words)
        measure(call, chosen.calls)


if __name__ == "__main__":
    main()

"""A shop with recorded I/O for the benchmarks: DynamoDB's answers are bytes made beforehand, handed to `http.client` in place
of a socket."""

from __future__ import annotations

import base64
import json
import random
import time
from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from io import BytesIO
from itertools import accumulate
from typing import Any

from tests.support.metering import item_size

from regulars.access import Keys, hash_key
from regulars.adapters import aws_http
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
from regulars.profiles.orders import OrderRecord
from regulars.profiles.reading import ProfileReader
from regulars.profiles.record import ItemMark, Record
from regulars.recommendations.config import RecommendationSettings
from regulars.recommendations.http import RecommendationsApi, routes
from regulars.recommendations.sequences import SequenceReader
from regulars.recommendations.service import Recommend
from regulars.shop import section
from regulars.similarity.model import ON_TRIAL, SEQUENCE, Neighbours, Pointer, Popularity
from regulars.similarity.recipe import Part, Recipe

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)
ROUTE = "GET /v1/recommendations/{scene}"
LISTS = (("similar", 100), ("together", 50), ("next", 50), ("linear", 100))
RECIPE = Recipe(
    protocol="time-new",
    history_items=20,
    parts={name: Part(weight=1.0, rank_power=1.0, half_life_days=120.0) for name, _ in LISTS},
    popularity={"week": 0.3},
)
CALLS_A_SECOND = 10
SOLD_OUT = 0.005
_SHELF, _SHELVES = 400, 5
ENVIRON = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_SESSION_TOKEN": "b" * 800,
}


class Recorded:
    """DynamoDB behind a socket: answers out of items that were put in wire form; everything else is missing.

    `spent` is its own CPU time in seconds, `units` the read units, `last` the bodies since they were cleared."""

    def __init__(self) -> None:
        self._items: dict[tuple[str, str], tuple[bytes, float]] = {}
        self._shoppers: dict[str, tuple[bytes, float]] = {}
        self.spent = self.units = 0.0
        self.last: list[bytes] = []

    def add(self, item: Mapping[str, Any]) -> None:
        """One item that BatchGetItem finds."""
        wire = dynamo.item_to_wire(item)
        units = -(-item_size(wire) // 4096) * 0.5
        self._items[item["pk"], item.get("sk", "")] = (json.dumps(wire, default=aws_http._encode_bytes).encode(), units)

    def add_shopper(self, shopper: str, items: Sequence[Mapping[str, Any]]) -> None:
        """One partition that Query finds."""
        wires = [dynamo.item_to_wire(item) for item in items]
        units = -(-sum(map(item_size, wires)) // 4096) * 0.5
        body = json.dumps({"Items": wires, "Count": len(wires)}, default=aws_http._encode_bytes).encode()
        self._shoppers[shopper] = (body, units)

    def answer(self, request: bytes) -> bytes:
        """The HTTP answer to an HTTP request."""
        began = time.process_time()
        head, _, body = request.partition(b"\r\n\r\n")
        asked = json.loads(body)
        if b".Query\r\n" in head:
            shopper = next(iter(asked["ExpressionAttributeValues"].values()))["S"]
            content, units = self._shoppers.get(shopper, (b'{"Items":[],"Count":0}', 0.5))
            self.units += units
        else:
            tables = []
            for table, request_keys in asked["RequestItems"].items():
                found = [self._items.get(_place(key)) for key in request_keys["Keys"]]
                self.units += sum(entry[1] if entry else 0.5 for entry in found)
                tables.append(b'"%s":[%s]' % (table.encode(), b",".join(entry[0] for entry in found if entry)))
            content = b'{"Responses":{%s},"UnprocessedKeys":{}}' % b",".join(tables)
        self.last.append(content)
        answer = (
            b"HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Sat, 21 Nov 2026 20:00:00 GMT\r\n"
            b"Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\nConnection: keep-alive\r\n"
            b"x-amzn-RequestId: ABCDEFGHIJKLMNOP\r\nx-amz-crc32: 1\r\n\r\n%s"
        ) % (len(content), content)
        self.spent += time.process_time() - began
        return answer


def _place(key: Mapping[str, Any]) -> tuple[str, str]:
    return key["pk"]["S"], key.get("sk", {}).get("S", "")


class _Socket:
    """What `http.client` needs of a socket."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded, self._sent = recorded, b""

    def sendall(self, data: bytes) -> None:
        self._sent += data

    def makefile(self, *_: Any) -> BytesIO:
        sent, self._sent = self._sent, b""
        return BytesIO(self._recorded.answer(sent))

    def close(self) -> None:
        """Nothing is open."""


class Wire(aws_http.Client):
    """The deployed client over a socket that is none."""

    def __init__(self, recorded: Recorded) -> None:
        super().__init__("dynamodb", ENVIRON, lambda: None)
        self._kept = HTTPConnection("dynamodb.us-east-1.amazonaws.com")
        self._kept.sock = _Socket(recorded)

    def _connection(self) -> HTTPConnection:
        return self._kept


@dataclass
class World:
    """A catalogue, shoppers with their histories, neighbours and popularity, and the clock.

    An item's neighbours are on its own shelf of `_SHELF` items but for one in five; a shopper's items on `_SHELVES` shelves.
    `unrelated` draws all of them from the whole catalogue instead, so that hardly two lists share an item: the hardest case.
    """

    n_items: int
    recent: int
    shoppers: int
    unrelated: bool = False
    recipe: Recipe = RECIPE
    now: datetime = NOW
    recorded: Recorded = field(default_factory=Recorded)
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    histories: list[list[int]] = field(default_factory=list)
    near: dict[int, dict[str, list[int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        dice = random.Random(1)
        self.names = [f"item-{number:06d}" for number in range(self.n_items)]
        publish(self.storage, (self._item(number, dice) for number in range(self.n_items)), NOW)
        # Interest has a long tail: item n is looked at with probability ~ 1/(n + 50).
        tail = list(accumulate(1 / (number + 50) for number in range(self.n_items)))
        for number in range(self.shoppers):
            drawn: dict[int, None] = {}
            shelves = [dice.randrange(self.n_items // _SHELF) for _ in range(_SHELVES)]
            while len(drawn) < self.recent:
                if self.unrelated:
                    drawn[bisect(tail, dice.random() * tail[-1])] = None
                else:
                    drawn[dice.choice(shelves) * _SHELF + int(_SHELF * dice.random() ** 2)] = None
            self.histories.append(list(drawn))
            self._add_shopper(number, dice)
        for item in sorted({item for history in self.histories for item in history}):
            self.near[item] = {name: self._neighbours(item, keep, dice) for name, keep in LISTS}
            lists = {
                name: tuple((self.names[other], 1 / (place + 1)) for place, other in enumerate(others))
                for name, others in self.near[item].items()
            }
            self.recorded.add(stored_models.encode_row("1", Neighbours(self.names[item], lists)))
        for scope in ("all", "new", "region:GB"):
            hits = tuple(
                (self.names[item], 1 / (place + 1)) for place, item in enumerate(dice.sample(range(self.n_items), 200))
            )
            self.recorded.add(stored_models.encode_popularity(Popularity(scope, hits, hits, NOW)))
        tried = dice.sample(self.names, 100)
        beliefs = [tuple((name, believed) for name in tried) for believed in (2.0, 30.0)]
        self.recorded.add(stored_models.encode_popularity(Popularity(ON_TRIAL, beliefs[0], beliefs[1], NOW)))
        out = dice.sample(self.names, int(self.n_items * SOLD_OUT))
        for shard in range(keys.STOCKOUT_SHARDS):
            ids = {name for name in out if keys.stockout_shard(name) == shard}
            self.recorded.add({**keys.stockouts(shard), **({"ids": ids} if ids else {})})
        params = {"recipe": self.recipe.to_wire(), SEQUENCE: "1"}
        pointer = Pointer(version="1", built_at=NOW, params=params, counts={"rows": self.n_items})
        self.recorded.add({**keys.pointer(stored_models.MODEL), **stored_models.encode_pointer(pointer)})

    def _neighbours(self, item: int, keep: int, dice: random.Random) -> list[int]:
        if self.unrelated:
            return dice.sample(range(self.n_items), keep)
        shelf = item - item % _SHELF
        found: dict[int, None] = {}
        while len(found) < keep:
            near = dice.random() < 0.8
            found[shelf + dice.randrange(_SHELF) if near else dice.randrange(self.n_items)] = None
        return list(found)

    def _item(self, number: int, dice: random.Random) -> Item:
        return Item(
            item_id=self.names[number],
            title=f"Title of {self.names[number]}",
            category=f"shelf-{number // _SHELF}",
            brand=f"brand-{number % 700}",
            price_cents=dice.randrange(100, 9000),
            currency="EUR",
            url=f"https://shop.example/items/{self.names[number]}",
            image_url=f"https://shop.example/images/{self.names[number]}.jpg",
            attributes={"colour": "red", "material": "wood"},
            listed_at=NOW - timedelta(days=number % 900 + 1),
        )

    def _add_shopper(self, number: int, dice: random.Random) -> None:
        shopper = f"user:{number}"
        marks = {
            self.names[item]: ItemMark(1.0, to_ms(NOW - place * timedelta(hours=7)), 2, 30.0)
            for place, item in enumerate(self.histories[number])
        }
        record = Record(
            shopper=shopper,
            version=1,
            first_ms=to_ms(NOW - timedelta(days=200)),
            newest_ms=to_ms(NOW),
            items=marks,
            tags={f"category/shelf-{dice.randrange(300)}": 1.0 + n for n in range(12)},
            traits={"country": (1, "GB"), "language": (1, "en")},
        )
        items = [stored_profiles._item(record)]
        for n in range(3):
            at = to_ms(NOW - timedelta(days=20 * n + 2))
            order = OrderRecord(order_id=f"o{n}", placed_ms=frozenset({at}), told_ms=at, cents=5000)
            bought = tuple(self.names[dice.randrange(self.n_items)] for _ in range(5))
            told = {"placed": set(order.placed_ms), "told": at, "cents": 5000, "bought": stored_profiles._packed(bought)}
            items.append({**keys.order(shopper, order.order_id), **told})
        self.recorded.add_shopper(shopper, items)

    def handler(self, cache_rows: int, limit: int = 20) -> Callable[[int], Any]:
        """The deployed handler, new, over what was recorded: shopper number → reply of `limit` items."""
        wire = Wire(self.recorded)
        settings = section(RecommendationSettings, "recommendations")
        sources = DynamoSources(
            ProfileReader(stored_profiles.DynamoProfiles("profiles"), section(ProfilesConfig, "profiles").weights),
            "models",
            "catalogue",
            common_seconds=settings.common_seconds,
            cache_rows=cache_rows,
        )
        snapshot = SnapshotReader(self.storage, lambda: self.now, 3600)
        snapshot()
        sequence = SequenceReader(self.storage)
        recommend = Recommend(sources, snapshot, settings, lambda: self.now, lambda *_: None, read_sequence=sequence)
        api = Api("serve_recommendations")
        served = RecommendationsApi(Keys(hash_key("k"), "write"), recommend)
        api.route(ROUTE, routes(lambda: served)[ROUTE])
        basic = {"authorization": "Basic " + base64.b64encode(b"k:").decode()}

        def connected(service: str) -> Wire:
            return wire

        def call(number: int) -> Any:
            setattr(dynamo, "aws_client", connected)  # noqa: B010 - typed as a cached function; handlers may take turns
            self.now += timedelta(seconds=1 / CALLS_A_SECOND)
            return api.handler(
                {
                    "routeKey": ROUTE,
                    "headers": {**basic, "accept": "*/*", "user-agent": "shop/1", "host": "api.example"},
                    "queryStringParameters": {"userId": str(number), "limit": str(limit)},
                    "pathParameters": {"scene": "home"},
                    "requestContext": {"http": {"method": "GET", "path": "/v1/recommendations/home"}},
                },
                None,
            )

        return call

"""What capturing costs: calls and units of DynamoDB counted at the client, priced by DESIGN §6.

Lambda is taken at 512 MB: 5 ms a call of the collector, 15 ms a unit of capture (warm, three round trips of some 4 ms).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import pytest
from tests.support.metering import Meter, metering
from tests.support.prices import GB_SECOND, HTTP_API_REQUEST, LAMBDA_REQUEST, SQS_REQUEST
from tests.support.shoppers import DAY, HOUR, MINUTE, NOON, Shop, event, order, unit

from regulars.adapters.dynamodb.events import DynamoEventLog
from regulars.adapters.dynamodb.profiles import DynamoProfiles
from regulars.capture.model import Event
from regulars.messages import encode

BATCH = 10
CATEGORIES = ("Home / Mugs", "Kitchen", "Bags", "Lighting", "Christmas")


@pytest.fixture
def shop(create_table: Callable[..., str]) -> Shop:
    return Shop(profiles=DynamoProfiles(create_table("profiles")), log=DynamoEventLog(create_table("events")))


def browsing(number: int, minutes: int = 0) -> list[Event]:
    """Ten events as a web client sends them."""
    context = {
        "timezone": "Europe/London",
        "locale": "en-GB",
        "userAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/141.0 Safari/537.36",
        "page": {"path": f"/mugs/{number}", "url": f"https://shop.example/mugs/{number}", "title": "Mug"},
        "library": {"name": "analytics.js", "version": "5.2.0"},
    }
    names = ["Product List Viewed", *["Product Viewed"] * 7, "Product Added", "Products Searched"]
    return [
        event(
            name,
            NOON + minutes * MINUTE + n * MINUTE,
            id=f"ajs-next-{number:04d}-{n:02d}-6d1f7a52-9c3e-4b7f-8a21",
            properties={
                "product_id": f"{84000 + (number * 7 + n) % 300}B",
                "name": "Red ceramic mug",
                "category": CATEGORIES[(number + n) % 5],
                "brand": f"Brand {(number + n) % 4}",
                "price": 12.5,
                "currency": "GBP",
                "dwell_seconds": 20,
            },
            context=context,
        )
        for n, name in enumerate(names)
    ]


@dataclass
class Path:
    """The whole way of `events` events in `calls` HTTP calls and `units` units."""

    events: int
    calls: int
    units: int
    meter: Meter
    bytes: int

    @property
    def dollars_per_million_events(self) -> float:
        sends = self.calls * ceil(self.bytes / 65_536)  # SQS bills a request each 64 KB; a call's units go in one batch
        receives_and_deletes = 2 * self.units / 10
        lambdas = self.calls * (LAMBDA_REQUEST + 0.5 * 0.005 * GB_SECOND) + self.units * (
            LAMBDA_REQUEST / 10 + 0.5 * 0.015 * GB_SECOND
        )
        total = self.calls * HTTP_API_REQUEST + (sends + receives_and_deletes) * SQS_REQUEST + lambdas
        return (total + self.meter.dollars_per_million) / self.events


def captured(shop: Shop, events: list[Event], *, in_batch_of: int = 1) -> Path:
    """One unit of `events`, which came in a call with `in_batch_of` such units of other shoppers."""
    it = unit(events)
    with metering() as meter:
        shop.capture(it)
    path = Path(len(events) * in_batch_of, 1, in_batch_of, meter, len(encode(it)) * in_batch_of)
    meter.reads *= in_batch_of
    meter.writes *= in_batch_of
    return path


def test_one_event_of_a_new_shopper(shop: Shop) -> None:
    path = captured(shop, browsing(1)[1:2])
    assert path.meter.calls == ["GetItem", "GetItem", "PutItem", "PutItem"]  # the second: was she erased?
    assert (path.meter.reads, path.meter.writes) == (2, 2)
    # Alone in its call, the HTTP API, SQS and Lambda alone cost 1.7: no write is cheap enough for 2.00.
    assert path.dollars_per_million_events == pytest.approx(3.33, abs=0.05)


def test_one_event_a_shopper_in_a_batch_of_ten_shoppers(shop: Shop) -> None:
    path = captured(shop, browsing(1)[1:2], in_batch_of=10)
    assert path.dollars_per_million_events <= 2.00


def test_a_batch_of_ten_of_a_new_shopper(shop: Shop) -> None:
    path = captured(shop, browsing(1))
    assert path.meter.calls == ["GetItem", "GetItem", "PutItem", "PutItem"]  # the second: was she erased?
    assert (path.meter.reads, path.meter.writes) == (2, 2)
    assert path.dollars_per_million_events <= 0.40


def test_a_batch_of_ten_of_an_old_hand(shop: Shop) -> None:
    """Two hundred events in four weeks: forty items, five categories, a cart."""
    for number in range(20):
        shop.capture(unit(browsing(number, minutes=number * 24 * 60)))
    path = captured(shop, browsing(20, minutes=21 * 24 * 60))
    assert path.meter.calls == ["GetItem", "PutItem", "PutItem"]
    assert path.meter.writes <= 6
    assert path.dollars_per_million_events <= 1.00


def test_a_delivery_that_comes_again_costs_a_read_and_a_write(shop: Shop) -> None:
    it = unit(browsing(1))
    shop.capture(it)
    with metering() as meter:
        shop.capture(it)
    assert meter.calls == ["GetItem", "PutItem"]


def test_a_repeat_of_another_delivery_costs_a_read(shop: Shop) -> None:
    shop.capture(unit(browsing(1)))
    with metering() as meter:
        shop.capture(unit(browsing(1), NOON + DAY))
    assert meter.calls == ["GetItem"]


def test_an_order_costs_a_write_and_a_read_more_however_many_went_before(shop: Shop) -> None:
    for number in range(30):
        shop.capture(unit([order(f"o{number}", NOON + number * DAY)]))
    with metering() as meter:
        shop.capture(unit([order("o30", NOON + 30 * DAY)]))
    assert meter.calls == ["GetItem", "UpdateItem", "Query", "PutItem", "PutItem"]
    assert meter.writes <= 4


def test_a_login_is_one_transaction(shop: Shop) -> None:
    shop.capture(unit([event(shopper="anon:a1")]))
    with metering() as meter:
        shop.capture(unit([event(at=NOON + HOUR, anonymous_id="a1")]))
    assert meter.calls == ["GetItem", "GetItem", "GetItem", "Query", "Query", "TransactWriteItems", "PutItem"]

"""The build: from events to a model in the bucket, whose words one shopper's forecast is made of; thin shops, broken models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from tests.support.needs import settings

from regulars.adapters.memory.storage import MemoryStorage
from regulars.capture.model import Event
from regulars.catalogue.model import Item
from regulars.catalogue.snapshot import publish as publish_snapshot
from regulars.errors import GiveUp
from regulars.needs.config import NeedsSettings
from regulars.needs.forecasting import forecaster
from regulars.needs.model import CURRENT_KEY, MODEL_KEY, from_bytes, load, to_bytes
from regulars.needs.orders import read
from regulars.needs.service import ForecastNeeds

NOW = datetime(2026, 3, 2, 1, 45, tzinfo=UTC)
FIRST = NOW - timedelta(days=300)


def order(shopper: str, day: int, *, total: float = 10.0, items: tuple[str, ...] = ("tea",), **changes: Any) -> Event:
    at = FIRST + timedelta(days=day)
    said = {
        "order_id": changes.pop("order_id", f"{shopper}-{day}"),
        "total": total,
        "products": [{"product_id": item, "price": total, "category": "Drinks" if item == "tea" else ""} for item in items],
    }
    told: dict[str, Any] = {"name": "Order Completed", "shopper": shopper, "user_id": shopper.removeprefix("user:")}
    told |= {"message_id": f"m-{shopper}-{day}-{changes.get('name', '')}", "anonymous_id": "", "properties": said}
    return Event(type="track", at=at, received_at=at, **(told | changes))


def shop(shoppers: int = 80) -> list[Event]:
    draw = np.random.default_rng(9)
    made = []
    for number in range(shoppers):
        ends = 300 if number % 3 else 120
        for day in np.cumsum(draw.exponential(6 + number % 20, 60)).astype(int).tolist():
            if day < ends:
                items = ("tea", "cup") if draw.random() < 0.5 else ("tea",)
                made.append(order(f"user:{number}", day, total=float(draw.integers(5, 50)), items=items))
    return made


def build(events: list[Event], changed: NeedsSettings | None = None) -> tuple[MemoryStorage, dict[str, Any]]:
    storage = MemoryStorage()
    cup = Item(item_id="cup", title="Cup", category="Crockery", brand="", price_cents=500, stock=1, attributes={})
    publish_snapshot(storage, [cup], NOW)

    def archive(since: datetime) -> Iterator[Event]:
        yield from (event for event in events if event.received_at >= since)

    chosen = changed or settings()
    made = ForecastNeeds(archive, storage, chosen, lambda: NOW, lambda message, facts: None)()
    return storage, made


def test_a_shop_gets_all_its_parts() -> None:
    storage, report = build(shop(), replace(settings(), rebuying=replace(settings().rebuying, min_hits=50)))
    model = load(storage)
    assert model is not None
    assert model.version == report["version"] == json.loads(storage.get(CURRENT_KEY) or b"")["version"]
    assert model.returning is not None
    assert model.order_value is not None
    assert report["validation_auc"]["average"] > 0.8
    assert {need.category for need in model.categories} == {"Drinks", "Crockery"}
    drinks = next(need for need in model.categories if need.category == "Drinks")
    assert drinks.first_day == (NOW + timedelta(days=2)).date().isoformat()
    assert len(drinks.purchases) == 5
    assert drinks.accuracy is not None
    assert set(model.rebuying.items) == {"tea", "cup"}
    assert report["rebuying"] == "logistic"
    assert from_bytes(to_bytes(model)) == model


def test_a_forecast_of_one_shopper() -> None:
    storage, _ = build(shop())
    foresee = forecaster(storage, settings())
    assert foresee is not None
    weekly, gone = (foresee(list(range(10, end, 7)), [2000.0] * len(range(10, end, 7)), 300) for end in (300, 100))
    assert weekly is not None
    assert gone is not None
    assert weekly.chance > 0.9 > gone.chance
    assert weekly.purchases > 5 > gone.purchases
    assert weekly.next_day == 304
    assert gone.next_day == 300  # overdue: never in the past
    assert weekly.lifetime_value > gone.lifetime_value > 0
    assert weekly.lifetime_value < 4.2 * weekly.purchases * 2200  # a year is four of the horizons, discounted
    assert foresee([400], [1.0], 300) is None


def test_thin_shops_publish_what_they_can_and_say_why() -> None:
    storage, report = build([order("user:1", 3)])
    model = load(storage)
    assert model is not None
    assert model.returning is None
    assert "1 shoppers bought" in model.why
    assert model.why == report["returning"]
    assert model.categories == ()
    assert forecaster(storage, settings()) is None
    assert from_bytes(to_bytes(model)) == model
    empty = load(build([])[0])
    assert empty is not None
    assert empty.rebuying.usual_gap_days == settings().rebuying.default_gap_days


def test_too_many_orders_do_not_fit() -> None:
    with pytest.raises(GiveUp, match=r"needs\.history_days") as refused:
        build(shop(), replace(settings(), max_orders=20))
    assert refused.value.code == "does_not_fit"


def test_no_model_and_broken_models() -> None:
    storage = MemoryStorage()
    assert load(storage) is None
    assert forecaster(storage, settings()) is None
    for pointer, blob in ((b"{}", b""), (b'{"version": "1"}', b""), (b'{"version": "1"}', b'{"version": 1}'), (b"[", b"")):
        storage.put(CURRENT_KEY, pointer)
        if blob:
            storage.put(MODEL_KEY.format(version="1"), blob)
        with pytest.raises(GiveUp) as refused:
            load(storage)
        assert refused.value.code == "broken_model"


def test_orders_are_told_once_joined_and_cancelled() -> None:
    events = [
        order("anon:x", 1, user_id="", anonymous_id="x"),
        order("user:1", 4),
        order("user:1", 4),
        order("user:1", 9, order_id="user:1-4", name="Order Refunded"),
        order("user:1", 8, total=30.0),
        order("user:1", 8, order_id="second", total=5.0, message_id="other"),
        replace(order("user:1", 2), type="identify", name="", anonymous_id="x", message_id="i"),
    ]
    orders = read(events, 100)
    assert orders.orders == 3
    assert orders.purchases.shoppers == 1
    assert (orders.purchases.day - orders.purchases.day[0]).tolist() == [0, 7]
    assert orders.purchases.value.tolist() == [1000, 3500]
    assert len(orders.lines.day) == 2

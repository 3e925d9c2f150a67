"""What is accepted, as what, and what a receipt promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.collecting import NOW, OPERATOR, Shop, open_shop, viewed

from regulars.capture.config import Capture
from regulars.capture.names import ALIASES, BUILT_IN, Vocabulary
from regulars.capture.units import MAX_UNIT_BYTES
from regulars.errors import RateLimited, TryLater
from regulars.messages import encode
from regulars.shop import section


@pytest.fixture
def shop() -> Shop:
    return open_shop()


def test_a_call_becomes_an_event_on_the_queue(shop: Shop) -> None:
    status, answer = shop.post("track", viewed(anonymousId="a1", context={"locale": "en-GB"}))
    assert (status, answer) == (200, {"success": True, "messageId": "m1"})
    (event,) = shop.events
    assert (event.type, event.name, event.shopper) == ("track", "Product Viewed", "user:u1")
    assert (event.user_id, event.anonymous_id) == ("u1", "a1")
    assert event.at == datetime(2026, 11, 21, 19, 59, tzinfo=UTC)
    assert event.received_at == NOW
    assert event.properties == {"product_id": "85123A", "price": 2.55, "currency": "GBP"}
    assert event.context == {"locale": "en-GB"}


@pytest.mark.parametrize("kind", ["track", "identify", "page", "screen", "alias", "group"])
def test_the_path_says_the_type(shop: Shop, kind: str) -> None:
    call = viewed(type=None, previousId="a1", groupId="g1", name="Home", category="Shop")
    assert shop.post(kind, call)[0] == 200
    (event,) = shop.events
    assert event.type == kind
    assert event.previous_id == ("a1" if kind == "alias" else "")
    assert event.group_id == ("g1" if kind == "group" else "")
    assert event.properties.get("name", "") == ("Home" if kind in ("page", "screen") else "")


def test_a_missing_message_id_is_assigned_and_told(shop: Shop) -> None:
    receipts = shop.batch(viewed(messageId=None), viewed(messageId=None))
    ids = [receipt["messageId"] for receipt in receipts]
    assert all(ids)
    assert len(set(ids)) == 2
    assert [event.message_id for event in shop.events] == ids


def test_numbers_as_ids_become_text(shop: Shop) -> None:
    shop.batch(viewed(userId=42, anonymousId=7, messageId=9, properties={"sku": 22423}))
    (event,) = shop.events
    assert (event.shopper, event.anonymous_id, event.message_id) == ("user:42", "7", "9")
    assert event.properties == {"sku": "22423", "product_id": "22423"}


@pytest.mark.parametrize(
    ("call", "shared", "at"),
    [
        ({"timestamp": None}, {}, NOW),
        ({"timestamp": "2026-11-21T19:00:00Z"}, {}, NOW - timedelta(hours=1)),
        ({"timestamp": "2026-11-21T19:00:00"}, {}, NOW - timedelta(hours=1)),
        ({"timestamp": "2026-11-22T03:00:00+08:00"}, {}, NOW - timedelta(hours=1)),
        # the client's clock is three years behind; it sent ten seconds after the deed
        ({"timestamp": "2023-01-01T00:00:00Z", "sentAt": "2023-01-01T00:00:10Z"}, {}, NOW - timedelta(seconds=10)),
        # a day ahead: without correction it would be refused
        ({"timestamp": "2026-11-22T20:00:00Z"}, {"sentAt": "2026-11-22T20:00:10Z"}, NOW - timedelta(seconds=10)),
        ({"timestamp": None, "originalTimestamp": "2026-11-21T18:00:00.500Z"}, {}, NOW - timedelta(seconds=7199.5)),
        ({"timestamp": "2026-11-21T20:05:00Z"}, {}, NOW + timedelta(minutes=5)),
        ({"timestamp": "2016-11-22T20:00:00Z"}, {}, datetime(2016, 11, 22, 20, tzinfo=UTC)),
    ],
)
def test_the_clock_is_corrected(shop: Shop, call: dict[str, Any], shared: dict[str, Any], at: datetime) -> None:
    (receipt,) = shop.batch(viewed(**call), **shared)
    assert receipt["status"] == "accepted", receipt
    assert shop.events[0].at == at


def test_an_entrys_own_context_and_sent_at_win_over_the_batchs(shop: Shop) -> None:
    own = viewed(sentAt="2026-11-21T20:00:00Z", context={"locale": "de-DE"})
    shop.batch(own, viewed(messageId="m2"), context={"locale": "en-GB", "app": "web"}, sentAt="2026-11-21T19:59:30Z")
    first, second = shop.events
    assert first.context == {"locale": "de-DE", "app": "web"}
    assert second.context == {"locale": "en-GB", "app": "web"}
    assert first.at == NOW - timedelta(seconds=60)
    assert second.at == NOW - timedelta(seconds=30)


def test_a_repeat_in_the_batch_is_told_and_taken_once(shop: Shop) -> None:
    receipts = shop.batch(viewed(), viewed(), viewed(messageId="m2"))
    assert [receipt["status"] for receipt in receipts] == ["accepted", "repeated", "accepted"]
    assert [event.message_id for event in shop.events] == ["m1", "m2"]
    assert not shop.quarantined


def test_the_same_id_with_other_content_is_a_conflict_and_the_first_stands(shop: Shop) -> None:
    receipts = shop.batch(viewed(), viewed(userId="u2"))
    assert receipts[1]["reason"]["code"] == "conflict"
    assert [event.shopper for event in shop.events] == ["user:u1"]
    (record,) = shop.quarantine.list(NOW.date())
    assert not record.replayable


def test_an_id_that_was_rejected_may_come_right_in_the_same_batch(shop: Shop) -> None:
    receipts = shop.batch(viewed(event="Nonsense"), viewed())
    assert [receipt["status"] for receipt in receipts] == ["rejected", "accepted"]


def test_one_unit_per_shopper_in_call_order(shop: Shop) -> None:
    calls = [viewed(messageId=f"m{n}", userId=f"u{n % 3}") for n in range(9)]
    shop.batch(*calls)
    assert [unit.shopper for unit in shop.units] == ["user:u0", "user:u1", "user:u2"]
    for n, unit in enumerate(shop.units):
        assert [wire["id"] for wire in unit.events] == [f"m{n}", f"m{n + 3}", f"m{n + 6}"]
        assert unit.received_at_ms == int(NOW.timestamp() * 1000)
    assert len({unit.correlation_id for unit in shop.units}) == 1


def test_a_repeated_call_makes_the_same_units() -> None:
    first, second = open_shop(), open_shop()
    for shop in (first, second):
        shop.batch(*(viewed(messageId=f"m{n}", userId=f"u{n % 2}") for n in range(4)))
    assert [unit.id for unit in first.units] == [unit.id for unit in second.units]


def test_a_unit_that_would_outgrow_the_queue_is_cut_in_order(shop: Shop) -> None:
    note = "\u6f22" * 9_000
    shop.batch(*(viewed(messageId=f"m{n}", properties={"product_id": "p", "note": note}) for n in range(16)))
    assert [event.message_id for event in shop.events] == [f"m{n}" for n in range(16)]
    assert len(shop.units) == 3
    assert all(len(encode(unit).encode()) < MAX_UNIT_BYTES + 2_000 for unit in shop.units)


def test_products_named_by_sku_cannot_outgrow_the_queue(shop: Shop) -> None:
    products = [{"sku": n} for n in range(2_000)]
    calls = [
        viewed(messageId=f"m{n}", event="Order Completed", properties={"order_id": n, "products": products}) for n in range(10)
    ]
    assert all(receipt["status"] == "accepted" for receipt in shop.batch(*calls))
    assert len(shop.events) == 10


@pytest.mark.parametrize(("error", "status"), [(TryLater("full"), 503), (RateLimited("throttled", retry_after_seconds=3), 429)])
def test_when_the_queue_does_not_take_it_nothing_is_said_to_be_accepted(shop: Shop, error: TryLater, status: int) -> None:
    shop.queue.failing = error
    assert shop.post("batch", {"batch": [viewed()]})[0] == status
    assert shop.post("track", viewed())[0] == status


def test_when_the_quarantine_does_not_take_it_the_call_is_to_be_repeated(shop: Shop) -> None:
    shop.quarantine.failing = TryLater("throttled")
    assert shop.post("batch", {"batch": [viewed(), viewed(event="Nonsense")]})[0] == 503


def test_the_same_bad_entry_again_is_one_record(shop: Shop) -> None:
    for _ in range(3):
        shop.batch(viewed(event="Nonsense"), viewed(event="Nonsense"))
    assert shop.quarantined == ["unknown_event"]


@pytest.mark.parametrize("spelling", ["product viewed", "product_viewed", "PRODUCT-VIEWED", "ProductViewed", "Viewed Product"])
def test_spellings_of_a_name_meet(shop: Shop, spelling: str) -> None:
    shop.batch(viewed(event=spelling))
    assert shop.events[0].name == "Product Viewed"


def test_every_alias_leads_to_a_built_in_name() -> None:
    assert set(ALIASES.values()) <= set(BUILT_IN)
    assert not set(ALIASES) & set(BUILT_IN)
    assert all(Vocabulary().canonical(name) == name for name in BUILT_IN)


def test_the_shops_own_names_are_taken_as_declared() -> None:
    shop = open_shop(custom_events=("Gift Wrapped", "Product Viewed"))
    shop.batch(viewed(event="gift_wrapped", properties={"price": "free text is its own affair"}))
    shop.batch(viewed())
    assert [event.name for event in shop.events] == ["Gift Wrapped", "Product Viewed"]


def test_stock_may_be_called_quantity_and_be_none_left(shop: Shop) -> None:
    feed = viewed(event="Inventory Updated", properties={"product_id": "p", "quantity": 0})
    status, _ = shop.post("track", feed, OPERATOR)
    assert status == 200
    assert shop.events[0].properties == {"product_id": "p", "stock": 0}


@pytest.mark.parametrize("event", ["Inventory Updated", "Stock Updated", "Product Updated", "price_updated"])
def test_an_apps_write_key_sets_neither_price_nor_stock(shop: Shop, event: str) -> None:
    feed = viewed(event=event, properties={"product_id": "p", "price": 0.01, "stock": 0})
    results = shop.batch(feed, viewed(messageId="m2"))
    assert [entry["status"] for entry in results] == ["rejected", "accepted"]
    assert results[0]["reason"]["code"] == "operator_key_needed"
    assert [event.name for event in shop.events] == ["Product Viewed"]
    assert shop.quarantined == ["operator_key_needed"]


def test_a_good_order_passes_whole(shop: Shop) -> None:
    properties = {
        "order_id": 536365,
        "currency": "gbp",
        "total": 139.12,
        "discount": None,
        "products": [{"product_id": "85123A", "quantity": 6.0, "price": 2.55, "name": "Heart"}],
    }
    (receipt,) = shop.batch(viewed(event="Completed Order", properties=properties))
    assert receipt["status"] == "accepted", receipt
    (event,) = shop.events
    assert event.name == "Order Completed"
    assert event.properties == {
        "order_id": "536365",
        "currency": "GBP",
        "total": 139.12,
        "products": [{"product_id": "85123A", "quantity": 6, "price": 2.55, "name": "Heart"}],
    }


def test_replay_takes_what_is_good_now_and_keeps_the_rest(shop: Shop) -> None:
    ahead = viewed(messageId="m2", timestamp="2026-11-21T21:00:00Z")
    shop.batch(
        viewed(event="Gift Wrapped"),
        ahead,
        viewed(messageId="m3", event="Nonsense"),
        viewed(messageId=None, event="gift wrapped"),
    )
    later = open_shop(custom_events=("Gift Wrapped",))
    later.collector._clock = lambda: NOW + timedelta(hours=2)
    later.collector._quarantine = shop.quarantine
    replayed, failed = later.collector.replay(shop.quarantine.list(NOW.date()))
    assert len(replayed) == 3
    assert [error.code for error in failed.values()] == ["unknown_event"]
    assert shop.quarantined == ["unknown_event"]
    events = {event.message_id: event for event in later.events}
    assert events["m2"].at == NOW + timedelta(hours=1)
    assert events["m1"].at == NOW - timedelta(minutes=1)
    assert events["m1"].received_at == NOW + timedelta(hours=2)
    assert later.collector.replay([]) == ([], {})


def test_a_replay_cut_off_before_it_cleaned_up_repeats_the_same_ids(shop: Shop) -> None:
    shop.batch(viewed(messageId=None, event="Gift Wrapped"))
    records = shop.quarantine.list(NOW.date())
    later = open_shop(custom_events=("Gift Wrapped",))
    for _ in range(2):
        later.collector.replay(records)
    first, second = later.events
    assert first.message_id == second.message_id


def test_what_was_cut_short_is_not_replayed(shop: Shop) -> None:
    shop.batch(viewed(properties={"product_id": "p", "note": "x" * 40_000}))
    (record,) = shop.quarantine.list(NOW.date())
    assert len(record.raw) == 32_768
    replayed, failed = shop.collector.replay([record])
    assert (replayed, [error.code for error in failed.values()]) == ([], ["not_replayable"])


def test_records_go_when_their_time_is_over(shop: Shop) -> None:
    shop.batch(viewed(event="Nonsense"))
    (record,) = shop.quarantine.list(NOW.date())
    assert record.expires_at == NOW + timedelta(days=section(Capture, "capture").collecting.quarantine_days)

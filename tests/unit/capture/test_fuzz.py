"""Whatever comes: never a 500, a receipt for every entry, good neighbours always get through."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.collecting import open_shop, viewed

WORDS = st.sampled_from(
    [
        "track",
        "identify",
        "page",
        "alias",
        "group",
        "Product Viewed",
        "Order Completed",
        "Inventory Updated",
        "u1",
        "2026-11-21T19:00:00Z",
    ]
)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20) | WORDS
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=12
)
FIELDS = [
    "type", "event", "userId", "anonymousId", "messageId", "timestamp", "originalTimestamp", "sentAt", "properties",
    "traits", "context", "previousId", "groupId", "name", "integrations",
]  # fmt: skip
PROPERTIES = [
    "product_id",
    "sku",
    "price",
    "quantity",
    "currency",
    "products",
    "order_id",
    "stock",
    "total",
    "email",
    "consent",
]
NEAR_MISSES = st.dictionaries(
    st.sampled_from(FIELDS), JSON | st.dictionaries(st.sampled_from(PROPERTIES), JSON, max_size=4), max_size=9
)
DAMAGED = st.builds(lambda damage: {**viewed(messageId=None), **damage}, NEAR_MISSES)
ENTRIES = st.lists(JSON | NEAR_MISSES | DAMAGED, min_size=1, max_size=6)
SHOP = open_shop()


def fresh() -> Any:
    SHOP.queue.sent.clear()
    return SHOP


@settings(max_examples=300, deadline=None)
@given(ENTRIES, st.data())
def test_a_good_entry_among_any_others_is_accepted(entries: list[Any], data: st.DataObject) -> None:
    shop = fresh()
    place = data.draw(st.integers(0, len(entries)))
    good = viewed(messageId="the good one")
    calls = [*entries[:place], good, *entries[place:]]
    receipts = shop.batch(*calls)
    assert [receipt["index"] for receipt in receipts] == list(range(len(calls)))
    assert receipts[place]["status"] == "accepted"
    told = [receipt["messageId"] for receipt in receipts if receipt["status"] == "accepted"]
    assert sorted(event.message_id for event in shop.events) == sorted(told)
    assert all("reason" in receipt for receipt in receipts if receipt["status"] == "rejected")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["track", "identify", "page", "screen", "alias", "group", "batch"]), JSON | NEAR_MISSES | DAMAGED)
def test_any_json_gets_a_specific_answer(kind: str, body: Any) -> None:
    shop = fresh()
    status, answer = shop.post(kind, body)
    assert status in (200, 400, 413)
    assert status == 200 or answer["error"]["code"] not in ("", "error", "internal")
    assert bool(shop.queue.sent) == (status == 200 and (kind != "batch" or answer["accepted"] > 0))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["", "gzip", "identity"]))
def test_any_bytes_get_a_4xx(body: bytes, encoding: str) -> None:
    shop = fresh()
    headers = {"authorization": "Bearer wk_shop_app", **({"content-encoding": encoding} if encoding else {})}
    status, _ = shop.post("batch", body, headers)
    assert status in (400, 413)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_authorization_gets_a_401(header: str) -> None:
    status, answer = fresh().post("track", viewed(), {"authorization": header or "x"})
    assert status == 401
    assert answer["error"]["code"] in ("missing_key", "invalid_key")


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=1, max_size=8), st.integers(0, 400))
def test_a_batch_damaged_on_its_way_never_is_a_500(damage: bytes, place: int) -> None:
    body = json.dumps({"batch": [viewed(messageId=f"m{n}") for n in range(3)]}).encode()
    status, _ = fresh().post("batch", body[:place] + damage + body[place + len(damage) :])
    assert status in (200, 400)

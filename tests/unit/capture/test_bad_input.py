"""Every line of bad input: a specific error or a quarantined entry with its reason, and the neighbours get through."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from tests.support.collecting import BASIC, KEY, NOW, open_shop, viewed

PRODUCT = {"product_id": "p1"}
DEEP: Any = "leaf"
for _ in range(30):
    DEEP = [DEEP]


def order(**properties: Any) -> dict[str, Any]:
    return viewed(event="Order Completed", properties={"order_id": "o1", **properties})


def about(**properties: Any) -> dict[str, Any]:
    return viewed(properties={**PRODUCT, **properties})


def identify(**traits: Any) -> dict[str, Any]:
    return viewed(type="identify", traits=traits)


REJECTED: list[tuple[Any, str, str]] = [
    (17, "not_an_object", ""),
    (None, "not_an_object", ""),
    ([viewed()], "not_an_object", ""),
    (viewed(type=None), "unknown_type", "type"),
    (viewed(type="batch"), "unknown_type", "type"),
    (viewed(type=["track"]), "unknown_type", "type"),
    # missing and broken ids
    (viewed(userId=None), "missing_id", "userId"),
    (viewed(userId=""), "missing_id", "userId"),
    (viewed(userId="  "), "invalid_id", "userId"),
    (viewed(userId="undefined"), "placeholder_id", "userId"),
    (viewed(userId="[object Object]"), "placeholder_id", "userId"),
    (viewed(userId={"id": 1}), "invalid_id", "userId"),
    (viewed(userId=True), "invalid_id", "userId"),
    (viewed(userId="u" * 257), "invalid_id", "userId"),
    (viewed(userId="u\x1f1"), "invalid_id", "userId"),
    (viewed(anonymousId=1.5), "invalid_id", "anonymousId"),
    (viewed(messageId="m\n"), "invalid_id", "messageId"),
    (viewed(messageId=[]), "invalid_id", "messageId"),
    (viewed(type="group"), "missing_id", "groupId"),
    (viewed(type="alias"), "missing_id", "previousId"),
    (viewed(type="alias", previousId="u1"), "invalid_id", "previousId"),
    (viewed(type="alias", userId=None, anonymousId="a", previousId="b"), "missing_id", "userId"),
    # event names
    (viewed(event=None), "missing_event", "event"),
    (viewed(event=" "), "missing_event", "event"),
    (viewed(event=5), "missing_event", "event"),
    (viewed(event="Prodct Viewd"), "unknown_event", "event"),
    (viewed(event="x" * 5000), "unknown_event", "event"),
    # times
    (viewed(timestamp="yesterday"), "invalid_timestamp", "timestamp"),
    (viewed(timestamp=1763755200000), "invalid_timestamp", "timestamp"),
    (viewed(timestamp="9999-12-31T23:59:59-14:00"), "future_timestamp", "timestamp"),
    (viewed(timestamp="2026-11-21T20:05:01Z"), "future_timestamp", "timestamp"),
    (viewed(timestamp="0001-01-01T00:00:00+14:00"), "ancient_timestamp", "timestamp"),
    (viewed(timestamp="1970-01-01T00:00:00Z"), "ancient_timestamp", "timestamp"),
    (viewed(sentAt="now"), "invalid_timestamp", "sentAt"),
    # wrong types
    (viewed(properties=[1]), "invalid_properties", "properties"),
    (viewed(context="web"), "invalid_context", "context"),
    (viewed(type="identify", traits="x"), "invalid_traits", "traits"),
    (viewed(type="page", name={}), "invalid_name", "name"),
    (viewed(properties={**PRODUCT, "x": DEEP}), "too_deep", "properties"),
    (viewed(integrations=DEEP), "too_deep", "integrations"),
    (viewed(context={"note": "\ud800"}), "invalid_text", ""),
    (viewed(properties={**PRODUCT, "note": "x" * 33_000}), "too_large", ""),
    # products, money, orders
    (viewed(properties={}), "missing_product_id", "properties.product_id"),
    (viewed(properties={"product_id": " "}), "missing_product_id", "properties.product_id"),
    (viewed(properties={"sku": ["p"]}), "missing_product_id", "properties.sku"),
    (viewed(properties={"product_id": "p" * 300}), "invalid_product_id", "properties.product_id"),
    (about(price=-0.01), "invalid_price", "properties.price"),
    (about(price="2.55"), "invalid_price", "properties.price"),
    (about(price=True), "invalid_price", "properties.price"),
    (about(price=1e13), "invalid_price", "properties.price"),
    (about(price=10**40), "invalid_number", "properties"),
    (about(quantity=0), "invalid_quantity", "properties.quantity"),
    (about(quantity=-1), "invalid_quantity", "properties.quantity"),
    (about(quantity=1.5), "invalid_quantity", "properties.quantity"),
    (about(quantity=10**10), "invalid_quantity", "properties.quantity"),
    (about(dwell_seconds=-1), "invalid_dwell_seconds", "properties.dwell_seconds"),
    (about(scroll_depth=101), "invalid_scroll_depth", "properties.scroll_depth"),
    (about(currency="XYZ"), "unknown_currency", "properties.currency"),
    (about(currency=826), "unknown_currency", "properties.currency"),
    (order(order_id=None), "missing_order_id", "properties.order_id"),
    (order(total=-1), "invalid_amount", "properties.total"),
    (order(revenue="12"), "invalid_amount", "properties.revenue"),
    (order(products={"0": PRODUCT}), "invalid_products", "properties.products"),
    (order(products=["p1"]), "invalid_products", "properties.products[0]"),
    (order(products=[PRODUCT, {"price": 1}]), "missing_product_id", "properties.products[1].product_id"),
    (order(products=[{**PRODUCT, "price": -1}]), "invalid_price", "properties.products[0].price"),
    (viewed(event="Inventory Updated", properties=PRODUCT), "missing_stock", "properties.stock"),
    (viewed(event="Inventory Updated", properties={**PRODUCT, "stock": -1}), "invalid_stock", "properties.stock"),
    # traits that would hurt
    (identify(email="a@b"), "invalid_trait", "traits.email"),
    (identify(email=5), "invalid_trait", "traits.email"),
    (identify(email="a b@c.de"), "invalid_trait", "traits.email"),
    (identify(phone=447700900000), "invalid_trait", "traits.phone"),
    (identify(birthday="31/12/1990"), "invalid_trait", "traits.birthday"),
    (identify(birthday=19901231), "invalid_trait", "traits.birthday"),
    (identify(consent={"email": "false"}), "invalid_consent", "traits.consent"),
    (identify(consent=True), "invalid_consent", "traits.consent"),
]


@pytest.mark.parametrize(("entry", "code", "field"), REJECTED)
def test_a_bad_entry_is_quarantined_and_its_neighbours_are_taken(entry: Any, code: str, field: str) -> None:
    shop = open_shop()
    receipts = shop.batch(viewed(messageId="before"), entry, viewed(messageId="after"))
    assert [receipt["status"] for receipt in receipts] == ["accepted", "rejected", "accepted"]
    assert [receipt["index"] for receipt in receipts] == [0, 1, 2]
    assert (receipts[1]["reason"]["code"], receipts[1]["reason"].get("field", "")) == (code, field)
    assert [event.message_id for event in shop.events] == ["before", "after"]
    assert shop.quarantined == [code]


@pytest.mark.parametrize(("entry", "code", "field"), [case for case in REJECTED if isinstance(case[0], dict)])
def test_the_same_alone_is_a_400_with_the_reason(entry: dict[str, Any], code: str, field: str) -> None:
    shop = open_shop()
    kind = entry.get("type")
    if code == "unknown_type" or code == "too_large":
        return  # the path says the type; and a call alone is measured before it is parsed
    status, answer = shop.post(str(kind), entry)
    assert (status, answer["error"]["code"], answer["error"].get("field", "")) == (400, code, field)
    assert not shop.queue.sent
    assert shop.quarantined == [code]


def test_an_infinite_number_is_rejected_though_json_can_spell_it() -> None:
    shop = open_shop()
    body = json.dumps({"batch": [viewed(messageId="before"), about(price=1.5)]}).replace("1.5", "1e999").encode()
    status, answer = shop.post("batch", body)
    assert status == 200
    assert answer["results"][1]["reason"]["code"] == "invalid_number"
    assert [event.message_id for event in shop.events] == ["before"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
        (b'{"batch": [NaN]}', 400, "invalid_json"),
        (b'{"batch": [' + b"9" * 5000 + b"]}", 400, "invalid_json"),
        (b"[" * 100_000, 400, "invalid_json"),
        (b'\xff\xfe{"batch": []}', 400, "invalid_utf8"),
        (b'{"batch": ["\xc3\x28"]}', 400, "invalid_utf8"),
        (b"null", 400, "invalid_batch"),
        (b"[]", 400, "invalid_batch"),
        (b"{}", 400, "invalid_batch"),
        (b'{"batch": {}}', 400, "invalid_batch"),
        (b'{"batch": []}', 400, "empty_batch"),
        (b'{"batch": [1], "context": 5}', 400, "not_an_object"),
        (b'{"batch": [1], "context": {"a": "' + b"x" * 5000 + b'"}}', 413, "too_large"),
        (b'{"batch": [' + b"1," * 2500 + b"1]}", 413, "too_many_entries"),
        (b'{"batch": ["' + b"x" * 512_000 + b'"]}', 413, "too_large"),
        (b'{"batch": ["' + b"x" * 10_000_000 + b'"]}', 413, "too_large"),
    ],
)
def test_a_batch_that_is_none_is_refused_as_a_whole(body: bytes, status: int, code: str) -> None:
    shop = open_shop()
    got, answer = shop.post("batch", body)
    assert (got, answer["error"]["code"]) == (status, code)
    assert not shop.queue.sent


@pytest.mark.parametrize("size", [32_768, 32_769])
def test_a_call_alone_may_have_32_kb(size: int) -> None:
    body = json.dumps(viewed()).encode()
    status, _ = open_shop().post("track", body + b" " * (size - len(body)))
    assert status == (200 if size == 32_768 else 413)


@pytest.mark.parametrize("body", [b"7", b'"text"', b"[]", b"null"])
def test_a_call_alone_must_be_an_object(body: bytes) -> None:
    status, answer = open_shop().post("track", body)
    assert (status, answer["error"]["code"]) == (400, "not_an_object")


def test_no_key_or_a_wrong_one_is_401_and_nothing_is_kept() -> None:
    shop = open_shop()
    assert shop.post("track", viewed(), {})[0] == 401
    assert shop.post("track", {**viewed(), "writeKey": "wrong"}, {})[0] == 401
    status, answer = shop.post("batch", b"not even JSON", {"authorization": "Bearer wrong"})
    assert (status, answer["error"]["code"]) == (401, "invalid_key")
    assert not shop.queue.sent
    assert not shop.quarantined


def test_a_key_in_the_body_opens_and_is_not_kept() -> None:
    shop = open_shop()
    assert shop.post("track", {**viewed(), "writeKey": KEY}, {})[0] == 200
    assert shop.post("track", {**viewed(event="Nonsense"), "writeKey": KEY}, {})[0] == 400
    (record,) = shop.quarantine.list(NOW.date())
    assert KEY not in record.raw


@pytest.mark.parametrize(
    ("body", "encoding", "status", "code"),
    [
        (gzip.compress(json.dumps(viewed()).encode(), mtime=0), "gzip", 200, ""),
        (gzip.compress(json.dumps(viewed()).encode(), mtime=0)[:-9], "gzip", 400, "invalid_gzip"),
        (gzip.compress(b"{}", mtime=0) + b"tail", "gzip", 400, "invalid_gzip"),
        (b"no gzip", "gzip", 400, "invalid_gzip"),
        (gzip.compress(b" " * 10_000_000, mtime=0), "gzip", 413, "too_large"),
        (b"x", "br", 400, "unsupported_encoding"),
    ],
)
def test_bodies_may_be_gzipped_within_the_limit(body: bytes, encoding: str, status: int, code: str) -> None:
    got, answer = open_shop().post("track", body, {**BASIC, "content-encoding": encoding})
    assert got == status
    assert answer.get("error", {}).get("code", "") == code


def test_a_misspelt_name_is_told_the_nearest_one() -> None:
    (receipt,) = open_shop().batch(viewed(event="Prodct Viewd"))
    assert "did you mean 'Product Viewed'?" in receipt["reason"]["message"]
    (receipt,) = open_shop().batch(viewed(event="Zebra"))
    assert "custom_events" in receipt["reason"]["message"]

"""A change → counts: every transition of the ledger, every kind of event."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from regulars.capture.model import Event
from regulars.clock import to_ms
from regulars.decisions.model import Message, State
from regulars.feedback.attribution import OrderStory
from regulars.feedback.touches import OrderTouch, click_in, recommendation_of
from regulars.metrics.counts import CountKey
from regulars.metrics.rolling import active, event_counts, message_counts

AT = datetime(2026, 8, 5, 23, 59, tzinfo=UTC)
DAY, NEXT_DAY = date(2026, 8, 5), date(2026, 8, 6)


def message(state: State = State.PLANNED, **changes: Any) -> Message:
    made = Message(
        shopper="user:1",
        moment_id="cart_abandoned#1",
        kind="cart_abandoned",
        subject="1",
        state=state,
        reason="chosen",
        decided_at=AT,
        expires_at=AT + timedelta(days=1),
        channel="email",
        history=((to_ms(AT), state.value, "chosen"),),
    )
    return replace(made, **changes)


def event(name: str = "", *, kind: str = "track", shopper: str = "user:1", at: datetime = AT, **properties: object) -> Event:
    return Event(
        message_id="e1", type=kind, name=name, shopper=shopper, user_id="1", anonymous_id="", at=at, received_at=at,
        properties=properties,
    )  # fmt: skip


def of(counts: Any) -> dict[str, int]:
    return {f"{key.group}:{key.field}": value for key, value in counts.items()}


def test_a_decision_counts_with_what_it_came_to() -> None:
    assert of(message_counts(None, message())) == {
        "messages/cart_abandoned:decided": 1,
        "messages/cart_abandoned:planned/email": 1,
    }
    assert of(message_counts(None, message(State.WITHHELD, reason="no_consent", channel=""))) == {
        "messages/cart_abandoned:decided": 1,
        "messages/cart_abandoned:withheld/no_consent": 1,
    }


def test_a_deferred_moment_is_decided_once() -> None:
    deferred = message(State.DEFERRED, reason="best_hour", channel="")
    assert of(message_counts(None, deferred))["messages/cart_abandoned:deferred/best_hour"] == 1
    assert of(message_counts(deferred, message())) == {"messages/cart_abandoned:planned/email": 1}


@pytest.mark.parametrize(
    ("before", "after", "counted"),
    [
        (State.PLANNED, State.CLAIMED, {}),
        (State.CLAIMED, State.PLANNED, {}),
        (State.CLAIMED, State.SENT, {"sent/email": 1}),
        (State.CLAIMED, State.FAILED, {"failed/email": 1}),
        (State.CLAIMED, State.UNKNOWN, {"unknown/email": 1}),
        (State.UNKNOWN, State.SENT, {"sent/email": 1, "settled/email": 1}),
        (State.PLANNED, State.LAPSED, {"lapsed/chosen": 1}),
        (State.SENT, State.SENT, {}),
    ],
)
def test_each_transition_counts_once(before: Any, after: Any, counted: Any) -> None:
    expected = {f"messages/cart_abandoned:{field}": value for field, value in counted.items()}
    assert of(message_counts(message(before), message(after))) == expected


def test_a_mark_counts_on_the_day_of_the_deed() -> None:
    sent = message(State.SENT)
    opened = replace(sent, marks={"opened": to_ms(AT + timedelta(minutes=2))})
    assert dict(message_counts(sent, opened)) == {CountKey(NEXT_DAY, "messages/cart_abandoned", "opened/email"): 1}
    assert message_counts(opened, opened) == {}


def test_a_message_responds_once_whatever_follows() -> None:
    sent = message(State.SENT)
    clicked = replace(sent, marks={"clicked": to_ms(AT)})
    converted = replace(clicked, marks={**clicked.marks, "converted": to_ms(AT)})
    assert of(message_counts(sent, clicked))["messages/cart_abandoned:responded/email"] == 1
    assert of(message_counts(clicked, converted)) == {"messages/cart_abandoned:converted/email": 1}
    assert of(message_counts(sent, converted))["messages/cart_abandoned:responded/email"] == 1


def test_machines_do_not_respond() -> None:
    sent = message(State.SENT)
    scanned = replace(sent, marks={"machine_clicked": to_ms(AT), "machine_opened": to_ms(AT)})
    assert set(of(message_counts(sent, scanned))) == {
        "messages/cart_abandoned:machine_clicked/email",
        "messages/cart_abandoned:machine_opened/email",
    }


def test_events_count_by_type_and_by_known_name() -> None:
    assert of(event_counts(event("Product Viewed"), None, None)) == {"events:total": 1, "events:track/Product Viewed": 1}
    assert of(event_counts(event("Cat Stroked"), None, None)) == {"events:total": 1, "events:track/other": 1}
    assert of(event_counts(event(kind="page"), None, None)) == {"events:total": 1, "events:page": 1}


def test_lists_and_clicks_count_by_scene() -> None:
    seen = event("Product List Viewed", recommendation_id="home.abc")
    assert of(event_counts(seen, None, None))["recommendations/home:seen"] == 1
    plain = event("Product List Viewed", list_id="autumn")
    assert "recommendations/home:seen" not in of(event_counts(plain, None, None))
    click = event("Product Clicked", product_id="p1", recommendationId="cart.x", position=2)
    assert of(event_counts(click, click_in(click), None))["recommendations/cart:clicked"] == 1


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"recommendation_id": "home.1"}, ("home.1", "home")),
        ({"recommendationId": "x1", "scene": "product"}, ("x1", "product")),
        ({"recommendation_id": "0d6c-11"}, ("0d6c-11", "unknown")),
        ({"recommendation_id": ""}, ("", "")),
        ({"recommendation_id": 7}, ("", "")),
        ({"recommendation_id": "首页.1"}, ("", "")),
        ({}, ("", "")),
    ],
)
def test_what_properties_say_of_a_recommendation(properties: Any, expected: Any) -> None:
    assert recommendation_of(properties) == expected


def test_an_order_counts_once_and_for_the_scene_it_came_from() -> None:
    order = OrderTouch(order_id="o1", at=AT, value_cents=1999, currency="GBP", event_id="e1", scene="home")
    first = of(event_counts(event("Order Completed", order_id="o1"), None, OrderStory(order, first=True)))
    assert first["orders:count"] == 1
    assert first["orders:revenue_cents/GBP"] == 1999
    assert (first["recommendations/home:ordered"], first["recommendations/home:revenue_cents"]) == (1, 1999)
    again = of(event_counts(event("Order Completed", order_id="o1"), None, OrderStory(order, first=False)))
    assert (again["orders:repeated"], again.get("orders:count")) == (1, None)


def test_feeds_make_nobody_active() -> None:
    events = [event("Product Viewed"), event("Inventory Updated", shopper="user:erp"), event("Page", shopper="anon:2")]
    assert active(events, ["Inventory Updated"]) == {DAY: {"user:1", "anon:2"}}

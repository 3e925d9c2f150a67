"""Whom an order is credited to: one message, the same at every repeat, and which recommendation it came from."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.feedback import NOW, SHOPPER, Desk, event, ordered, report, sent_message

from regulars.capture.model import Event
from regulars.clock import to_ms
from regulars.decisions.model import Message, State
from regulars.errors import TryLater
from regulars.feedback.attribution import choose
from regulars.feedback.config import load
from regulars.messages import encode

CONFIG = load().attribution
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def touched(moment: str, mark: str, ago: timedelta, **changes: Any) -> Message:
    return sent_message(moment, at=NOW - ago - HOUR, marks={mark: to_ms(NOW - ago)}, **changes)


def chosen(*messages: Any) -> str:
    answers = {getattr(choose(order, NOW, CONFIG), "moment_id", "") for order in itertools.permutations(messages)}
    assert len(answers) == 1
    return answers.pop()


def test_a_click_beats_a_later_open_and_that_a_later_receipt() -> None:
    clicked = touched("a#1", "clicked", 4 * DAY)
    opened = touched("b#1", "opened", 2 * DAY)
    received = touched("c#1", "delivered", HOUR)
    assert chosen(clicked, opened, received) == "a#1"
    assert chosen(opened, received) == "b#1"
    assert chosen(received) == "c#1"


def test_the_last_touch_of_a_rank_wins_and_ties_go_to_the_greater_id() -> None:
    assert (
        chosen(touched("a#1", "clicked", 2 * DAY), touched("b#1", "clicked", DAY), touched("c#1", "clicked", 3 * DAY)) == "b#1"
    )
    assert chosen(touched("a#1", "clicked", DAY), touched("b#1", "clicked", DAY)) == "b#1"


@pytest.mark.parametrize(("mark", "hours"), [("clicked", 120), ("opened", 72), ("read", 72), ("delivered", 12)])
def test_windows_end_where_configuration_says(mark: Any, hours: Any) -> None:
    assert chosen(touched("a#1", mark, hours * HOUR)) == "a#1"
    assert chosen(touched("a#1", mark, hours * HOUR + timedelta(seconds=1))) == ""


def test_nothing_after_the_order_counts() -> None:
    assert chosen(touched("a#1", "clicked", -HOUR)) == ""


def test_order_updates_machines_and_unsent_messages_earn_nothing() -> None:
    assert chosen(touched("order_update#o0", "clicked", HOUR)) == ""
    assert chosen(touched("a#1", "machine_clicked", HOUR)) == ""
    assert chosen(touched("a#1", "machine_opened", HOUR)) == ""
    assert chosen(sent_message("a#1", state=State.PLANNED, channel="push")) == ""


def test_push_and_inapp_are_received_when_taken_email_when_delivered() -> None:
    assert chosen(sent_message("a#1", at=NOW - HOUR, channel="push")) == "a#1"
    assert chosen(sent_message("a#1", at=NOW - HOUR, channel="inapp")) == "a#1"
    assert chosen(sent_message("a#1", at=NOW - HOUR, channel="email")) == ""
    assert chosen(sent_message("a#1", at=NOW - HOUR, channel="push", marks={"bounced": 1})) == ""


@pytest.fixture
def desk() -> Desk:
    return Desk()


def credited(desk: Desk, kind: str = "cart_abandoned") -> tuple[int, int]:
    return desk.count(f"messages/{kind}", "orders/email"), desk.count(f"messages/{kind}", "revenue_cents/email")


def test_an_order_is_credited_to_one_message_with_its_value(desk: Desk) -> None:
    desk.put(touched("cart_abandoned#1", "clicked", HOUR))
    desk.put(touched("welcome#1", "opened", HOUR))
    story = desk.attribution.ordered(ordered())
    assert story is not None
    assert story.first
    assert credited(desk) == (1, 1999)
    assert credited(desk, "welcome") == (0, 0)
    message = desk.ledger.get(SHOPPER, "cart_abandoned#1")
    assert message is not None
    assert message.marks["converted"] == to_ms(NOW)
    assert message.history[-1][2] == "o1 1999 GBP"


def test_the_same_event_again_tells_the_same_and_adds_nothing(desk: Desk) -> None:
    desk.put(touched("cart_abandoned#1", "clicked", HOUR))
    first, again = desk.attribution.ordered(ordered()), desk.attribution.ordered(ordered())
    assert first is not None
    assert again is not None
    assert (first.first, again.first) == (True, True)
    assert credited(desk) == (1, 1999)


def test_the_same_order_by_another_event_is_a_repeat(desk: Desk) -> None:
    desk.put(touched("cart_abandoned#1", "clicked", HOUR))
    desk.attribution.ordered(ordered())
    again = desk.attribution.ordered(ordered(event_id="store-system-17", total=25))
    assert again is not None
    assert not again.first
    assert credited(desk) == (1, 1999)


def test_two_orders_may_come_of_one_message(desk: Desk) -> None:
    desk.put(touched("cart_abandoned#1", "clicked", HOUR))
    desk.attribution.ordered(ordered("o1"))
    desk.attribution.ordered(ordered("o2"))
    assert credited(desk) == (2, 3998)


def test_a_crash_between_credit_and_mark_is_healed_by_the_repeat(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put(touched("cart_abandoned#1", "clicked", HOUR))

    def crash(*_: object, **__: object) -> bool:
        raise TryLater("down")

    with monkeypatch.context() as patched:
        patched.setattr(desk.ledger, "mark", crash)
        with pytest.raises(TryLater):
            desk.attribution.ordered(ordered())
    desk.put(touched("welcome#1", "clicked", timedelta(minutes=1)))
    desk.attribution.ordered(ordered())
    assert "converted" in desk.marks()
    assert "converted" not in desk.marks("welcome#1")
    assert credited(desk) == (1, 1999)


def test_a_click_reported_after_the_order_still_earns_it(desk: Desk) -> None:
    sent = desk.put(sent_message(at=NOW - DAY))
    desk.attribution.ordered(ordered())
    assert credited(desk) == (0, 0)
    desk.record(encode(report("clicked", sent, at=NOW - HOUR)))
    assert credited(desk) == (1, 1999)
    assert "converted" in desk.marks()
    desk.record(encode(report("clicked", sent, at=NOW - HOUR)))
    assert credited(desk) == (1, 1999)


@pytest.mark.parametrize("at", [NOW + HOUR, NOW - 6 * DAY])
def test_a_late_click_outside_the_window_earns_nothing(desk: Desk, at: Any) -> None:
    sent = desk.put(sent_message(at=NOW - 7 * DAY))
    desk.attribution.ordered(ordered())
    desk.record(encode(report("clicked", sent, at=at)))
    assert credited(desk) == (0, 0)


def test_a_late_click_takes_nothing_from_another_message(desk: Desk) -> None:
    desk.put(touched("welcome#1", "opened", HOUR))
    sent = desk.put(sent_message(at=NOW - DAY))
    desk.attribution.ordered(ordered())
    desk.record(encode(report("clicked", sent, at=NOW - HOUR)))
    assert (credited(desk), credited(desk, "welcome")) == ((0, 0), (1, 1999))


def click(
    item: str = "p1", ago: timedelta = HOUR, recommendation: str = "home.1", event_id: str = "c1", name: str = "Clicked"
) -> Event:
    told: dict[str, Any] = {"product_id": item, "recommendation_id": recommendation, "position": 2}
    return event(f"Product {name}", at=NOW - ago, event_id=event_id, **told)


def test_an_order_counts_for_the_last_recommendation_of_one_of_its_items(desk: Desk) -> None:
    assert desk.attribution.clicked(click(recommendation="home.1", ago=2 * HOUR))
    assert desk.attribution.clicked(click(recommendation="cart.9", ago=HOUR, event_id="c2"))
    assert desk.attribution.clicked(click(item="p2", recommendation="trending.1", ago=timedelta(minutes=1), event_id="c3"))
    story = desk.attribution.ordered(ordered())
    assert story is not None
    assert story.order.scene == "cart"


def test_a_click_told_by_three_events_is_one_click(desk: Desk) -> None:
    assert desk.attribution.clicked(click(event_id="c1"))
    assert desk.attribution.clicked(click(event_id="v1", name="Viewed")) is None
    assert desk.attribution.clicked(click(event_id="a1", name="Added")) is None
    assert desk.attribution.clicked(click(event_id="c1"))


@pytest.mark.parametrize("ago", [8 * DAY, -HOUR])
def test_clicks_outside_the_window_count_for_no_order(desk: Desk, ago: Any) -> None:
    desk.attribution.clicked(click(ago=ago))
    story = desk.attribution.ordered(ordered())
    assert story is not None
    assert story.order.scene == ""


def test_a_click_before_login_counts_when_the_order_names_the_anonymous_id(desk: Desk) -> None:
    desk.attribution.clicked(replace(click(), shopper="anon:a7"))
    story = desk.attribution.ordered(replace(ordered(), anonymous_id="a7"))
    assert story is not None
    assert story.order.scene == "home"


def test_other_events_are_neither_clicks_nor_orders(desk: Desk) -> None:
    assert desk.attribution.clicked(event("Product Clicked", product_id="p1")) is None
    assert desk.attribution.clicked(event("Product Reviewed", product_id="p1", recommendation_id="home.1")) is None
    assert desk.attribution.ordered(event("Order Refunded", order_id="o1")) is None

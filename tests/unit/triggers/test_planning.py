"""What shoppers do, and the timers it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.triggers import NOW, NUMBERS, SHOPPER, Loop, added, event, hours, identified, ordered, removed, viewed

from regulars.triggers.model import Timer
from regulars.triggers.service import defer


@pytest.fixture
def loop() -> Loop:
    return Loop()


def facts(loop: Loop, kind: str) -> dict[str, object]:
    (timer,) = [timer for timer in loop.timers.known(SHOPPER) if timer.kind == kind]
    return dict(timer.facts)


# carts


def test_a_cart_waits_four_hours_after_its_last_item_and_names_its_items(loop: Loop) -> None:
    loop.plan(added("mug"), added("tray", NOW + timedelta(minutes=2)), added("mug", NOW + timedelta(minutes=3)))
    assert loop.known() == {"cart_abandoned#2026-07-01T12:00": NOW + hours(4) + timedelta(minutes=3)}
    assert facts(loop, "cart_abandoned") == {"items": ["tray", "mug"], "cart_value_cents": 2550}


def test_a_cart_filled_all_day_is_reminded_within_a_day(loop: Loop) -> None:
    for hour in range(0, 24, 3):
        loop.now = NOW + hours(hour)
        loop.plan(added(f"i{hour}", loop.now))
    assert loop.known() == {"cart_abandoned#2026-07-01T12:00": NOW + hours(24)}


def test_the_shops_own_cart_id_is_the_subject_and_is_reminded_once_for_ever(loop: Loop) -> None:
    loop.plan(added(cart_id="c7"))
    loop.now = NOW + hours(5)
    loop.fire()
    loop.plan(added("tray", loop.now, cart_id="c7"))
    assert loop.told == ["cart_abandoned#c7"]
    assert loop.known() == {}


def test_a_reminded_cart_is_not_reminded_again_by_another_item(loop: Loop) -> None:
    loop.plan(added())
    loop.now = NOW + hours(5)
    loop.fire()
    loop.now = NOW + hours(30)
    loop.plan(added("tray", loop.now))
    assert loop.known() == {}
    loop.plan(ordered("mug", "tray", at=loop.now + hours(1)), added("jug", loop.now + hours(2)))
    assert [key for key in loop.known() if key.startswith("cart")] == ["cart_abandoned#2026-07-02T20:00"], "a new cart"


def test_an_emptied_cart_is_forgotten_a_lightened_one_is_not(loop: Loop) -> None:
    loop.plan(added("mug"), added("tray"))
    loop.plan(removed("mug", NOW + hours(1)))
    assert facts(loop, "cart_abandoned") == {"items": ["tray"], "cart_value_cents": 850}
    loop.plan(removed("lamp", NOW + hours(1)))
    assert len(loop.known()) == 1, "what never was in the cart does not leave it"
    loop.plan(removed("tray", NOW + hours(1)))
    assert loop.known() == {}


def test_a_cart_of_more_items_than_a_moment_names_is_still_counted(loop: Loop) -> None:
    loop.plan(*(added(f"i{n}") for n in range(12)))
    assert facts(loop, "cart_abandoned")["items"] == [f"i{n}" for n in range(2, 12)]
    loop.plan(*(removed(f"i{n}") for n in range(11)))
    assert list(loop.known()) == ["cart_abandoned#2026-07-01T12:00"]
    loop.plan(removed("i11"))
    assert loop.known() == {}


def test_a_wishlist_item_put_into_the_cart_counts(loop: Loop) -> None:
    loop.plan(event("Wishlist Product Added to Cart", product_id="mug"))
    assert list(loop.known()) == ["cart_abandoned#2026-07-01T12:00"]


# browsing


def test_browsing_is_reminded_a_day_later_with_the_first_few_products(loop: Loop) -> None:
    loop.plan(viewed("a"), viewed("b"))
    loop.plan(*(viewed(item, NOW + hours(1)) for item in "bcdef"))
    assert loop.known() == {"browse_abandoned#2026-07-01": NOW + hours(24)}
    assert facts(loop, "browse_abandoned") == {"items": ["a", "b", "c", "d"]}


def test_one_browse_reminder_a_day(loop: Loop) -> None:
    loop.live([viewed("a", NOW + hours(n)) for n in range(1, 72)], until=NOW + hours(120), step=timedelta(minutes=30))
    assert loop.told == ["browse_abandoned#2026-07-01", "browse_abandoned#2026-07-02", "browse_abandoned#2026-07-03"]


# an order cancels what it answers


def test_an_order_answers_carts_browsing_and_winback_but_not_the_rest(loop: Loop) -> None:
    for kind in ("winback_dormant", "winback_churn_risk", "winback_high_value", "birthday"):
        loop.timers.set(
            Timer(
                shopper=SHOPPER,
                kind=kind,
                subject="2026",
                due_at=NOW + hours(9),
                occurred_at=NOW,
                expires_at=NOW + hours(30),
            )
        )
    loop.plan(added(), viewed())
    loop.plan(ordered("mug", at=NOW + hours(1)))
    assert list(loop.known()) == ["birthday#2026", f"repurchase_due#mug/{NOW.date()}"]


def test_a_deferred_reminder_is_cancelled_by_the_order_too(loop: Loop) -> None:
    loop.plan(added())
    loop.now = NOW + hours(4)
    loop.fire()
    (moment,) = loop.moments
    defer(loop.timers, moment, NOW + hours(8))
    assert loop.known() == {"cart_abandoned#2026-07-01T12:00": NOW + hours(8)}
    loop.plan(ordered("mug", at=NOW + hours(5)))
    assert loop.known("cart") == {}


def test_a_late_word_of_an_answered_cart_arms_nothing(loop: Loop) -> None:
    loop.plan(ordered("mug"))
    loop.plan(added("mug", NOW - hours(1)), viewed("mug", NOW - hours(2)))
    assert loop.known("cart") == loop.known("browse") == {}


def test_what_is_done_after_the_order_arms_anew_in_one_batch_or_two() -> None:
    deeds = [added("mug"), ordered("mug", at=NOW + hours(1)), added("tray", NOW + hours(2))]
    one, two = Loop(), Loop()
    one.plan(*deeds)
    for deed in deeds:
        two.plan(deed)
    assert one.known() == two.known()
    assert "cart_abandoned#2026-07-01T14:00" in one.known()


def test_a_cart_and_its_order_in_one_batch_write_no_cart(loop: Loop) -> None:
    plan = loop.plan(added("mug"), ordered("mug", at=NOW + hours(1)))
    assert {timer.kind for timer in plan.sets} == {"order_update", "repurchase_due"}
    assert plan.cancels == ()


# stale and future


@pytest.mark.parametrize("age", [hours(24.1), hours(24 * 400), hours(-0.1)])
def test_deeds_too_old_or_from_the_future_arm_nothing_about_the_moment(loop: Loop, age: timedelta) -> None:
    at = NOW - age
    shipped = event("Order Shipped", at, order_id="o9")
    loop.plan(added(at=at), viewed(at=at), identified(at), event("Signed Up", at), shipped, at_once=True)
    loop.plan(ordered("mug", at=at), at_once=True)
    loop.fire()
    assert {key.split("#")[0] for key in loop.known()} <= {"repurchase_due"}
    assert loop.told == []


def test_an_imported_history_still_plans_what_lies_ahead(loop: Loop) -> None:
    loop.plan(ordered("mug", at=NOW - timedelta(days=20)), ordered("tray", at=NOW - timedelta(days=300), order_id="o2"))
    assert loop.known() == {"repurchase_due#mug/2026-06-11": NOW + timedelta(days=7)}


def test_a_stream_that_lags_five_hours_still_reminds_at_once(loop: Loop) -> None:
    plan = loop.plan(added(at=NOW - hours(5)))
    assert [timer.due_at for timer in plan.sets] == [NOW], "never behind the tick"
    loop.fire()
    assert loop.told == ["cart_abandoned#2026-07-01T07:00"]


# orders


def test_order_updates_go_out_with_the_next_tick(loop: Loop) -> None:
    loop.plan(ordered("mug", "tray"))
    loop.fire()
    loop.now += hours(30)
    loop.plan(event("Order Shipped", loop.now, order_id="o1"), event("Order Delivered", loop.now, order_id="o1"))
    loop.plan(event("Order Refunded", loop.now, order_id="o1", refund_id="r1"))
    loop.plan(event("Order Refunded", loop.now, order_id="o1", refund_id="r2"))
    loop.fire()
    assert loop.moments[0].facts == {"order_id": "o1", "status": "completed", "items": ["mug", "tray"]}
    assert sorted(loop.told) == [
        "order_update#o1/completed",
        "order_update#o1/delivered",
        "order_update#o1/refunded/r1",
        "order_update#o1/refunded/r2",
        "order_update#o1/shipped",
    ]


def test_an_order_told_twice_is_told_once(loop: Loop) -> None:
    for _ in range(3):
        loop.plan(ordered("mug"))
        loop.fire()
    assert loop.told == ["order_update#o1/completed"]


def test_a_status_left_empty_tells_nothing_and_the_order_still_answers_the_cart() -> None:
    quiet = replace(NUMBERS, orders=replace(NUMBERS.orders, statuses={**NUMBERS.orders.statuses, "Order Completed": ""}))
    loop = Loop(numbers=quiet)
    loop.plan(added("mug"))
    loop.now += hours(1)
    loop.plan(ordered("mug", at=loop.now))
    loop.now += hours(5)
    loop.fire()
    assert loop.told == []
    loop.plan(event("Order Refunded", loop.now, order_id="o1", refund_id="r1"))
    loop.fire()
    assert loop.told == ["order_update#o1/refunded/r1"]


def test_a_subject_longer_than_a_key_takes_is_hashed(loop: Loop) -> None:
    loop.plan(ordered("杯" * 256, order_id="单" * 256))
    assert all(len(timer.key.encode()) < 250 for timer in loop.timers.known(SHOPPER))
    assert len(loop.timers.known(SHOPPER)) == 2


# joining


def test_what_waited_for_the_anonymous_shopper_waits_for_the_known_one(loop: Loop) -> None:
    loop.plan(added(shopper="anon:a1"), viewed(shopper="anon:a1"), shopper="anon:a1")
    loop.plan(viewed("lamp"))
    loop.plan(identified(NOW + hours(1), anonymous_id="a1", createdAt="2020-01-01"))
    assert loop.known(shopper="anon:a1") == {}
    assert sorted(loop.known()) == ["browse_abandoned#2026-07-01", "cart_abandoned#2026-07-01T12:00"]
    assert facts(loop, "browse_abandoned") == {"items": ["lamp"]}, "one browse reminder, her own"
    loop.plan(ordered("mug", at=NOW + hours(2)))
    assert loop.known("cart") == {}


def test_an_order_before_the_join_answers_the_anonymous_cart(loop: Loop) -> None:
    loop.plan(added(shopper="anon:a1"), shopper="anon:a1")
    loop.plan(ordered("mug", at=NOW + hours(1)))
    loop.plan(replace(identified(NOW + hours(2), createdAt="2020-01-01"), type="alias", previous_id="a1", traits={}))
    assert loop.known("cart") == {}
    assert loop.known(shopper="anon:a1") == {}


# the least work


def test_what_no_rule_reads_reads_nothing(loop: Loop) -> None:
    loop.timers = None  # type: ignore[assignment]  # any use would raise
    loop.planner._timers = None  # type: ignore[assignment]
    assert loop.plan(event("Products Searched", query="mug")).sets == ()
    assert loop.planner("events", "REMOVE", {}, {"events": b""}).sets == ()
    assert loop.planner("events", "INSERT", {"pk": "x"}, {}).sets == ()


def test_a_cart_told_twice_is_worth_the_same(loop: Loop) -> None:
    unit = [added("mug"), added("mug"), removed("lamp"), added("tray")]
    loop.plan(*unit)
    before = facts(loop, "cart_abandoned")
    assert loop.plan(*unit).sets == ()
    assert facts(loop, "cart_abandoned") == before == {"items": ["mug", "tray"], "cart_value_cents": 2550}


def test_a_repeated_unit_writes_nothing(loop: Loop) -> None:
    unit = [added(), viewed(), identified(birthday="1990-09-03"), ordered("tea", at=NOW)]
    assert loop.plan(*unit).sets
    assert loop.plan(*unit) == type(loop.plan())((), ())


def test_what_should_have_expired_long_ago_is_cleared_with_the_next_plan(loop: Loop) -> None:
    loop.plan(added())
    loop.now += timedelta(days=60)
    loop.plan(viewed(at=loop.now))
    assert [timer.kind for timer in loop.timers.known(SHOPPER)] == ["browse_abandoned"]

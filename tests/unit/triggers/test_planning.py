"""What shoppers do, and the timers it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.support.triggers import NOW, NUMBERS, SHOPPER, Loop, added, event, hours, identified, ordered, removed, viewed

from regulars.catalogue.model import Item
from regulars.profiles.model import Profile
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


def test_a_subject_longer_than_a_key_takes_is_hashed(loop: Loop) -> None:
    loop.plan(ordered("杯" * 256, order_id="单" * 256))
    assert all(len(timer.key.encode()) < 250 for timer in loop.timers.known(SHOPPER))
    assert len(loop.timers.known(SHOPPER)) == 2


# welcome


def test_a_new_shopper_is_welcomed_once_after_ten_minutes(loop: Loop) -> None:
    loop.plan(identified())
    loop.plan(identified(NOW + hours(0.1)), event("Signed Up", NOW + hours(0.1)))
    assert loop.known() == {"welcome#once": NOW + timedelta(minutes=10)}
    loop.now += hours(1)
    loop.fire()
    loop.now += timedelta(days=20)
    loop.plan(identified(loop.now))
    loop.fire()
    assert loop.told == ["welcome#once"]
    assert loop.profiles.asked == 1, "who was greeted is not looked up again"


def test_an_old_shopper_is_not_welcomed(loop: Loop) -> None:
    loop.profiles.profile = Profile(shopper=SHOPPER, as_of=NOW, first_seen_at=NOW - timedelta(days=31))
    loop.plan(identified())
    assert loop.known() == {}
    loop.plan(identified(createdAt="2026-06-30T10:00:00Z"))
    assert list(loop.known()) == ["welcome#once"], "the shop's own word stands above"


@pytest.mark.parametrize("created", ["2019-01-01", "2019-01-01T00:00:00+08:00"])
def test_the_shop_says_since_when_she_is_a_customer(loop: Loop, created: str) -> None:
    loop.plan(identified(createdAt=created))
    assert loop.known() == {}


def test_nonsense_about_when_she_came_is_no_word(loop: Loop) -> None:
    loop.plan(identified(createdAt="yesterday", birthday="soon", timezone="Mars"))
    assert list(loop.known()) == ["welcome#once"]


def test_an_anonymous_identify_is_not_welcomed(loop: Loop) -> None:
    loop.plan(replace(identified(), user_id="", shopper="anon:a1"), shopper="anon:a1")
    assert loop.known(shopper="anon:a1") == {}


# birthdays


def birthday(loop: Loop) -> dict[str, datetime]:
    return loop.known("birthday")


def test_a_birthday_waits_for_the_morning_of_her_own_day(loop: Loop) -> None:
    loop.plan(identified(birthday="1990-09-03", timezone="Asia/Shanghai"))
    assert birthday(loop) == {"birthday#2026": datetime(2026, 9, 3, 0, 0, tzinfo=UTC)}
    loop.plan(identified(birthday="1990-09-03"))
    assert birthday(loop) == {"birthday#2026": datetime(2026, 9, 3, 0, 0, tzinfo=UTC)}, "the zone told before stands"


def test_the_zone_comes_from_her_device_her_profile_or_the_shop() -> None:
    told = Loop()
    told.plan(identified(birthday="1990-09-03", context={"timezone": "America/New_York"}))
    assert birthday(told) == {"birthday#2026": datetime(2026, 9, 3, 12, 0, tzinfo=UTC)}
    kept = Loop()
    kept.profiles.profile = Profile(shopper=SHOPPER, as_of=NOW, traits={"timezone": "Asia/Tokyo"})
    kept.plan(identified(birthday="1990-09-03"))
    assert birthday(kept) == {"birthday#2026": datetime(2026, 9, 2, 23, 0, tzinfo=UTC)}
    shop = Loop()
    shop.plan(identified(birthday="1990-09-03"))
    assert birthday(shop) == {"birthday#2026": datetime(2026, 9, 3, 7, 0, tzinfo=UTC)}


def test_a_corrected_birthday_or_zone_moves_the_timer(loop: Loop) -> None:
    loop.plan(identified(birthday="1990-09-03", timezone="Asia/Shanghai"))
    loop.plan(identified(birthday="1990-02-03"))
    assert birthday(loop) == {"birthday#2027": datetime(2027, 2, 3, 0, 0, tzinfo=UTC)}
    loop.plan(identified(birthday="1990-02-03", timezone="Europe/Paris"))
    assert birthday(loop) == {"birthday#2027": datetime(2027, 2, 3, 7, 0, tzinfo=UTC)}


def test_told_on_the_day_itself_it_goes_out_at_once_and_once(loop: Loop) -> None:
    loop.plan(identified(birthday="1990-07-01"))
    loop.fire()
    loop.plan(identified(birthday="1990-07-01"))
    loop.plan(identified(birthday="1990-07-02"))
    loop.fire()
    loop.now += timedelta(days=1)
    loop.fire()
    assert loop.told.count("birthday#2026") == 1, "one birthday a year, however often it is corrected"
    assert birthday(loop) == {"birthday#2027": datetime(2027, 7, 2, 7, 0, tzinfo=UTC)}


def test_birthdays_come_back_every_year_also_those_of_29_february(loop: Loop) -> None:
    loop.plan(identified(birthday="2000-02-29", timezone="America/New_York"))
    fired = []
    for _ in range(6):
        (due_at,) = birthday(loop).values()
        loop.now = due_at
        loop.fire()
        fired.append((loop.told[-1], due_at))
    assert fired[:3] == [
        ("birthday#2027", datetime(2027, 2, 28, 13, 0, tzinfo=UTC)),
        ("birthday#2028", datetime(2028, 2, 29, 13, 0, tzinfo=UTC)),
        ("birthday#2029", datetime(2029, 2, 28, 13, 0, tzinfo=UTC)),
    ]
    assert "month_day" not in str(loop.moments), "the date does not travel"


def test_a_birthday_that_the_arbiter_deferred_is_left_to_it(loop: Loop) -> None:
    loop.plan(identified(birthday="1990-07-01"))
    loop.fire()
    defer(loop.timers, loop.moments[-1], NOW + hours(8))
    loop.plan(identified(birthday="1990-07-01"))
    assert birthday(loop) == {"birthday#2026": NOW + hours(8), "birthday#2027": datetime(2027, 7, 1, 7, 0, tzinfo=UTC)}


def test_a_birthday_missed_by_an_outage_lapses_and_still_comes_back(loop: Loop) -> None:
    loop.plan(identified(birthday="1990-07-03"))
    loop.now += timedelta(days=5)
    assert loop.fire()["lapsed"] == 2  # with the welcome
    assert loop.told == []
    assert birthday(loop) == {"birthday#2027": datetime(2027, 7, 3, 7, 0, tzinfo=UTC)}


# repurchase


def bought(*days: date) -> Profile:
    return Profile(shopper=SHOPPER, as_of=NOW, purchases={"tea": days})


@pytest.mark.parametrize(
    ("earlier", "gap"),
    [
        ((), 30),  # nothing known: the default
        ((20,), 2 / 3 * 30 + 1 / 3 * 20),  # one gap of twenty days
        ((40, 20), 1 / 3 * 30 + 2 / 3 * 20),
        ((60, 40, 20), 20),  # three gaps: her own median
        ((200, 60, 40, 20), 20),
    ],
)
def test_the_gap_is_her_own_median_as_far_as_it_can_be_trusted(loop: Loop, earlier: tuple[int, ...], gap: float) -> None:
    loop.profiles.profile = bought(*(NOW.date() - timedelta(days=days) for days in earlier))
    loop.plan(ordered("tea"))
    assert loop.known("repurchase") == {f"repurchase_due#tea/{NOW.date()}": NOW + timedelta(days=round(gap - 3))}


def test_an_item_or_its_category_may_say_how_long_it_lasts() -> None:
    numbers = replace(NUMBERS, repurchase=replace(NUMBERS.repurchase, category_days={"coffee": 14}))
    loop = Loop(numbers=numbers)
    loop.catalogue.put(
        [
            Item(item_id="bean", title="", category="coffee"),
            Item(item_id="filter", title="", category="coffee", attributes={"repurchase_days": "50"}),
            Item(item_id="odd", title="", category="coffee", attributes={"repurchase_days": "often"}),
            Item(item_id="gone", title="", active=False),
        ]
    )
    loop.plan(ordered("bean", "filter", "odd", "gone"))
    assert {key.split("#")[1].split("/")[0]: (due - NOW).days for key, due in loop.known("repurchase").items()} == {
        "bean": 11,
        "odd": 11,
        "filter": 47,
    }


def test_buying_it_again_moves_the_reminder(loop: Loop) -> None:
    loop.plan(ordered("tea"))
    loop.now += timedelta(days=10)
    loop.profiles.profile = bought(NOW.date())
    loop.plan(ordered("tea", at=loop.now, order_id="o2"))
    assert list(loop.known("repurchase")) == ["repurchase_due#tea/2026-07-11"]


def test_the_items_bought_most_often_keep_their_reminders(loop: Loop) -> None:
    loop.profiles.profile = bought(NOW.date() - timedelta(days=60))
    loop.plan(ordered(*(f"i{n}" for n in range(20)), "tea"))
    waiting = loop.known("repurchase")
    assert len(waiting) == NUMBERS.repurchase.max_items
    assert f"repurchase_due#tea/{NOW.date()}" in waiting


def test_what_is_given_back_is_not_recommended_again(loop: Loop) -> None:
    loop.plan(ordered("tea", "mug", "tray"))
    loop.plan(event("Order Refunded", order_id="o1", products=[{"product_id": "mug"}]))
    assert {key.split("#")[1].split("/")[0] for key in loop.known("repurchase")} == {"tea", "tray"}
    loop.plan(event("Order Cancelled", order_id="other"))
    assert len(loop.known("repurchase")) == 2
    loop.plan(event("Order Cancelled", order_id="o1"))
    assert loop.known("repurchase") == {}


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

"""Once in a life, once a year, once a cycle: welcome, birthdays, repurchase."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.support.triggers import NOW, NUMBERS, SHOPPER, Loop, event, hours, identified, ordered

from regulars.catalogue.model import Item
from regulars.profiles.model import Profile
from regulars.triggers.service import defer


@pytest.fixture
def loop() -> Loop:
    return Loop()


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

"""The arbiter's rules, one by one, told of one shopper and her moments."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.decisions import DAY, EVENING, HOUR, SHE, Desk, message, moment, numbers

from regulars.decisions.config import Hours
from regulars.decisions.limits import Holdout
from regulars.decisions.model import State

PLANNED = ("PLANNED", "chosen")


def test_a_moment_that_nothing_stands_against_is_planned_and_ordered() -> None:
    desk = Desk()
    assert desk.verdict(moment()) == PLANNED
    assert [(order.shopper, order.moment_id, order.channel) for order in desk.orders] == [(SHE, moment().id, "email")]


def test_an_expired_moment_lapses() -> None:
    desk = Desk()
    assert desk.verdict(moment(expires_at=EVENING)) == ("LAPSED", "expired")
    assert desk.orders == []


def test_a_moment_from_the_future_is_not_believed() -> None:
    assert Desk().verdict(moment(occurred_at=EVENING + timedelta(minutes=6))) == ("WITHHELD", "from_the_future")
    assert Desk().verdict(moment(occurred_at=EVENING + timedelta(minutes=4))) == PLANNED


def test_a_kind_nobody_configured_is_withheld() -> None:
    assert Desk().verdict(moment("moon_landing")) == ("WITHHELD", "unknown_kind")


def test_an_order_after_the_moment_answers_it() -> None:
    desk = Desk()
    desk.ordered(EVENING - HOUR / 2)
    assert desk.verdict(moment()) == ("LAPSED", "answered_by_order")


def test_an_order_before_the_moment_answers_nothing() -> None:
    desk = Desk()
    desk.ordered(EVENING - 2 * HOUR)
    assert desk.verdict(moment()) == PLANNED


def test_an_order_does_not_answer_a_birthday() -> None:
    desk = Desk()
    desk.ordered(EVENING - HOUR / 2)
    assert desk.verdict(moment("birthday", "2026", facts={})) == PLANNED


def test_a_moment_put_off_for_ever_lapses() -> None:
    assert Desk().verdict(moment(deferrals=21)) == ("LAPSED", "deferred_too_often")


def test_a_shopper_nobody_knows_gets_nothing() -> None:
    desk = Desk()
    stranger = replace(moment(), shopper="user:stranger")
    desk.decide(stranger)
    entry = desk.ledger.get("user:stranger", stranger.id)
    assert entry is not None
    assert (entry.state, entry.reason) == (State.WITHHELD, "unknown_shopper")


def test_an_erased_shopper_gets_nothing_not_even_about_an_order() -> None:
    desk = Desk()
    desk.knows(traits={"erased": True})
    assert desk.verdict(moment()) == ("WITHHELD", "erased")
    assert desk.verdict(moment("order_update", "o1")) == ("WITHHELD", "erased")


def test_an_open_complaint_mutes_marketing_but_not_the_order() -> None:
    desk = Desk()
    desk.knows(traits={"open_complaint": True})
    assert desk.verdict(moment()) == ("WITHHELD", "muted")
    assert desk.verdict(moment("order_update", "o1")) == PLANNED


def test_the_control_group_gets_order_updates_only() -> None:
    desk = Desk(holdout=Holdout(share=1.0, salt="global"))
    assert desk.verdict(moment()) == ("WITHHELD", "holdout")
    entry = desk.ledger.get(SHE, moment().id)
    assert entry is not None
    assert entry.arm == "holdout"
    assert desk.verdict(moment("order_update", "o1")) == PLANNED


def test_without_consent_nothing_is_sent() -> None:
    desk = Desk()
    desk.consents(email=False)
    assert desk.verdict(moment()) == ("WITHHELD", "no_consent")


def test_a_refused_topic_is_refused_on_that_channel() -> None:
    desk = Desk()
    desk.contacts.update(SHE, now=EVENING, topics={"email/carts": False})
    assert desk.verdict(moment()) == ("WITHHELD", "no_consent")
    assert desk.verdict(moment("winback_dormant", "w1", facts={})) == PLANNED


def test_without_an_address_consent_is_not_enough() -> None:
    desk = Desk()
    desk.contacts.update(SHE, now=EVENING, addresses={"email": None})
    assert desk.verdict(moment()) == ("WITHHELD", "no_address")


def test_a_suppressed_address_is_not_written_to() -> None:
    desk = Desk()
    desk.suppressions.add("email", "mira@example.com", reason="bounced", now=EVENING)
    assert desk.verdict(moment()) == ("WITHHELD", "suppressed")


def test_the_next_channel_stands_in_for_a_suppressed_one() -> None:
    desk = Desk()
    desk.reachable(email="mira@example.com", sms="+447700900123")
    desk.suppressions.add("email", "mira@example.com", reason="bounced", now=EVENING)
    desk.decide(moment())
    assert [order.channel for order in desk.orders] == ["sms"]


def test_the_channel_she_uses_is_preferred_and_a_dear_one_is_not() -> None:
    desk = Desk()
    desk.reachable(email="mira@example.com", sms="+447700900123", push="token")
    desk.decide(moment())
    desk.knows(channel_weights={"email": 5.0, "push": 0.5})
    desk.decide(moment("welcome", "w", facts={}, at=EVENING + timedelta(minutes=1)))
    assert [order.channel for order in desk.orders] == ["push"]
    other = Desk()
    other.reachable(email="mira@example.com", sms="+447700900123", push="token")
    other.knows(channel_weights={"email": 5.0, "push": 0.5})
    other.decide(moment())
    assert [order.channel for order in other.orders] == ["email"]


def test_in_app_needs_consent_but_no_address() -> None:
    desk = Desk()
    desk.consents(email=False, inapp=True)
    desk.decide(moment())
    assert [order.channel for order in desk.orders] == ["inapp"]


def test_a_lesser_moment_waits_behind_a_winner_that_was_just_sent() -> None:
    desk = Desk()
    desk.got("cart_abandoned", EVENING - HOUR)
    assert desk.verdict(moment("winback_dormant", "w1", facts={})) == ("DEFERRED", "outranked")
    ((_, until),) = desk.deferred
    assert until >= EVENING + 3 * HOUR


def test_a_lesser_moment_lapses_when_it_cannot_wait_that_long() -> None:
    desk = Desk()
    desk.got("cart_abandoned", EVENING - HOUR)
    brief = moment("winback_dormant", "w1", facts={}, expires_at=EVENING + 2 * HOUR)
    assert desk.verdict(brief) == ("LAPSED", "outranked")


def test_a_greater_moment_does_not_wait_for_a_lesser_one() -> None:
    desk = Desk()
    desk.got("winback_dormant", EVENING - HOUR)
    assert desk.verdict(moment()) == PLANNED


@pytest.mark.parametrize(
    ("greater", "lesser"),
    [
        ("cart_abandoned", "winback_dormant"),
        ("winback_dormant", "repurchase_due"),
        ("repurchase_due", "birthday"),
        ("repurchase_due", "welcome"),
    ],
)
def test_the_order_of_priority(greater: str, lesser: str) -> None:
    kinds = numbers().kinds
    assert kinds[greater].priority < kinds[lesser].priority


def test_a_lesser_plan_nobody_has_claimed_lapses_for_a_greater_moment() -> None:
    desk = Desk()
    desk.decide(moment("winback_dormant", "w1", facts={}))
    assert desk.verdict(moment()) == PLANNED
    overtaken = desk.ledger.get(SHE, "winback_dormant#w1")
    assert overtaken is not None
    assert (overtaken.state, overtaken.reason) == (State.LAPSED, "outranked")


def test_a_lesser_moment_waits_for_a_greater_one_that_waits_and_is_soon_back() -> None:
    desk = Desk()
    waiting = message(state=State.DEFERRED, reason="best_hour", not_before=EVENING + HOUR)
    desk.ledger.record(waiting)
    assert desk.verdict(moment("repurchase_due", "r1")) == ("DEFERRED", "outranked")


def test_one_that_waits_much_longer_is_not_waited_for() -> None:
    desk = Desk()
    desk.ledger.record(message(state=State.DEFERRED, reason="cap_overall", not_before=EVENING + DAY))
    assert desk.verdict(moment("repurchase_due", "r1")) == PLANNED


def test_order_updates_neither_wait_nor_are_waited_for() -> None:
    desk = Desk()
    desk.got("cart_abandoned", EVENING - HOUR)
    assert desk.verdict(moment("order_update", "o1")) == PLANNED
    other = Desk()
    other.verdict(moment("order_update", "o1"))
    assert other.verdict(moment("birthday", "2026", facts={})) == PLANNED


def test_two_a_day_and_the_day_rolls() -> None:
    desk = Desk()
    desk.knows(tier="high")
    desk.got("birthday", EVENING - 23 * HOUR)
    desk.got("repurchase_due", EVENING - 5 * HOUR)
    assert desk.verdict(moment()) == ("DEFERRED", "cap_overall")
    ((_, until),) = desk.deferred
    assert until >= EVENING + HOUR
    desk.now = EVENING + HOUR
    assert desk.verdict(moment()) == PLANNED


@pytest.mark.parametrize(("tier", "usual", "most"), [("low", 2, 3), ("mid", 2, 3), ("high", 4, 5)])
def test_the_month_by_value_tier_keeps_its_last_place_for_what_matters(tier: str, usual: int, most: int) -> None:
    for kind, places in (("repurchase_due", usual), ("cart_abandoned", most)):
        for sent in range(most + 1):
            desk = Desk()
            desk.knows(tier=tier)
            for number in range(sent):
                desk.got("birthday", EVENING - (28 - 2 * number) * DAY)
            expected = PLANNED if sent < places else ("WITHHELD", "cap_overall")
            assert desk.verdict(moment(kind, "x")) == expected, (kind, sent)


def test_a_month_that_frees_in_time_is_waited_for() -> None:
    desk = Desk()
    for days in (29.5, 20, 10):
        desk.got("birthday", EVENING - days * DAY)
    assert desk.verdict(moment()) == ("DEFERRED", "cap_overall")


def test_a_full_channel_gives_way_to_the_next() -> None:
    desk = Desk()
    desk.knows(tier="high")
    desk.reachable(sms="+447700900123", inapp="")
    desk.consents(email=False)
    for days in (5, 4):
        desk.got("birthday", EVENING - days * DAY, channel="sms")
    assert desk.verdict(moment()) == PLANNED
    assert [order.channel for order in desk.orders] == ["inapp"]


def test_one_of_a_kind_a_week() -> None:
    desk = Desk()
    desk.got("cart_abandoned", EVENING - 3 * DAY)
    assert desk.verdict(moment()) == ("WITHHELD", "cap_kind")


def test_order_updates_are_exempt_from_caps_and_do_not_count() -> None:
    desk = Desk()
    for hours in (6, 5):
        desk.got("birthday", EVENING - hours * HOUR)
    assert desk.verdict(moment("order_update", "o1")) == PLANNED
    other = Desk()
    for number in range(5):
        assert other.verdict(moment("order_update", f"o{number}")) == PLANNED
    assert other.verdict(moment()) == PLANNED


def test_at_night_it_waits_for_the_morning_where_she_lives() -> None:
    night = datetime(2026, 6, 10, 3, 0, tzinfo=UTC)
    desk = Desk(now=night)
    assert desk.verdict(moment(at=night)) == ("DEFERRED", "quiet_hours")
    ((_, until),) = desk.deferred
    assert until == datetime(2026, 6, 10, 8, 0, tzinfo=UTC)
    assert desk.orders == []


def test_night_is_where_she_lives_not_where_the_shop_is() -> None:
    desk = Desk()
    desk.contacts.update(SHE, now=EVENING, details={"time_zone": "Asia/Shanghai"})
    assert desk.verdict(moment()) == ("DEFERRED", "quiet_hours")


def test_a_moment_that_ends_before_the_morning_is_withheld() -> None:
    night = datetime(2026, 6, 10, 3, 0, tzinfo=UTC)
    assert Desk(now=night).verdict(moment(at=night, expires_at=night + 2 * HOUR)) == ("WITHHELD", "no_open_hour")


def test_order_updates_go_at_night_where_nothing_rings() -> None:
    night = datetime(2026, 6, 10, 3, 0, tzinfo=UTC)
    desk = Desk(now=night)
    desk.reachable(push="token", email="mira@example.com")
    desk.decide(moment("order_update", "o1", at=night))
    assert [order.channel for order in desk.orders] == ["email"]


def test_an_order_update_by_push_alone_waits_for_the_morning() -> None:
    night = datetime(2026, 6, 10, 3, 0, tzinfo=UTC)
    desk = Desk(now=night)
    desk.contacts.update(SHE, now=night, addresses={"email": None, "push": "token"})
    kinds = {**desk.config.kinds, "order_update": replace(desk.config.kinds["order_update"], channels=("push",))}
    desk.decide = replace(desk.decide, config=replace(desk.config, kinds=kinds))
    assert desk.verdict(moment("order_update", "o1", at=night)) == ("DEFERRED", "quiet_hours")


def test_nothing_is_decided_at_the_stroke_of_the_quiet_hour() -> None:
    late = datetime(2026, 6, 10, 21, 55, tzinfo=UTC)
    assert Desk(now=late).verdict(moment(at=late)) == ("DEFERRED", "quiet_hours")


def test_a_legal_hour_is_narrower_than_the_shops() -> None:
    desk = Desk()
    desk.reachable(sms="+33700000000")
    desk.consents(email=False)
    desk.contacts.update(SHE, now=EVENING, details={"country": "FR"})
    assert desk.verdict(moment()) == ("DEFERRED", "quiet_hours")


def test_it_waits_for_the_evening_when_no_habit_is_known() -> None:
    noon = datetime(2026, 6, 10, 12, 0, tzinfo=UTC)
    desk = Desk(now=noon)
    assert desk.verdict(moment("repurchase_due", "r1", at=noon)) == ("DEFERRED", "best_hour")
    ((_, until),) = desk.deferred
    assert (until.date(), until.hour in (20, 21)) == (noon.date(), True)


def test_it_waits_for_the_hour_she_reads_at() -> None:
    noon = datetime(2026, 6, 10, 12, 0, tzinfo=UTC)
    desk = Desk(now=noon)
    desk.knows(hour_weights={9: 1.0, 17: 4.0, 3: 50.0})
    desk.decide(moment("repurchase_due", "r1", at=noon))
    ((_, until),) = desk.deferred
    assert (until.date(), until.hour) == (noon.date(), 17)


def test_it_does_not_wait_longer_than_its_kind_bears() -> None:
    morning = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)
    assert Desk(now=morning).verdict(moment(at=morning)) == PLANNED
    assert Desk(now=morning).verdict(moment("welcome", "w1", at=morning, facts={})) == PLANNED


def test_it_waits_for_the_best_hour_once() -> None:
    late = datetime(2026, 6, 11, 12, 0, tzinfo=UTC)
    assert Desk(now=late).verdict(moment("repurchase_due", "r1", at=late, deferrals=1)) == PLANNED


def test_hours_of_a_country_with_several_zones_must_be_open_in_all() -> None:
    desk = Desk(now=datetime(2026, 6, 10, 13, 0, tzinfo=UTC))
    desk.contacts.update(SHE, now=EVENING, details={"time_zone": "", "country": "US"})
    assert desk.verdict(moment("welcome", "w1", at=desk.now, facts={})) == ("DEFERRED", "quiet_hours")
    ((_, until),) = desk.deferred
    assert until == datetime(2026, 6, 10, 18, 0, tzinfo=UTC)  # 08:00 in Honolulu, where the day begins last


def test_a_shop_that_never_opens_withholds() -> None:
    desk = Desk(quiet=Hours(opens=8, closes=8))
    assert desk.verdict(moment()) == ("WITHHELD", "no_open_hour")


def test_a_cart_of_sold_out_items_is_not_worth_a_message() -> None:
    desk = Desk()
    desk.window.sell_out("i1")
    desk.window.sell_out("i2")
    assert desk.verdict(moment()) == ("WITHHELD", "nothing_to_show")
    assert desk.orders == []


def test_a_plan_nobody_has_claimed_yet_counts_against_the_cap() -> None:
    desk = Desk()
    desk.got("birthday", EVENING - 6 * HOUR)
    desk.ledger.record(message("winback_dormant", "w1", at=EVENING - 5 * HOUR))
    assert desk.verdict(moment()) == ("DEFERRED", "cap_overall")


def test_of_equals_the_second_waits() -> None:
    desk = Desk()
    desk.got("winback_dormant", EVENING - HOUR)
    assert desk.verdict(moment("winback_churn_risk", "w2", facts={})) == ("DEFERRED", "outranked")

"""decide_message with its world: redelivery, crashes, merges, and how little it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.support.decisions import EVENING, HOUR, SHE, Desk, message, moment, numbers

from regulars.decisions.model import State
from regulars.errors import TryLater
from regulars.ids import split_message_id
from regulars.messages import Moment
from regulars.profiles.model import Profile

NOON = datetime(2026, 6, 10, 12, 0, tzinfo=UTC)


def test_the_send_order_names_the_ledger_entry() -> None:
    desk = Desk()
    desk.decide(moment())
    (order,) = desk.orders
    assert split_message_id(order.id) == (SHE, moment().id)
    assert order.correlation_id == "corr"


def test_the_entry_holds_what_rendering_and_the_gate_need() -> None:
    desk = Desk()
    desk.knows(tier="high")
    entry = desk.decide(moment(facts={"items": ["i1", "i2"], "cart_value_cents": 2_400}))
    assert (entry.channel, entry.address, entry.arm) == ("email", "mira@example.com", "treated")
    assert [item["item_id"] for item in entry.content["items"]] == ["i2", "i1"]
    assert (entry.content["name"], entry.content["tier"], entry.content["zone"]) == ("Mira", "high", "UTC")
    assert entry.content["facts"] == {"cart_value_cents": 2_400}


def test_a_moment_that_comes_twice_is_decided_once_and_ordered_again_until_claimed() -> None:
    desk = Desk()
    first = desk.decide(moment())
    assert desk.decide(moment()) == first
    assert len(desk.orders) == 2  # harmless: the claim lets one through
    desk.send(first, EVENING)
    desk.decide(moment())
    assert len(desk.orders) == 2


def test_a_crash_between_record_and_emit_loses_nothing() -> None:
    desk = Desk()
    desk.queues["email"].failing = TryLater("queue down")
    with pytest.raises(TryLater):
        desk.decide(moment())
    assert desk.orders == []
    desk.queues["email"].failing = None
    desk.decide(moment())
    assert len(desk.orders) == 1
    assert len(desk.ledger.list(SHE)) == 1


def test_a_crash_before_the_lesser_plans_are_closed_leaves_none_open() -> None:
    desk = Desk()
    lesser = message("winback_dormant", "w1", at=EVENING - HOUR)
    newer = message("winback_dormant", "w2", at=EVENING + HOUR)
    assert desk.ledger.record(lesser)
    close = desk.ledger.close

    def dying(*arguments: object, **named: object) -> bool:
        raise TryLater("the store is busy")

    desk.ledger.close = dying  # type: ignore[method-assign]
    with pytest.raises(TryLater):
        desk.decide(moment())
    desk.ledger.close = close  # type: ignore[method-assign]
    assert desk.ledger.record(newer)  # decided after it, so by rules that knew of it
    desk.decide(moment())
    standing = {entry.moment_id: (entry.state.value, entry.reason) for entry in desk.ledger.list(SHE)}
    assert standing[lesser.moment_id] == ("LAPSED", "outranked")
    assert standing[newer.moment_id] == ("PLANNED", "chosen")
    assert len(desk.orders) == 1


def test_an_order_update_that_comes_again_closes_nothing() -> None:
    desk = Desk()
    assert desk.ledger.record(message("winback_dormant", "w1", at=EVENING - HOUR))
    for _ in range(2):
        desk.decide(moment("order_update", "o1"))
    assert desk.ledger.get(SHE, "winback_dormant#w1").state is State.PLANNED  # type: ignore[union-attr]


def test_an_order_update_waits_for_the_opening_when_the_night_came_first() -> None:
    """Put off by the sender: the arbiter takes what does not ring, else the next opening within its validity."""
    night = datetime(2026, 6, 10, 23, 30, tzinfo=UTC)
    update = replace(numbers().kinds["order_update"], channels=("push", "email"))
    desk = Desk(now=night, kinds={**numbers().kinds, "order_update": update})
    desk.contacts.update(SHE, now=night, addresses={"email": None, "push": "token"})
    put_off = message("order_update", "o1", channel="push", state=State.DEFERRED, reason="quiet_hours:since", not_before=night)
    assert desk.ledger.record(put_off)
    entry = desk.decide(moment("order_update", "o1"))
    assert (entry.state, entry.reason, entry.channel) == (State.DEFERRED, "quiet_hours", "push")
    ((_, until),) = desk.deferred
    assert night < until < night + 12 * HOUR
    desk.now = until
    assert desk.decide(desk.deferred[0][0]).state is State.PLANNED
    desk.reachable(email="mira@example.com")
    desk.now = night
    assert desk.decide(moment("order_update", "o2")).channel == "email"


def test_a_crash_between_record_and_defer_loses_nothing() -> None:
    desk = Desk(now=NOON)
    working = desk.decide

    def failing(moment: Moment, until: datetime) -> None:
        raise TryLater("timers down")

    with pytest.raises(TryLater):
        replace(working, defer=failing)(moment("repurchase_due", at=NOON))
    working(moment("repurchase_due", at=NOON))
    assert [until.date() for _, until in desk.deferred] == [NOON.date()]


def test_a_deferred_moment_is_decided_anew_and_its_story_goes_on() -> None:
    desk = Desk(now=NOON)
    desk.decide(moment("repurchase_due", at=NOON))
    ((back, until),) = desk.deferred
    desk.now = until
    entry = desk.decide(back)
    assert entry.state is State.PLANNED
    assert [(word, detail.split(";")[0]) for _, word, detail in entry.history] == [
        ("DEFERRED", "best_hour"),
        ("PLANNED", "chosen"),
    ]


def test_an_order_while_it_waits_answers_it() -> None:
    desk = Desk(now=NOON)
    desk.decide(moment("repurchase_due", at=NOON))
    desk.now = NOON + 8 * HOUR
    desk.ordered(NOON + HOUR)
    assert desk.verdict(moment("repurchase_due", at=NOON)) == ("LAPSED", "answered_by_order")


def test_a_plan_whose_order_was_lost_until_it_expired_lapses() -> None:
    desk = Desk()
    planned = desk.decide(moment())
    desk.now = planned.expires_at
    assert desk.verdict(moment()) == ("LAPSED", "expired")
    assert len(desk.orders) == 1


def test_a_decision_by_another_worker_meanwhile_stands() -> None:
    desk = Desk()
    stale = desk.ledger.list
    desk.decide(moment())
    desk.ledger.list = lambda shopper, limit=100: []  # type: ignore[method-assign]
    desk.knows(traits={"open_complaint": True})
    assert desk.decide(moment()).state is State.PLANNED
    desk.ledger.list = stale  # type: ignore[method-assign]
    assert len(desk.ledger.list(SHE)) == 1


def test_no_moment_is_ever_sent_back_to_a_queue_of_moments() -> None:
    desk = Desk(now=NOON)
    desk.decide(moment("repurchase_due", at=NOON))
    assert desk.orders == []
    assert len(desk.deferred) == 1


def test_an_anonymous_moment_is_decided_for_the_shopper_she_turned_out_to_be() -> None:
    desk = Desk()
    desk.people.joined["anon:7"] = SHE
    entry = desk.decide(replace(moment(), shopper="anon:7"))
    assert (entry.shopper, entry.state) == (SHE, State.PLANNED)
    assert [order.shopper for order in desk.orders] == [SHE]


def test_what_was_decided_while_anonymous_is_not_decided_again() -> None:
    desk = Desk()
    desk.people.known["anon:7"] = Profile(shopper="anon:7", as_of=EVENING, first_seen_at=EVENING - HOUR)
    desk.decide(replace(moment(), shopper="anon:7"))
    desk.people.joined["anon:7"] = SHE
    assert desk.decide(replace(moment(), shopper="anon:7")).reason == "no_consent"
    assert desk.ledger.get(SHE, moment().id) is None


def test_what_waited_while_anonymous_goes_on_under_the_name() -> None:
    desk = Desk(now=NOON)
    desk.people.known["anon:7"] = Profile(shopper="anon:7", as_of=NOON, first_seen_at=NOON - HOUR)
    desk.contacts.update("anon:7", now=NOON, addresses={"push": "t"}, consent={"push": True}, details={"time_zone": "UTC"})
    waiting = replace(moment("repurchase_due", at=NOON), shopper="anon:7")
    assert desk.decide(waiting).state is State.DEFERRED
    desk.people.joined["anon:7"] = SHE
    desk.now = NOON + 8 * HOUR
    assert desk.decide(waiting).shopper == SHE
    left = desk.ledger.get("anon:7", waiting.id)
    assert left is not None
    assert (left.state, left.reason) == (State.LAPSED, "merged")


def test_suppressions_are_not_read_for_those_who_never_agreed() -> None:
    desk = Desk()
    desk.consents(email=False)

    class Untouched:
        def among(self, addresses: Mapping[str, str]) -> Mapping[str, str]:
            raise AssertionError("read for nothing")

    decide = replace(desk.decide, suppressions=Untouched())  # type: ignore[arg-type]
    assert decide(moment()).reason == "no_consent"


def test_a_moment_that_was_decided_is_not_weighed_again() -> None:
    desk = Desk()
    desk.send(desk.decide(moment()), EVENING)
    desk.ledger.record = None  # type: ignore[assignment, method-assign]
    assert desk.decide(moment()).state is State.SENT

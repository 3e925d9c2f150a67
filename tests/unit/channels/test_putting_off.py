"""What cannot go now, or not this way, goes back to the due index: nothing lost, nothing twice, no tries burnt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from tests.support.sending import ADDRESSES, NOW, SETTINGS, SHOPPER, Crash, Sender, order, raising, while_rendering

from regulars.channels.pacing import Pace
from regulars.channels.ports import Later, Refused
from regulars.clock import to_ms
from regulars.decisions.model import State
from regulars.errors import Conflict, TryLater
from regulars.profiles.record import OrderFacts, Record
from regulars.triggers.model import moment_of
from regulars.triggers.service import defer


@pytest.fixture
def sender() -> Sender:
    return Sender()


def refusing(sender: Sender, **answer: Any) -> None:
    sender.provider.behaviour = lambda envelope: Refused("message_rejected", **answer)


def limited(sender: Sender, quota: int = 1, **changes: Any) -> Pace:
    pacing = replace(SETTINGS.pacing, quotas={"email": quota}, **changes)
    return Pace(sender.permits, pacing, clock=sender.clock, sleep=sender.clock.sleep, chance=lambda: 0.5)


def test_a_refused_message_is_decided_anew_for_another_channel(sender: Sender) -> None:
    refusing(sender)
    message = sender.plan(facts={"cart": "c1"}, campaign="spring", deferrals=2, occurred_at=NOW - timedelta(hours=3))
    sender.service()(order(message))
    standing = sender.standing(message)
    assert (standing.state, standing.reason) == (State.DEFERRED, "refused:message_rejected")
    assert (standing.tried, standing.not_before, sender.slots) == (("email",), NOW, 0)
    (timer,) = sender.timers.known(SHOPPER)
    assert (timer.due_at, timer.deferrals) == (NOW, 2)
    moment = moment_of(timer, NOW)
    assert (moment.id, moment.facts, moment.campaign) == (message.moment_id, {"cart": "c1"}, "spring")
    assert (moment.occurred_at_ms, moment.expires_at_ms) == (to_ms(NOW) - 3 * 3_600_000, to_ms(message.expires_at))


def test_the_arbiter_then_takes_the_next_channel(sender: Sender) -> None:
    refusing(sender)
    message = sender.plan()
    sender.service()(order(message))
    assert sender.ledger.record(replace(message, channel="push", address=ADDRESSES["push"], tried=("email",)))
    sender.provider.behaviour = None
    push = sender.standing(message)
    sender.service()(order(message))  # the old order comes once more: it is not its message any more
    sender.service()(order(push))
    sender.service()(order(push))
    assert [envelope.channel for envelope in sender.provider.outbox] == ["push"]
    assert (sender.standing(message).state, sender.slots) == (State.SENT, 1)


@pytest.mark.parametrize(
    "closed",
    [
        {"consent": {"push": False, "sms": False, "inapp": False}},
        {"topics": {"push/carts": False, "sms/carts": False, "inapp/carts": False}},
        {"addresses": {"push": None, "sms": None}, "consent": {"inapp": False}},
    ],
)
def test_without_another_channel_a_refusal_fails(sender: Sender, closed: dict[str, Any]) -> None:
    refusing(sender)
    sender.contacts.update(SHOPPER, now=NOW, **closed)
    message = sender.plan()
    sender.service()(order(message))
    assert (sender.standing(message).state, sender.slots) == (State.FAILED, 0)


def test_a_channel_that_nobody_serves_is_no_other_channel(sender: Sender) -> None:
    refusing(sender)
    message = sender.plan()
    sender.service(providers={"email": sender.provider})(order(message))
    assert sender.standing(message).state is State.FAILED


def test_an_address_she_gave_since_is_not_forgotten(sender: Sender) -> None:
    def renewed(envelope: Any) -> Refused:
        sender.contacts.update(SHOPPER, now=NOW, addresses={"push": "new"})
        return Refused("endpoint_disabled", address_dead=True)

    sender.provider.behaviour = renewed
    sender.service()(order(sender.plan(channel="push")))
    assert sender.contacts.load(SHOPPER).addresses["push"] == "new"


def test_a_crash_between_entry_and_timer_loses_nothing(sender: Sender) -> None:
    refusing(sender)
    message = sender.plan()
    with pytest.raises(Crash):
        sender.service(defer=raising(Crash))(order(message))
    assert sender.standing(message).state is State.DEFERRED
    assert sender.timers.known(SHOPPER) == []
    sender.clock.pass_(minutes=3)
    for _ in range(2):
        sender.service()(order(message))
    (timer,) = sender.timers.known(SHOPPER)
    assert timer.due_at == sender.clock()
    assert sender.provider.outbox == []


def test_what_the_arbiter_deferred_is_its_own_affair(sender: Sender) -> None:
    message = sender.plan(state=State.DEFERRED, reason="quiet_hours", not_before=NOW)
    sender.service()(order(message))
    assert sender.timers.known(SHOPPER) == []


@pytest.mark.parametrize("tries", [1, 2])
def test_a_short_throttle_goes_back_to_the_queue(sender: Sender, tries: int) -> None:
    sender.provider.behaviour = lambda envelope: Later("TooManyRequestsException", 7)
    message = sender.plan()
    with pytest.raises(TryLater):
        sender.service()(order(message), tries)
    assert (sender.standing(message).state, sender.slots) == (State.PLANNED, 0)


def test_a_long_throttle_goes_to_the_due_index_before_the_queue_gives_up(sender: Sender) -> None:
    sender.provider.behaviour = lambda envelope: Later("TooManyRequestsException", 7)
    message = sender.plan()
    sender.service()(order(message), 3)
    standing = sender.standing(message)
    assert (standing.state, standing.reason, sender.slots) == (State.DEFERRED, "throttled:TooManyRequestsException", 0)
    (timer,) = sender.timers.known(SHOPPER)
    assert timer.due_at == standing.not_before == NOW + timedelta(minutes=10)
    assert timer.deferrals == message.deferrals  # none of the arbiter's


@pytest.mark.parametrize(
    "error",
    [
        TryLater("transaction cancelled", code="cancelled"),
        *(Conflict("", code=code) for code in ("contact_changed", "pool_empty", "coupon_held")),
    ],
    ids=lambda error: error.code,
)
def test_a_claim_that_others_keep_out_goes_to_the_due_index_before_the_queue_gives_up(
    sender: Sender, error: TryLater | Conflict
) -> None:
    sender.ledger.claim = raising(error)  # type: ignore[method-assign]
    message = sender.plan()
    with pytest.raises(TryLater):
        sender.service()(order(message), 2)
    assert sender.standing(message).state is State.PLANNED
    sender.service()(order(message), 3)
    assert (sender.standing(message).state, sender.standing(message).reason) == (State.DEFERRED, f"throttled:{error.code}")
    assert len(sender.timers.known(SHOPPER)) == 1


def test_a_crash_after_a_contact_that_kept_changing_at_the_fence_loses_nothing(sender: Sender) -> None:
    message = sender.plan()
    sender.ledger.fence = lambda *_: False  # type: ignore[method-assign]
    with pytest.raises(Crash):
        sender.service(defer=raising(Crash))(order(message), 3)
    assert sender.standing(message).state is State.DEFERRED
    sender.service()(order(message), 4)
    assert len(sender.timers.known(SHOPPER)) == 1


def test_what_would_be_too_late_by_then_lapses(sender: Sender) -> None:
    sender.provider.behaviour = lambda envelope: Later("TooManyRequestsException", 7)
    message = sender.plan(expires_at=NOW + timedelta(minutes=5))
    sender.service()(order(message), 3)
    assert (sender.standing(message).state, sender.standing(message).reason) == (State.LAPSED, "gave_up")
    assert (sender.slots, sender.timers.known(SHOPPER)) == (0, [])


def test_without_a_permit_nothing_is_written(sender: Sender) -> None:
    message = sender.plan()
    full = limited(sender, wait_ms=0)
    sender.permits.take = lambda channel, window, most: False  # type: ignore[method-assign]
    with pytest.raises(TryLater) as error:
        sender.service(pace=full)(order(message), 2)
    assert error.value.code == "throttled"
    assert sender.standing(message) == message
    sender.service(pace=full)(order(message), 3)
    assert (sender.standing(message).state, sender.standing(message).reason) == (State.DEFERRED, "throttled:own_rate")
    assert len(sender.timers.known(SHOPPER)) == 1
    assert sender.provider.outbox == []


def test_what_expired_in_a_backlog_lapses_without_a_permit(sender: Sender) -> None:
    message = sender.plan()
    sender.pauses.pause("email", "operator", at=NOW)
    sender.clock.pass_(hours=72)
    sender.service(pace=limited(sender))(order(message))
    assert (sender.standing(message).state, sender.standing(message).reason) == (State.LAPSED, "expired")
    assert sender.permits.asked == 0


def test_a_permit_whose_time_passed_makes_no_call(sender: Sender) -> None:
    message = sender.plan()
    slow = sender.service(pace=limited(sender, quota=14))
    original = sender.contacts.load

    def loading(shopper: str) -> Any:
        sender.clock.pass_(milliseconds=250)
        return original(shopper)

    sender.contacts.load = loading  # type: ignore[method-assign]
    with pytest.raises(TryLater):
        slow(order(message))
    assert sender.provider.outbox == []
    assert (sender.standing(message).state, sender.slots) == (State.PLANNED, 0)


def test_a_worker_waits_for_its_turn(sender: Sender) -> None:
    sender.clock.pass_(milliseconds=500)
    began = sender.clock()
    message = sender.plan()
    sender.service(pace=limited(sender))(order(message))
    assert sender.standing(message).state is State.SENT
    assert timedelta(0) < sender.clock() - began <= timedelta(seconds=2)


def test_marketing_of_a_paused_channel_is_decided_anew_before_anything_is_claimed(sender: Sender) -> None:
    sender.pauses.pause("email", "complaints", at=NOW)
    message = sender.plan()
    sender.service()(order(message))
    standing = sender.standing(message)
    assert (standing.state, standing.reason) == (State.DEFERRED, "channel_paused")
    assert [word for _, word, _ in standing.history] == ["DEFERRED"]
    (timer,) = sender.timers.known(SHOPPER)
    assert timer.due_at == NOW + timedelta(minutes=1)
    assert sender.provider.outbox == []


def test_a_pause_at_any_step_before_the_fence_wins(sender: Sender) -> None:
    message = sender.plan()
    service = sender.service()
    while_rendering(service, lambda: sender.pauses.pause("email", "bounces", at=NOW))
    service(order(message))
    assert (sender.standing(message).state, sender.standing(message).reason) == (State.DEFERRED, "channel_paused")
    assert (sender.slots, sender.provider.outbox) == (0, [])


def test_order_updates_go_on(sender: Sender) -> None:
    sender.pauses.pause("email", "complaints", at=NOW)
    message = sender.plan(kind="order_update")
    sender.service()(order(message))
    assert sender.standing(message).state is State.SENT


@pytest.mark.parametrize(("minutes", "state"), [(-61, State.SENT), (-59, State.LAPSED), (0, State.LAPSED)])
def test_an_order_since_the_moment_answers_it_at_the_fence(sender: Sender, minutes: int, state: State) -> None:
    placed = to_ms(NOW + timedelta(minutes=minutes, seconds=1))
    sender.profiles.save(Record(shopper=SHOPPER, orders=OrderFacts(count=1, last_ms=placed)))
    message = sender.plan(occurred_at=NOW - timedelta(hours=1))
    sender.service()(order(message))
    assert sender.standing(message).state is state
    assert sender.slots == (1 if state is State.SENT else 0)
    assert len(sender.provider.outbox) == sender.slots


def test_an_order_answers_only_what_an_order_answers(sender: Sender) -> None:
    sender.profiles.save(Record(shopper=SHOPPER, orders=OrderFacts(count=1, last_ms=to_ms(NOW) + 1)))
    message = sender.plan(kind="birthday")
    sender.service()(order(message))
    assert sender.standing(message).state is State.SENT


def test_the_newest_order_is_found_after_a_merge(sender: Sender) -> None:
    sender.profiles.save(Record(shopper=SHOPPER, merged_into="user:anna"))
    sender.profiles.save(Record(shopper="user:anna", orders=OrderFacts(count=1, last_ms=to_ms(NOW))))
    message = sender.plan(occurred_at=NOW - timedelta(hours=1))
    sender.service()(order(message))
    assert sender.standing(message).reason == "answered_by_order"


STEPS = ["get", "claim", "holds", "finish", "load", "reason", "standing", "send", "set", "last_at"]


@pytest.mark.parametrize("behaviour", [None, lambda envelope: Refused("no"), lambda envelope: Later("slow")])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_sends_at_most_once_and_loses_nothing(
    sender: Sender, step: str, after: bool, behaviour: Callable[[Any], Any] | None
) -> None:
    """One crash, then redeliveries: the message is sent, over with a reason, or waits with its timer."""
    sender.provider.behaviour = behaviour
    message = sender.plan()
    service = sender.service(defer=partial(defer, sender.timers))
    owner: Any = {
        "load": sender.contacts,
        "reason": sender.suppressions,
        "standing": sender.pauses,
        "send": sender.provider,
        "set": sender.timers,
        "last_at": service._orders,
    }.get(step, sender.ledger)
    original, crashed = getattr(owner, step), list[str]()

    def crashing(*arguments: Any, **named: Any) -> Any:
        if crashed:
            return original(*arguments, **named)
        crashed.append(step)
        if after:
            original(*arguments, **named)
        raise Crash

    setattr(owner, step, crashing)
    for tries in range(1, 6):
        try:
            service(order(message), tries)
        except (Crash, TryLater):
            sender.clock.pass_(seconds=61)
    standing = sender.standing(message)
    assert len(sender.provider.outbox) <= 1
    assert standing.state in (State.SENT, State.UNKNOWN, State.FAILED, State.DEFERRED)
    if standing.state is State.DEFERRED:
        assert [timer.key for timer in sender.timers.known(SHOPPER)] == [message.moment_id]
    if standing.state is State.SENT:
        assert len(sender.provider.outbox) == 1
    assert sender.slots == (1 if standing.state in (State.SENT, State.UNKNOWN) else 0)

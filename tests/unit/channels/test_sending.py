"""A send is a promise: at most one hand-over, no loss without a reason, opt-out wins at every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support.sending import DECISIONS, EMAIL, NOW, SHOPPER, Crash, Sender, order, planned, raising, while_rendering

from regulars.adapters.memory.channels import MemoryProvider
from regulars.channels.config import Sending
from regulars.channels.ports import Accepted, Ambiguous, Envelope, Later, Outcome, Refused
from regulars.decisions.model import State
from regulars.errors import Conflict, GiveUp, TryLater


@pytest.fixture
def sender() -> Sender:
    return Sender()


def test_a_planned_message_is_sent_once_and_counts(sender: Sender) -> None:
    message = sender.plan()
    sender.service()(order(message))
    standing = sender.standing(message)
    assert (standing.state, standing.reason, standing.provider_id) == (State.SENT, "sent", "memory-1")
    assert [envelope.address for envelope in sender.provider.outbox] == [EMAIL]
    assert sender.slots == 1


@pytest.mark.parametrize("channel", ["email", "push", "sms", "inapp"])
def test_every_channel_has_its_way_out(sender: Sender, channel: str) -> None:
    message = sender.plan(channel=channel)
    sender.service()(order(message))
    assert [envelope.channel for envelope in sender.provider.outbox] == [channel]


def test_a_redelivered_order_sends_nothing_more(sender: Sender) -> None:
    message = sender.plan()
    for _ in range(5):
        sender.service()(order(message))
    assert len(sender.provider.outbox) == 1
    assert sender.slots == 1


def test_an_order_without_a_ledger_entry_is_given_up(sender: Sender) -> None:
    with pytest.raises(GiveUp) as error:
        sender.service()(order(planned()))
    assert error.value.code == "no_such_message"


def test_an_order_for_another_channel_than_decided_is_left_alone(sender: Sender) -> None:
    message = sender.plan(channel="push")
    sender.service()(order(planned(channel="email")))
    assert sender.provider.outbox == []
    assert sender.standing(message).state is State.PLANNED


def test_an_order_update_takes_no_place_in_the_caps(sender: Sender) -> None:
    sender.contacts.update(SHOPPER, now=NOW, consent={"email": False})
    message = sender.plan(kind="order_update")
    sender.service()(order(message))
    assert sender.standing(message).state is State.SENT
    assert sender.slots == 0
    assert sender.provider.outbox[0].transactional


@pytest.mark.parametrize(
    ("change", "state", "reason"),
    [
        (lambda s: s.contacts.update(SHOPPER, now=NOW, consent={"email": False}), State.WITHHELD, "consent_withdrawn"),
        (lambda s: s.contacts.update(SHOPPER, now=NOW, topics={"email/carts": False}), State.WITHHELD, "consent_withdrawn"),
        (lambda s: s.contacts.update(SHOPPER, now=NOW, addresses={"email": None}), State.WITHHELD, "address_changed"),
        (lambda s: s.suppressions.add("email", EMAIL.upper(), reason="bounce", now=NOW), State.WITHHELD, "suppressed"),
        (lambda s: s.clock.pass_(days=3), State.LAPSED, "expired"),
        (lambda s: s.clock.pass_(hours=11), State.LAPSED, "quiet_hours"),
    ],
)
def test_what_came_up_since_the_decision_stops_it(
    sender: Sender, change: Callable[[Sender], None], state: State, reason: str
) -> None:
    message = sender.plan()
    change(sender)
    sender.service()(order(message))
    assert (sender.standing(message).state, sender.standing(message).reason) == (state, reason)
    assert sender.provider.outbox == []
    assert sender.slots == 0


WITHDRAWALS: list[Callable[[Sender], None]] = [
    lambda s: s.contacts.update(SHOPPER, now=NOW, consent={"email": False}),
    lambda s: s.contacts.update(SHOPPER, now=NOW, addresses={"email": None}),
    lambda s: s.suppressions.add("email", EMAIL, reason="complaint", now=NOW),
]


@pytest.mark.parametrize("withdraw", WITHDRAWALS)
@pytest.mark.parametrize("step", ["get", "load", "claim", "render"])
def test_a_withdrawal_at_any_step_before_the_fence_wins(sender: Sender, step: str, withdraw: Callable[[Sender], None]) -> None:
    message = sender.plan()
    service = sender.service()
    part: Any = {"get": service._ledger, "load": service._contacts, "claim": service._ledger, "render": service._renderer}[step]
    original = getattr(part, step)
    done: list[str] = []

    def stepping(*arguments: Any, **named: Any) -> Any:
        result = original(*arguments, **named)
        if not done:
            done.append(step)
            withdraw(sender)
        return result

    setattr(part, step, stepping)
    service(order(message))
    assert done == [step]
    assert sender.provider.outbox == []
    assert sender.standing(message).state is State.WITHHELD
    assert sender.slots == 0


def test_a_contact_that_changed_harmlessly_is_read_again(sender: Sender) -> None:
    message = sender.plan()
    original = sender.ledger.claim
    changes = iter([True, True])

    def racing(*arguments: Any, **named: Any) -> None:
        if next(changes, False):
            sender.contacts.update(SHOPPER, now=NOW, details={"language": "zh"})
        original(*arguments, **named)

    sender.ledger.claim = racing  # type: ignore[method-assign]
    sender.service()(order(message))
    assert sender.standing(message).state is State.SENT


def test_a_contact_that_keeps_changing_is_tried_later(sender: Sender) -> None:
    message = sender.plan()
    sender.ledger.claim = raising(Conflict("changed", code="contact_changed"))  # type: ignore[method-assign]
    with pytest.raises(TryLater):
        sender.service()(order(message))
    assert sender.standing(message).state is State.PLANNED


def test_a_full_cap_is_seen_by_the_claim_not_only_by_the_decision(sender: Sender) -> None:
    sent = []
    for kind in ("cart_abandoned", "winback_dormant", "winback_high_value", "repurchase_due"):
        message = sender.plan(kind=kind)
        sender.service()(order(message))
        sent.append(sender.standing(message))
    assert [entry.state for entry in sent] == [State.SENT, State.SENT, State.WITHHELD, State.WITHHELD]
    assert sent[-1].reason == "cap_full"
    assert sender.slots == 2


def test_a_refusal_with_no_channel_left_fails_and_gives_the_place_back(sender: Sender) -> None:
    sender.provider.behaviour = lambda envelope: Refused("message_rejected")
    message = sender.plan(tried=("push", "sms", "inapp"))
    sender.service()(order(message))
    standing = sender.standing(message)
    assert (standing.state, standing.reason) == (State.FAILED, "refused:message_rejected")
    assert sender.slots == 0
    assert sender.contacts.load(SHOPPER).addresses["email"] == EMAIL
    assert sender.timers.known(SHOPPER) == []


def test_a_dead_address_is_forgotten(sender: Sender) -> None:
    sender.provider.behaviour = lambda envelope: Refused("endpoint_disabled", address_dead=True)
    sender.service()(order(sender.plan(channel="push")))
    assert "push" not in sender.contacts.load(SHOPPER).addresses


def test_a_throttled_message_goes_back_to_planned_and_comes_again(sender: Sender) -> None:
    answers: list[Outcome | None] = [Later("TooManyRequestsException", 7), None]
    sender.provider.behaviour = lambda envelope: answers.pop(0)
    message = sender.plan()
    with pytest.raises(TryLater) as error:
        sender.service()(order(message))
    assert error.value.retry_after_seconds == 7
    assert (sender.standing(message).state, sender.slots) == (State.PLANNED, 0)
    sender.service()(order(message))
    assert (sender.standing(message).state, sender.slots) == (State.SENT, 1)
    assert len(sender.provider.outbox) == 1


def test_a_time_out_after_acceptance_is_unknown_and_never_sent_again(sender: Sender) -> None:
    sender.provider.takes_first = True
    sender.provider.behaviour = lambda envelope: Ambiguous("ReadTimeoutError")
    message = sender.plan()
    for _ in range(3):
        sender.service()(order(message))
    standing = sender.standing(message)
    assert (standing.state, standing.reason) == (State.UNKNOWN, "undecidable:ReadTimeoutError")
    assert len(sender.provider.outbox) == 1
    assert sender.slots == 1  # it may have reached her: it counts
    sender.ledger.mark(SHOPPER, message.moment_id, mark="delivered", at=NOW)
    assert sender.standing(message).state is State.SENT


def test_whatever_a_provider_raises_counts_as_ambiguous(sender: Sender) -> None:
    sender.provider.takes_first, sender.provider.behaviour = True, raising(KeyError("MessageId"))
    message = sender.plan()
    sender.service()(order(message))
    sender.service()(order(message))
    assert sender.standing(message).state is State.UNKNOWN
    assert len(sender.provider.outbox) == 1


@pytest.mark.parametrize("takes_first", [True, False])
def test_a_crash_in_the_call_ends_unknown_once_the_lease_is_over(sender: Sender, takes_first: bool) -> None:
    sender.provider.takes_first, sender.provider.behaviour = takes_first, raising(Crash)
    message = sender.plan()
    with pytest.raises(Crash):
        sender.service()(order(message))
    sender.provider.behaviour = None
    with pytest.raises(TryLater):  # the lease is alive: somebody may still be at it
        sender.service()(order(message))
    sender.clock.pass_(seconds=61)
    sender.service()(order(message))
    standing = sender.standing(message)
    assert (standing.state, standing.reason) == (State.UNKNOWN, "lease_expired")
    assert len(sender.provider.outbox) == int(takes_first)


def test_a_worker_whose_claim_was_taken_over_makes_no_call(sender: Sender) -> None:
    message = sender.plan()
    slow = sender.service()

    def taken_over() -> None:
        sender.clock.pass_(seconds=61)
        sender.service()(order(message))  # the redelivery finds the lease over

    while_rendering(slow, taken_over)
    slow(order(message))
    assert sender.standing(message).state is State.UNKNOWN
    assert sender.provider.outbox == []


def test_a_lease_that_ran_out_unnoticed_gives_the_message_back(sender: Sender) -> None:
    message = sender.plan()
    slow = sender.service()
    while_rendering(slow, lambda: sender.clock.pass_(seconds=60))
    with pytest.raises(TryLater):
        slow(order(message))
    assert (sender.standing(message).state, sender.slots) == (State.PLANNED, 0)
    assert sender.provider.outbox == []


def test_a_store_in_the_way_before_the_call_gives_the_claim_back(sender: Sender) -> None:
    message = sender.plan()
    original, conflicts = sender.ledger.fence, iter([True])

    def fence(*arguments: Any, **named: Any) -> bool:
        if next(conflicts, False):  # TransactGetItems met another claim of hers
            raise TryLater("transaction cancelled", code="cancelled")
        return original(*arguments, **named)

    sender.ledger.fence = fence  # type: ignore[method-assign]
    with pytest.raises(TryLater):
        sender.service()(order(message))
    assert (sender.standing(message).state, sender.slots) == (State.PLANNED, 0)
    sender.service()(order(message))
    assert (sender.standing(message).state, len(sender.provider.outbox)) == (State.SENT, 1)


def test_a_receipt_that_fails_to_be_written_is_tried_again_and_never_sends_again(sender: Sender) -> None:
    message = sender.plan()
    original, failures = sender.ledger.finish, iter([True, True])

    def finish(*arguments: Any, **named: Any) -> None:
        if next(failures, False):
            raise TryLater("throttled")
        original(*arguments, **named)

    sender.ledger.finish = finish  # type: ignore[method-assign]
    sender.service()(order(message))
    assert sender.standing(message).state is State.SENT
    assert len(sender.provider.outbox) == 1


def test_a_receipt_that_cannot_be_written_ends_unknown(sender: Sender) -> None:
    message = sender.plan()
    original = sender.ledger.finish
    sender.ledger.finish = raising(TryLater("throttled"))  # type: ignore[method-assign]
    with pytest.raises(TryLater):
        sender.service(config=Sending(lease_seconds=60, claim_tries=1, finish_tries=1))(order(message))
    sender.ledger.finish = original  # type: ignore[method-assign]
    sender.clock.pass_(seconds=61)
    sender.service()(order(message))
    assert sender.standing(message).state is State.UNKNOWN
    assert len(sender.provider.outbox) == 1


def test_content_that_does_not_render_fails_with_its_reason_and_gives_the_place_back(sender: Sender) -> None:
    message = sender.plan(content={"template": "no_such_template", "tier": "low"})
    with pytest.raises(GiveUp) as error:
        sender.service()(order(message))
    assert error.value.code == "render_failed"
    assert (sender.standing(message).state, sender.standing(message).reason) == (State.FAILED, "render_failed")
    assert sender.slots == 0
    sender.service()(order(message))
    assert sender.provider.outbox == []


def test_a_channel_that_nobody_serves_is_withheld(sender: Sender) -> None:
    message = sender.plan(channel="sms")
    sender.service(providers={"email": MemoryProvider()})(order(message))
    assert sender.standing(message).reason == "no_provider"


def test_two_workers_racing_for_one_message_make_one_call(sender: Sender) -> None:
    message = sender.plan()
    second = sender.service()

    def race(envelope: Envelope) -> Outcome | None:
        with pytest.raises(TryLater):
            second(order(message))
        return Accepted("first")

    sender.provider.behaviour = race
    sender.service()(order(message))
    assert sender.standing(message).provider_id == "first"
    assert len(sender.provider.outbox) == 1


def test_every_reason_a_send_may_end_with_has_a_sentence() -> None:
    from regulars.decisions.reasons import SENTENCES, sentence

    assert DECISIONS.kinds
    for code in ("refused:bad_request", "throttled:X", "undecidable:X", "lease_expired", "render_failed", "no_provider"):
        assert code.partition(":")[0] in SENTENCES
        assert sentence(code).startswith(SENTENCES[code.partition(":")[0]])

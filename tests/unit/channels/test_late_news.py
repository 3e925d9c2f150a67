"""What comes up between decision and hand-over: hours that have closed, a new address, an answer that never came."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.support.decisions import People, ShopWindow
from tests.support.sending import NOW, SHOPPER, Crash, Sender, order, raising, while_rendering

from regulars.channels.ports import Refused
from regulars.channels.putting_off import moment_of
from regulars.clock import to_ms
from regulars.decisions.config import Decisions
from regulars.decisions.model import State
from regulars.decisions.service import DecideMessage
from regulars.errors import TryLater
from regulars.shop import section


@pytest.fixture
def sender() -> Sender:
    return Sender()


LATE = NOW + timedelta(hours=9, minutes=30)
"""22:30 in London, where she lives: nothing rings any more."""


@pytest.mark.parametrize("step", ["gate", "fence"])
@pytest.mark.parametrize("channel", ["push", "sms"])
def test_an_order_update_whose_hours_closed_is_decided_anew(sender: Sender, channel: str, step: str) -> None:
    message = sender.plan(kind="order_update", channel=channel, deferrals=1)
    service = sender.service()

    def night_falls() -> None:
        sender.clock.now = LATE

    if step == "gate":
        night_falls()
    else:
        while_rendering(service, night_falls)
    service(order(message))
    standing = sender.standing(message)
    assert (standing.state, standing.reason, standing.not_before) == (State.DEFERRED, "quiet_hours:since", LATE)
    (timer,) = sender.timers.known(SHOPPER)
    assert (timer.due_at, timer.deferrals, timer.expires_at) == (LATE, 1, message.expires_at)
    assert sender.provider.outbox == []


def test_an_order_update_put_off_for_the_night_gets_its_timer_even_after_a_crash(sender: Sender) -> None:
    message = sender.plan(kind="order_update", channel="push")
    sender.clock.now = LATE
    with pytest.raises(Crash):
        sender.service(defer=raising(Crash))(order(message))
    assert sender.timers.known(SHOPPER) == []
    sender.service()(order(message))
    assert [timer.due_at for timer in sender.timers.known(SHOPPER)] == [LATE]


@pytest.mark.parametrize(
    ("left", "decided"), [(2, (State.WITHHELD, "no_open_hour")), (20, (State.DEFERRED, "quiet_hours"))], ids=["night", "day"]
)
def test_an_order_update_that_lapses_before_the_night_is_over_is_withheld(
    sender: Sender, left: int, decided: tuple[State, str]
) -> None:
    """Put off by the sender, and decided anew by the arbiter, where nothing that does not ring would do."""
    message = sender.plan(kind="order_update", channel="push", expires_at=LATE + timedelta(hours=left))
    sender.clock.now = LATE
    sender.service()(order(message))
    assert (sender.standing(message).state, sender.standing(message).reason) == (State.DEFERRED, "quiet_hours:since")
    decide = DecideMessage(
        profiles=People(),
        contacts=sender.contacts,
        suppressions=sender.suppressions,
        ledger=sender.ledger,
        showcase=ShopWindow(),
        queues={},
        defer=lambda moment, until: None,
        clock=sender.clock,
        config=section(Decisions, "decisions", {"decisions": {"kinds": {"order_update": {"channels": ["push"]}}}}),
    )
    decide(moment_of(sender.standing(message), to_ms(LATE)))
    assert (sender.standing(message).state, sender.standing(message).reason) == decided


def test_an_address_given_since_outlives_the_refusal_of_the_old_one(sender: Sender) -> None:
    """She gives the new one between the provider's answer and the old one's removal, whatever was read before."""
    contacts = _GivesAnother(sender.contacts)

    def refused(envelope: Any) -> Refused:
        contacts.gives = True
        return Refused("message_rejected", address_dead=True)

    sender.provider.behaviour = refused
    sender.service(contacts=contacts)(order(sender.plan()))
    assert sender.contacts.load(SHOPPER).addresses["email"] == "new@example.com"


class _GivesAnother:
    """Contacts to which, when `gives`, a new address comes behind the next read or before the next other call."""

    def __init__(self, contacts: Any) -> None:
        self._contacts, self.gives = contacts, False

    def load(self, shopper: str) -> Any:
        known = self._contacts.load(shopper)
        self._give(shopper)
        return known

    def __getattr__(self, name: str) -> Any:
        self._give(SHOPPER)
        return getattr(self._contacts, name)

    def _give(self, shopper: str) -> None:
        if self.gives:
            self.gives = False
            self._contacts.update(shopper, now=NOW, addresses={"email": "new@example.com"})


def test_a_claim_whose_answer_was_lost_is_ours(sender: Sender) -> None:
    message = sender.plan()
    claim = sender.ledger.claim

    def unanswered(*arguments: Any, **named: Any) -> None:
        claim(*arguments, **named)
        raise TryLater("no answer in time", code="unreachable")

    sender.ledger.claim = unanswered  # type: ignore[method-assign]
    sender.service()(order(message))
    assert sender.standing(message).state is State.SENT
    assert (len(sender.provider.outbox), sender.slots) == (1, 1)


def test_a_claim_that_was_not_made_is_tried_again_by_the_queue(sender: Sender) -> None:
    message = sender.plan()
    claim = sender.ledger.claim
    sender.ledger.claim = raising(TryLater("throttled", code="throttled"))  # type: ignore[method-assign]
    with pytest.raises(TryLater):
        sender.service()(order(message))
    assert sender.standing(message).state is State.PLANNED
    sender.ledger.claim = claim  # type: ignore[method-assign]
    sender.service()(order(message))
    assert (sender.standing(message).state, len(sender.provider.outbox)) == (State.SENT, 1)


def test_a_lost_answer_to_somebody_elses_claim_is_not_ours(sender: Sender) -> None:
    """Another delivery claims while ours hears nothing: it sends, we leave the order on the queue."""
    message = sender.plan()
    other, claim = sender.service(), sender.ledger.claim

    def beaten(*arguments: Any, **named: Any) -> None:
        sender.ledger.claim = claim  # type: ignore[method-assign]
        other(order(message))
        raise TryLater("no answer in time", code="unreachable")

    sender.ledger.claim = beaten  # type: ignore[method-assign]
    with pytest.raises(TryLater):
        sender.service()(order(message))
    assert len(sender.provider.outbox) == 1

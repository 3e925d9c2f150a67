"""What a message takes along: taken with the claim, told in the message, given back when nothing was sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.sending import NOW, SHOPPER, Sender, order, while_rendering

from regulars.channels.ports import Ambiguous, Email, Later, Refused
from regulars.decisions.model import Message, State
from regulars.errors import GiveUp, TryLater
from regulars.offers.model import NOTHING, Coupon, CouponState, Reservation, Take

CODE, HERS = "K7Q4M8ZT2D9XWPH", "AAAAABBBBBCCCCC"
MONEY = Take(pool="budget", shard=0, amount=5, limit=1000)


def coupon(code: str = CODE, shard: int = 0, limit: int = 10, **more: Any) -> Coupon:
    values: dict[str, Any] = {"issued_at": NOW, "expires_at": NOW + timedelta(days=7), "moment_id": "cart_abandoned#1", **more}
    take = Take(pool="spring", shard=shard, amount=1, limit=limit)
    return Coupon(shopper=SHOPPER, offer="spring", edition="", code=code, takes=(take,), **values)


@dataclass
class Shelf:
    """Implements `regulars.channels.ports.Reserving`: `offered[attempt]`."""

    offered: list[Reservation | str]
    hers: Coupon | None = None
    asked: list[int] = field(default_factory=list)

    def reserve(self, message: Message, *, now: datetime, attempt: int) -> Reservation:
        self.asked.append(attempt)
        offer = self.offered[min(attempt, len(self.offered) - 1)]
        if isinstance(offer, str):
            raise GiveUp("nothing left", code=offer)
        return offer

    def held(self, message: Message) -> Coupon | None:
        return self.hers


@pytest.fixture
def sender() -> Sender:
    return Sender()


def taken(sender: Sender) -> int:
    return sum(sum(sender.offers.taken(pool, 4)) for pool in ("spring", "budget"))


def html(sender: Sender) -> str:
    (envelope,) = sender.provider.outbox
    assert isinstance(envelope.rendered, Email)
    return envelope.rendered.html


def test_the_message_tells_of_its_own_coupon(sender: Sender) -> None:
    message = sender.plan()
    sender.service(reserving=Shelf([Reservation(coupon=coupon(), spends=(MONEY,))]))(order(message))
    assert sender.standing(message).state is State.SENT
    assert "K7Q4M-8ZT2D-9XWPH" in html(sender)
    assert taken(sender) == 6


@pytest.mark.parametrize("answer", [Refused("no"), Later("slow")])
def test_what_was_not_sent_gives_all_back(sender: Sender, answer: Any) -> None:
    sender.provider.behaviour = lambda envelope: answer
    message = sender.plan()
    for _ in range(2):
        try:
            sender.service(reserving=Shelf([Reservation(coupon=coupon(), spends=(MONEY,))]))(order(message))
        except TryLater:
            continue
    assert taken(sender) == 0
    assert sender.offers.coupon(SHOPPER, "spring", "") is None


def test_what_may_have_been_sent_keeps_it(sender: Sender) -> None:
    sender.provider.behaviour = lambda envelope: Ambiguous("ReadTimeoutError")
    sender.service(reserving=Shelf([Reservation(coupon=coupon())]))(order(sender.plan()))
    assert taken(sender) == 1


WITHDRAWALS: list[Callable[[Sender], Any]] = [
    lambda s: s.contacts.update(SHOPPER, now=NOW, consent={"email": False}),
    lambda s: s.pauses.pause("email", "operator", at=NOW),
]


@pytest.mark.parametrize("withdraw", WITHDRAWALS)
def test_what_the_fence_stops_gives_all_back(sender: Sender, withdraw: Callable[[Sender], Any]) -> None:
    service = sender.service(reserving=Shelf([Reservation(coupon=coupon())]))
    while_rendering(service, lambda: withdraw(sender))
    service(order(sender.plan()))
    assert (taken(sender), sender.slots, sender.provider.outbox) == (0, 0, [])


def test_an_empty_shard_is_followed_by_another(sender: Sender) -> None:
    shelf = Shelf([Reservation(coupon=coupon(limit=0)), Reservation(coupon=coupon(shard=1))])
    message = sender.plan()
    sender.service(reserving=shelf)(order(message))
    assert sender.standing(message).state is State.SENT
    assert (shelf.asked, taken(sender)) == ([0, 1], 1)


@pytest.mark.parametrize("code", ["sold_out", "over_budget", "offer_closed"])
def test_when_nothing_is_left_nothing_is_sent(sender: Sender, code: str) -> None:
    message = sender.plan()
    sender.service(reserving=Shelf([Reservation(coupon=coupon(limit=0)), code]))(order(message))
    assert sender.standing(message).reason == code
    assert sender.standing(message).state in (State.WITHHELD, State.LAPSED)
    assert (taken(sender), sender.slots, sender.provider.outbox) == (0, 0, [])


@pytest.mark.parametrize("moment_id", ["cart_abandoned#1", "", "birthday#2026"])
def test_a_coupon_that_is_hers_already_is_told_of_and_not_taken_again(sender: Sender, moment_id: str) -> None:
    hers = coupon(HERS, moment_id=moment_id)
    sender.offers.take(Reservation(coupon=hers))
    sender.provider.behaviour = lambda envelope: None
    message = sender.plan()
    sender.service(reserving=Shelf([Reservation(coupon=coupon(), spends=(MONEY,))], hers))(order(message))
    assert sender.standing(message).state is State.SENT
    assert "AAAAA-BBBBB-CCCCC" in html(sender)
    assert taken(sender) == 6
    assert sender.offers.coupon(SHOPPER, "spring", "") == hers


def test_a_coupon_that_another_message_may_yet_give_back_is_not_told_of(sender: Sender) -> None:
    class Shop(Shelf):
        def held(self, message: Message) -> Coupon | None:
            return sender.offers.coupon(SHOPPER, "spring", "")

    other, message = sender.plan(kind="winback_dormant", channel="push"), sender.plan()
    hers = Shop([Reservation(coupon=coupon(HERS, moment_id=other.moment_id))])
    mine = Shop([Reservation(coupon=coupon(moment_id=message.moment_id))])

    def meanwhile(envelope: Any) -> Refused:
        with pytest.raises(TryLater):  # the coupon is the other's, which is at its provider
            sender.service(reserving=mine)(order(message))
        return Refused("no")

    sender.provider.behaviour = meanwhile
    sender.service(reserving=hers)(order(other))
    sender.provider.behaviour = None
    sender.provider.outbox.clear()
    assert taken(sender) == 0
    sender.service(reserving=mine)(order(message))
    assert "K7Q4M-8ZT2D-9XWPH" in html(sender)
    assert taken(sender) == 1


def test_a_coupon_that_was_given_back_meanwhile_is_there_to_be_taken(sender: Sender) -> None:
    hers = coupon(HERS, moment_id="birthday#2026")
    sender.offers.take(Reservation(coupon=hers))

    class Returned(Shelf):
        def held(self, message: Message) -> Coupon | None:
            sender.offers.give_back(Reservation(coupon=hers))
            return None

    message = sender.plan()
    sender.service(reserving=Returned([Reservation(coupon=coupon())]))(order(message))
    assert sender.standing(message).state is State.SENT
    assert (taken(sender), sender.offers.coupon(SHOPPER, "spring", "")) == (1, coupon())


@pytest.mark.parametrize("worthless", [{"state": CouponState.REDEEMED}, {"state": CouponState.EXPIRED}, {"expires_at": NOW}])
def test_one_that_is_worth_nothing_any_more_stops_the_message(sender: Sender, worthless: dict[str, Any]) -> None:
    hers = replace(coupon(HERS), **worthless)
    sender.offers.take(Reservation(coupon=hers))
    message = sender.plan()
    sender.service(reserving=Shelf([Reservation(coupon=coupon())], hers))(order(message))
    assert sender.standing(message).reason == "offer_closed"
    assert sender.provider.outbox == []


def test_nothing_limited_costs_nothing(sender: Sender) -> None:
    message = sender.plan()
    sender.service(reserving=Shelf([NOTHING]))(order(message))
    assert sender.standing(message).state is State.SENT

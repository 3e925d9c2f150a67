"""What a message takes along when it is claimed: the coupon its content promises, and its part of the budgets."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from regulars.clock import Clock
from regulars.decisions import budgets
from regulars.decisions.config import Decisions
from regulars.decisions.gate import coupon_cents
from regulars.decisions.model import Message
from regulars.errors import GiveUp
from regulars.offers.issuing import Issuing
from regulars.offers.model import NOTHING, Coupon, Reservation, Take
from regulars.offers.ports import Offers


class Reserving:
    """Implements `regulars.channels.ports.Reserving`. The offer is `message.content["offer"]["name"]`; a message without one
    that no budget pays takes nothing, and nothing is read for it."""

    def __init__(self, issuing: Issuing, store: Offers, decisions: Decisions, clock: Clock) -> None:
        self._issuing = issuing
        self._store = store
        self._decisions = decisions
        self._clock = clock

    def reserve(self, message: Message, *, now: datetime, attempt: int) -> Reservation:
        """Raises GiveUp(sold_out | offer_closed | over_budget)."""
        name, spends = _offer_of(message), self._spends(message, now, attempt)
        if not name:
            return Reservation(spends=spends) if spends else NOTHING
        if name not in self._issuing.names:
            raise GiveUp(f"no offer {name!r}", code="offer_closed")
        offer = self._issuing.offer(name)
        if spends and not budgets.pays_in(offer.currency, coupon_cents(message.content), self._decisions):
            raise GiveUp(f"offer {name!r} is in {offer.currency}, the budgets are not", code="over_budget")
        edition = self._issuing.edition(offer, message.subject, now)
        if attempt:
            # Stock or money: the claim did not say which shard was empty.
            self._issuing.stock.look(name, offer, edition)
        coupon = self._issuing.make(name, message.shopper, edition, now, moment_id=message.moment_id, attempt=attempt)
        return _parted(coupon, spends, coupon_cents(message.content) * budgets.MICRO)

    def held(self, message: Message) -> Coupon | None:
        """The coupon that she has already of the offer and occasion that `reserve` would have issued; consistent."""
        name = _offer_of(message)
        if name not in self._issuing.names:
            return None
        edition = self._issuing.edition(self._issuing.offer(name), message.subject, self._clock())
        return self._store.coupon(message.shopper, name, edition)

    def _spends(self, message: Message, now: datetime, attempt: int) -> tuple[Take, ...]:
        """Of every budget that pays: the message's own shard; once that was empty, or when it is smaller than the amount, those
        that have room."""
        spends = budgets.spends_of(message, self._decisions, now)
        if not attempt and all(take.amount <= take.limit for take in spends):
            return spends
        purses = {purse.pool: purse for purse in budgets.purses(message.kind, message.campaign, self._decisions, now)}
        parts = budgets.parts_each(len(spends))
        return tuple(part for take in spends for part in self._with_room(take, purses[take.pool], parts))

    def _with_room(self, take: Take, purse: budgets.Purse, parts: int) -> tuple[Take, ...]:
        found = budgets.spread(take, purse, self._store.taken(purse.pool, purse.shards), parts)
        if not found:
            raise GiveUp(f"budget {purse.budget!r} is spent", code="over_budget")
        return found


def _parted(coupon: Coupon, spends: tuple[Take, ...], coupon_cost: int) -> Reservation:
    """Of each budget, what the coupon is expected to cost belongs to it: its expiry gives that back, and the message's price
    stays spent."""
    of_coupon, of_message = list[Take](), list[Take]()
    left = {take.pool: coupon_cost for take in spends}
    for take in spends:
        its = min(left[take.pool], take.amount)
        left[take.pool] -= its
        of_coupon += [replace(take, amount=its)] if its else []
        of_message += [replace(take, amount=take.amount - its)] if take.amount > its else []
    return Reservation(coupon=replace(coupon, takes=(*coupon.takes, *of_coupon)), spends=tuple(of_message))


def _offer_of(message: Message) -> str:
    return str(message.content.get("offer", {}).get("name", ""))

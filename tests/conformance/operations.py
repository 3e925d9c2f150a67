"""Random operations on the ports that memory and DynamoDB both serve, drawn from a seed. See `test_random_operations`.

An operation is a name and a function of `Books`; it must not look at anything but the side it is given, so that both sides
are asked the same of their own state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from regulars.channels.model import Contact
from regulars.decisions.model import Message, State
from regulars.ids import message_id
from regulars.offers.codes import Codes, full_hour, hour_of
from regulars.offers.model import NOTHING, Coupon, CouponState, Reservation, Take
from regulars.triggers.model import Timer

START = datetime(2026, 6, 10, 12, 0, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
SHOPPERS = ("user:1", "user:2", "anon:3")
MOMENTS = tuple(f"cart_abandoned#{number}" for number in range(4))
CHANNELS = ("email", "push")
ADDRESSES = ("a@example.com", " A@Example.com", "b@example.com")
TOKENS = ("t0", "t1", "t2")
STATES = (State.SENT, State.FAILED, State.UNKNOWN, State.LAPSED, State.WITHHELD, State.PLANNED, State.DEFERRED)
MARKS = ("accepted", "delivered", "opened", "bounced", "converted")
OFFERS = ("welcome", "birthday")
POOLS = ("stock", "money")
SHARDS = 3
CODES = Codes(b"conformance" * 4)

Operation = Callable[["Books"], Any]


@dataclass
class Books:
    """One side. `read`: contacts as they were read last, which claims are conditional on."""

    ledger: Any
    contacts: Any
    suppressions: Any
    offers: Any
    timers: Any
    permits: Any
    pauses: Any
    read: dict[str, Contact] = field(default_factory=dict)


class Operations:
    """An endless row of operations; each happens a little later than the last."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.now = START
        self._reserved: dict[tuple[str, str], Reservation] = {}
        self._makers: list[tuple[int, Callable[[], Operation]]] = [
            (10, self.record),
            (6, self.read_message),
            (14, self.claim),
            (14, self.finish),
            (3, self.close),
            (3, self.postpone),
            (6, self.mark),
            (10, self.read_contact),
            (6, self.update_contact),
            (1, self.merge),
            (4, self.suppress),
            (2, self.unsuppress),
            (3, self.issue),
            (3, self.redeem),
            (2, self.undo),
            (2, self.expire),
            (3, self.look_at_offers),
            (10, self.set_timer),
            (3, self.cancel_timer),
            (5, self.fire),
            (4, self.permit),
            (1, self.forget),
        ]

    def __iter__(self) -> Iterator[tuple[str, Operation]]:
        weights = [weight for weight, _ in self._makers]
        while True:
            self.now += self._random.choice((SECOND, SECOND, 90 * SECOND, 2 * HOUR))
            maker = self._random.choices(self._makers, weights)[0][1]
            yield maker.__name__, maker()

    # Messages

    def record(self) -> Operation:
        shopper, moment = self._of(SHOPPERS), self._of(MOMENTS)
        state = self._of((State.PLANNED, State.PLANNED, State.PLANNED, State.DEFERRED, State.WITHHELD))
        channel = self._of((*CHANNELS, "inapp"))
        message = Message(
            shopper=shopper,
            moment_id=moment,
            kind="cart_abandoned",
            subject=moment.partition("#")[2],
            state=state,
            reason="chosen",
            decided_at=self.now,
            expires_at=self.now + 2 * DAY,
            channel=channel,
            address="" if channel == "inapp" else self._of(ADDRESSES),
            not_before=self.now + HOUR if state is State.DEFERRED else None,
            content={"template": "cart_abandoned", "items": [{"item_id": "花瓶", "price_cents": 1200}]},
            campaign=self._of(("", "spring")),
            facts=self._of(({}, {"items": ["i1"]})),
            deferrals=self._random.randrange(2),
        )
        return lambda books: books.ledger.record(message)

    def read_message(self) -> Operation:
        shopper, moment = self._of(SHOPPERS), self._of(MOMENTS)
        if self._random.random() < 0.3:
            return lambda books: list(books.ledger.list(shopper, 3))
        return lambda books: books.ledger.get(shopper, moment)

    def claim(self) -> Operation:
        shopper, moment, token = self._of(SHOPPERS), self._of(MOMENTS), self._of(TOKENS)
        reservation = self._reservation(shopper, moment)
        self._reserved[shopper, moment] = reservation
        arguments = {
            "token": token,
            "now": self.now,
            "lease_until": self.now + 60 * SECOND,
            "takes_slot": self._random.random() < 0.7,
            "keep_slots_since": self.now - self._of((DAY, 40 * DAY)),
            "reservation": reservation,
        }

        def run(books: Books) -> None:
            message = books.ledger.get(shopper, moment)
            if message:
                contact = books.read.get(shopper) or Contact(shopper=shopper)
                books.ledger.claim(message, contact, **arguments)

        return run

    def finish(self) -> Operation:
        shopper, moment, token, state = self._of(SHOPPERS), self._of(MOMENTS), self._of(TOKENS), self._of(STATES)
        arguments: dict[str, Any] = {
            "state": state,
            "reason": "because",
            "now": self.now,
            "provider_id": self._of(("", "p1")),
            "gives_slot_back": self._random.random() < 0.5,
            "returns": self._of((NOTHING, self._reserved.get((shopper, moment), NOTHING))),
        }
        if state is State.DEFERRED:
            arguments |= {"not_before": self.now + HOUR, "tried": self._of(("", "push"))}
        held = self._random.random() < 0.8

        def run(books: Books) -> None:
            message = books.ledger.get(shopper, moment)
            if message:
                books.ledger.finish(message, token=(held and message.token) or token, **arguments)

        return run

    def close(self) -> Operation:
        shopper, moment, now, state = self._of(SHOPPERS), self._of(MOMENTS), self.now, self._of((State.LAPSED, State.WITHHELD))
        return lambda books: books.ledger.close(shopper, moment, state=state, reason="closed", now=now)

    def postpone(self) -> Operation:
        shopper, moment, now = self._of(SHOPPERS), self._of(MOMENTS), self.now
        return lambda books: books.ledger.postpone(shopper, moment, not_before=now + HOUR, reason="paused", now=now)

    def mark(self) -> Operation:
        shopper, moment, word, now = self._of(SHOPPERS), self._of(MOMENTS), self._of(MARKS), self.now
        return lambda books: books.ledger.mark(shopper, moment, mark=word, at=now, detail="d")

    # Contacts and suppressions

    def read_contact(self) -> Operation:
        shopper = self._of(SHOPPERS)

        def run(books: Books) -> Contact:
            contact: Contact = books.contacts.load(shopper)
            books.read[shopper] = contact
            return contact

        return run

    def update_contact(self) -> Operation:
        shopper, now = self._of(SHOPPERS), self.now
        parts: dict[str, Any] = {"now": now}
        for name, value in (
            ("addresses", {self._of(CHANNELS): self._of((*ADDRESSES, None))}),
            ("consent", {self._of(CHANNELS): self._random.random() < 0.6}),
            ("topics", {f"{self._of(CHANNELS)}/carts": self._random.random() < 0.5}),
            ("details", {self._of(("language", "name", "country", "time_zone")): self._of(("x", "y"))}),
        ):
            if self._random.random() < 0.4:
                parts[name] = value
        if self._random.random() < 0.3:
            parts["consent_at"] = {self._of(CHANNELS): now - self._of((SECOND, HOUR, DAY))}
        if self._random.random() < 0.5:
            parts["proof"] = {"source": "test"}
        return lambda books: books.contacts.update(shopper, **parts)

    def merge(self) -> Operation:
        now = self.now
        return lambda books: books.contacts.merge("anon:3", "user:1", now=now)

    def suppress(self) -> Operation:
        channel, address, now, reason = self._of(CHANNELS), self._of(ADDRESSES), self.now, self._of(("bounce", "stopped"))

        def run(books: Books) -> Any:
            books.suppressions.add(channel, address, reason=reason, now=now)
            return dict(books.suppressions.among({channel: address, "sms": "+447700900123"}))

        return run

    def unsuppress(self) -> Operation:
        channel, address, said_at, reason = self._of(CHANNELS), self._of(ADDRESSES), self.now, self._of(("bounce", "stopped"))
        if self._random.random() < 0.4:
            return lambda books: books.suppressions.remove(channel, address)
        said_at -= self._of((timedelta(), HOUR))
        return lambda books: books.suppressions.lift(channel, address, reason=reason, said_at=said_at)

    # Offers

    def issue(self) -> Operation:
        reservation = self._reservation(self._of(SHOPPERS), "", always=True)
        return lambda books: books.offers.issue(reservation)

    def redeem(self) -> Operation:
        shopper, offer, order, now = self._of(SHOPPERS), self._of(OFFERS), f"o{self._random.randrange(5)}", self.now
        check = self._of(("device", "address"))
        stale = self._random.random() < 0.2

        def run(books: Books) -> Any:
            coupon = books.offers.coupon(shopper, offer, "")
            known = books.offers.uses([(check, "h1")])
            uses = [replace(entry, orders={**entry.orders, order: 1}, version=entry.version + stale) for entry in known]
            if coupon:
                books.offers.redeem(coupon, order_id=order, discount_cents=250, now=now, uses=uses)
            return known

        return run

    def undo(self) -> Operation:
        shopper, offer, now, to = (
            self._of(SHOPPERS),
            self._of(OFFERS),
            self.now,
            self._of((CouponState.ISSUED, CouponState.EXPIRED)),
        )

        def run(books: Books) -> None:
            coupon = books.offers.coupon(shopper, offer, "")
            if coupon and coupon.state is CouponState.REDEEMED:
                books.offers.undo(coupon, to=to, now=now)

        return run

    def expire(self) -> Operation:
        shopper, now = self._of(SHOPPERS), self.now
        return lambda books: books.offers.expire(books.offers.coupons(shopper)[:1], now)

    def look_at_offers(self) -> Operation:
        shopper, offer, lane = self._of(SHOPPERS), self._of(OFFERS), self._random.randrange(3)
        hour = hour_of(self.now)

        def run(books: Books) -> Any:
            books.offers.count(offer, lane, "refused")
            books.offers.advance("sweep", lane, hour)
            split = books.offers.split("stock", 2 + lane)
            counts = {word: count for word, count in books.offers.counts(offer).items() if count}
            return list(books.offers.coupons(shopper)), split, counts, list(books.offers.taken("stock", 2))

        return run

    # Timers

    def set_timer(self) -> Operation:
        shopper, subject = self._of(SHOPPERS), self._of(("1", "2"))
        due_at = self.now + self._of((timedelta(), SECOND, 5 * HOUR, DAY, -HOUR))
        timer = Timer(
            shopper=shopper,
            kind=self._of(("cart_abandoned", "welcome")),
            subject=subject,
            due_at=due_at,
            occurred_at=self.now - HOUR,
            expires_at=due_at + 2 * DAY,
            facts=self._of(({}, {"items": ["i1", "花瓶"]})),
            notes=self._of(({}, {"seen": [1]})),
            deferrals=self._random.randrange(2),
            remember_until=self._of((None, due_at + 9 * DAY)),
        )
        return lambda books: books.timers.set(timer)

    def cancel_timer(self) -> Operation:
        shopper, kinds, subject = (
            self._of(SHOPPERS),
            self._of((("welcome",), ("cart_abandoned", "welcome"))),
            self._of((None, "1")),
        )

        def run(books: Books) -> Any:
            return books.timers.cancel(shopper, kinds, subject=subject), list(books.timers.known(shopper))

        return run

    def fire(self) -> Operation:
        """What a tick does with each shard; a third of the ticks die before `done`."""
        now, dies = self.now, self._random.random() < 0.3
        after = now - self._of((DAY, 3 * DAY))

        def run(books: Books) -> Any:
            found = []
            for shard in range(SHARDS):
                cursor, timers = "", []
                while True:
                    page = books.timers.due(shard, after, now, 2, cursor)
                    timers += page.timers
                    cursor = page.cursor
                    if not cursor:
                        break
                if not dies:
                    books.timers.done(shard, timers)
                    books.timers.advance(shard, now)
                found.append(timers)
            return found, dict(books.timers.watermarks())

        return run

    # Limits of channels, erasure

    def permit(self) -> Operation:
        channel, window, now = self._of(CHANNELS), self._random.randrange(3), self.now
        word = self._of(("take", "take", "pause", "resume"))

        def run(books: Books) -> Any:
            if word == "take":
                return books.permits.take(channel, window, 4)
            if word == "pause":
                return books.pauses.pause(channel, "complaints", at=now), dict(books.pauses.standing())
            return books.pauses.resume(channel), dict(books.pauses.standing())

        return run

    def forget(self) -> Operation:
        return lambda books: books.offers.forget("anon:3")

    def _of(self, options: Any) -> Any:
        return options[self._random.randrange(len(options))]

    def _reservation(self, shopper: str, moment: str, always: bool = False) -> Reservation:
        if not always and self._random.random() < 0.6:
            return NOTHING
        expires_at = full_hour(self.now + DAY)
        offer, salt = self._of(OFFERS), self._random.randrange(1 << 30)
        takes = (Take(pool="stock", shard=self._random.randrange(2), amount=1, limit=2),)
        coupon = Coupon(
            shopper=shopper,
            offer=offer,
            edition="",
            code=CODES.make(shopper, offer, "", expires_at, salt),
            issued_at=self.now,
            expires_at=expires_at,
            moment_id=moment,
            takes=takes,
        )
        spends = (Take(pool="money", shard=0, amount=300, limit=700),) if self._random.random() < 0.5 else ()
        return Reservation(coupon=coupon if always or self._random.random() < 0.8 else None, spends=spends)


def state_of(books: Books) -> Mapping[str, Any]:
    """Everything that can be read of one side."""
    pairs = [(shopper, moment) for shopper in SHOPPERS for moment in MOMENTS]
    addresses = [(channel, address) for channel in CHANNELS for address in ADDRESSES]
    return {
        "messages": {message_id(*pair): books.ledger.get(*pair) for pair in pairs},
        "lists": {shopper: list(books.ledger.list(shopper)) for shopper in SHOPPERS},
        "contacts": {shopper: books.contacts.load(shopper) for shopper in SHOPPERS},
        "suppressed": {pair: books.suppressions.reason(*pair) for pair in addresses},
        "coupons": {shopper: list(books.offers.coupons(shopper)) for shopper in SHOPPERS},
        "taken": {pool: list(books.offers.taken(pool, 3)) for pool in POOLS},
        "uses": [books.offers.uses([(check, "h1")]) for check in ("device", "address")],
        "timers": {shopper: list(books.timers.known(shopper)) for shopper in SHOPPERS},
        "watermarks": dict(books.timers.watermarks()),
        "paused": dict(books.pauses.standing()),
    }

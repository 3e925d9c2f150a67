"""Every ledger takes what a message takes along in the claim, once, and gives it back in the finish, once; and puts off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from tests.support.decisions import EVENING, HOUR, KEEP, SHE, message
from tests.support.transactions import contended

from regulars.decisions.budgets import MOST_PARTS
from regulars.decisions.model import Message, State
from regulars.decisions.ports import Contacts, Ledger
from regulars.errors import Conflict
from regulars.offers.model import NOTHING, Coupon, Reservation, Take

STOCK = Take(pool="spring", shard=3, amount=1, limit=2)
MONEY = Take(pool="budget", shard=0, amount=400, limit=1000)


def coupon(moment_id: str = "cart_abandoned#c1", shopper: str = SHE) -> Coupon:
    return Coupon(
        shopper=shopper,
        offer="spring",
        edition="2026",
        code="0" * 14 + (shopper[-1] if shopper[-1].isdigit() else "A"),
        issued_at=EVENING,
        expires_at=EVENING + 48 * HOUR,
        moment_id=moment_id,
        takes=(STOCK,),
    )


BOTH = Reservation(coupon=coupon(), spends=(MONEY,))


@dataclass
class Books:
    ledger: Ledger
    contacts: Contacts
    taken: Callable[[Take], int]
    holds: Callable[[Coupon], bool]
    erase: Callable[[], None]

    def planned(self, **changes: object) -> Message:
        plan = message(**changes)  # type: ignore[arg-type]
        assert self.ledger.record(plan)
        if self.contacts.load(plan.shopper).version == 0:
            self.contacts.update(plan.shopper, now=EVENING, addresses={"email": "m@example.com"}, consent={"email": True})
        return plan

    def claim(self, plan: Message, reservation: Reservation, token: str = "t1") -> None:
        self.ledger.claim(
            plan,
            self.contacts.load(plan.shopper),
            token=token,
            now=EVENING,
            lease_until=EVENING + HOUR,
            takes_slot=True,
            keep_slots_since=EVENING - KEEP,
            reservation=reservation,
        )

    def finish(self, plan: Message, state: State, returns: Reservation = NOTHING, **more: object) -> None:
        values = {"token": "t1", "reason": "because", "now": EVENING, "gives_slot_back": bool(returns.takes), **more}
        self.ledger.finish(plan, state=state, returns=returns, **values)  # type: ignore[arg-type]

    def stands(self, plan: Message) -> Message:
        found = self.ledger.get(plan.shopper, plan.moment_id)
        assert found is not None
        return found

    @property
    def all_taken(self) -> tuple[int, int]:
        return self.taken(STOCK), self.taken(MONEY)


@pytest.fixture(params=["memory", "dynamodb"])
def books(request: pytest.FixtureRequest) -> Books:
    if request.param == "memory":
        from regulars.adapters.memory.contacts import MemoryContacts
        from regulars.adapters.memory.messages import MemoryLedger
        from regulars.adapters.memory.offers import MemoryOffers
        from regulars.adapters.memory.suppressions import MemorySuppressions

        known, offers = MemoryContacts(), MemoryOffers()
        return Books(
            MemoryLedger(known, MemorySuppressions(), offers),
            known,
            lambda take: sum(offers.taken(take.pool, take.shard + 1)[take.shard :]),
            lambda held: offers.coupon(held.shopper, held.offer, held.edition) is not None,
            lambda: known.merge(SHE, "user:elsewhere", now=EVENING),
        )
    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.messages import DynamoLedger
    from regulars.adapters.dynamodb.offers import DynamoOffers

    create = request.getfixturevalue("create_table")
    for name in ("messages", "contacts", "offers"):
        create(name, True)
    create("suppressions", False)
    contacts, store = DynamoContacts("contacts"), DynamoOffers("offers")
    return Books(
        DynamoLedger("messages", "contacts", "suppressions", "offers"),
        contacts,
        lambda take: sum(store.taken(take.pool, take.shard + 1)[take.shard :]),
        lambda held: store.coupon(held.shopper, held.offer, held.edition) is not None,
        lambda: contacts.merge(SHE, "user:elsewhere", now=EVENING),
    )


def refused(books: Books, plan: Message, reservation: Reservation, token: str = "t1") -> str:
    before = (books.all_taken, books.contacts.load(plan.shopper), books.stands(plan))
    with pytest.raises(Conflict) as raised:
        books.claim(plan, reservation, token)
    assert (books.all_taken, books.contacts.load(plan.shopper), books.stands(plan)) == before
    return raised.value.code


def test_a_claim_takes_all_of_it(books: Books) -> None:
    books.claim(books.planned(), BOTH)
    assert books.all_taken == (1, 400)
    assert books.holds(coupon())


@pytest.mark.parametrize("state", [State.FAILED, State.PLANNED, State.WITHHELD, State.DEFERRED])
def test_a_finish_gives_all_of_it_back_once(books: Books, state: State) -> None:
    plan = books.planned()
    books.claim(plan, BOTH)
    for _ in range(3):
        books.finish(plan, state, BOTH)
    assert books.all_taken == (0, 0)
    assert not books.holds(coupon())
    assert books.contacts.load(SHE).slots == ()


@pytest.mark.parametrize("state", [State.SENT, State.UNKNOWN])
def test_what_went_or_may_have_gone_is_kept(books: Books, state: State) -> None:
    plan = books.planned()
    books.claim(plan, BOTH)
    books.finish(plan, state)
    assert books.all_taken == (1, 400)
    assert books.holds(coupon())


def test_a_lost_token_gives_nothing_back(books: Books) -> None:
    plan = books.planned()
    books.claim(plan, BOTH)
    with pytest.raises(Conflict):
        books.finish(plan, State.FAILED, BOTH, token="t2")
    assert books.all_taken == (1, 400)


def test_she_gets_a_coupon_once(books: Books) -> None:
    first, second = books.planned(), books.planned(subject="c2")
    books.claim(first, BOTH)
    again = Reservation(coupon=coupon(second.moment_id), spends=(MONEY,))
    assert refused(books, second, again, "t2") == "coupon_held"
    books.claim(second, Reservation(spends=(MONEY,)), "t2")  # tells of the one she has
    assert books.all_taken == (1, 800)


@pytest.mark.parametrize("empty", [STOCK, MONEY])
def test_nothing_is_taken_when_one_part_is_used_up(books: Books, empty: Take) -> None:
    plan = books.planned()
    full = replace(empty, limit=empty.amount - 1)
    stock = full if empty is STOCK else STOCK
    wanted = Reservation(coupon=replace(coupon(), takes=(stock,)), spends=(full if empty is MONEY else MONEY,))
    assert refused(books, plan, wanted) == "pool_empty"
    assert not books.holds(coupon())


def test_the_last_unit_goes_once(books: Books) -> None:
    for number in range(3):
        plan = books.planned(subject=f"c{number}", shopper=f"user:{number}")
        one = Reservation(coupon=coupon(plan.moment_id, plan.shopper))
        if number < 2:
            books.claim(plan, one, f"t{number}")
        else:
            assert refused(books, plan, one, f"t{number}") == "pool_empty"
    assert books.taken(STOCK) == 2


def test_an_erased_contact_stops_no_return(books: Books) -> None:
    plan = books.planned()
    books.claim(plan, BOTH)
    books.erase()
    for _ in range(2):
        books.finish(plan, State.FAILED, BOTH)
    assert books.all_taken == (0, 0)
    assert books.stands(plan).state is State.FAILED
    assert books.contacts.load(SHE).version == 0


def test_a_refused_message_is_put_off_with_the_channel_it_tried(books: Books) -> None:
    plan = books.planned(tried=("sms",))
    books.claim(plan, BOTH)
    until = EVENING + timedelta(minutes=1)
    for _ in range(2):
        books.finish(plan, State.DEFERRED, BOTH, not_before=until, tried="email")
    standing = books.stands(plan)
    assert (standing.state, standing.not_before, standing.tried) == (State.DEFERRED, until, ("sms", "email"))
    assert books.all_taken == (0, 0)
    assert books.ledger.record(replace(plan, channel="push", tried=standing.tried))
    books.claim(plan, BOTH, "t2")
    assert books.all_taken == (1, 400)


def test_what_was_not_claimed_is_put_off_once(books: Books) -> None:
    plan = books.planned()
    until = EVENING + HOUR
    say = {"not_before": until, "reason": "channel_paused", "now": EVENING}
    assert books.ledger.postpone(SHE, plan.moment_id, **say)  # type: ignore[arg-type]
    assert not books.ledger.postpone(SHE, plan.moment_id, **say)  # type: ignore[arg-type]
    standing = books.stands(plan)
    assert (standing.state, standing.not_before, standing.reason) == (State.DEFERRED, until, "channel_paused")
    assert [word for _, word, _ in standing.history] == ["PLANNED", "DEFERRED"]
    assert not books.ledger.postpone(SHE, "cart_abandoned#none", **say)  # type: ignore[arg-type]


def test_a_claimed_message_is_not_put_off(books: Books) -> None:
    plan = books.planned()
    books.claim(plan, NOTHING)
    assert not books.ledger.postpone(SHE, plan.moment_id, not_before=EVENING, reason="x", now=EVENING)
    assert books.stands(plan).state is State.CLAIMED


def test_when_the_moment_happened_is_kept(books: Books) -> None:
    plan = books.planned(occurred_at=EVENING - HOUR)
    assert books.stands(plan) == plan


def test_a_finish_that_meets_others_in_a_shard_is_written_all_the_same(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from regulars.adapters.dynamodb import messages
    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.offers import DynamoOffers

    create = request.getfixturevalue("create_table")
    for name in ("messages", "contacts", "offers"):
        create(name, True)
    create("suppressions", False)
    ledger, contacts = messages.DynamoLedger("messages", "contacts", "suppressions", "offers"), DynamoContacts("contacts")
    books = Books(ledger, contacts, lambda take: 0, lambda coupon: False, lambda: None)
    plan = books.planned()
    books.claim(plan, BOTH)
    monkeypatch.setattr(messages, "transact", contended(4))
    ledger.finish(plan, token="t1", state=State.PLANNED, reason="later", now=EVENING, gives_slot_back=True, returns=BOTH)
    assert contacts.load(SHE).slots == ()
    assert sum(DynamoOffers("offers").taken("spring", 4)) == 0


MANY = tuple(Take(pool="wide", shard=shard, amount=5, limit=5) for shard in range(MOST_PARTS))


def test_money_from_as_many_shards_as_there_may_be_is_taken_and_returned_whole(books: Books) -> None:
    """The largest transaction that a message makes: its entry, contact, coupon, stock, and a part of every shard."""
    plan, other = books.planned(), books.planned(subject="c2", shopper="user:7")
    wide = Reservation(coupon=replace(coupon(), takes=(STOCK, *MANY[::2])), spends=MANY[1::2])
    books.claim(plan, wide)
    assert [books.taken(take) for take in MANY] == [5] * MOST_PARTS
    one = Reservation(spends=(MONEY, replace(MANY[40], amount=1)))
    assert refused(books, other, one, "t2") == "pool_empty"
    for _ in range(2):
        books.finish(plan, State.FAILED, wide)
    assert sum(books.taken(take) for take in MANY) == 0
    assert books.all_taken == (0, 0)
    books.claim(other, one, "t2")

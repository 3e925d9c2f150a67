"""A slot taken before the shopper was known joins her contact, and every ledger gives it back from where it lies."""

from __future__ import annotations

import pytest
from tests.support.decisions import EVENING, HOUR, KEEP, SHE, message
from tests.support.ledger import SECOND, Books

from regulars.channels.model import Contact
from regulars.decisions.model import Message, State

ANON = "anon:phone"


def held_by(books: Books, shopper: str) -> list[tuple[str, object]]:
    return [(slot.moment_id, slot.at) for slot in books.contacts.load(shopper).slots]


def claimed_anonymously(books: Books, **changes: object) -> Message:
    """A message of a shopper who is not known yet, at work."""
    plan = message(shopper=ANON, **changes)  # type: ignore[arg-type]
    assert books.ledger.record(plan)
    books.contacts.update(ANON, now=EVENING, addresses={"email": "mira@example.com"}, consent={"email": True})
    books.claim(plan)
    return plan


@pytest.mark.parametrize("state", [State.PLANNED, State.DEFERRED, State.FAILED, State.WITHHELD, State.LAPSED])
def test_a_slot_that_joined_a_known_shopper_while_claimed_comes_back_once(books: Books, state: State) -> None:
    other = books.planned(subject="c2")
    books.claim(other, token="t2")
    plan = claimed_anonymously(books)
    books.contacts.merge(ANON, SHE, now=EVENING + SECOND)
    assert books.slots == sorted([plan.moment_id, other.moment_id])
    for _ in range(2):
        books.finish(plan, state, gives_slot_back=True)
    assert books.stands(plan).state is state
    assert books.slots == [other.moment_id]
    assert books.contacts.load(ANON).version == 0


def test_a_slot_that_joined_stays_taken_by_what_was_sent(books: Books) -> None:
    plan = claimed_anonymously(books)
    books.contacts.merge(ANON, SHE, now=EVENING + SECOND)
    books.finish(plan, State.UNKNOWN)
    assert books.slots == [plan.moment_id]


def test_a_repeated_join_does_not_hide_where_the_slot_went(books: Books) -> None:
    """The anonymous contact came to life again, holding nothing, and joined once more."""
    plan = claimed_anonymously(books)
    for _ in range(2):
        books.contacts.merge(ANON, SHE, now=EVENING + SECOND)
        books.contacts.update(ANON, now=EVENING + SECOND, details={"language": "en"})
    books.finish(plan, State.FAILED, gives_slot_back=True)
    assert books.slots == []


def test_taking_an_address_from_one_who_joined_makes_no_contact(books: Books) -> None:
    claimed_anonymously(books)
    books.contacts.merge(ANON, SHE, now=EVENING + SECOND)
    books.contacts.update(ANON, now=EVENING + SECOND, addresses={"email": None})
    assert books.contacts.load(ANON) == Contact(shopper=ANON)


@pytest.mark.parametrize("first", ["hers", "joined"])
def test_two_moments_called_the_same_keep_their_slots_apart(books: Books, first: str) -> None:
    """The one she was sent under her own name holds its slot, whatever becomes of the one from before she was known."""
    anonymous = claimed_anonymously(books)
    hers = books.planned()
    if first == "joined":
        books.contacts.merge(ANON, SHE, now=EVENING + SECOND)
    books.ledger.claim(
        hers,
        books.contacts.load(SHE),
        token="t2",
        now=EVENING + 2 * SECOND,
        lease_until=EVENING + HOUR,
        takes_slot=True,
        keep_slots_since=EVENING - KEEP,
    )
    if first == "hers":
        books.contacts.merge(ANON, SHE, now=EVENING + SECOND)
    books.finish(anonymous, State.FAILED, gives_slot_back=True)
    assert books.stands(anonymous).state is State.FAILED
    assert held_by(books, SHE) == [(hers.moment_id, EVENING + 2 * SECOND)]

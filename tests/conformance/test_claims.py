"""Every ledger gives a message to one worker, under the claim's conditions, and takes one receipt; slots come back once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.decisions import DAY, EVENING, HOUR, SHE, message
from tests.support.ledger import SECOND, Books

from regulars.decisions.model import State
from regulars.errors import Conflict


def code_of(raised: pytest.ExceptionInfo[Conflict]) -> str:
    return raised.value.code


def test_a_claim_takes_the_message_and_a_slot(books: Books) -> None:
    plan = books.planned()
    before = books.contacts.load(SHE)
    books.claim(plan)
    claimed, contact = books.stands(plan), books.contacts.load(SHE)
    assert (claimed.state, claimed.token, claimed.lease_until) == (State.CLAIMED, "t1", EVENING + HOUR)
    assert [(slot.moment_id, slot.channel, slot.kind, slot.at) for slot in contact.slots] == [
        (plan.moment_id, "email", "cart_abandoned", EVENING + SECOND)
    ]
    assert contact.version == before.version + 1
    assert [word for _, word, _ in claimed.history] == ["PLANNED", "CLAIMED"]


def test_a_claim_without_a_slot_still_guards_the_contact(books: Books) -> None:
    plan = books.planned()
    before = books.contacts.load(SHE)
    books.claim(plan, takes_slot=False)
    assert books.slots == []
    assert books.contacts.load(SHE).version == before.version + 1


def test_only_a_plan_can_be_claimed(books: Books) -> None:
    plan = books.planned()
    books.claim(plan)
    for stranger in (plan, message(subject="never_recorded")):
        with pytest.raises(Conflict) as raised:
            books.claim(stranger, token="t2")
        assert code_of(raised) == "not_planned"
    assert books.stands(plan).token == "t1"
    assert len(books.slots) == 1


def test_a_claim_fails_when_the_contact_changed(books: Books) -> None:
    plan = books.planned()
    read = books.contacts.load(SHE)
    books.contacts.update(SHE, now=EVENING, consent={"email": False})
    with pytest.raises(Conflict) as raised:
        books.claim(plan, read)
    assert code_of(raised) == "contact_changed"
    assert books.stands(plan).state is State.PLANNED
    assert books.slots == []


def test_a_claim_for_an_unknown_contact_fails_when_one_appears(books: Books) -> None:
    plan = message()
    books.ledger.record(plan)
    read = books.contacts.load(SHE)
    books.contacts.update(SHE, now=EVENING, consent={"email": True})
    with pytest.raises(Conflict) as raised:
        books.claim(plan, read)
    assert code_of(raised) == "contact_changed"


def test_a_claim_fails_when_the_address_is_suppressed(books: Books) -> None:
    plan = books.planned()
    books.suppressions.add("email", "MIRA@example.com ", reason="bounced", now=EVENING)
    with pytest.raises(Conflict) as raised:
        books.claim(plan)
    assert code_of(raised) == "suppressed"
    assert books.stands(plan).state is State.PLANNED
    assert books.slots == []


def test_an_in_app_message_has_no_address_to_be_suppressed(books: Books) -> None:
    plan = replace(message(), channel="inapp", address="")
    books.ledger.record(plan)
    books.contacts.update(SHE, now=EVENING, consent={"inapp": True})
    books.claim(plan)
    assert books.stands(plan).state is State.CLAIMED


def test_of_two_claims_with_the_same_contact_one_wins(books: Books) -> None:
    first, second = books.planned(), books.planned(subject="c2")
    read = books.contacts.load(SHE)
    books.claim(first, read)
    with pytest.raises(Conflict) as raised:
        books.claim(second, read, token="t2")
    assert code_of(raised) == "contact_changed"
    assert books.slots == [first.moment_id]


def test_faded_slots_are_dropped_by_the_next_claim(books: Books) -> None:
    old = books.planned(subject="old")
    books.ledger.claim(
        old,
        books.contacts.load(SHE),
        token="t0",
        now=EVENING - 50 * DAY,
        lease_until=EVENING,
        takes_slot=True,
        keep_slots_since=EVENING - 90 * DAY,
    )
    new = books.planned(subject="new")
    books.claim(new)
    assert books.slots == [new.moment_id]


def test_the_fence_holds_for_the_token_alone_and_while_claimed(books: Books) -> None:
    plan = books.planned()
    assert not books.ledger.holds(SHE, plan.moment_id, "t1")
    books.claim(plan)
    assert books.ledger.holds(SHE, plan.moment_id, "t1")
    assert not books.ledger.holds(SHE, plan.moment_id, "t2")
    books.finish(plan, State.SENT)
    assert not books.ledger.holds(SHE, plan.moment_id, "t1")


@pytest.mark.parametrize("state", [State.SENT, State.FAILED, State.UNKNOWN, State.LAPSED, State.WITHHELD])
def test_a_claim_is_finished_once(books: Books, state: State) -> None:
    plan = books.planned()
    books.claim(plan)
    for _ in range(2):
        books.finish(plan, state)
    done = books.stands(plan)
    assert (done.state, done.reason, done.provider_id, done.lease_until) == (state, "because", "p1", None)
    assert [word for _, word, _ in done.history] == ["PLANNED", "CLAIMED", state.value]
    assert books.slots == [plan.moment_id]


def test_another_token_cannot_finish(books: Books) -> None:
    plan = books.planned()
    with pytest.raises(Conflict) as raised:
        books.finish(plan, State.SENT)
    assert code_of(raised) == "token_lost"
    books.claim(plan)
    with pytest.raises(Conflict) as raised:
        books.finish(plan, State.SENT, token="t2", gives_slot_back=True)
    assert code_of(raised) == "token_lost"
    books.finish(plan, State.UNKNOWN)
    with pytest.raises(Conflict):
        books.finish(plan, State.SENT)
    assert books.stands(plan).state is State.UNKNOWN
    assert books.slots == [plan.moment_id]


def test_the_slot_comes_back_exactly_once(books: Books) -> None:
    failing, other = books.planned(), books.planned(subject="c2")
    books.claim(failing)
    books.claim(other, token="t2")
    version = books.contacts.load(SHE).version
    for _ in range(2):
        books.finish(failing, State.FAILED, gives_slot_back=True)
    assert books.slots == [other.moment_id]
    assert books.contacts.load(SHE).version == version + 1
    assert books.stands(failing).slot == ""


def test_a_slot_of_an_erased_contact_stops_nothing(books: Books) -> None:
    plan = books.planned()
    books.claim(plan)
    books.contacts.merge(SHE, "user:elsewhere", now=EVENING)
    books.finish(plan, State.FAILED, gives_slot_back=True)
    assert books.stands(plan).state is State.FAILED
    assert books.contacts.load(SHE).version == 0


def test_what_was_not_handed_over_goes_back_to_the_plan(books: Books) -> None:
    plan = books.planned()
    books.claim(plan)
    for _ in range(2):
        books.finish(plan, State.PLANNED, gives_slot_back=True)
    again = books.stands(plan)
    assert (again.state, again.token, again.lease_until) == (State.PLANNED, "", None)
    assert books.slots == []
    books.claim(plan, token="t2")
    assert books.ledger.holds(SHE, plan.moment_id, "t2")

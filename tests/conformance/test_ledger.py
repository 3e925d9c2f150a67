"""Every ledger keeps the same promises: each transition happens under its conditions, and only once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from tests.support.decisions import DAY, EVENING, HOUR, KEEP, SHE, message

from regulars.channels.model import Contact
from regulars.decisions.model import Message, State
from regulars.decisions.ports import Contacts, Ledger, Suppressions
from regulars.errors import Conflict, NotFound

SECOND = timedelta(seconds=1)


@dataclass
class Books:
    ledger: Ledger
    contacts: Contacts
    suppressions: Suppressions

    def planned(self, **changes: object) -> Message:
        """A recorded plan for a shopper with a contact."""
        plan = message(**changes)  # type: ignore[arg-type]
        assert self.ledger.record(plan)
        if self.contacts.load(SHE).version == 0:
            self.contacts.update(SHE, now=EVENING, addresses={"email": "mira@example.com"}, consent={"email": True})
        return plan

    def claim(self, plan: Message, contact: Contact | None = None, token: str = "t1", takes_slot: bool = True) -> None:
        self.ledger.claim(
            plan,
            contact or self.contacts.load(plan.shopper),
            token=token,
            now=EVENING + SECOND,
            lease_until=EVENING + HOUR,
            takes_slot=takes_slot,
            keep_slots_since=EVENING - KEEP,
        )

    def finish(self, plan: Message, state: State, token: str = "t1", gives_slot_back: bool = False) -> None:
        self.ledger.finish(
            plan,
            token=token,
            state=state,
            reason="because",
            now=EVENING + 2 * SECOND,
            provider_id="p1",
            gives_slot_back=gives_slot_back,
        )

    def stands(self, plan: Message) -> Message:
        found = self.ledger.get(plan.shopper, plan.moment_id)
        assert found is not None
        return found

    @property
    def slots(self) -> list[str]:
        return [slot.moment_id for slot in self.contacts.load(SHE).slots]


@pytest.fixture(params=["memory", "dynamodb"])
def books(request: pytest.FixtureRequest) -> Books:
    if request.param == "memory":
        from regulars.adapters.memory.contacts import MemoryContacts
        from regulars.adapters.memory.messages import MemoryLedger
        from regulars.adapters.memory.suppressions import MemorySuppressions

        contacts, suppressions = MemoryContacts(), MemorySuppressions()
        return Books(MemoryLedger(contacts, suppressions), contacts, suppressions)
    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.messages import DynamoLedger
    from regulars.adapters.dynamodb.suppressions import DynamoSuppressions

    create = request.getfixturevalue("create_table")
    create("messages", True)
    create("contacts", True)
    create("suppressions", False)
    return Books(
        DynamoLedger("messages", "contacts", "suppressions"), DynamoContacts("contacts"), DynamoSuppressions("suppressions")
    )


def code_of(raised: pytest.ExceptionInfo[Conflict]) -> str:
    return raised.value.code


def test_what_is_recorded_is_read_back_whole(books: Books) -> None:
    full = message(
        not_before=EVENING + HOUR,
        lease_until=EVENING + 2 * HOUR,
        token="t0",
        provider_id="p0",
        slot="s0",
        marks={"delivered": 12},
        arm="treated",
        correlation_id="c0",
        content={"template": "cart_abandoned", "items": [{"item_id": "i1", "title": "花瓶", "price_cents": 1200}], "facts": {}},
    )
    assert books.ledger.record(full)
    assert books.ledger.get(SHE, full.moment_id) == full
    assert books.ledger.get(SHE, "cart_abandoned#other") is None
    assert books.ledger.get("user:other", full.moment_id) is None


def test_a_decision_is_made_once(books: Books) -> None:
    books.planned()
    assert not books.ledger.record(message(reason="another"))
    assert books.stands(message()).reason == "chosen"


def test_a_deferred_decision_may_be_made_anew(books: Books) -> None:
    waiting = message(state=State.DEFERRED, reason="quiet_hours", not_before=EVENING + HOUR)
    assert books.ledger.record(waiting)
    assert books.ledger.record(message())
    assert books.stands(waiting) == message()


def test_the_list_is_newest_first_and_one_shoppers(books: Books) -> None:
    for number in (2, 0, 1):
        books.ledger.record(message(subject=f"c{number}", at=EVENING + number * HOUR))
    books.ledger.record(message(subject="c9", shopper="user:other"))
    assert [entry.subject for entry in books.ledger.list(SHE)] == ["c2", "c1", "c0"]
    assert [entry.subject for entry in books.ledger.list(SHE, limit=2)] == ["c2", "c1"]


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


@pytest.mark.parametrize("state", [State.PLANNED, State.DEFERRED])
def test_a_waiting_message_can_be_closed_once(books: Books, state: State) -> None:
    books.ledger.record(message(state=state))
    closing = {"state": State.LAPSED, "reason": "answered_by_order", "now": EVENING + HOUR}
    assert books.ledger.close(SHE, message().moment_id, **closing)  # type: ignore[arg-type]
    assert not books.ledger.close(SHE, message().moment_id, **closing)  # type: ignore[arg-type]
    closed = books.stands(message())
    assert (closed.state, closed.reason) == (State.LAPSED, "answered_by_order")


def test_a_claimed_or_missing_message_cannot_be_closed(books: Books) -> None:
    plan = books.planned()
    books.claim(plan)
    assert not books.ledger.close(SHE, plan.moment_id, state=State.LAPSED, reason="x", now=EVENING)
    assert not books.ledger.close(SHE, "cart_abandoned#none", state=State.LAPSED, reason="x", now=EVENING)
    assert books.stands(plan).state is State.CLAIMED


def test_a_mark_is_set_once(books: Books) -> None:
    plan = books.planned()
    assert books.ledger.mark(SHE, plan.moment_id, mark="opened", at=EVENING + HOUR, detail="web")
    assert not books.ledger.mark(SHE, plan.moment_id, mark="opened", at=EVENING + DAY)
    marked = books.stands(plan)
    assert marked.marks == {"opened": int((EVENING + HOUR).timestamp() * 1000)}
    assert [word for _, word, _ in marked.history] == ["PLANNED", "opened"]
    with pytest.raises(NotFound):
        books.ledger.mark(SHE, "cart_abandoned#none", mark="opened", at=EVENING)


@pytest.mark.parametrize("mark", ["accepted", "delivered", "opened", "clicked", "bounced", "complained"])
def test_feedback_settles_what_could_not_be_told(books: Books, mark: str) -> None:
    plan = books.planned()
    books.claim(plan)
    books.finish(plan, State.UNKNOWN)
    books.ledger.mark(SHE, plan.moment_id, mark=mark, at=EVENING + HOUR)
    assert books.stands(plan).state is State.SENT


def test_feedback_that_was_faster_than_the_receipt_settles_too(books: Books) -> None:
    plan = books.planned()
    books.claim(plan)
    books.ledger.mark(SHE, plan.moment_id, mark="delivered", at=EVENING + HOUR)
    assert books.stands(plan).state is State.CLAIMED
    for _ in range(2):
        books.finish(plan, State.UNKNOWN)
    assert books.stands(plan).state is State.SENT


def test_a_mark_that_says_nothing_of_the_provider_settles_nothing(books: Books) -> None:
    plan = books.planned()
    books.claim(plan)
    books.finish(plan, State.UNKNOWN)
    books.ledger.mark(SHE, plan.moment_id, mark="converted", at=EVENING + HOUR)
    assert books.stands(plan).state is State.UNKNOWN


def test_an_in_app_message_has_no_address_to_be_suppressed(books: Books) -> None:
    plan = replace(message(), channel="inapp", address="")
    books.ledger.record(plan)
    books.contacts.update(SHE, now=EVENING, consent={"inapp": True})
    books.claim(plan)
    assert books.stands(plan).state is State.CLAIMED

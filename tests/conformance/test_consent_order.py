"""Consent is what was said last, in whatever order it arrives and whoever joins whom; a refusal wins a tie. Both stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.decisions import DAY, EVENING, SHE

from regulars.adapters.memory.contacts import MemoryContacts
from regulars.channels.model import Contact
from regulars.clock import to_ms
from regulars.decisions.merging import joined
from regulars.decisions.ports import Contacts
from regulars.errors import TryLater

Word = tuple[str, bool, int]
"""(channel or channel/topic, said, seconds after EVENING)"""
NOW = EVENING + DAY


@pytest.fixture(params=["memory", "dynamodb"])
def contacts(request: pytest.FixtureRequest) -> Contacts:
    if request.param == "memory":
        return MemoryContacts()
    from regulars.adapters.dynamodb.contacts import DynamoContacts

    return DynamoContacts(request.getfixturevalue("create_table")("contacts", True))


def say(contacts: Contacts, shopper: str, word: Word) -> None:
    subject, granted, seconds = word
    kind = "topics" if "/" in subject else "consent"
    at = {subject: EVENING + timedelta(seconds=seconds)}
    contacts.update(shopper, now=NOW, consent_at=at, **{kind: {subject: granted}})  # type: ignore[arg-type]


def stands(contact: Contact) -> dict[str, tuple[bool, int]]:
    return {subject: (word, contact.consent_at[subject]) for subject, word in {**contact.consent, **contact.topics}.items()}


def last_word(words: list[Word]) -> dict[str, tuple[bool, int]]:
    """The law, written another way: by instant, refusals after consents."""
    said: dict[str, tuple[bool, int]] = {}
    for subject, granted, seconds in sorted(words, key=lambda word: (word[2], not word[1])):
        said[subject] = (granted, int((EVENING + timedelta(seconds=seconds)).timestamp() * 1000))
    return said


SAID: list[Word] = [
    ("email", True, 1),
    ("email", False, 2),
    ("email", True, 2),
    ("email/carts", False, 3),
    ("email/carts", True, 4),
]


def test_every_order_of_arrival_ends_alike(contacts: Contacts) -> None:
    for number, order in enumerate(permutations(SAID)):
        shopper = f"user:{number}"
        for word in order:
            say(contacts, shopper, word)
        assert stands(contacts.load(shopper)) == last_word(SAID), order


def test_an_older_word_changes_nothing_at_all(contacts: Contacts) -> None:
    say(contacts, SHE, ("email", False, 9))
    before = contacts.load(SHE)
    say(contacts, SHE, ("email", True, 8))
    say(contacts, SHE, ("email", True, 9))
    say(contacts, SHE, ("email", False, 9))
    assert contacts.load(SHE) == before


def test_a_later_refusal_again_holds_off_a_yes_from_between(contacts: Contacts) -> None:
    for word in (("email", False, 1), ("email", False, 9), ("email", True, 5)):
        say(contacts, SHE, word)
    assert contacts.load(SHE).consent == {"email": False}


def proofs(contacts: Contacts) -> list[tuple[str, bool]]:
    """(channel or topic, granted) of every word of hers that was written down."""
    if isinstance(contacts, MemoryContacts):
        return [(subject, granted) for _, _, subject, granted, _ in contacts.proofs]
    from regulars.adapters.dynamodb.client import query

    kept = query(
        "contacts",
        KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues={":pk": SHE, ":prefix": "consent#"},
    )
    return [(item["sk"].split("#", 2)[2], item["granted"]) for item in kept]


def test_a_refusal_said_again_moves_its_instant_and_nothing_else(contacts: Contacts) -> None:
    """An app says it at every start: no proof more, and no claim of hers finds the contact changed."""
    for word in (("email", False, 1), ("email/carts", False, 1)):
        say(contacts, SHE, word)
    before = contacts.load(SHE)
    for seconds in range(2, 32):
        say(contacts, SHE, ("email", False, seconds))
        say(contacts, SHE, ("email/carts", False, seconds))
    after = contacts.load(SHE)
    assert replace(after, consent_at=before.consent_at) == before
    assert proofs(contacts) == [("email", False), ("email/carts", False)]
    assert stands(after) == last_word([("email", False, 31), ("email/carts", False, 31)])


def test_what_comes_with_a_refusal_said_again_counts(contacts: Contacts) -> None:
    say(contacts, SHE, ("email", False, 1))
    at = dict.fromkeys(("email", "sms"), EVENING + timedelta(seconds=9))
    contacts.update(SHE, now=NOW, consent={"email": False, "sms": True}, consent_at=at)
    contacts.update(SHE, now=NOW, consent={"email": False}, addresses={"email": "a@example.com"})
    contact = contacts.load(SHE)
    assert (contact.version, contact.consent, contact.consent_at["email"]) == (3, {"email": False, "sms": True}, to_ms(NOW))
    assert contact.addresses == {"email": "a@example.com"}
    assert proofs(contacts) == [("email", False), ("sms", True)]


def test_a_refusal_after_a_yes_is_news_again(contacts: Contacts) -> None:
    for word in (("email", False, 1), ("email", True, 2), ("email", False, 3)):
        say(contacts, SHE, word)
    assert (contacts.load(SHE).version, proofs(contacts)) == (3, [("email", False), ("email", True), ("email", False)])


@pytest.mark.parametrize("whose", ["anon:1", SHE])
def test_a_refusal_said_again_while_two_contacts_join_is_not_lost(
    whose: str, monkeypatch: pytest.MonkeyPatch, create_table: object
) -> None:
    from regulars.adapters.dynamodb import contacts as adapter

    contacts = adapter.DynamoContacts(create_table("contacts", True))  # type: ignore[operator]
    for shopper in ("anon:1", SHE):
        say(contacts, shopper, ("email", False, 1))
    reads, later = 0, iter([("email", False, 8), ("email", False, 9)])
    real = adapter.get

    def get(table: str, key: Mapping[str, Any]) -> Any:
        nonlocal reads
        found, reads = real(table, key), reads + 1
        if reads in (2, 5):  # both were read; and, in the second try, again (what is said reads too)
            say(contacts, whose, next(later))
        return found

    monkeypatch.setattr(adapter, "get", get)
    contacts.merge("anon:1", SHE, now=NOW)
    assert next(later, None) is None
    say(contacts, SHE, ("email", True, 5))
    assert stands(contacts.load(SHE)) == last_word([("email", False, 9)])


def test_a_fast_clock_cannot_outlive_a_refusal(contacts: Contacts) -> None:
    contacts.update(SHE, now=EVENING, consent={"email": True}, consent_at={"email": EVENING + DAY})
    contacts.update(SHE, now=EVENING + timedelta(seconds=1), consent={"email": False})
    assert contacts.load(SHE).consent == {"email": False}


def test_what_comes_with_an_outdated_word_is_kept(contacts: Contacts) -> None:
    say(contacts, SHE, ("email", False, 9))
    contacts.update(SHE, now=NOW, addresses={"email": "a@example.com"}, consent={"email": True}, consent_at={"email": EVENING})
    contact = contacts.load(SHE)
    assert (contact.addresses, contact.consent) == ({"email": "a@example.com"}, {"email": False})


def test_taking_an_address_away_makes_no_contact(contacts: Contacts) -> None:
    contacts.update(SHE, now=NOW, addresses={"push": None})
    assert contacts.load(SHE).version == 0


@pytest.mark.parametrize("anonymous_first", [True, False])
def test_joining_keeps_the_later_word_whoever_said_it(contacts: Contacts, anonymous_first: bool) -> None:
    hers, theirs = (9, 3) if anonymous_first else (3, 9)
    say(contacts, "anon:1", ("email", False, theirs))
    say(contacts, SHE, ("email", True, hers))
    contacts.merge("anon:1", SHE, now=NOW)
    assert contacts.load(SHE).consent == {"email": hers > theirs}
    say(contacts, SHE, ("email", hers < theirs, 5))
    assert contacts.load(SHE).consent == {"email": hers > theirs}


words = st.lists(
    st.tuples(st.sampled_from(["email", "sms", "email/carts"]), st.booleans(), st.integers(0, 3)), min_size=1, max_size=7
)


@settings(max_examples=300, deadline=None)
@given(
    said=words, order=st.randoms(use_true_random=False), places=st.lists(st.sampled_from(["anon:1", "anon:2", SHE]), min_size=7)
)
def test_any_order_any_joins(said: list[Word], order: object, places: list[str]) -> None:
    """Said in any order, under any of her names, joined at any moment: the law decides."""
    contacts, gone = MemoryContacts(), set[str]()
    shuffled = list(said)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    for word, place in zip(shuffled, places, strict=False):
        say(contacts, SHE if place in gone else place, word)
        if place != SHE and order.random() < 0.5:  # type: ignore[attr-defined]
            contacts.merge(place, SHE, now=NOW)
            gone.add(place)
    for place in ("anon:1", "anon:2"):
        contacts.merge(place, SHE, now=NOW)
    assert stands(contacts.load(SHE)) == last_word(said)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=words)
def test_dynamodb_says_what_memory_says(said: list[Word], create_table: object) -> None:
    from uuid import uuid4

    from regulars.adapters.dynamodb.contacts import DynamoContacts

    stored, memory = DynamoContacts(create_table(f"contacts-{uuid4()}", True)), MemoryContacts()  # type: ignore[operator]
    for word in said:
        say(stored, SHE, word)
        say(memory, SHE, word)
    assert stored.load(SHE) == memory.load(SHE)


@given(one=words, other=words)
def test_joins_commute(one: list[Word], other: list[Word]) -> None:
    contacts = MemoryContacts()
    for shopper, said in (("a", one), ("b", other)):
        for word in said:
            say(contacts, shopper, word)
    there = joined(contacts.load("a"), contacts.load("b"), NOW)
    back = joined(contacts.load("b"), contacts.load("a"), NOW)
    assert stands(there) == stands(back) == last_word([*one, *other])


def test_a_word_that_comes_between_reading_and_writing_is_weighed(
    monkeypatch: pytest.MonkeyPatch, create_table: object
) -> None:
    """She refuses on another device just as an older yes is being written: the refusal stands."""
    from regulars.adapters.dynamodb.contacts import DynamoContacts

    contacts = DynamoContacts(create_table("contacts", True))  # type: ignore[operator]
    real, races = contacts.load, iter([("email", False, 7)])

    def load(shopper: str) -> Contact:
        found = real(shopper)
        for word in races:
            say(DynamoContacts("contacts"), shopper, word)
        return found

    monkeypatch.setattr(contacts, "load", load)
    say(contacts, SHE, ("email", True, 5))
    assert real(SHE).consent == {"email": False}


def test_consent_that_never_stands_still_is_tried_later(monkeypatch: pytest.MonkeyPatch, create_table: object) -> None:
    from regulars.adapters.dynamodb import transactions
    from regulars.adapters.dynamodb.contacts import DynamoContacts

    contacts = DynamoContacts(create_table("contacts", True))  # type: ignore[operator]
    real, seconds = contacts.load, iter(range(100))

    def load(shopper: str) -> Contact:
        found = real(shopper)
        say(DynamoContacts("contacts"), shopper, ("email", True, next(seconds)))
        return found

    monkeypatch.setattr(contacts, "load", load)
    monkeypatch.setattr(transactions, "back_off", lambda attempt: None)
    with pytest.raises(TryLater, match="keep changing"):
        say(contacts, SHE, ("email", True, 1000))

"""Every store of contacts and suppressions keeps the same promises."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import CreateTable
from tests.support.decisions import DAY, EVENING, SHE
from tests.support.transactions import contended

from regulars.decisions.ports import Contacts, Suppressions


@pytest.fixture(params=["memory", "dynamodb"])
def contacts(request: pytest.FixtureRequest) -> Contacts:
    if request.param == "memory":
        from regulars.adapters.memory.contacts import MemoryContacts

        return MemoryContacts()
    from regulars.adapters.dynamodb.contacts import DynamoContacts

    return DynamoContacts(request.getfixturevalue("create_table")("contacts", True))


@pytest.fixture(params=["memory", "dynamodb"])
def suppressions(request: pytest.FixtureRequest) -> Suppressions:
    if request.param == "memory":
        from regulars.adapters.memory.suppressions import MemorySuppressions

        return MemorySuppressions()
    from regulars.adapters.dynamodb.suppressions import DynamoSuppressions

    return DynamoSuppressions(request.getfixturevalue("create_table")("suppressions", False))


def test_an_unknown_shopper_has_an_empty_contact(contacts: Contacts) -> None:
    nobody = contacts.load(SHE)
    assert (nobody.version, nobody.addresses, nobody.consent, nobody.slots) == (0, {}, {}, ())
    assert not nobody.allows("email", "offers")


def test_an_update_merges_and_raises_the_version(contacts: Contacts) -> None:
    contacts.update(SHE, now=EVENING, addresses={"email": "a@example.com", "sms": "+4470"}, details={"language": "en"})
    contacts.update(SHE, now=EVENING + DAY, addresses={"email": "b@example.com"}, details={"time_zone": "Asia/Shanghai"})
    contact = contacts.load(SHE)
    assert contact.addresses == {"email": "b@example.com", "sms": "+4470"}
    assert (contact.language, contact.time_zone, contact.version) == ("en", "Asia/Shanghai", 2)
    assert contact.updated_at == EVENING + DAY


def test_an_address_of_none_is_removed(contacts: Contacts) -> None:
    contacts.update(SHE, now=EVENING, addresses={"email": "a@example.com", "push": "token"})
    contacts.update(SHE, now=EVENING, addresses={"push": None, "sms": None})
    assert contacts.load(SHE).addresses == {"email": "a@example.com"}


def test_consent_by_channel_and_topic(contacts: Contacts) -> None:
    contacts.update(SHE, now=EVENING, consent={"email": True}, topics={"email/offers": False}, proof={"source": "form"})
    contact = contacts.load(SHE)
    assert contact.allows("email", "carts")
    assert not contact.allows("email", "offers")
    assert not contact.allows("sms", "carts")
    contacts.update(SHE, now=EVENING, consent={"email": False})
    assert not contacts.load(SHE).allows("email", "carts")


def test_joining_keeps_the_targets_own_values_and_every_refusal(contacts: Contacts) -> None:
    contacts.update("anon:1", now=EVENING, addresses={"push": "token", "email": "old@example.com"}, details={"language": "zh"})
    contacts.update("anon:1", now=EVENING, consent={"email": False, "push": True})
    contacts.update(SHE, now=EVENING, addresses={"email": "new@example.com"}, consent={"email": True, "sms": True})
    for _ in range(2):
        contacts.merge("anon:1", SHE, now=EVENING + DAY)
    contact = contacts.load(SHE)
    assert contact.addresses == {"push": "token", "email": "new@example.com"}
    assert contact.consent == {"email": False, "push": True, "sms": True}
    assert contact.language == "zh"
    assert contacts.load("anon:1").version == 0
    assert contact.version == 3


def test_joining_nobody_changes_nothing(contacts: Contacts) -> None:
    contacts.update(SHE, now=EVENING, consent={"email": True})
    contacts.merge("anon:unknown", SHE, now=EVENING)
    assert contacts.load(SHE).version == 1


def test_joining_somebody_unknown_moves_the_contact(contacts: Contacts) -> None:
    contacts.update("anon:1", now=EVENING, consent={"push": True}, addresses={"push": "token"})
    contacts.merge("anon:1", SHE, now=EVENING)
    assert contacts.load(SHE).allows("push", "carts")
    contacts.update(SHE, now=EVENING, consent={"push": False})
    assert not contacts.load(SHE).allows("push", "carts")


def test_consent_is_kept_with_its_proof() -> None:
    from regulars.adapters.memory.contacts import MemoryContacts

    memory = MemoryContacts()
    memory.update(SHE, now=EVENING, consent={"email": True}, topics={"email/offers": False}, proof={"ip": "192.0.2.1"})
    assert memory.proofs == [
        (SHE, EVENING, "email", True, {"ip": "192.0.2.1"}),
        (SHE, EVENING, "email/offers", False, {"ip": "192.0.2.1"}),
    ]


def test_proof_lies_beside_the_contact(request: pytest.FixtureRequest) -> None:
    from regulars.adapters.dynamodb.client import query
    from regulars.adapters.dynamodb.contacts import DynamoContacts

    store = DynamoContacts(request.getfixturevalue("create_table")("contacts", True))
    store.update(SHE, now=EVENING, consent={"email": True}, proof={"source": "form", "wording": "News?"})
    store.update(SHE, now=EVENING + DAY, consent={"email": False}, proof={"source": "link"})
    kept = query(
        "contacts",
        KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues={":pk": SHE, ":prefix": "consent#"},
    )
    assert [(item["granted"], item["proof"]["source"]) for item in kept] == [(True, "form"), (False, "link")]


def test_an_opt_out_that_meets_a_claim_of_hers_is_said_again(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from regulars.adapters.dynamodb import contacts

    store = contacts.DynamoContacts(request.getfixturevalue("create_table")("contacts", True))
    store.update(SHE, now=EVENING, consent={"email": True})
    monkeypatch.setattr(contacts, "transact", contended(2))
    store.update(SHE, now=EVENING + DAY, consent={"email": False})
    assert not store.load(SHE).allows("email", "offers")


@pytest.mark.parametrize(
    ("channel", "added", "asked"),
    [
        ("email", "Mira@Example.com ", "mira@example.com"),
        ("sms", "+44 7700 900123", "+447700900123"),
        ("sms", "00447700900123", "+447700900123"),
        ("push", "Token", "Token"),
    ],
)
def test_a_suppression_holds_however_the_address_is_written(
    suppressions: Suppressions, channel: str, added: str, asked: str
) -> None:
    suppressions.add(channel, added, reason="bounced", now=EVENING)
    assert suppressions.reason(channel, asked) == "bounced"
    assert suppressions.reason("email" if channel == "sms" else "sms", asked) == ""


def test_the_first_reason_stays(suppressions: Suppressions) -> None:
    suppressions.add("email", "a@example.com", reason="complained", now=EVENING)
    suppressions.add("email", "a@example.com", reason="bounced", now=EVENING)
    assert suppressions.reason("email", "a@example.com") == "complained"


def test_a_suppression_can_be_lifted(suppressions: Suppressions) -> None:
    suppressions.add("sms", "+4470", reason="stopped", now=EVENING)
    suppressions.remove("sms", "+4470")
    assert suppressions.reason("sms", "+4470") == ""


def test_several_addresses_are_asked_about_at_once(suppressions: Suppressions) -> None:
    suppressions.add("sms", "+4470", reason="stopped", now=EVENING)
    asked = {"email": "a@example.com", "sms": "+4470", "push": "token"}
    assert suppressions.among(asked) == {"sms": "stopped"}
    assert suppressions.among({}) == {}


def test_an_address_is_dropped_only_while_it_stands(contacts: Contacts) -> None:
    contacts.update(SHE, now=EVENING, addresses={"email": "a@example.com", "push": "p"})
    contacts.drop_address(SHE, "email", "other@example.com", now=EVENING)
    contacts.drop_address(SHE, "sms", "+447700900123", now=EVENING)
    assert contacts.load(SHE).addresses == {"email": "a@example.com", "push": "p"}
    assert contacts.load(SHE).version == 1
    contacts.drop_address(SHE, "email", "a@example.com", now=EVENING)
    assert (contacts.load(SHE).addresses, contacts.load(SHE).version) == ({"push": "p"}, 2)
    contacts.drop_address("user:nobody", "email", "a@example.com", now=EVENING)
    assert contacts.load("user:nobody").version == 0


def test_a_plain_write_waits_for_a_claim_of_another_message_of_hers(
    create_table: CreateTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB refuses a write to an item that a transaction holds; nobody would come again to drop the address."""
    from regulars.adapters.dynamodb import transactions
    from regulars.adapters.dynamodb.client import dynamodb
    from regulars.adapters.dynamodb.contacts import DynamoContacts

    contacts = DynamoContacts(create_table("contacts", True))
    contacts.update(SHE, now=EVENING, addresses={"email": "a@example.com"}, consent={"sms": False})
    update, left = dynamodb().update_item, ["TransactionConflictException"] * 2

    def contended(**request: Any) -> Any:
        if left:
            raise ClientError({"Error": {"Code": left.pop(), "Message": "ongoing transaction"}}, "UpdateItem")
        return update(**request)

    monkeypatch.setattr(dynamodb(), "update_item", contended)
    monkeypatch.setattr(transactions, "back_off", lambda attempt: None)
    contacts.drop_address(SHE, "email", "a@example.com", now=EVENING)
    assert (left, contacts.load(SHE).addresses) == ([], {})
    left += ["TransactionConflictException"] * 2
    contacts.update(SHE, now=EVENING, details={"language": "en"})
    left += ["TransactionConflictException"] * 2
    contacts.update(SHE, now=EVENING + DAY, consent={"sms": False})
    assert (left, contacts.load(SHE).language, contacts.load(SHE).version) == ([], "en", 3)

"""The shopper's own inbox and preferences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.sending import ADDRESSES, NOW, SHOPPER, Hand, signer

from regulars.adapters.memory.channels import MemoryInbox
from regulars.adapters.memory.contacts import MemoryContacts
from regulars.adapters.memory.profiles import MemoryProfiles
from regulars.adapters.memory.queues import MemoryQueue
from regulars.channels.http import ShopperApi, routes
from regulars.channels.inbox import ShopperInbox
from regulars.channels.ports import InboxEntry
from regulars.channels.preferences import Preferences
from regulars.errors import Gone, Invalid, NotFound, RegularsError, TooLarge, Unauthorised
from regulars.ids import message_id
from regulars.messages import Feedback
from regulars.signing import Purpose
from regulars.web import Request

ENTRY = InboxEntry(
    shopper=SHOPPER,
    moment_id="welcome#1",
    kind="welcome",
    created_at=NOW,
    expires_at=NOW + timedelta(days=90),
    content={"title": "Hello", "body": "World", "call": "Go", "url": "https://x"},
)


class App:
    """A shopper's app talking to the views."""

    def __init__(self) -> None:
        self.clock = Hand()
        self.contacts, self.inbox, self.queue = MemoryContacts(), MemoryInbox(), MemoryQueue()
        self.profiles = MemoryProfiles()
        api = ShopperApi(
            signer(self.clock),
            ShopperInbox(self.inbox, self.queue, self.clock, page=3),
            Preferences(self.contacts, self.queue, self.clock, self.profiles.erased),
        )
        self.views = routes(lambda: api)
        self.token, _ = signer(self.clock).shopper_token(SHOPPER, lifetime=timedelta(hours=1))
        self.contacts.update(SHOPPER, now=NOW, addresses=dict(ADDRESSES), consent={"email": True, "push": True})

    def call(self, route: str, body: Any = None, *, token: str | None = None, **params: str) -> Mapping[str, Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.token if token is None else token}", "user-agent": "app/1"}
        answer = self.views[route](Request(route.split()[0], "", params, {}, headers, raw))
        assert isinstance(answer, Mapping)
        return answer

    def change(self, body: Any) -> Mapping[str, Any]:
        return self.call("PUT /v1/preferences", body)


@pytest.fixture
def app() -> App:
    return App()


def test_the_inbox_shows_the_newest_first_and_counts_the_unread(app: App) -> None:
    for number in range(5):
        app.inbox.put(replace(ENTRY, moment_id=f"welcome#{number}", created_at=NOW + timedelta(minutes=number)))
    shown = app.call("GET /v1/inbox")
    assert [entry["message_id"] for entry in shown["messages"]] == [
        message_id(SHOPPER, f"welcome#{number}") for number in (4, 3, 2)
    ]
    assert shown["unread"] == 3
    assert shown["messages"][0]["title"] == "Hello"


def test_a_message_is_read_once_and_the_report_has_one_id(app: App) -> None:
    app.inbox.put(ENTRY)
    wanted = message_id(SHOPPER, "welcome#1")
    route = "POST /v1/inbox/{message_id}/read"
    assert app.call(route, message_id=wanted) == {"message_id": wanted, "first": True}
    app.clock.pass_(minutes=5)
    assert app.call(route, message_id=wanted)["first"] is False
    assert len({message.id for message in app.queue.messages}) == 1
    assert app.call("GET /v1/inbox")["messages"][0]["read_at"] == NOW.isoformat()


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (message_id("user:bob", "welcome#1"), NotFound),
        (message_id(SHOPPER, "unknown#1"), NotFound),
        ("not an id", Invalid),
        ("%%%", Invalid),
    ],
)
def test_only_her_own_messages_can_be_read(app: App, wanted: str, error: type[RegularsError]) -> None:
    for shopper in ("user:bob", SHOPPER):
        app.inbox.put(replace(ENTRY, shopper=shopper))
    with pytest.raises(error):
        app.call("POST /v1/inbox/{message_id}/read", message_id=wanted)
    assert app.queue.messages == []


def test_another_shoppers_inbox_is_not_shown(app: App) -> None:
    app.inbox.put(replace(ENTRY, shopper="user:bob"))
    assert app.call("GET /v1/inbox") == {"messages": [], "unread": 0}


def test_preferences_show_no_address(app: App) -> None:
    shown = app.call("GET /v1/preferences")
    assert shown["channels"]["push"] == {"consent": True, "reachable": True}
    assert shown["channels"]["inapp"] == {"consent": False, "reachable": True}
    assert not any(address in json.dumps(shown) for address in ADDRESSES.values())


def test_a_change_holds_at_once_with_its_proof_and_is_told(app: App) -> None:
    app.change({"consent": {"email": False, "sms": True}, "topics": {"push/carts": False}})
    contact = app.contacts.load(SHOPPER)
    assert not contact.allows("email", "carts")
    assert contact.allows("sms", "carts")
    assert not contact.allows("push", "carts")
    assert contact.allows("push", "offers")
    assert app.contacts.proofs[-1][4]["source"] == "preferences"
    (told,) = app.queue.messages
    assert isinstance(told, Feedback)
    assert (told.kind, told.channel, told.shopper) == ("unsubscribed", "email", SHOPPER)


def test_saying_no_again_is_not_told_again(app: App) -> None:
    app.change({"consent": {"email": False}})
    app.change({"consent": {"email": False}})
    assert len(app.queue.messages) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], ""),
        ("x", ""),
        ({"consents": {}}, "consents"),
        ({"consent": []}, "consent"),
        ({"consent": {"fax": True}}, "consent.fax"),
        ({"consent": {"email": "no"}}, "consent.email"),
        ({"consent": {"email": 0}}, "consent.email"),
        ({"topics": {"carts": False}}, "topics.carts"),
        ({"topics": {"fax/carts": False}}, "topics.fax/carts"),
        ({"topics": {f"email/{number}": False for number in range(101)}}, "topics"),
        ({"language": 3}, "language"),
        ({"language": "x" * 65}, "language"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": "Europe"}, "time_zone"),
    ],
)
def test_a_wrong_wish_changes_nothing_and_names_its_field(app: App, body: Any, field: str) -> None:
    before = app.contacts.load(SHOPPER)
    with pytest.raises(Invalid) as error:
        app.change(body)
    assert error.value.field == field
    assert app.contacts.load(SHOPPER) == before


def test_bad_json_and_large_bodies_are_refused(app: App) -> None:
    with pytest.raises(Invalid):
        app.change(b"{")
    with pytest.raises(TooLarge):
        app.change(b" " * 20_000)


@pytest.mark.parametrize("route", ["GET /v1/inbox", "GET /v1/preferences", "PUT /v1/preferences"])
def test_without_a_good_token_nothing_is_shown(app: App, route: str) -> None:
    link = signer().sign(Purpose.UNSUBSCRIBE, SHOPPER, "x", "email", lifetime=timedelta(days=1))
    for token in ("", "x", link, app.token[:-2] + "AA"):
        with pytest.raises(Unauthorised):
            app.call(route, {"consent": {"email": False}}, token=token)
    app.clock.pass_(hours=2)
    with pytest.raises(Unauthorised):
        app.call(route, {})
    assert app.contacts.load(SHOPPER).consent["email"]


@pytest.mark.parametrize("wish", [{"consent": {"email": True}}, {"topics": {"email/carts": False}}, {"language": "zh"}, {}])
@pytest.mark.parametrize("known", [True, False], ids=["half erased", "erased"])
def test_a_token_that_outlives_an_erasure_changes_nothing(app: App, wish: Any, known: bool) -> None:
    app.profiles.bury(SHOPPER, NOW + timedelta(days=30))
    if not known:
        app.contacts.forget(SHOPPER)
    before, told = app.contacts.load(SHOPPER), list(app.contacts.proofs)
    with pytest.raises(Gone) as raised:
        app.change(wish)
    assert raised.value.code == "erased"
    assert (app.contacts.load(SHOPPER), app.contacts.proofs, app.queue.messages) == (before, told, [])
    assert known or before.version == 0


def test_she_may_come_back_when_the_erasure_is_long_over(app: App) -> None:
    app.profiles.bury(SHOPPER, NOW)
    app.contacts.forget(SHOPPER)
    assert app.change({"consent": {"email": True}})["channels"]["email"]["consent"]

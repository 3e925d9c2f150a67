"""Every inbox keeps the same promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from regulars.adapters.memory.channels import MemoryInbox
from regulars.channels.ports import Inbox, InboxEntry
from regulars.errors import NotFound

AT = datetime(2026, 11, 21, 12, 0, 0, 500_000, tzinfo=UTC)
ENTRY = InboxEntry(
    shopper="user:ann",
    moment_id="welcome#1",
    kind="welcome",
    created_at=AT,
    expires_at=AT + timedelta(days=90),
    content={"title": "Hello", "items": [{"title": "Mug", "price": "£8.00"}]},
)


@pytest.fixture(params=["memory", "dynamodb"])
def inbox(request: pytest.FixtureRequest) -> Inbox:
    if request.param == "memory":
        return MemoryInbox()
    from regulars.adapters.dynamodb.inbox import DynamoInbox

    return DynamoInbox(request.getfixturevalue("create_table")("inbox"))


def test_what_is_put_is_listed(inbox: Inbox) -> None:
    inbox.put(ENTRY)
    assert list(inbox.list("user:ann", AT, 10)) == [ENTRY]
    assert list(inbox.list("user:bob", AT, 10)) == []


def test_the_newest_come_first_and_no_more_than_asked(inbox: Inbox) -> None:
    entries = [replace(ENTRY, moment_id=f"m#{n}", created_at=AT + timedelta(minutes=n % 3)) for n in range(7)]
    for entry in entries:
        inbox.put(entry)
    newest = sorted(entries, key=lambda entry: (entry.created_at, entry.moment_id), reverse=True)
    assert list(inbox.list("user:ann", AT, 4)) == newest[:4]


def test_putting_again_changes_nothing(inbox: Inbox) -> None:
    inbox.put(ENTRY)
    inbox.mark_read("user:ann", "welcome#1", AT)
    inbox.put(replace(ENTRY, content={"title": "Other"}))
    assert list(inbox.list("user:ann", AT, 10)) == [replace(ENTRY, read_at=AT)]


def test_what_has_expired_is_gone_on_the_instant(inbox: Inbox) -> None:
    inbox.put(ENTRY)
    assert inbox.list("user:ann", ENTRY.expires_at - timedelta(milliseconds=1), 10)
    assert not inbox.list("user:ann", ENTRY.expires_at, 10)


def test_the_first_reading_stands(inbox: Inbox) -> None:
    inbox.put(ENTRY)
    later = AT + timedelta(hours=1)
    assert [inbox.mark_read("user:ann", "welcome#1", at) for at in (AT, later)] == [True, False]
    assert inbox.list("user:ann", AT, 10)[0].read_at == AT


def test_an_unknown_message_cannot_be_read(inbox: Inbox) -> None:
    inbox.put(ENTRY)
    for shopper, moment in (("user:ann", "welcome#2"), ("user:bob", "welcome#1")):
        with pytest.raises(NotFound):
            inbox.mark_read(shopper, moment, AT)
    assert not inbox.list("user:bob", AT, 10)

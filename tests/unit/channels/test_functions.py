"""The three functions, woken as AWS wakes them, on moto's tables."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CreateTable
from tests.support.functions import deploy, golden, load
from tests.support.sending import ADDRESSES, BASE_URL, NOW, SECRET, SHOPPER, planned

from regulars.adapters.dynamodb.contacts import DynamoContacts
from regulars.adapters.dynamodb.inbox import DynamoInbox
from regulars.adapters.dynamodb.messages import DynamoLedger
from regulars.decisions.model import CHANNELS, Message, State
from regulars.messages import Feedback, decode
from regulars_local import outbox

TABLES = ("messages", "contacts", "inbox", "offers", "channels", "profiles", "timers", "suppressions")
Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]


def handler(name: str) -> Handler:
    """A function's handler in a process of its own making."""
    found: Handler = load(name).handler
    return found


class World:
    """The deployed tables, queue, secret and sender."""

    def __init__(self, create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        from regulars.adapters.aws import client

        self.queue = client("sqs").create_queue(QueueName="feedback")["QueueUrl"]
        client("sesv2").create_email_identity(EmailIdentity="shop@example.com")
        deploy(
            create_table,
            monkeypatch,
            tmp_path / "clock",
            NOW,
            TABLES,
            TIMER_SHARDS="1",
            FEEDBACK_QUEUE_URL=self.queue,
            SIGNING_SECRET_ARN=client("secretsmanager").create_secret(Name="signing", SecretString=SECRET)["ARN"],
            LINK_BASE_URL=BASE_URL + "/",
            EMAIL_SENDER="shop@example.com",
            EMAIL_CONFIGURATION_SET="",
        )
        self.ledger = DynamoLedger("messages", "contacts", "suppressions")
        self.contacts = DynamoContacts("contacts")
        self.inbox = DynamoInbox("inbox")
        consent = dict.fromkeys(CHANNELS, True)
        self.contacts.update(SHOPPER, now=NOW, addresses=dict(ADDRESSES), consent=consent, details={"country": "GB"})

    def reports(self) -> list[Feedback]:
        from regulars.adapters.aws import client

        found = client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", ())
        return [decode(Feedback, entry["Body"]) for entry in found]

    def plan(self, channel: str = "email") -> Message:
        message = planned(channel=channel)
        assert self.ledger.record(message)
        return message

    def state(self) -> State:
        standing = self.ledger.get(SHOPPER, "cart_abandoned#1")
        assert standing is not None
        return standing.state


@pytest.fixture
def world(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    return World(create_table, monkeypatch, tmp_path)


def test_send_message_sends_a_mail_with_one_click_headers_once(world: World) -> None:
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.ses.models import ses_backends

    world.plan()
    wake = handler("send_message")
    for _ in range(2):
        assert wake(golden("send_message.email"), None) == {"batchItemFailures": []}
    sent = ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages
    assert len(sent) == 1
    assert world.state() is State.SENT
    assert f"List-Unsubscribe: <{BASE_URL}/l/u/" in sent[0].raw_data
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in sent[0].raw_data


def test_send_message_fills_the_inbox_and_serve_shopper_shows_it(world: World) -> None:
    world.plan("inapp")
    assert handler("send_message")(golden("send_message.inapp"), None) == {"batchItemFailures": []}
    (popup,) = outbox.popups("inbox")
    assert (popup.shopper, popup.kind, popup.subject) == (SHOPPER, "cart_abandoned", "Your basket is still here")
    wake = handler("serve_shopper")
    shown = json.loads(wake(golden("serve_shopper.inbox"), None)["body"])
    assert shown["unread"] == 1
    assert shown["messages"][0]["title"] == "Your basket is still here"
    first = [json.loads(wake(golden("serve_shopper.read"), None)["body"])["first"] for _ in range(2)]
    assert first == [True, False]
    assert json.loads(wake(golden("serve_shopper.inbox"), None)["body"])["unread"] == 0
    assert {report.kind for report in world.reports()} == {"read"}


def test_send_message_returns_only_the_poison(world: World) -> None:
    world.plan()
    event = golden("send_message.poison")
    answer = handler("send_message")(event, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
    assert world.state() is State.SENT


def test_serve_links_redirects_to_what_the_ledger_says(world: World) -> None:
    world.plan()
    answer = handler("serve_links")(golden("serve_links.click"), None)
    assert answer["statusCode"] == 302
    assert answer["headers"]["Location"] == "https://shop.example/items/mug?a=1&b=2"
    (report,) = world.reports()
    assert (report.kind, report.channel, report.shopper) == ("clicked", "email", SHOPPER)
    assert report.detail["item_id"] == "mug"


def test_serve_links_gives_the_picture_to_whatever_asks(world: World) -> None:
    answer = handler("serve_links")(golden("serve_links.open"), None)
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, "image/gif")
    assert base64.b64decode(answer["body"]).startswith(b"GIF89a")
    (report,) = world.reports()
    assert report.kind == "opened"
    assert "GoogleImageProxy" in report.detail["user_agent"]


def test_only_the_post_unsubscribes(world: World) -> None:
    wake = handler("serve_links")
    asked = wake(golden("serve_links.ask"), None)
    assert asked["statusCode"] == 200
    assert '<form method="post">' in asked["body"]
    assert world.contacts.load(SHOPPER).consent["email"] is True
    head = golden("serve_links.ask")
    head["requestContext"]["http"]["method"] = "HEAD"
    answer = wake(head, None)
    assert (answer["statusCode"], answer["body"]) == (200, "")
    assert world.contacts.load(SHOPPER).consent["email"] is True
    assert world.contacts.load(SHOPPER).consent["email"] is True
    assert wake(golden("serve_links.one_click"), None)["statusCode"] == 200
    contact = world.contacts.load(SHOPPER)
    assert (contact.consent["email"], contact.consent["sms"]) == (False, True)
    wake(golden("serve_links.one_click"), None)
    assert world.contacts.load(SHOPPER).version == contact.version
    assert {report.kind for report in world.reports()} == {"unsubscribed"}


def test_a_one_click_post_as_multipart_unsubscribes_too(world: World) -> None:
    """RFC 8058 §3.2 puts multipart/form-data first; an HTTP API hands it over in base64."""
    posted = golden("serve_links.one_click")
    posted["headers"]["content-type"] = "Multipart/Form-Data; boundary=x"
    part = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
    assert handler("serve_links")({**posted, "body": base64.b64encode(part).decode()}, None)["statusCode"] == 200
    assert world.contacts.load(SHOPPER).consent["email"] is False


def test_serve_shopper_shows_and_changes_preferences(world: World) -> None:
    wake = handler("serve_shopper")
    before = json.loads(wake(golden("serve_shopper.preferences"), None)["body"])
    assert before["channels"]["email"] == {"consent": True, "reachable": True}
    after = json.loads(wake(golden("serve_shopper.change"), None)["body"])
    assert after["channels"]["email"]["consent"] is False
    assert (after["language"], after["time_zone"], after["topics"]) == ("zh", "Asia/Shanghai", {"push/carts": False})
    assert "ann@example.com" not in json.dumps(after)
    assert [(report.kind, report.channel) for report in world.reports()] == [("unsubscribed", "email")]


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer x", "Basic dTpw"])
@pytest.mark.parametrize("case", ["inbox", "read", "preferences", "change"])
def test_serve_shopper_wants_the_shoppers_token(world: World, case: str, header: str | None) -> None:
    event = golden(f"serve_shopper.{case}")
    event["headers"].pop("authorization")
    if header:
        event["headers"]["authorization"] = header
    assert handler("serve_shopper")(event, None)["statusCode"] == 401
    assert world.contacts.load(SHOPPER).consent["email"] is True

"""Queue bodies → Feedback: every provider event, our own, and what must be refused."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.feedback import provider_events as aws

from regulars.errors import GiveUp
from regulars.feedback.config import load
from regulars.feedback.parsing import parse
from regulars.feedback.providers import bare_address, keyword
from regulars.messages import Feedback, encode

CONFIG = load()
MESSAGE = "dXNlcjoxH2NhcnQ"


def read(event: Any, **other: Any) -> tuple[Feedback, ...]:
    return parse(aws.wrapped(event, **other), topics=[aws.TOPIC], config=CONFIG)


def only(event: Any) -> Feedback:
    (found,) = read(event)
    return found


def refused(body: str) -> str:
    with pytest.raises(GiveUp) as caught:
        parse(body, topics=[aws.TOPIC], config=CONFIG)
    return caught.value.code


def test_a_tagged_bounce_names_its_message() -> None:
    found = only(aws.bounce(MESSAGE))
    assert (found.kind, found.channel, found.message_id) == ("bounced", "email", MESSAGE)
    assert found.address == "recipient@example.com"
    assert found.at_ms == aws.DEED_MS
    assert found.detail == {"permanent": True, "type": "Permanent", "subtype": "General"}


@pytest.mark.parametrize("kind", ["Transient", "Undetermined"])
def test_only_a_permanent_bounce_is_permanent(kind: Any) -> None:
    assert only(aws.bounce(kind=kind)).detail["permanent"] is False


def test_an_identity_notification_knows_only_the_address() -> None:
    for event in (aws.bounce(MESSAGE), aws.complaint(MESSAGE), aws.delivery(MESSAGE)):
        found = only(aws.identity_notification(event))
        assert (found.message_id, found.address) == ("", "recipient@example.com")


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (aws.complaint(MESSAGE), "complained"),
        (aws.delivery(MESSAGE), "delivered"),
        (aws.ses("Send", "send", {}, MESSAGE), "sent"),
        (aws.ses("Reject", "reject", {"reason": "Bad content"}, MESSAGE), "rejected"),
        (aws.ses("Rendering Failure", "failure", {"templateName": "t", "errorMessage": "e"}, MESSAGE), "rejected"),
        (aws.opened(MESSAGE), "opened"),
        (aws.clicked(MESSAGE), "clicked"),
    ],
)
def test_every_ses_event_has_its_word(event: Any, kind: Any) -> None:
    found = only(event)
    assert (found.kind, found.message_id, found.channel) == (kind, MESSAGE, "email")


def test_a_delayed_delivery_changes_nothing() -> None:
    delay = {"timestamp": aws.DEED_TIME, "delayType": "TransientCommunicationFailure", "delayedRecipients": []}
    assert read(aws.ses("DeliveryDelay", "deliveryDelay", delay)) == ()


def test_subscription_events_refuse_everything_or_topics() -> None:
    assert only(aws.subscription(unsubscribeAll=True, topicSubscriptionStatus=[])).kind == "unsubscribed"
    topics = [
        {"topicName": "sales", "subscriptionStatus": "OptOut"},
        {"topicName": "news", "subscriptionStatus": "OptIn"},
    ]
    found = only(aws.subscription(unsubscribeAll=False, topicSubscriptionStatus=topics))
    assert found.detail == {"topic": "sales"}
    assert read(aws.subscription(unsubscribeAll=False, topicSubscriptionStatus=[])) == ()


def test_several_recipients_are_several_reports_with_their_own_ids() -> None:
    event = aws.bounce()
    event["bounce"]["bouncedRecipients"] = [{"emailAddress": "a@example.com"}, {"emailAddress": "B <b@example.com>"}]
    found = read(event)
    assert [entry.address for entry in found] == ["a@example.com", "b@example.com"]
    assert len({entry.id for entry in found}) == 2


@pytest.mark.parametrize("failure", ["EndpointDisabled", "EndpointNotFound", "InvalidPlatformToken"])
def test_a_dead_push_endpoint_is_a_permanent_bounce(failure: Any) -> None:
    found = only(aws.push_failure(failure))
    assert (found.kind, found.channel, found.detail["permanent"]) == ("bounced", "push", True)
    assert found.address.startswith("arn:aws:sns:eu-west-1:123456789012:endpoint/")


def test_a_push_failure_that_is_not_the_endpoints_fault_keeps_the_address() -> None:
    assert only(aws.push_failure("PlatformCredentialsInvalid")).detail["permanent"] is False
    assert read(aws.push_failure(kind="EndpointUpdated")) == ()


@pytest.mark.parametrize(
    ("event", "kind", "permanent"),
    [
        ("TEXT_DELIVERED", "delivered", None),
        ("TEXT_SUCCESSFUL", "delivered", None),
        ("TEXT_INVALID", "bounced", True),
        ("TEXT_UNREACHABLE", "bounced", False),
        ("TEXT_TTL_EXPIRED", "bounced", False),
        ("TEXT_BLOCKED", "rejected", None),
        ("TEXT_SPAM", "rejected", None),
    ],
)
def test_sms_events(event: Any, kind: Any, permanent: Any) -> None:
    found = only(aws.sms(event, MESSAGE))
    assert (found.kind, found.channel, found.message_id) == (kind, "sms", MESSAGE)
    assert found.detail.get("permanent") is permanent
    assert (found.address, found.at_ms) == ("+14255550156", aws.DEED_MS)


def test_an_sms_on_its_way_changes_nothing() -> None:
    assert read(aws.sms("TEXT_QUEUED")) == read(aws.sms("TEXT_PENDING")) == ()


@pytest.mark.parametrize(
    "text", ["STOP", "stop!", " Stop. ", "ＳＴＯＰ", "unsubscribe", "退订", "退訂", "TD", "td", "N", "T", "R", "拒收"]
)
def test_stop_words_in_every_dress(text: Any) -> None:
    found = only(aws.reply(text))
    assert (found.kind, found.channel, found.address) == ("stopped", "sms", "+14255550182")


@pytest.mark.parametrize("text", ["Don't stop", "When does the sale end?", "No, thank you, tell me more", "", "谢谢"])
def test_other_replies_are_nobodys_feedback(text: Any) -> None:
    assert read(aws.reply(text)) == ()


def test_start_takes_stop_back() -> None:
    assert only(aws.reply("Start")).kind == "resumed"


def test_our_own_feedback_passes() -> None:
    own = Feedback(id="1", correlation_id="c", sent_at_ms=1, kind="read", channel="inapp", at_ms=5, message_id=MESSAGE)
    assert parse(encode(own), topics=[aws.TOPIC], config=CONFIG) == (own,)


@pytest.mark.parametrize(
    "topic",
    [
        "arn:aws:sns:eu-west-1:999999999999:regulars-feedback",
        "arn:aws:sns:us-east-1:123456789012:regulars-feedback",
        "arn:aws:sns:eu-west-1:123456789012:regulars-feedback2",
        "",
        None,
        ["arn:aws:sns:eu-west-1:123456789012:regulars-feedback"],
    ],
)
def test_a_notification_of_another_topic_is_refused(topic: Any) -> None:
    assert refused(aws.wrapped(aws.complaint(MESSAGE), topic=topic)) == "foreign_topic"


def test_a_subscription_request_never_comes_by_queue() -> None:
    assert refused(aws.wrapped(aws.complaint(), Type="SubscriptionConfirmation")) == "poison"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "[]",
        "7",
        "null",
        "{}",
        '{"name":"feedback.report","v":1}',
        '{"name":"capture.unit","v":1}',
        aws.wrapped("not json"),
        aws.wrapped("[1]"),
        "[" * 100_000,
        encode(Feedback(id="1", correlation_id="", sent_at_ms=1, kind="exploded", channel="email", at_ms=1)),
    ],
)
def test_poison_is_given_up(body: Any) -> None:
    assert refused(body) == "poison"


@pytest.mark.parametrize("event", [{}, {"eventType": "TEXT_TELEPATHY"}, {"eventType": "Yawn", "mail": {}}])
def test_unknown_events_are_given_up(event: Any) -> None:
    assert refused(aws.wrapped(event)) == "unknown_event"


def test_what_ses_says_when_a_topic_is_set_up_is_no_news() -> None:
    assert read("Successfully validated SNS topic for Amazon SES event publishing.") == ()
    assert read({"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "You have successfully subscribed"}) == ()


@pytest.mark.parametrize("damage", [None, 7, [], "?"])
def test_a_damaged_event_is_read_or_given_up_never_worse(damage: Any) -> None:
    whole = [aws.bounce(), aws.complaint(), aws.delivery(), aws.opened(), aws.sms(), aws.push_failure(), aws.subscription()]
    codes = set()
    for event in whole:
        for key in list(event):
            try:
                read({**event, key: damage})
            except GiveUp as error:
                codes.add(error.code)
    assert codes
    assert codes <= {"poison", "unknown_event"}


def test_small_helpers() -> None:
    assert keyword("ｔｄ。") == "TD"
    assert bare_address("A <a@b.example>") == "a@b.example"
    assert bare_address("a@b.example ") == "a@b.example"

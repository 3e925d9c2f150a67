"""Each kind of feedback and what it does, once and again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.support.feedback import ADDRESS, NOW, SHOPPER, Desk, report, sent_message
from tests.unit.feedback import provider_events as aws

from regulars.clock import to_ms
from regulars.decisions.model import State
from regulars.errors import GiveUp, TryLater
from regulars.ids import message_id
from regulars.messages import encode


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.contacts.update(SHOPPER, now=NOW, addresses={"email": ADDRESS}, consent={"email": True, "sms": True})
    return made


def consent(desk: Desk) -> dict[str, bool]:
    return dict(desk.contacts.load(SHOPPER).consent)


@pytest.mark.parametrize(
    ("event", "mark"),
    [
        (aws.delivery, "delivered"),
        (aws.opened, "opened"),
        (aws.clicked, "clicked"),
        (aws.bounce, "bounced"),
        (aws.complaint, "complained"),
    ],
)
def test_a_report_marks_its_message_once(desk: Desk, event: Any, mark: Any) -> None:
    sent = desk.put(sent_message())
    assert desk.record(aws.wrapped(event(sent))) == ["recorded"]
    assert desk.record(aws.wrapped(event(sent))) == ["repeated"]
    assert desk.marks() == {mark: aws.DEED_MS}


def test_a_transient_bounce_keeps_the_address(desk: Desk) -> None:
    sent = desk.put(sent_message())
    desk.record(aws.wrapped(aws.bounce(sent, kind="Transient", subtype="MailboxFull")))
    assert desk.marks() == {"soft_bounced": aws.DEED_MS}
    assert desk.suppressions.reason("email", ADDRESS) == ""


def test_the_first_permanent_bounce_suppresses_but_is_no_refusal(desk: Desk) -> None:
    sent = desk.put(sent_message())
    desk.record(aws.wrapped(aws.bounce(sent)))
    assert desk.suppressions.reason("email", ADDRESS) == "bounce"
    assert consent(desk) == {"email": True, "sms": True}


def test_the_first_complaint_suppresses_and_withdraws_that_channel(desk: Desk) -> None:
    sent = desk.put(sent_message())
    for _ in range(2):
        desk.record(aws.wrapped(aws.complaint(sent)))
    assert desk.suppressions.reason("email", ADDRESS) == "complaint"
    assert consent(desk) == {"email": False, "sms": True}


def test_a_repeat_writes_the_contact_once(desk: Desk) -> None:
    sent = desk.put(sent_message())
    desk.record(aws.wrapped(aws.complaint(sent)))
    version = desk.contacts.load(SHOPPER).version
    desk.record(aws.wrapped(aws.complaint(sent)))
    assert desk.contacts.load(SHOPPER).version == version


def test_an_identity_notification_without_tags_still_protects_the_address(desk: Desk) -> None:
    body = aws.wrapped(aws.identity_notification(aws.complaint(to="Someone@Example.com")))
    assert desk.record(body) == ["noted"]
    assert desk.suppressions.reason("email", "someone@example.com") == "complaint"


def test_suppression_finds_the_address_when_only_the_message_is_named(desk: Desk) -> None:
    sent = desk.put(sent_message())
    desk.record(encode(report("complained", sent)))
    assert desk.suppressions.reason("email", ADDRESS) == "complaint"


def test_stop_suppresses_the_number_and_start_takes_only_that_back(desk: Desk) -> None:
    number = "+14255550182"
    desk.record(aws.wrapped(aws.reply("退订")))
    assert desk.suppressions.reason("sms", number) == "stopped"
    desk.record(aws.wrapped(aws.reply("START")))
    assert desk.suppressions.reason("sms", number) == ""
    desk.suppressions.add("sms", number, reason="bounce", now=NOW)
    desk.record(aws.wrapped(aws.reply("START")))
    assert desk.suppressions.reason("sms", number) == "bounce"


def test_a_dead_push_endpoint_is_suppressed(desk: Desk) -> None:
    event = aws.push_failure()
    desk.record(aws.wrapped(event))
    assert desk.suppressions.reason("push", event["EndpointArn"]) == "bounce"
    other = {**event, "EndpointArn": "arn:aws:sns:eu-west-1:123456789012:endpoint/GCM/shop/other"}
    desk.record(aws.wrapped({**other, "FailureType": "PlatformCredentialsInvalid"}))
    assert desk.suppressions.reason("push", other["EndpointArn"]) == ""


def test_refusing_a_topic_leaves_the_channel(desk: Desk) -> None:
    sent = desk.put(sent_message())
    desk.record(encode(report("unsubscribed", sent, detail={"topic": "winback"})))
    contact = desk.contacts.load(SHOPPER)
    assert contact.allows("email", "winback") is False
    assert contact.allows("email", "welcome") is True


def test_a_late_report_of_our_own_page_does_not_undo_a_newer_yes(desk: Desk) -> None:
    sent = desk.put(sent_message())
    desk.record(encode(report("unsubscribed", sent, detail={"source": "one-click"})))
    assert consent(desk)["email"] is True
    assert "unsubscribed" in desk.marks()


@pytest.mark.parametrize(
    ("agent", "mark"),
    [
        ("Mozilla/5.0", "machine_opened"),
        ("Mozilla/5.0 (compatible; Barracuda Sentinel)", "machine_opened"),
        ("Mozilla/5.0 (compatible; bingbot/2.0)", "machine_opened"),
        ("Mozilla/5.0 (Windows NT 5.1) Firefox/11.0 (via ggpht.com GoogleImageProxy)", "opened"),
        ("Mozilla/5.0 (Linux; Android 13; CUBOT X70) Chrome/126.0", "opened"),
        ("", "opened"),
    ],
)
def test_machine_opens_are_kept_apart(desk: Desk, agent: Any, mark: Any) -> None:
    sent = desk.put(sent_message())
    desk.record(aws.wrapped(aws.opened(sent, agent)))
    assert list(desk.marks()) == [mark]


def test_a_machine_click_is_no_click(desk: Desk) -> None:
    sent = desk.put(sent_message())
    desk.record(encode(report("clicked", sent, detail={"bot": True})))
    assert list(desk.marks()) == ["machine_clicked"]


def test_unknown_is_settled_by_what_the_provider_says(desk: Desk) -> None:
    sent = desk.put(sent_message(state=State.UNKNOWN))
    assert desk.record(aws.wrapped(aws.ses("Send", "send", {}, sent))) == ["recorded"]
    message = desk.ledger.get(SHOPPER, "cart_abandoned#1")
    assert message is not None
    assert message.state is State.SENT


def test_a_provider_that_took_what_we_know_it_took_is_no_news(desk: Desk) -> None:
    sent = desk.put(sent_message())
    assert desk.record(aws.wrapped(aws.ses("Send", "send", {}, sent))) == ["noted"]
    assert desk.marks() == {}


def test_a_message_that_is_gone_is_no_error_but_its_address_is_protected(desk: Desk) -> None:
    gone = message_id(SHOPPER, "gone#1")
    assert desk.record(aws.wrapped(aws.opened(gone))) == ["unknown_message"]
    assert desk.record(aws.wrapped(aws.bounce(gone))) == ["unknown_message"]
    assert desk.suppressions.reason("email", ADDRESS) == "bounce"


def test_a_late_complaint_brings_no_erased_shopper_back() -> None:
    desk = Desk()
    desk.record(aws.wrapped(aws.complaint(message_id("user:erased", "gone#1"))))
    assert desk.contacts.load("user:erased").version == 0


def test_a_message_id_that_is_none_is_poison(desk: Desk) -> None:
    with pytest.raises(GiveUp):
        desk.record(aws.wrapped(aws.opened("!not-an-id")))


def test_a_forged_topic_changes_nothing(desk: Desk) -> None:
    sent = desk.put(sent_message())
    with pytest.raises(GiveUp):
        desk.record(aws.wrapped(aws.complaint(sent), topic="arn:aws:sns:eu-west-1:666666666666:regulars-feedback"))
    assert desk.marks() == {}
    assert desk.suppressions.reason("email", ADDRESS) == ""
    assert consent(desk)["email"] is True


def test_protection_comes_before_the_mark(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash between the two leaves the shopper protected, and the repeat completes it."""
    sent = desk.put(sent_message())

    def crash(*_: object, **__: object) -> bool:
        raise TryLater("down")

    with monkeypatch.context() as patched:
        patched.setattr(desk.ledger, "mark", crash)
        with pytest.raises(TryLater):
            desk.record(aws.wrapped(aws.complaint(sent)))
    assert desk.suppressions.reason("email", ADDRESS) == "complaint"
    assert desk.record(aws.wrapped(aws.complaint(sent))) == ["recorded"]


def test_reports_out_of_order_land_the_same(desk: Desk) -> None:
    sent = desk.put(sent_message())
    desk.record(encode(report("clicked", sent, at=NOW + timedelta(hours=2))))
    desk.record(encode(report("delivered", sent, at=NOW)))
    assert desk.marks() == {"clicked": to_ms(NOW + timedelta(hours=2)), "delivered": to_ms(NOW)}

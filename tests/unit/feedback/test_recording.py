"""Each kind of feedback and what it does, once and again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.support.feedback import ADDRESS, NOW, SHOPPER, Desk, ordered, report, sent_message
from tests.unit.feedback import provider_events as aws

from regulars.clock import to_ms
from regulars.decisions.model import State
from regulars.errors import GiveUp, TryLater
from regulars.ids import message_id
from regulars.messages import encode

SENT_AT = NOW - timedelta(days=1)


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.contacts.update(
        SHOPPER, now=NOW - timedelta(days=3650), addresses={"email": ADDRESS}, consent={"email": True, "sms": True}
    )
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
    sent = desk.put(sent_message(at=SENT_AT))
    assert desk.record(aws.wrapped(event(sent))) == ["recorded"]
    assert desk.record(aws.wrapped(event(sent))) == ["repeated"]
    assert desk.marks() == {mark: aws.DEED_MS}


def test_a_transient_bounce_keeps_the_address(desk: Desk) -> None:
    sent = desk.put(sent_message(at=SENT_AT))
    desk.record(aws.wrapped(aws.bounce(sent, kind="Transient", subtype="MailboxFull")))
    assert desk.marks() == {"soft_bounced": aws.DEED_MS}
    assert desk.suppressions.reason("email", ADDRESS) == ""


def test_the_first_permanent_bounce_suppresses_but_is_no_refusal(desk: Desk) -> None:
    sent = desk.put(sent_message(at=SENT_AT))
    desk.record(aws.wrapped(aws.bounce(sent)))
    assert desk.suppressions.reason("email", ADDRESS) == "bounce"
    assert consent(desk) == {"email": True, "sms": True}


def test_the_first_complaint_suppresses_and_withdraws_that_channel(desk: Desk) -> None:
    sent = desk.put(sent_message(at=SENT_AT))
    for _ in range(2):
        desk.record(aws.wrapped(aws.complaint(sent)))
    assert desk.suppressions.reason("email", ADDRESS) == "complaint"
    assert consent(desk) == {"email": False, "sms": True}


def test_a_repeat_writes_the_contact_once(desk: Desk) -> None:
    sent = desk.put(sent_message(at=SENT_AT))
    desk.record(aws.wrapped(aws.complaint(sent)))
    version = desk.contacts.load(SHOPPER).version
    desk.record(aws.wrapped(aws.complaint(sent)))
    assert desk.contacts.load(SHOPPER).version == version


def test_an_identity_notification_without_tags_still_protects_the_address(desk: Desk) -> None:
    body = aws.wrapped(aws.identity_notification(aws.complaint(to="Someone@Example.com")))
    assert desk.record(body) == ["noted"]
    assert desk.suppressions.reason("email", "someone@example.com") == "complaint"


def test_suppression_finds_the_address_when_only_the_message_is_named(desk: Desk) -> None:
    sent = desk.put(sent_message(at=SENT_AT))
    desk.record(encode(report("complained", sent)))
    assert desk.suppressions.reason("email", ADDRESS) == "complaint"


def test_stop_suppresses_the_number_and_start_takes_only_that_back(desk: Desk) -> None:
    number = "+14255550182"
    desk.record(aws.wrapped(aws.reply("退订")))
    assert desk.suppressions.reason("sms", number) == "stopped"
    desk.record(aws.wrapped(aws.reply("START"), Timestamp="2026-08-05T11:00:00.000Z"))
    assert desk.suppressions.reason("sms", number) == ""
    desk.suppressions.add("sms", number, reason="bounce", now=SENT_AT)
    desk.record(aws.wrapped(aws.reply("START"), Timestamp="2026-08-05T11:00:00.000Z"))
    assert desk.suppressions.reason("sms", number) == "bounce"


def test_a_start_from_before_the_last_stop_takes_nothing_back(desk: Desk) -> None:
    number = "+14255550182"
    for minute, word in ((0, "STOP"), (20, "Stop!"), (10, "START")):  # as SNS may bring them
        desk.record(aws.wrapped(aws.reply(word), Timestamp=f"2026-08-05T11:{minute:02d}:00.000Z"))
    assert desk.suppressions.reason("sms", number) == "stopped"
    desk.record(aws.wrapped(aws.reply("START"), Timestamp="2026-08-05T11:20:00.001Z"))
    assert desk.suppressions.reason("sms", number) == ""


def test_start_restores_no_consent_that_was_withdrawn_elsewhere(desk: Desk) -> None:
    desk.contacts.update(SHOPPER, now=SENT_AT, consent={"sms": False})
    desk.record(aws.wrapped(aws.reply("STOP"), Timestamp="2026-08-05T11:00:00.000Z"))
    desk.record(aws.wrapped(aws.reply("START"), Timestamp="2026-08-05T11:01:00.000Z"))
    assert consent(desk)["sms"] is False


def test_a_dead_push_endpoint_is_suppressed(desk: Desk) -> None:
    event = aws.push_failure()
    desk.record(aws.wrapped(event))
    assert desk.suppressions.reason("push", event["EndpointArn"]) == "bounce"
    other = {**event, "EndpointArn": "arn:aws:sns:eu-west-1:123456789012:endpoint/GCM/shop/other"}
    desk.record(aws.wrapped({**other, "FailureType": "PlatformCredentialsInvalid"}))
    assert desk.suppressions.reason("push", other["EndpointArn"]) == ""


def test_refusing_a_topic_leaves_the_channel(desk: Desk) -> None:
    sent = desk.put(sent_message(at=SENT_AT))
    desk.record(encode(report("unsubscribed", sent, detail={"topic": "winback"})))
    contact = desk.contacts.load(SHOPPER)
    assert contact.allows("email", "winback") is False
    assert contact.allows("email", "welcome") is True


def test_a_late_report_of_our_own_page_does_not_undo_a_newer_yes(desk: Desk) -> None:
    sent = desk.put(sent_message(at=SENT_AT))
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
    sent = desk.put(sent_message(at=SENT_AT))
    desk.record(aws.wrapped(aws.opened(sent, agent)))
    assert list(desk.marks()) == [mark]


def test_a_machine_click_is_no_click(desk: Desk) -> None:
    sent = desk.put(sent_message(at=SENT_AT))
    desk.record(encode(report("clicked", sent, detail={"bot": True})))
    assert list(desk.marks()) == ["machine_clicked"]


def test_unknown_is_settled_by_what_the_provider_says(desk: Desk) -> None:
    sent = desk.put(sent_message(state=State.UNKNOWN))
    assert desk.record(aws.wrapped(aws.ses("Send", "send", {}, sent))) == ["recorded"]
    message = desk.ledger.get(SHOPPER, "cart_abandoned#1")
    assert message is not None
    assert message.state is State.SENT


def test_a_provider_that_took_what_we_know_it_took_is_no_news(desk: Desk) -> None:
    sent = desk.put(sent_message(at=SENT_AT))
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
    sent = desk.put(sent_message(at=SENT_AT))
    with pytest.raises(GiveUp):
        desk.record(aws.wrapped(aws.complaint(sent), topic="arn:aws:sns:eu-west-1:666666666666:regulars-feedback"))
    assert desk.marks() == {}
    assert desk.suppressions.reason("email", ADDRESS) == ""
    assert consent(desk)["email"] is True


def test_protection_comes_before_the_mark(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash between the two leaves the shopper protected, and the repeat completes it."""
    sent = desk.put(sent_message(at=SENT_AT))

    def crash(*_: object, **__: object) -> bool:
        raise TryLater("down")

    with monkeypatch.context() as patched:
        patched.setattr(desk.ledger, "mark", crash)
        with pytest.raises(TryLater):
            desk.record(aws.wrapped(aws.complaint(sent)))
    assert desk.suppressions.reason("email", ADDRESS) == "complaint"
    assert desk.record(aws.wrapped(aws.complaint(sent))) == ["recorded"]


def test_reports_out_of_order_land_the_same(desk: Desk) -> None:
    sent = desk.put(sent_message(at=SENT_AT))
    desk.record(encode(report("clicked", sent, at=NOW + timedelta(hours=2))))
    desk.record(encode(report("delivered", sent, at=NOW)))
    assert desk.marks() == {"clicked": to_ms(NOW + timedelta(hours=2)), "delivered": to_ms(NOW)}


def click(desk: Desk, sent: str, link: int, *, seconds: float, **detail: Any) -> list[str]:
    """A click reported `seconds` after the message was sent."""
    at = SENT_AT + timedelta(seconds=seconds)
    return desk.record(encode(report("clicked", sent, at=at, detail={"link": str(link), "user_agent": "Safari", **detail})))


@pytest.mark.parametrize(
    ("seconds", "mark"), [(-1, "machine_clicked"), (1.9, "machine_clicked"), (2, "clicked"), (60, "clicked")]
)
def test_nobody_clicks_that_fast(desk: Desk, seconds: float, mark: str) -> None:
    sent = desk.put(sent_message(at=SENT_AT))
    click(desk, sent, 1, seconds=seconds)
    assert list(desk.marks()) == [mark]


def test_haste_is_reckoned_from_the_delivery_once_it_is_known(desk: Desk) -> None:
    sent = desk.put(sent_message(at=SENT_AT))
    desk.record(encode(report("delivered", sent, at=SENT_AT + timedelta(minutes=5))))
    click(desk, sent, 1, seconds=301)
    assert set(desk.marks()) == {"delivered", "machine_clicked"}


@pytest.mark.parametrize("channel", ["push", "inapp"])
def test_a_push_may_be_tapped_at_once(desk: Desk, channel: str) -> None:
    sent = desk.put(sent_message(at=SENT_AT, channel=channel))
    click(desk, sent, 0, seconds=0.5)
    assert list(desk.marks()) == ["clicked"]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
def test_many_links_at_once_are_a_scanner_and_earn_nothing(desk: Desk, order: tuple[int, ...]) -> None:
    sent = desk.put(sent_message(at=SENT_AT))
    for link in order:
        click(desk, sent, link, seconds=60 + link / 10)
    assert set(desk.marks()) == {"clicked", "unclicked", "machine_clicked"}
    desk.attribution.ordered(ordered(at=SENT_AT + timedelta(days=4)))  # received long ago, never clicked by her
    assert desk.count("messages/cart_abandoned", "orders/email") == 0
    click(desk, sent, 2, seconds=7200)
    assert "clicked_again" in desk.marks()
    assert desk.count("messages/cart_abandoned", "orders/email") == 1


def test_a_double_click_is_a_shoppers(desk: Desk) -> None:
    sent = desk.put(sent_message(at=SENT_AT))
    click(desk, sent, 1, seconds=60)
    click(desk, sent, 1, seconds=60.2)
    click(desk, sent, 2, seconds=62)
    assert list(desk.marks()) == ["clicked"]


def test_a_burst_is_taken_back_from_the_counts() -> None:
    from regulars.metrics.counts import Counts
    from regulars.metrics.rolling import message_counts

    desk, total = Desk(), Counts()
    sent = desk.put(sent_message(at=SENT_AT))

    def follow(link: int, seconds: float) -> None:
        before = desk.ledger.get(SHOPPER, "cart_abandoned#1")
        click(desk, sent, link, seconds=seconds)
        after = desk.ledger.get(SHOPPER, "cart_abandoned#1")
        assert before is not None
        assert after is not None
        total.update(message_counts(before, after))

    follow(1, 60)
    follow(2, 60.1)
    fields = {key.field: value for key, value in total.items() if value}
    assert "clicked/email" not in fields
    assert "responded/email" not in fields
    follow(2, 900)
    fields = {key.field: value for key, value in total.items() if value}
    assert (fields["clicked/email"], fields["responded/email"]) == (1, 1)

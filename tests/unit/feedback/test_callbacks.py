"""SNS over HTTP: what is Amazon's and of our topics gets in; test_forgeries.py holds what does not."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.request import Request

import pytest
from tests.support.sns import CERTIFICATE_URL, CHINA, NOW, TOPIC, Door, certificate, signed, unsigned

from regulars.adapters.sns_callbacks import AmazonCertificates, _NoRedirects, fetch
from regulars.errors import GiveUp, TooLarge, TryLater, Unauthorised
from regulars.feedback.callbacks import canonical
from regulars.feedback.config import load
from regulars.feedback.parsing import parse
from regulars.messages import SnsEnvelope, encode


def test_a_notification_is_queued_word_for_word_as_feedback_reads_it() -> None:
    door = Door()
    event = {
        "notificationType": "Bounce",
        "mail": {"messageId": "m", "destination": ["a@example.com"]},
        "bounce": {
            "bounceType": "Permanent",
            "timestamp": "2026-08-05T11:00:00.000Z",
            "bouncedRecipients": [{"emailAddress": "a@example.com"}],
        },
    }
    message = signed(unsigned(Message=json.dumps(event)))
    assert door.post(message).status == 200
    (queued,) = door.queue.messages
    assert isinstance(queued, SnsEnvelope)
    (told,) = parse(encode(queued), topics=[TOPIC], config=load())
    assert (told.kind, told.address, told.id) == ("bounced", "a@example.com", f"{message['MessageId']}#0")
    with pytest.raises(GiveUp, match="another topic"):
        parse(encode(queued), topics=[CHINA], config=load())


@pytest.mark.parametrize("subject", [None, "absent", "", "Ünicode ✓"])
def test_the_subject_is_signed_only_when_there_is_one(subject: str | None) -> None:
    message = unsigned()
    del message["Subject"]
    if subject is None:
        sent = {**signed(message), "Subject": None}
    else:
        sent = signed(message if subject == "absent" else {**message, "Subject": subject})
    assert Door().post(sent).status == 200


def test_the_text_under_the_signature_is_amazons() -> None:
    """The order of AWS's page, each name and value on its line."""
    lines = canonical(unsigned(Message="m", Subject="s")).decode().split("\n")
    assert lines[::2] == ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type", ""]
    lines = canonical(unsigned("SubscriptionConfirmation", Message="m")).decode().split("\n")
    assert lines[::2] == ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type", ""]


def test_a_subscription_is_confirmed_by_its_token_and_its_url_never_fetched() -> None:
    door = Door()
    message = signed(unsigned("SubscriptionConfirmation", SubscribeURL="http://169.254.169.254/latest/meta-data/"))
    assert door.post(message).status == 200
    assert door.confirmed == [(TOPIC, message["Token"])]
    assert door.fetched == [CERTIFICATE_URL]
    assert door.queue.messages == []


def test_a_farewell_changes_nothing() -> None:
    door = Door()
    assert door.post(signed(unsigned("UnsubscribeConfirmation"))).status == 200
    assert door.untouched


def test_china_has_its_own_domain() -> None:
    url = CERTIFICATE_URL.replace("eu-west-1.amazonaws.com", "cn-north-1.amazonaws.com.cn")
    assert Door().post(signed(unsigned(TopicArn=CHINA, SigningCertURL=url))).status == 200


def test_headers_that_agree_are_fine_and_the_certificate_is_fetched_once() -> None:
    door = Door()
    message = signed(unsigned())
    agreeing = {"x-amz-sns-message-type": "Notification", "x-amz-sns-topic-arn": TOPIC}
    for _ in range(3):
        assert door.post(message, agreeing).status == 200
    assert door.fetched == [CERTIFICATE_URL]


@pytest.mark.parametrize("seconds", [-3900, 300])
def test_the_window_includes_its_ends(seconds: int) -> None:
    at = (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert Door().post(signed(unsigned(Timestamp=at))).status == 200


def test_what_cannot_be_done_now_comes_again() -> None:
    door = Door(pem=b" ")
    with pytest.raises(TryLater):
        door.post(signed(unsigned()))
    door = Door()
    door.queue.failing = TryLater("full")
    with pytest.raises(TryLater):
        door.post(signed(unsigned()))


def test_a_long_call_is_refused_unread() -> None:
    with pytest.raises(TooLarge):
        Door().post(b"{" * 200_000)


def test_the_certificate_is_fetched_without_following_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    import urllib.error
    import urllib.request

    follow: Any = _NoRedirects().redirect_request
    assert follow(Request("https://a.example"), None, 302, "", {}, "https://b.example") is None
    opened: list[Any] = []

    class Opener:
        def open(self, request: Request, timeout: float) -> Any:
            opened.append((request.full_url, timeout))
            raise urllib.error.URLError("no route")

    monkeypatch.setattr("regulars.adapters.sns_callbacks.build_opener", lambda *handlers: Opener())
    with pytest.raises(TryLater, match="cannot be fetched"):
        fetch(CERTIFICATE_URL)
    assert opened == [(CERTIFICATE_URL, 3)]


def test_an_endless_certificate_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    class Opener:
        def open(self, request: Request, timeout: float) -> Any:
            return io.BytesIO(b"-" * 100_000)

    monkeypatch.setattr("regulars.adapters.sns_callbacks.build_opener", lambda *handlers: Opener())
    with pytest.raises(Unauthorised):
        fetch(CERTIFICATE_URL)


def test_a_handful_of_certificates_is_kept() -> None:
    asked: list[str] = []

    def read(url: str) -> bytes:
        asked.append(url)
        return certificate()

    certificates = AmazonCertificates(read)
    for number in range(40):
        certificates.verify(f"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{number}.pem", b"", b"", NOW)
    assert len(asked) == 40
    assert len(certificates._kept) <= 16

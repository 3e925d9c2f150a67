"""receive_callbacks as API Gateway wakes it, on moto: a forgery is refused, a notification reaches record_feedback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CreateTable
from tests.support.functions import deploy, golden, wake
from tests.support.sns import CERTIFICATE_URL, NOW, TOPIC, certificate, signed, unsigned

from regulars.adapters import sns_callbacks
from regulars.adapters.aws import client
from regulars.errors import TryLater, Unauthorised


@pytest.fixture
def queue(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The feedback queue's URL."""
    url: str = client("sqs").create_queue(QueueName="feedback")["QueueUrl"]
    topics = f" {TOPIC} ,arn:aws:sns:eu-west-1:123456789012:other"
    deploy(create_table, monkeypatch, tmp_path / "clock", NOW, (), CALLBACK_TOPIC_ARNS=topics, FEEDBACK_QUEUE_URL=url)
    return url


def post(message: dict[str, Any] | None = None) -> dict[str, Any]:
    """A fresh container's answer; the golden forgery without a message."""
    event = golden("receive_callbacks.forged")
    if message:
        event["body"] = json.dumps(message)
        event["headers"]["x-amz-sns-message-type"] = message["Type"]
    answer: dict[str, Any] = wake("receive_callbacks", event)
    return answer


def test_the_golden_forgery_is_refused(queue: str) -> None:
    answer = post()
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (401, "forged")


def test_a_notification_is_queued(queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []

    def fetch(url: str) -> bytes:
        fetched.append(url)
        return certificate()

    monkeypatch.setattr(sns_callbacks.AmazonCertificates.__init__, "__defaults__", (fetch,))
    assert post(signed(unsigned()))["statusCode"] == 200
    (held,) = client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(held["Body"])["body"]["TopicArn"] == TOPIC
    assert fetched == [CERTIFICATE_URL]


def test_a_subscription_is_confirmed_in_the_topics_region(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import botocore.client

    called: list[tuple[str, str, dict[str, Any]]] = []

    def api(self: Any, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        called.append((self.meta.region_name, operation, arguments))
        return {}

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", api)
    sns_callbacks.confirm(TOPIC, "token")
    assert called == [
        ("eu-west-1", "ConfirmSubscription", {"TopicArn": TOPIC, "Token": "token", "AuthenticateOnUnsubscribe": "true"})
    ]


@pytest.mark.parametrize(
    ("code", "error"), [("InvalidParameter", Unauthorised), ("NotFound", Unauthorised), ("Throttling", TryLater)]
)
def test_what_sns_answers_is_put_in_our_words(
    aws: None, monkeypatch: pytest.MonkeyPatch, code: str, error: type[Exception]
) -> None:
    import botocore.client
    from botocore.exceptions import ClientError

    def api(self: Any, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        raise ClientError({"Error": {"Code": code, "Message": ""}}, operation)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", api)
    with pytest.raises(error):
        sns_callbacks.confirm(TOPIC, "token")

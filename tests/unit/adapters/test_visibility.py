"""A failed entry comes again after a random, doubling wait; whatever goes wrong with that, it comes again."""

from __future__ import annotations

import random
from typing import Any

import pytest

from regulars.adapters.lambda_batch import queue_handler
from regulars.adapters.queues.visibility import BASE_SECONDS, CAP_SECONDS, comes_later, wait_seconds
from regulars.errors import GiveUp, TryLater
from regulars.messages import SendOrder, encode

ORDER = SendOrder(id="1", correlation_id="", sent_at_ms=0, shopper="user:1", moment_id="birthday#1", channel="email")
BODY = encode(ORDER)


def test_waits_are_drawn_from_zero_to_twice_as_long_each_time() -> None:
    assert [wait_seconds(tries, 0, 0.0) for tries in range(1, 7)] == [0] * 6
    longest = [wait_seconds(tries, 0, 0.999999) + 1 for tries in range(1, 7)]
    assert longest == [min(CAP_SECONDS, BASE_SECONDS * 2**n) for n in range(6)]
    assert wait_seconds(1, 30, 0.5) == 30 + BASE_SECONDS // 2


def test_full_jitter_spreads_entries_that_failed_together() -> None:
    chances = random.Random(1)
    waits = [wait_seconds(2, 1, chances.random()) for _ in range(1000)]
    assert len(set(waits)) > 100
    assert abs(sum(waits) / 1000 - (1 + BASE_SECONDS)) < 5


def test_no_wait_is_longer_than_sqs_allows() -> None:
    assert wait_seconds(5, 10**6, 0.9) < 12 * 3600


@pytest.fixture
def queue(aws: None) -> str:
    from regulars.adapters.aws import client

    made = client("sqs").create_queue(QueueName="email", Attributes={"VisibilityTimeout": "180"})["QueueUrl"]
    client("sqs").send_message(QueueUrl=made, MessageBody=BODY)
    return str(made)


def received(queue: str) -> dict[str, Any]:
    """One record as Lambda hands it over."""
    from regulars.adapters.aws import client

    for _ in range(200):  # moto shows an entry again from the next millisecond on
        if found := client("sqs").receive_message(QueueUrl=queue, AttributeNames=["All"]).get("Messages"):
            break
    (entry,) = found
    return {
        "messageId": entry["MessageId"],
        "receiptHandle": entry["ReceiptHandle"],
        "body": entry["Body"],
        "attributes": entry["Attributes"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:email",
    }


def test_the_visibility_of_that_entry_changes(queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", lambda: 0.0)
    record = received(queue)
    assert comes_later(record, 0)
    assert received(queue)["messageId"] == record["messageId"]  # visible again, at once


def test_the_handler_puts_off_what_may_work_later_and_leaves_the_rest_to_the_queue(
    queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from regulars.adapters.aws import client

    monkeypatch.setattr(random, "random", lambda: 0.0)
    seen: list[int] = []

    def failing(order: SendOrder, tries: int) -> None:
        assert order == ORDER
        seen.append(tries)
        raise TryLater("throttled", retry_after_seconds=0) if tries < 3 else GiveUp("never")

    handler = queue_handler(SendOrder, lambda: failing, counts_tries=True)
    for _ in range(3):
        record = received(queue)
        assert handler({"Records": [record]}, None) == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    assert seen == [1, 2, 3]
    assert "Messages" not in client("sqs").receive_message(QueueUrl=queue)
    client("sqs").delete_queue(QueueUrl=queue)


@pytest.mark.parametrize(
    "damage", [{"eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:gone"}, {"receiptHandle": ""}, {"attributes": {}}]
)
def test_when_the_change_fails_the_queue_brings_it_back_all_the_same(queue: str, damage: dict[str, Any]) -> None:
    def failing(order: SendOrder) -> None:
        raise TryLater("throttled")

    record = {**received(queue), **damage}
    assert not comes_later(record, 1)
    handler = queue_handler(SendOrder, lambda: failing)
    assert handler({"Records": [record]}, None) == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}

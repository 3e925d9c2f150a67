"""Dead letters: listed, explained, and replayed as often as one likes without a message more."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.functions import golden
from tests.support.sending import NOW, SHOPPER, order, planned
from tests.unit.channels.test_functions import World, handler

from regulars.adapters.aws import client
from regulars.adapters.dynamodb.limits import DynamoGauges, DynamoPauses
from regulars.decisions.model import Message, State
from regulars.messages import Moment, encode
from regulars_ops import main, stack

ARN = "arn:aws:sqs:us-east-1:123456789012:"


class Deployed(stack.Stack):
    """A stack of this test's tables and queues."""

    def __init__(self, queues: dict[str, str]) -> None:
        super().__init__("regulars", "")
        self.__dict__["queue_urls"] = queues

    def environment(self, function: str) -> dict[str, str]:
        return dict(os.environ)


@pytest.fixture
def world(create_table: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    made = World(create_table, monkeypatch, tmp_path)
    urls = {}
    for queue in ("email", "moments"):
        client("sqs").create_queue(QueueName=f"{queue}_dead")
        redrive = json.dumps({"deadLetterTargetArn": f"{ARN}{queue}_dead", "maxReceiveCount": "5"})
        urls[queue] = client("sqs").create_queue(QueueName=queue, Attributes={"RedrivePolicy": redrive})["QueueUrl"]
    monkeypatch.setattr(stack, "connect", lambda name: Deployed(urls))
    return made


STATES = [State.PLANNED, State.SENT, State.UNKNOWN, State.FAILED, State.LAPSED, State.WITHHELD, State.CLAIMED, State.DEFERRED]


def letters(world: World) -> list[Message]:
    """One dead order a state, one without an entry, and one that is no message."""
    made = []
    for number, state in enumerate(STATES):
        entry = planned(moment_id=f"cart_abandoned#{number}", kind="order_update", state=state, token="t")
        entry = replace(entry, lease_until=NOW - timedelta(hours=1)) if state is State.CLAIMED else entry
        assert world.ledger.record(entry)
        made.append(entry)
    bodies = [encode(order(entry)) for entry in [*made, planned(moment_id="cart_abandoned#gone")]]
    for body in [*bodies, "poison"]:
        client("sqs").send_message(QueueUrl=_url("email_dead"), MessageBody=body)
    return made


def _url(queue: str) -> str:
    return str(client("sqs").get_queue_url(QueueName=queue)["QueueUrl"])


def _run_queue() -> None:
    """What Lambda does: hand over, delete what did not fail; what failed is dead again."""
    wake = handler("send_message")
    while entries := client("sqs").receive_message(QueueUrl=_url("email"), MaxNumberOfMessages=10).get("Messages"):
        records = [
            {
                "messageId": entry["MessageId"],
                "receiptHandle": entry["ReceiptHandle"],
                "body": entry["Body"],
                "attributes": {"ApproximateReceiveCount": "1"},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"{ARN}email",
            }
            for entry in entries
        ]
        failed = {entry["itemIdentifier"] for entry in wake({"Records": records}, None)["batchItemFailures"]}
        for entry in entries:
            client("sqs").delete_message(QueueUrl=_url("email"), ReceiptHandle=entry["ReceiptHandle"])
            if entry["MessageId"] in failed:
                client("sqs").send_message(QueueUrl=_url("email_dead"), MessageBody=entry["Body"])


def _sent() -> int:
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.ses.models import ses_backends

    return len(ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages)


def test_replaying_everything_twice_sends_nothing_twice(world: World) -> None:
    entries = letters(world)
    for _ in range(2):  # the same letters once more, as after a crash between putting back and taking out
        for entry in entries:
            client("sqs").send_message(QueueUrl=_url("email_dead"), MessageBody=encode(order(entry)))
    counts = []
    for _ in range(3):
        assert main.main(["replay", "email"]) == 0
        _run_queue()
        counts.append(_sent())
    assert counts == [1, 1, 1]  # the one that had never been sent
    states = [world.ledger.get(SHOPPER, entry.moment_id).state for entry in entries]  # type: ignore[union-attr]
    assert states == [State.SENT, *STATES[1:6], State.UNKNOWN, State.DEFERRED]


def test_every_letter_is_explained(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    letters(world)
    assert main.main(["dead", "email", "--explain"]) == 1
    told = capsys.readouterr().out
    for said in (
        "channels.send user:ann cart_abandoned#0 by email",
        "stands  PLANNED: Decided to write: nothing stood against it.",
        "replay  sent once, unless something stands against it by then",
        "replay  nothing: it was sent",
        "replay  nothing: it may have been sent, and is never sent again",
        "replay  UNKNOWN: the worker that held it died",
        "replay  its timer is set, if that was missing",
        "stands  no such message: erased, or past its retention",
        "not a message of ours: 'poison'",
        "log /regulars/send_message, entry ",
    ):
        assert said in told, said
    assert "10 dead letters in email" in told
    assert "ann@example.com" not in told


def test_moments_are_explained_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    base: dict[str, Any] = {"correlation_id": "", "sent_at_ms": 0, "shopper": SHOPPER, "kind": "birthday", "subject": "1"}
    times: dict[str, Any] = {"occurred_at_ms": 0, "due_at_ms": 0, "expires_at_ms": int(NOW.timestamp() * 1000) + 1}
    for number in range(2):
        body = encode(Moment(id=f"cart_abandoned#{number}", **base, **times))
        client("sqs").send_message(QueueUrl=_url("moments_dead"), MessageBody=body)
    world.ledger.record(planned(moment_id="cart_abandoned#0"))
    main.main(["dead", "moments", "--explain"])
    told = capsys.readouterr().out
    assert "its send order is emitted again; the claim lets one through" in told
    assert "never decided" in told
    assert "log /regulars/decide_message" in told


def test_marketing_of_a_channel_is_shown_paused_and_resumed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["channels", "show"]) == 0
    assert main.main(["channels", "pause"]) == 2
    assert main.main(["channels", "pause", "email"]) == 0
    assert main.main(["channels", "pause", "email"]) == 0
    assert DynamoPauses("channels").standing() == {"email": "operator"}
    assert main.main(["channels", "show", "email"]) == 1
    told = capsys.readouterr()
    assert "email  PAUSED (operator)" in told.out
    assert "pauses at 0.080%" in told.out
    assert "which channel?" in told.err
    entry = planned()
    world.ledger.record(entry)
    event = {"Records": [{**golden_record(), "body": encode(order(entry))}]}
    assert handler("send_message")(event, None) == {"batchItemFailures": []}
    assert (world.state(), _sent()) == (State.DEFERRED, 0)
    assert main.main(["channels", "resume", "email"]) == 0
    assert main.main(["channels", "resume", "email"]) == 0
    assert "was not paused" in capsys.readouterr().out
    assert DynamoGauges("channels").load("email").total.sent == 0


def golden_record() -> dict[str, Any]:
    record: dict[str, Any] = golden("send_message.email")["Records"][0]
    return record

"""Every queue keeps the same promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from regulars.adapters.memory.queues import MemoryQueue
from regulars.errors import GiveUp, Invalid, Misconfigured, RateLimited, TryLater
from regulars.messages import EventUnit, decode
from regulars.queues import Queue


@dataclass
class Bench:
    """A queue and how to read what lies in it."""

    queue: Queue
    received: Callable[[], list[EventUnit]]


def unit(number: int, note: str = "") -> EventUnit:
    return EventUnit(
        id=f"unit{number}",
        correlation_id="call",
        sent_at_ms=1,
        shopper="user:u1",
        received_at_ms=1,
        events=({"id": f"m{number}", "note": note},),
    )


@pytest.fixture(params=["memory", "sqs"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "memory":
        memory = MemoryQueue()
        yield Bench(memory, lambda: [message for message in memory.messages if isinstance(message, EventUnit)])
        return
    request.getfixturevalue("aws")
    from regulars.adapters.aws import client
    from regulars.adapters.queues.sqs import SqsQueue

    url = client("sqs").create_queue(QueueName="events")["QueueUrl"]

    def received() -> list[EventUnit]:
        found: list[EventUnit] = []
        while bodies := client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [decode(EventUnit, body["Body"]) for body in bodies]
        return sorted(found, key=lambda entry: int(entry.id.removeprefix("unit")))

    yield Bench(SqsQueue(url), received)


@pytest.mark.parametrize("count", [0, 1, 10, 11, 25])
def test_all_messages_go_in_whatever_their_number(bench: Bench, count: int) -> None:
    bench.queue.send([unit(n) for n in range(count)])
    assert bench.received() == [unit(n) for n in range(count)]


def test_large_messages_are_spread_over_calls(bench: Bench) -> None:
    messages = [unit(n, "x" * 100_000) for n in range(7)]
    bench.queue.send(messages)
    assert bench.received() == messages


@pytest.mark.parametrize("text", ["\ufffe\uffff", "\\\ufffe", "\u0000\u001f\u007f", "漢字 🎁", "\u2028"])
def test_any_text_comes_out_as_it_went_in(bench: Bench, text: str) -> None:
    bench.queue.send([unit(1, text)])
    assert bench.received() == [unit(1, text)]


def test_a_message_no_queue_can_hold_is_given_up_before_anything_is_sent(bench: Bench) -> None:
    with pytest.raises(GiveUp):
        bench.queue.send([unit(1), unit(2, "x" * 262_144)])
    assert bench.received() == []


@pytest.mark.parametrize("delay", [-1, 901])
def test_no_queue_delays_longer_than_fifteen_minutes(bench: Bench, delay: int) -> None:
    with pytest.raises(Invalid):
        bench.queue.send([unit(1)], delay_seconds=delay)


def test_a_delayed_message_is_taken(bench: Bench) -> None:
    bench.queue.send([unit(1)], delay_seconds=900)


class Flaky:
    """An SQS client whose answers are scripted: id → error code of what fails, or an exception."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.calls: list[list[str]] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.calls.append([entry["MessageBody"].partition('"id":"')[2].partition('"')[0] for entry in Entries])
        turn = self.script.pop(0) if self.script else {}
        if isinstance(turn, Exception):
            raise turn
        return {"Failed": [{"Id": key, "Code": code, "SenderFault": fault} for key, (code, fault) in turn.items()]}


@pytest.fixture
def flaky(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Queue, Flaky]]:
    from regulars.adapters.queues import sqs

    def make(*script: Any) -> tuple[Queue, Flaky]:
        scripted = Flaky(*script)
        monkeypatch.setattr(sqs, "client", lambda service: scripted)
        monkeypatch.setattr("time.sleep", lambda seconds: None)
        return sqs.SqsQueue("https://queue"), scripted

    return make


def client_error(code: str) -> Exception:
    from botocore.exceptions import ClientError

    error: Exception = ClientError({"Error": {"Code": code}}, "SendMessageBatch")
    return error


def test_only_the_entries_that_failed_are_sent_again(flaky: Callable[..., tuple[Queue, Flaky]]) -> None:
    queue, client = flaky({"1": ("InternalError", False)})
    queue.send([unit(0), unit(1), unit(2)])
    assert client.calls == [["unit0", "unit1", "unit2"], ["unit1"]]


INTERNAL = {"0": ("InternalError", False)}
THROTTLED = {"0": ("AWS.SimpleQueueService.RequestThrottled", True)}


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ([INTERNAL] * 3, TryLater),
        ([THROTTLED] * 3, RateLimited),
        ([{"0": ("InvalidMessageContents", True)}], GiveUp),
        ([client_error("AWS.SimpleQueueService.NonExistentQueue")], Misconfigured),
        ([client_error("RequestThrottled")], RateLimited),
        ([client_error("ServiceUnavailable")], TryLater),
    ],
)
def test_what_stays_out_is_told_in_our_words(flaky: Callable[..., tuple[Queue, Flaky]], script: list[Any], error: type) -> None:
    queue, _ = flaky(*script)
    with pytest.raises(error) as caught:
        queue.send([unit(0)])
    assert type(caught.value) is error


def test_an_unreachable_queue_is_tried_later(flaky: Callable[..., tuple[Queue, Flaky]]) -> None:
    from botocore.exceptions import EndpointConnectionError

    queue, _ = flaky(EndpointConnectionError(endpoint_url="https://queue"))
    with pytest.raises(TryLater, match="EndpointConnectionError"):
        queue.send([unit(0)])

"""plan_triggers and fire_timers as they are woken: the golden events through the handlers, on moto."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CreateTable
from tests.support.functions import deploy, golden, wake

from regulars.messages import Moment, decode

NOON, EVENING = "2026-07-01T12:02:00+00:00", "2026-07-01T16:01:00+00:00"


class World:
    """The deployed parts both functions need, and a clock in a file."""

    def __init__(self, clock: Path, queue_url: str) -> None:
        self.clock = clock
        self.queue_url = queue_url

    def wake(self, name: str, at: str, event: Any = None) -> Mapping[str, Any]:
        """A fresh container of function `name` at that instant."""
        self.clock.write_text(at)
        answer: Mapping[str, Any] = wake(name, event)
        return answer

    def moments(self) -> list[Moment]:
        from regulars.adapters.aws import client

        got: list[Moment] = []
        while True:
            page = client("sqs").receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages")
            if not page:
                return got
            got += [decode(Moment, message["Body"]) for message in page]


@pytest.fixture
def world(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    from regulars.adapters.aws import client

    clock, queue_url = tmp_path / "clock", client("sqs").create_queue(QueueName="moments")["QueueUrl"]
    tables, noon = ("timers", "profiles", "catalogue"), datetime.fromisoformat(NOON)
    deploy(create_table, monkeypatch, clock, noon, tables, TIMER_SHARDS="4", MOMENTS_QUEUE_URL=queue_url)
    # A tick of one worker: moto is not made for threads.
    client("s3").put_object(Bucket="data", Key="config/shop.yaml", Body=b"triggers: { firing: { workers: 1 } }")
    return World(clock, queue_url)


def test_the_log_becomes_timers_and_the_tick_moments(world: World) -> None:
    assert world.wake("plan_triggers", NOON) == {"batchItemFailures": []}
    summary = world.wake("fire_timers", NOON)
    assert (summary["fired"], summary["lapsed"], summary["behind"]) == (1, 0, 0)
    assert [(moment.shopper, moment.id) for moment in world.moments()] == [("user:bob", "order_update#536365/completed")]
    summary = world.wake("fire_timers", EVENING)
    assert summary["fired"] == 2
    assert summary["watermark"] == EVENING
    told = {moment.id: moment for moment in world.moments()}
    assert sorted(told) == ["cart_abandoned#2026-07-01T12:00", "welcome#once"]
    assert told["cart_abandoned#2026-07-01T12:00"].facts == {"items": ["85123A"], "cart_value_cents": 1530}


def test_waking_again_with_the_same_adds_nothing(world: World) -> None:
    for _ in range(2):
        world.wake("plan_triggers", NOON)
    for _ in range(2):
        world.wake("fire_timers", EVENING)
        world.wake("plan_triggers", EVENING)
    told = world.moments()
    assert len(told) == 3
    assert {moment.facts["cart_value_cents"] for moment in told if moment.kind == "cart_abandoned"} == {1530}


def test_a_record_that_cannot_be_read_comes_again_and_what_stood_before_it_is_done(world: World) -> None:
    event = golden("plan_triggers")
    event["Records"][1]["dynamodb"]["NewImage"]["events"]["B"] = "AAAA"
    answer = world.wake("plan_triggers", NOON, event)
    assert answer["batchItemFailures"][0]["itemIdentifier"] == event["Records"][1]["dynamodb"]["SequenceNumber"]
    assert world.wake("fire_timers", EVENING)["fired"] == 2

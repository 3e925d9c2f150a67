"""capture_events, archive_events, sweep_lifecycle and enforce_retention as they are woken: golden events, on moto."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CreateTable
from tests.support import functions
from tests.support.shoppers import DAY, MUG, NOON, SHE, weights

from regulars.messages import Moment, decode
from regulars.profiles.model import Profile


class World:
    """The deployed parts these functions need, and a clock in a file."""

    def __init__(self, clock: Path, queue_url: str) -> None:
        self.clock = clock
        self.queue_url = queue_url

    def wake(self, name: str, at: datetime, golden: str = "") -> Mapping[str, Any]:
        """A fresh container of function `name` at that instant."""
        self.clock.write_text(at.isoformat())
        answer: Mapping[str, Any] = functions.wake(name, functions.golden(golden or name))
        return answer

    def profile(self, at: datetime) -> Profile:
        from regulars.adapters.dynamodb.profiles import DynamoProfiles
        from regulars.profiles.reading import ProfileReader

        return ProfileReader(DynamoProfiles("profiles"), weights()).load(SHE, at)

    def moments(self) -> list[Moment]:
        from regulars.adapters.aws import client

        page = client("sqs").receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        return [decode(Moment, message["Body"]) for message in page.get("Messages", ())]


@pytest.fixture
def world(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    from regulars.adapters.aws import client
    from regulars.adapters.dynamodb.catalogue import DynamoCatalogue

    tables = ("profiles", "events", "contacts", "quarantine", "messages", "timers", "inbox", "offers", "metrics", "catalogue")
    clock, queue_url = tmp_path / "clock", client("sqs").create_queue(QueueName="moments")["QueueUrl"]
    functions.deploy(create_table, monkeypatch, clock, NOON, tables, TIMER_SHARDS="4", MOMENTS_QUEUE_URL=queue_url)
    DynamoCatalogue("catalogue").put([MUG])
    return World(clock, queue_url)


def test_a_guest_who_logs_in_and_orders_is_one_shopper(world: World) -> None:
    from regulars.adapters.dynamodb.contacts import DynamoContacts

    for _ in range(2):
        assert world.wake("capture_events", NOON) == {"batchItemFailures": []}
    profile = world.profile(NOON)
    assert [(order.order_id, order.value_cents) for order in profile.orders] == [("o1", 2450)]
    assert profile.aliases == {"anon:a1"}
    assert profile.items["mug"] == pytest.approx(1.5 + 5.0, rel=0.01)
    assert DynamoContacts("contacts").load(SHE).addresses == {"email": "ada@shop.example"}


def test_poison_is_reported_and_its_neighbour_lives(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    answer = world.wake("capture_events", NOON, "capture_events.poison")
    assert [failure["itemIdentifier"][-1] for failure in answer["batchItemFailures"]] == ["3"]
    assert "anon:a1" not in capsys.readouterr().out


def test_the_stream_is_archived_by_day(world: World) -> None:
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.capture.archive import read

    for _ in range(2):
        assert world.wake("archive_events", NOON) == {"batchItemFailures": []}
    storage = S3Storage("data")
    assert [key.split("/")[1] for key in storage.list("archive/")] == ["day=2026-03-02", "day=2026-03-03"]
    assert len(list(read(storage, NOON - DAY))) == 3


def test_the_sweep_sets_stage_and_tier_and_emits_the_moment(world: World) -> None:
    world.wake("capture_events", NOON)
    summary = world.wake("sweep_lifecycle", NOON + 61 * DAY)
    assert (summary["shoppers"], summary["stages"], summary["tiers"]) == (1, {"churn-risk": 1}, {"high": 1})
    profile = world.profile(NOON + 61 * DAY)
    assert (profile.stage, profile.tier, profile.rfm) == ("churn-risk", "high", "LLL")
    (moment,) = world.moments()
    assert (moment.kind, moment.subject, moment.facts["category"]) == ("winback_churn_risk", "2026-03-02", "home-mugs")


def test_retention_deletes_the_log_in_time(world: World) -> None:
    from regulars.adapters.dynamodb.events import DynamoEventLog

    world.wake("capture_events", NOON)
    assert world.wake("enforce_retention", NOON + 729 * DAY)["events"] == 0
    assert len(list(DynamoEventLog("events").read(SHE, NOON - DAY))) == 2
    assert world.wake("enforce_retention", NOON + 731 * DAY)["events"] == 2
    assert not list(DynamoEventLog("events").read(SHE, NOON - DAY))


def test_a_repeat_is_counted_as_a_metric(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.support.shoppers import event, unit

    from regulars.compose.capture import capture_events

    world.clock.write_text(NOON.isoformat())
    capture = capture_events()
    capture(unit([event()]))
    assert not capsys.readouterr().out
    capture(unit([event()], NOON + DAY))
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["EventsRepeated"] == [1]
    assert len(line) < 600

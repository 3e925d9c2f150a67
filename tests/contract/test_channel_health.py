"""roll_up_metrics pauses a channel that draws complaints, once, and says so in its log and as a metric."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CreateTable
from tests.support.functions import deploy, load
from tests.support.sending import NOW, planned

from regulars.adapters.dynamodb.client import item_to_wire
from regulars.adapters.dynamodb.ledger_items import item_of
from regulars.adapters.dynamodb.limits import DynamoGauges, DynamoPauses
from regulars.channels.health import Bucket
from regulars.channels.watching import CHANNEL_PAUSED
from regulars.decisions.model import Message, State


@pytest.fixture
def wake(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[list[dict[str, Any]]], Any]:
    deploy(
        create_table,
        monkeypatch,
        tmp_path / "clock",
        NOW,
        ["messages", "metrics", "channels"],
        POWERTOOLS_SERVICE_NAME="roll_up_metrics",
    )
    module = load("roll_up_metrics")
    return lambda records: module.handler({"Records": records}, None)


def step(number: int, old: Message, new: Message) -> dict[str, Any]:
    def image(message: Message) -> dict[str, Any]:
        return item_to_wire(item_of(replace(message, content={}), NOW))

    return {
        "eventName": "MODIFY",
        "eventSource": "aws:dynamodb",
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/messages/stream/2026",
        "dynamodb": {
            "ApproximateCreationDateTime": int(NOW.timestamp()),
            "SequenceNumber": str(number),
            "Keys": {},
            "NewImage": image(new),
            "OldImage": image(old),
        },
    }


def complained(count: int) -> list[dict[str, Any]]:
    found = []
    for number in range(count):
        claimed = planned(state=State.CLAIMED, slot="x", moment_id=f"cart_abandoned#{number}")
        sent = replace(claimed, state=State.SENT)
        found += [step(2 * number, claimed, sent), step(2 * number + 1, sent, replace(sent, marks={"complained": 1}))]
    return found


def test_three_complaints_pause_the_channel_and_say_so_once(
    wake: Callable[[list[dict[str, Any]]], Any], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    records = complained(3)
    for part in (records[:4], records[:4], records[2:], records):
        assert wake(part) == {"batchItemFailures": []}
    assert DynamoGauges("channels").load("email").total == Bucket(3, 0, 3)
    assert DynamoPauses("channels").standing() == {"email": "complaints"}
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    (line,) = [vars(record) for record in caplog.records if vars(record).get("code") == "channel_paused"]
    assert (line["levelname"], line["channel"]) == ("ERROR", "email")
    assert line["reason"] == "complaints: 3 complaints in 3 messages"
    (metric,) = [entry for entry in told if CHANNEL_PAUSED in entry]
    assert metric["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Regulars"
    assert metric["service"] == "roll_up_metrics"


def test_the_alarm_looks_at_that_metric() -> None:
    from tests.architecture import templates

    (alarm,) = [
        found["Properties"]
        for _, _, found in templates.resources("AWS::CloudWatch::Alarm")
        if found["Properties"]["MetricName"] == CHANNEL_PAUSED
    ]
    assert alarm["Namespace"] == "Regulars"
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "roll_up_metrics"}]

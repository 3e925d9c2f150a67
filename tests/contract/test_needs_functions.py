"""forecast_needs woken by its golden event, against moto: what it publishes, sweep_lifecycle makes facts of."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CreateTable
from tests.support.shoppers import order

from regulars.adapters.aws import client
from regulars.adapters.dynamodb.profiles import DynamoProfiles
from regulars.adapters.storage.s3 import S3Storage
from regulars.capture.archive import ArchiveEvents
from regulars.capture.model import Event
from regulars.capture.packing import pack
from regulars.clock import to_ms
from regulars.needs.model import load
from regulars.profiles.orders import order_told
from regulars.profiles.record import Record

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)


class Context:
    aws_request_id = "1"
    function_name = "f"


class Change:
    action = "INSERT"
    sequence = "1"

    def __init__(self, events: list[Event]) -> None:
        self.new = {"events": pack(events), "received": to_ms(NOW - timedelta(hours=1))}


def wake(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"app_of_{name}", ROOT / "functions" / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler(json.loads((ROOT / "tests" / "golden" / f"{name}.json").read_text("utf-8")), Context())


def shopping(number: int) -> list[Event]:
    """Every fifth day or so, all along or for half the year."""
    she, last = f"user:{number}", 240 if number % 2 else 120
    days = range(number % 5, last, 4 + number % 7)
    return [order(f"o{number}-{day}", NOW - timedelta(days=250 - day), 30.0, shopper=she) for day in days]


@pytest.fixture(autouse=True)
def deployed(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROFILES_TABLE", create_table("profiles", True))
    client("s3").create_bucket(Bucket="data")
    queue = client("sqs").create_queue(QueueName="moments")["QueueUrl"]
    (tmp_path / "clock").write_text(NOW.isoformat())
    for name, value in {
        "POWERTOOLS_SERVICE_NAME": "test",
        "CLOCK_SOURCE": f"file:{tmp_path / 'clock'}",
        "DATA_BUCKET": "data",
        "MOMENTS_QUEUE_URL": queue,
    }.items():
        monkeypatch.setenv(name, value)


def test_from_archive_to_facts_of_a_profile() -> None:
    storage = S3Storage("data")
    histories = [shopping(number) for number in range(40)]
    ArchiveEvents(storage)([Change([event for events in histories for event in events])])
    built = wake("forecast_needs")
    assert built["orders"] == sum(map(len, histories))
    model = load(storage)
    assert model is not None
    assert model.version == built["version"]

    profiles = DynamoProfiles("profiles")
    for number in (1, 2):
        orders = [told for told in map(order_told, histories[number]) if told]
        record = Record(shopper=f"user:{number}", first_ms=to_ms(NOW) - 10**10, newest_ms=to_ms(NOW) - 10**9)
        profiles.save(record)
        profiles.join_orders(record.shopper, orders)
    summary = wake("sweep_lifecycle")
    assert summary["needs"] == built["version"]
    still, gone = (profiles.load(f"user:{number}").standing.expected for number in (1, 2))
    assert still is not None
    assert gone is not None
    assert still.chance > gone.chance
    assert still.lifetime_cents > gone.lifetime_cents


def test_an_empty_archive_publishes_a_model_that_says_why() -> None:
    built = wake("forecast_needs")
    assert built["orders"] == 0
    assert "0 shoppers bought" in built["returning"]
    assert wake("sweep_lifecycle")["needs"] == ""

"""forecast_needs woken by its golden event, against moto: what it publishes, sweep_lifecycle makes facts of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.conftest import CreateTable
from tests.support.functions import LogRecord, deploy, wake
from tests.support.shoppers import order

from regulars.adapters.aws import client
from regulars.adapters.dynamodb.profiles import DynamoProfiles
from regulars.adapters.storage.s3 import S3Storage
from regulars.capture.archive import ArchiveEvents
from regulars.capture.model import Event
from regulars.clock import to_ms
from regulars.needs.model import load
from regulars.profiles.orders import order_told
from regulars.profiles.record import Record

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)


def shopping(number: int) -> list[Event]:
    """Every fifth day or so, all along or for half the year."""
    she, last = f"user:{number}", 240 if number % 2 else 120
    days = range(number % 5, last, 4 + number % 7)
    return [order(f"o{number}-{day}", NOW - timedelta(days=250 - day), 30.0, shopper=she) for day in days]


@pytest.fixture(autouse=True)
def deployed(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    queue = client("sqs").create_queue(QueueName="moments")["QueueUrl"]
    deploy(create_table, monkeypatch, tmp_path / "clock", NOW, ["profiles"], MOMENTS_QUEUE_URL=queue)


def test_from_archive_to_facts_of_a_profile() -> None:
    storage = S3Storage("data")
    histories = [shopping(number) for number in range(40)]
    ArchiveEvents(storage)([LogRecord([event for events in histories for event in events])])
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

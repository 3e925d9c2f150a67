"""record_feedback, roll_up_metrics and write_reports woken by their golden events, against moto; and what they cost."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CreateTable
from tests.support.feedback import ADDRESS, NOW, SHOPPER, report, sent_message
from tests.support.functions import deploy, golden, wake
from tests.unit.feedback import provider_events as provider

from regulars.adapters.aws import client
from regulars.adapters.dynamodb.contacts import DynamoContacts
from regulars.adapters.dynamodb.counters import DynamoCounters, DynamoSketches
from regulars.adapters.dynamodb.messages import DynamoLedger
from regulars.adapters.dynamodb.suppressions import DynamoSuppressions
from regulars.adapters.dynamodb.touches import DynamoTouches
from regulars.messages import encode
from regulars.metrics.counts import CountKey

DAY = date(2026, 8, 5)
BUCKET = "data"
CART = "cart_abandoned#1"


@pytest.fixture
def tables(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deploy(
        create_table,
        monkeypatch,
        tmp_path / "clock",
        datetime(2026, 8, 6, 4, tzinfo=UTC),
        ["messages", "contacts", "suppressions", "metrics", "channels"],
        FEEDBACK_TOPIC_ARN=provider.TOPIC,
        CALLBACK_TOPIC_ARNS="",
    )


@pytest.fixture
def ledger(tables: None) -> DynamoLedger:
    made = DynamoLedger("messages", "contacts", "suppressions")
    made.record(sent_message(at=NOW - timedelta(hours=3)))
    before = NOW - timedelta(days=3650)
    DynamoContacts("contacts").update(SHOPPER, now=before, addresses={"email": ADDRESS}, consent={"email": True})
    return made


def counters() -> dict[str, int]:
    found = DynamoCounters("metrics").read(date(2026, 1, 1), date(2026, 12, 31))
    return {f"{key.group}:{key.field}": value for key, value in found.items()}


def test_a_complaint_and_a_click_by_queue(ledger: DynamoLedger) -> None:
    assert wake("record_feedback", golden("record_feedback")) == {"batchItemFailures": []}
    message = ledger.get(SHOPPER, CART)
    assert message is not None
    assert set(message.marks) == {"complained", "clicked"}
    assert DynamoContacts("contacts").load(SHOPPER).consent == {"email": False}
    assert DynamoSuppressions("suppressions").reason("email", ADDRESS) == "complaint"


def test_poison_and_forgery_fail_alone(ledger: DynamoLedger) -> None:
    """Their neighbour is done; they come again until the queue's tries are used up, and then lie in its dead letters."""
    event = golden("record_feedback.poison")
    failed = wake("record_feedback", event)["batchItemFailures"]
    assert [entry["itemIdentifier"] for entry in failed] == [record["messageId"] for record in event["Records"][1:]]
    message = ledger.get(SHOPPER, CART)
    assert message is not None
    assert set(message.marks) == {"delivered"}
    assert DynamoSuppressions("suppressions").reason("email", ADDRESS) == ""


def test_the_log_is_counted_once_and_the_order_credited(ledger: DynamoLedger) -> None:
    ledger.mark(SHOPPER, CART, mark="clicked", at=NOW - timedelta(hours=1))
    event = golden("roll_up_metrics")
    for _ in range(2):
        assert wake("roll_up_metrics", event) == {"batchItemFailures": []}
    assert counters() == {
        "events:total": 3,
        "events:track/Product List Viewed": 1,
        "events:track/Product Clicked": 1,
        "events:track/Order Completed": 1,
        "recommendations/home:seen": 1,
        "recommendations/home:clicked": 1,
        "recommendations/home:ordered": 1,
        "recommendations/home:revenue_cents": 1999,
        "orders:count": 1,
        "orders:revenue_cents/GBP": 1999,
        "messages/cart_abandoned:orders/email": 1,
        "messages/cart_abandoned:revenue_cents/email": 1999,
        "stream:unreadable/events": 1,
    }
    message = ledger.get(SHOPPER, CART)
    assert message is not None
    assert "converted" in message.marks
    assert DynamoSketches("metrics").read("active", DAY, DAY).size() == 1


def test_the_ledger_is_counted_once_however_the_batch_is_cut(ledger: DynamoLedger) -> None:
    records = golden("roll_up_metrics.ledger")["Records"]
    for part in (records[:2], records[1:4], records[:3], records, records[3:]):
        assert wake("roll_up_metrics", {"Records": part}) == {"batchItemFailures": []}
    assert counters() == {
        "messages/cart_abandoned:decided": 1,
        "messages/cart_abandoned:planned/email": 1,
        "messages/cart_abandoned:sent/email": 1,
        "messages/cart_abandoned:clicked/email": 1,
        "messages/cart_abandoned:responded/email": 1,
        "messages/welcome:decided": 1,
        "messages/welcome:withheld/no_consent": 1,
    }


def test_a_batch_that_cannot_be_counted_comes_again_whole(ledger: DynamoLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    event = golden("roll_up_metrics.ledger")
    with monkeypatch.context() as patched:
        patched.setenv("METRICS_TABLE", "missing")
        answer = wake("roll_up_metrics", event)
    assert answer == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["dynamodb"]["SequenceNumber"]}]}
    assert wake("roll_up_metrics", event) == {"batchItemFailures": []}
    assert counters()["messages/cart_abandoned:sent/email"] == 1


def test_reports_are_kept_in_the_bucket(ledger: DynamoLedger) -> None:
    wake("roll_up_metrics", golden("roll_up_metrics.ledger"))
    assert wake("write_reports", golden("write_reports"))["prefix"] == "reports/kpi/day=2026-08-05"
    kept = json.loads(client("s3").get_object(Bucket=BUCKET, Key="reports/kpi/day=2026-08-05/report.json")["Body"].read())
    assert next(row for row in kept["kpis"] if row["name"] == "response")["value"] == 1.0
    assert kept["silence"] == {"no_consent": 1}


def test_goals_of_the_operator_are_used(ledger: DynamoLedger) -> None:
    client("s3").put_object(Bucket=BUCKET, Key="config/shop.yaml", Body=b"metrics: {goals: {response: 0.11}}")
    wake("write_reports", golden("write_reports"))
    kept = json.loads(client("s3").get_object(Bucket=BUCKET, Key="reports/kpi/day=2026-08-05/report.json")["Body"].read())
    assert next(row for row in kept["kpis"] if row["name"] == "response")["goal"] == 0.11


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """DynamoDB calls made inside, by operation."""
    calls: Counter[str] = Counter()

    def note(model: Any, **_: Any) -> None:
        calls[model.name] += 1

    events = client("dynamodb").meta.events
    events.register("before-call.dynamodb", note, unique_id="counted")
    try:
        yield calls
    finally:
        events.unregister("before-call.dynamodb", unique_id="counted")


def queue_event(body: str) -> dict[str, Any]:
    event = copy.deepcopy(golden("record_feedback"))
    event["Records"] = event["Records"][:1]
    event["Records"][0]["body"] = body
    return event


def test_what_the_feedback_of_one_message_costs(ledger: DynamoLedger) -> None:
    """Delivered, opened and clicked: one write unit each, and for the touches one read of the message, to tell machines by its
    delivery, and one for orders that wait for them."""
    sent = "dXNlcjoxH2NhcnRfYWJhbmRvbmVkIzE"
    wanted = {
        "delivered": {"UpdateItem": 1},
        "opened": {"GetItem": 1, "UpdateItem": 1, "Query": 1},
        "clicked": {"GetItem": 1, "UpdateItem": 1, "Query": 1},
    }
    for minutes, (kind, calls) in enumerate(wanted.items()):
        with counted() as made:
            wake("record_feedback", queue_event(encode(report(kind, sent, at=NOW + timedelta(minutes=minutes)))))
        assert dict(made) == calls, kind


def test_what_counting_costs(ledger: DynamoLedger) -> None:
    """A hundred steps of the ledger within one slice of time: one read and one transaction of a few rows."""
    template = golden("roll_up_metrics.ledger")["Records"][0]
    records = []
    for number in range(100):
        record = copy.deepcopy(template)
        record["dynamodb"]["SequenceNumber"] = str(10**20 + number)
        record["dynamodb"]["ApproximateCreationDateTime"] = 1785931200
        records.append(record)
    with counted() as made:
        wake("roll_up_metrics", {"Records": records})
    assert dict(made) == {"GetItem": 1, "TransactWriteItems": 1}
    assert counters()["messages/cart_abandoned:planned/email"] == 100


def test_what_an_order_costs(ledger: DynamoLedger) -> None:
    """Its clicks and messages are read, the order is kept, credited with its counters, marked, and counted."""
    ledger.mark(SHOPPER, CART, mark="clicked", at=NOW - timedelta(hours=1))
    event = {"Records": golden("roll_up_metrics")["Records"][1:2]}
    with counted() as made:
        wake("roll_up_metrics", event)
    sketch = {"GetItem": 1, "PutItem": 1}
    order = {"Query": 2, "PutItem": 1, "TransactWriteItems": 1, "UpdateItem": 1}
    batch = {"GetItem": 1, "TransactWriteItems": 1}
    assert dict(made) == dict(sum((Counter(part) for part in (sketch, order, batch)), Counter()))


def test_the_credit_of_an_order_and_its_counters_are_one_transaction(ledger: DynamoLedger) -> None:
    touches = DynamoTouches("metrics")
    wake("roll_up_metrics", {"Records": golden("roll_up_metrics")["Records"][1:2]})
    assert touches.orders(SHOPPER)[0].credited == ""
    late = replace(report("clicked", "dXNlcjoxH2NhcnRfYWJhbmRvbmVkIzE", at=NOW - timedelta(hours=1)), id="late")
    wake("record_feedback", queue_event(encode(late)))
    assert touches.orders(SHOPPER)[0].credited
    credit = DynamoCounters("metrics").read(DAY, DAY)[CountKey(DAY, "messages/cart_abandoned", "revenue_cents/email")]
    assert credit == 1999

"""collect_events and serve_operator woken by their golden events, against moto; and what one call costs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CreateTable
from tests.support.functions import GOLDEN, deploy, golden, load, warm

from regulars.access import hash_key
from regulars.adapters.aws import client
from regulars.flow import Http, function
from regulars.messages import EventUnit, decode

TABLES = ("quarantine", "messages", "profiles", "metrics", "contacts", "channels", "events", "models", "catalogue")
Wake = Callable[..., tuple[int, Any]]


@pytest.fixture
def queue_url(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Tables, bucket and queue as the stack makes them; the clock stands at the golden events' hour."""
    url: str = client("sqs").create_queue(QueueName="events")["QueueUrl"]
    deploy(
        create_table,
        monkeypatch,
        tmp_path / "clock",
        datetime(2026, 11, 21, 20, 0, 1, tzinfo=UTC),
        TABLES,
        WRITE_KEY_HASHES=hash_key("wk_shop_app"),
        OPERATOR_KEY_HASHES=hash_key("ok_operator"),
        EVENTS_QUEUE_URL=url,
    )
    return url


@pytest.fixture
def wake(queue_url: str) -> Wake:
    """`wake(golden name)` → (status, answer); functions stay warm within a test."""
    answer = warm()

    def call(name: str, **changes: Any) -> tuple[int, Any]:
        reply = answer(name, **changes)
        return reply["statusCode"], json.loads(reply["body"])

    return call


def units(queue_url: str) -> list[EventUnit]:
    """What lies on the events queue."""
    received = client("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", [])
    return [decode(EventUnit, message["Body"]) for message in received]


@pytest.fixture
def calls() -> Iterator[Counter[str]]:
    """Counts the AWS calls made, by operation."""
    made: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        made[model.name] += 1

    services = ("dynamodb", "sqs", "s3")
    for service in services:
        client(service).meta.events.register(f"before-call.{service}", count, unique_id="count")
    yield made
    for service in services:
        client(service).meta.events.unregister(f"before-call.{service}", count, unique_id="count")


@pytest.mark.parametrize("name", ["collect_events", "serve_operator"])
def test_the_routes_are_those_of_the_flow(queue_url: str, name: str) -> None:
    routes = load(name).api.chalice.routes
    served = {f"{method} {path}" for path, methods in routes.items() for method in methods}
    assert served == {route for wake in function(name).woken_by if isinstance(wake, Http) for route in wake.routes}


def test_a_track_call_is_on_the_queue_when_it_is_answered(wake: Wake, queue_url: str) -> None:
    assert wake("collect_events") == (200, {"success": True, "messageId": "m1"})
    (unit,) = units(queue_url)
    assert unit.shopper == "user:u1"
    assert unit.events[0]["properties"]["dwell_seconds"] == 130


def test_a_gzipped_batch_gets_receipts_and_quarantines_what_is_wrong(wake: Wake, queue_url: str) -> None:
    status, answer = wake("collect_events.batch_gzip")
    assert status == 200
    assert [result["status"] for result in answer["results"]] == ["accepted", "rejected", "accepted"]
    assert {unit.shopper for unit in units(queue_url)} == {"user:u1", "user:u2"}
    status, listed = wake("serve_operator.quarantine")
    assert status == 200
    (record,) = listed["records"]
    assert record["entry"]["event"] == "Prodct Viewd"
    assert record["reason"]["code"] == "unknown_event"


def test_health_touches_nothing(wake: Wake, calls: Counter[str]) -> None:
    assert wake("collect_events.health") == (200, {"status": "ok"})
    assert not calls


def test_a_warm_call_is_one_queue_request_and_a_bad_entry_one_write_more(wake: Wake, calls: Counter[str]) -> None:
    wake("collect_events")
    calls.clear()
    wake("collect_events")
    assert calls == {"SendMessageBatch": 1}
    calls.clear()
    wake("collect_events.batch_gzip")
    assert calls == {"SendMessageBatch": 1, "BatchWriteItem": 1}


def test_the_shops_own_names_come_from_its_settings(wake: Wake) -> None:
    settings = b"capture: {collecting: {custom_events: [Prodct Viewd]}}"
    client("s3").put_object(Bucket="data", Key="config/shop.yaml", Body=settings)
    assert wake("collect_events.batch_gzip")[1]["accepted"] == 3


def test_a_queue_that_is_gone_is_not_a_2xx(wake: Wake, queue_url: str) -> None:
    client("sqs").delete_queue(QueueUrl=queue_url)
    assert wake("collect_events")[0] >= 500


def test_replay_queues_what_the_shop_has_declared_since(wake: Wake, queue_url: str) -> None:
    wake("collect_events.batch_gzip")
    status, answer = wake("serve_operator.replay")
    assert (status, answer["found"], answer["replayed"]) == (200, 1, [])
    assert answer["failed"][0]["reason"]["code"] == "unknown_event"
    units(queue_url)
    settings = b"capture: {collecting: {custom_events: [Prodct Viewd]}}"
    client("s3").put_object(Bucket="data", Key="config/shop.yaml", Body=settings)
    _, answer = wake("serve_operator.replay")
    assert len(answer["replayed"]) == 1
    assert [wire["name"] for unit in units(queue_url) for wire in unit.events] == ["Prodct Viewd"]
    assert wake("serve_operator.quarantine")[1]["records"] == []


def test_an_item_goes_in_and_comes_out(wake: Wake) -> None:
    assert wake("serve_operator.item")[0] == 404
    status, report = wake("serve_operator.catalogue")
    assert (status, report["created"], report["refused"]) == (200, 1, 0), report
    status, item = wake("serve_operator.item")
    assert (status, item["itemId"], item["priceCents"]) == (200, "85123A", 255)


def test_rules_are_replaced_and_read(wake: Wake) -> None:
    assert wake("serve_operator.rules")[0] == 200
    event = golden("serve_operator.rules")
    http = {**event["requestContext"], "http": {**event["requestContext"]["http"], "method": "GET"}}
    status, answer = wake("serve_operator.rules", routeKey="GET /v1/rules", requestContext=http)
    assert (status, answer["rules"]) == (200, [])


def test_a_shopper_nobody_knows_has_a_story_without_moments(wake: Wake) -> None:
    status, answer = wake("serve_operator.explain")
    assert (status, answer["shopper"], answer["moments"]) == (200, "user:u1", [])
    status, answer = wake("serve_operator.explain", pathParameters={"shopper": "u1"})
    assert (status, answer["error"]["field"]) == (400, "shopper")


def test_the_report_of_any_days_is_made(wake: Wake) -> None:
    status, answer = wake("serve_operator.report", queryStringParameters={"day": "2026-11-20"})
    assert (status, answer["from"], answer["to"]) == (200, "2026-11-20", "2026-11-20")
    assert wake("serve_operator.report")[1]["to"] == "2026-11-21"
    for query in ({"day": "yesterday"}, {"from": "2026-11-20", "to": "2026-11-01"}):
        assert wake("serve_operator.report", queryStringParameters=query)[0] == 400


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("serve_operator.*.json")))
def test_nothing_is_shown_or_done_without_the_operators_key(wake: Wake, calls: Counter[str], name: str) -> None:
    headers = golden(name)["headers"]
    del headers["authorization"]
    assert wake(name, headers=headers)[0] == 401
    headers["authorization"] = golden("collect_events")["headers"]["authorization"]
    assert wake(name, headers=headers)[0] == 401
    assert not calls


def test_records_expire_by_themselves(wake: Wake) -> None:
    wake("collect_events.batch_gzip")
    (item,) = client("dynamodb").scan(TableName="quarantine")["Items"]
    assert int(item["expires_at"]["N"]) == int((datetime(2026, 11, 21, 20, 0, 1, tzinfo=UTC) + timedelta(days=30)).timestamp())

"""flow.py = folders = templates = golden wake-up events: whoever changes one without the others finds out here."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.architecture import templates
from tests.architecture.templates import ROOT, Origin
from tests.support.functions import load

from regulars.flow import BUCKETS, FLOW, QUEUES, TABLES, Function, Http, Queue, Schedule, Stream

NAMES = [entry.name for entry in FLOW]
_WITHOUT_SORT_KEY = {"catalogue", "suppressions"}
_EXPIRING = {"events", "profiles", "quarantine", "timers", "inbox", "messages", "metrics", "offers", "channels"}


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_folders_are_the_functions() -> None:
    assert sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py")) == sorted(NAMES)


def test_folders_hold_only_their_page() -> None:
    held = {path.relative_to(ROOT / "functions") for path in (ROOT / "functions").rglob("*") if "__pycache__" not in path.parts}
    assert {path.name for path in held if path.suffix} == {"app.py", "README.md"}


def test_templates_hold_the_functions() -> None:
    assert sorted(templates.functions()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_function_is_named_the_same_everywhere(name: str) -> None:
    deployed = templates.functions()[name]
    assert deployed.properties["FunctionName"] == {"Fn::Sub": f"${{Prefix}}-{name}"}
    assert deployed.properties["Code"] == f"../../functions/{name}/"
    assert deployed.properties["Handler"] == "app.handler"
    assert templates.snake(deployed.logical_id) == name


@pytest.mark.parametrize("entry", FLOW, ids=NAMES)
def test_a_function_stands_in_its_stage(entry: Function) -> None:
    assert templates.functions()[entry.name].stack.lower() == entry.stage


def test_golden_events_cover_every_function() -> None:
    covered = {next((name for name in NAMES if path.stem.startswith(name)), path.stem) for path in _golden()}
    assert covered == set(NAMES)


@pytest.mark.parametrize("entry", FLOW, ids=NAMES)
def test_golden_events_are_of_the_kind_that_wakes(entry: Function) -> None:
    for path in _golden():
        if path.stem.startswith(entry.name):
            assert _kind(json.loads(path.read_text("utf-8"))) in {type(wake) for wake in entry.woken_by}, path.name


def _golden() -> list[Any]:
    return sorted((ROOT / "tests" / "golden").glob("*.json"))


def _kind(event: dict[str, Any]) -> type:
    if "routeKey" in event:
        return Http
    if event.get("source") == "aws.scheduler" or event.get("detail-type") == "Scheduled Event":
        return Schedule
    return Queue if event["Records"][0]["eventSource"] == "aws:sqs" else Stream


def test_tables() -> None:
    found = {
        templates.snake(name.removesuffix("Table")): table for _, name, table in templates.resources("AWS::DynamoDB::Table")
    }
    assert sorted(found) == sorted(TABLES)
    streamed = {wake.table for entry in FLOW for wake in entry.woken_by if isinstance(wake, Stream)}
    for noun, table in found.items():
        properties = table["Properties"]
        keys = [(key["AttributeName"], key["KeyType"]) for key in properties["KeySchema"]]
        assert keys == [("pk", "HASH"), ("sk", "RANGE")][: 1 if noun in _WITHOUT_SORT_KEY else 2], noun
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert properties["SSESpecification"]["SSEEnabled"] is True
        assert ("StreamSpecification" in properties) == (noun in streamed), noun
        expiry = properties.get("TimeToLiveSpecification", {}).get("AttributeName")
        assert expiry == ("expires_at" if noun in _EXPIRING else None), noun
        assert table["DeletionPolicy"] == "Retain"


def test_queues_and_their_dead_letter_queues() -> None:
    found = {templates.snake(name.removesuffix("Queue")) for _, name, _ in templates.resources("AWS::SQS::Queue")}
    assert found == {*QUEUES, *(f"{noun}_dead" for noun in QUEUES), "stream_failures"}
    for stack, name, queue in templates.resources("AWS::SQS::Queue"):
        noun = templates.snake(name.removesuffix("Queue"))
        assert queue["Properties"]["QueueName"] == {"Fn::Sub": f"${{Prefix}}-{noun}"}
        if noun in QUEUES:
            dead = templates.origin(stack, queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"])
            assert templates.noun(dead, "Queue") == f"{noun}_dead"


def test_buckets() -> None:
    assert [name for _, name, _ in templates.resources("AWS::S3::Bucket")] == [f"{noun.capitalize()}Bucket" for noun in BUCKETS]


def test_routes() -> None:
    wanted = {route: entry.name for entry in FLOW for wake in entry.woken_by if isinstance(wake, Http) for route in wake.routes}
    found = {}
    for stack, _, route in templates.resources("AWS::ApiGatewayV2::Route"):
        integration = re.findall(r"integrations/\$\{(\w+)\}", route["Properties"]["Target"]["Fn::Sub"])[0]
        properties = templates.stacks()[stack]["Resources"][integration]["Properties"]
        assert properties["PayloadFormatVersion"] == "2.0"
        found[route["Properties"]["RouteKey"]] = _name(templates.origin(stack, properties["IntegrationUri"]))
    assert found == wanted


def test_each_http_function_may_be_called_by_the_api_only() -> None:
    permitted = {}
    for stack, _, permission in templates.resources("AWS::Lambda::Permission"):
        properties = permission["Properties"]
        permitted[_name(templates.origin(stack, properties["FunctionName"]))] = properties["Principal"]
        assert "${ApiId}" in properties["SourceArn"]["Fn::Sub"]
    http = [entry.name for entry in FLOW if any(isinstance(wake, Http) for wake in entry.woken_by)]
    assert permitted == dict.fromkeys(http, "apigateway.amazonaws.com")


def test_queue_and_stream_mappings() -> None:
    wanted = {(entry.name, wake) for entry in FLOW for wake in entry.woken_by if isinstance(wake, Queue | Stream)}
    found = set()
    for stack, _, mapping in templates.resources("AWS::Lambda::EventSourceMapping"):
        properties = mapping["Properties"]
        source = templates.origin(stack, properties["EventSourceArn"])
        name = _name(templates.origin(stack, properties["FunctionName"]))
        streamed = "StartingPosition" in properties
        found.add((name, Stream(templates.noun(source, "Table")) if streamed else Queue(templates.noun(source, "Queue"))))
    assert found == wanted


def test_schedules() -> None:
    wanted = {(entry.name, wake.expression) for entry in FLOW for wake in entry.woken_by if isinstance(wake, Schedule)}
    found = set()
    for stack, _, schedule in templates.resources("AWS::Scheduler::Schedule"):
        properties = schedule["Properties"]
        assert properties["ScheduleExpressionTimezone"] == "UTC"
        found.add((_name(templates.origin(stack, properties["Target"]["Arn"])), properties["ScheduleExpression"]))
    assert found == wanted


def _name(where: Origin | None) -> str:
    assert where is not None
    return templates.snake(where.name)


def test_reads_writes_and_emits_name_what_exists() -> None:
    for entry in FLOW:
        assert {*entry.reads, *entry.writes} <= {*TABLES, *BUCKETS}, entry.name
        assert set(entry.emits) <= {*QUEUES, "ses", "sns", "sms_voice", "emr_serverless", "sns_subscriptions"}, entry.name


def test_no_message_can_go_round_through_queues_alone() -> None:
    """Deferral goes through the due index; Lambda stops a message that goes round queues after about 16 hops."""
    hops = {
        wake.name: {emitted for emitted in entry.emits if emitted in QUEUES}
        for entry in FLOW
        for wake in entry.woken_by
        if isinstance(wake, Queue)
    }
    for start in QUEUES:
        reached, frontier = set(), hops.get(start, set())
        while frontier - reached:
            reached |= frontier
            frontier = {following for queue in frontier for following in hops.get(queue, set())}
        assert start not in reached, f"a message from {start} may come back to {start}"


@pytest.mark.parametrize("entry", FLOW, ids=NAMES)
def test_an_http_function_serves_its_routes(entry: Function) -> None:
    """Chalice's own table of the function, against flow.py; other functions have no application at all."""
    module = load(entry.name)
    wanted = {route for wake in entry.woken_by if isinstance(wake, Http) for route in wake.routes}
    served = module.api.chalice.routes if wanted else {}
    assert {f"{method} {path}" for path, methods in served.items() for method in methods} == wanted
    assert hasattr(module, "api") == bool(wanted)

"""The deployed functions are woken by what the templates say: HTTP, queues, streams, schedules, topics."""

from __future__ import annotations

import base64
import functools
import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.flow.conftest import LONGEST_WAIT_SECONDS, eventually

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import item_to_wire
from regulars.flow import FLOW
from regulars.similarity.library import FOLDER, file_name, here, library
from regulars_local.build import LOCAL_BUILD
from regulars_local.stack import LocalStack
from regulars_ops import main as regulars_command

pytestmark = pytest.mark.stack
ROOT = Path(__file__).resolve().parents[2]
Client = Callable[[str], Any]


def test_the_functions_have_the_compiled_loops(stack: LocalStack) -> None:
    """The very layer that is deployed."""
    if library() is None:
        pytest.skip("SKIPPED: the loops were not compiled for this machine")
    assert (LOCAL_BUILD / "SharedLayer/python/regulars/similarity" / FOLDER / file_name(*here())).exists()


def track(stack: LocalStack, event: dict[str, Any], key: str | None = None) -> int:
    """POST /v1/track; the HTTP status."""
    credentials = base64.b64encode(f"{stack.write_key if key is None else key}:".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{stack.api_url}/v1/track", json.dumps(event).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=LONGEST_WAIT_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_every_function_is_deployed(stack: LocalStack, aws_client: Client) -> None:
    for entry in FLOW:
        found = aws_client("lambda").get_function_configuration(FunctionName=stack.function(entry.name))
        assert found["Runtime"] == "python3.13"


def test_a_wrong_key_is_refused(stack: LocalStack) -> None:
    assert track(stack, {"event": "Product Viewed", "userId": "u0", "messageId": "m0"}, key="wrong") == 401


def test_http_wakes_a_queue_wakes_a_stream_wakes_the_archive(stack: LocalStack, aws_client: Client) -> None:
    """collect_events → queue → capture_events → table → stream → archive_events → bucket."""
    event = {"event": "Product Viewed", "userId": "u1", "messageId": "m1", "properties": {"product_id": "p1", "price": 2.5}}
    assert track(stack, event) == 200
    eventually(lambda: aws_client("dynamodb").scan(TableName=stack.tables["events"], Limit=5)["Items"])
    eventually(lambda: aws_client("s3").list_objects_v2(Bucket=stack.bucket).get("Contents"))
    eventually(lambda: aws_client("dynamodb").scan(TableName=stack.tables["metrics"], Limit=5)["Items"])


def test_the_topic_wakes_feedback(stack: LocalStack, aws_client: Client) -> None:
    """A provider's event arrives at record_feedback, which empties the queue."""
    golden = json.loads((ROOT / "tests" / "golden" / "record_feedback.json").read_text("utf-8"))
    message = json.loads(golden["Records"][0]["body"])["Message"]
    aws_client("sns").publish(TopicArn=stack.feedback_topic_arn, Message=message)
    eventually(lambda: _depth(aws_client, stack.queues["feedback"]) == 0)
    assert _depth(aws_client, stack.dead_queues["feedback"]) == 0


def test_poison_ends_in_the_dead_letter_queue_and_replay_brings_it_back(
    stack: LocalStack, aws_client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five receives, then it lies there; the template's three minutes between them are cut short here."""
    queue, dead = stack.queues["events"], stack.dead_queues["events"]
    was = aws_client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    aws_client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    try:
        aws_client("sqs").send_message(QueueUrl=queue, MessageBody="poison")
        eventually(lambda: _depth(aws_client, dead) == 1)
        assert _depth(aws_client, queue) == 0
        for name, value in stack.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(stack.home)
        local = Path(stack.home) / ".local"
        local.mkdir()
        shutil.copy(Path(stack.home) / "stack.json", local)
        assert regulars_command.main(["replay", "events"]) == 0
        assert "1 message back in events" in capsys.readouterr().out
        eventually(lambda: _depth(aws_client, dead) == 1)
    finally:
        aws_client("sqs").set_queue_attributes(QueueUrl=queue, Attributes=was)
        aws_client("sqs").purge_queue(QueueUrl=dead)


def test_the_schedule_wakes_the_minute_tick(stack: LocalStack, aws_client: Client) -> None:
    """Nobody else calls fire_timers here: its watermark is the schedule's doing."""
    key = item_to_wire(keys.watermark(0))
    look = functools.partial(aws_client("dynamodb").get_item, TableName=stack.tables["timers"], Key=key)
    eventually(lambda: look().get("Item"))


def _depth(aws_client: Client, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = aws_client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)

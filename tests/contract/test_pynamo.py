"""PynamoDB's models: what lies in the tables, over which client, with whose errors, and who never loads them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.bench.bench_cold_start import BASIC, CALLS, ROOT, environment
from tests.conftest import CreateTable
from tests.support.http_server import payload_event
from tests.support.stub_aws import stub_aws

from regulars.adapters.aws import client
from regulars.adapters.dynamodb import client as page
from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.events import DynamoEventLog
from regulars.adapters.dynamodb.pynamo import bound
from regulars.adapters.dynamodb.quarantine import DynamoQuarantine
from regulars.adapters.dynamodb.rows import QuarantineRow, SuppressionRow
from regulars.adapters.dynamodb.suppressions import DynamoSuppressions
from regulars.adapters.dynamodb.touches import DynamoTouches
from regulars.capture.packing import pack
from regulars.capture.ports import Quarantined
from regulars.errors import Conflict, Misconfigured, TryLater
from regulars.feedback.touches import OrderTouch, RecommendationClick

AT = datetime(2026, 11, 21, 23, 59, 59, 501_000, tzinfo=UTC)
AT_MS, MONTH_LATER_S = "1795305599501", "1797897599"
MONTH = timedelta(days=30)
SHE = "user:1"


def record(digest: str = "h1") -> Quarantined:
    return Quarantined(
        id=f"2026-11-21.{digest}",
        code="unknown_event",
        message="",
        field="event",
        source="batch",
        raw="{}",
        replayable=True,
        received_at=AT,
        expires_at=AT + MONTH,
    )


def stored(table: str) -> list[Any]:
    """What lies in the table, as attributes."""
    items: list[Any] = client("dynamodb").scan(TableName=table)["Items"]
    return items


def attributes(key: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"S": value} for name, value in key.items()}


def test_a_logged_unit_as_it_lies_there(create_table: CreateTable) -> None:
    DynamoEventLog(create_table("events", True)).append(SHE, "unit1", AT, [], 30)
    assert stored("events") == [
        {
            **attributes({"pk": SHE, "sk": f"{AT_MS}#unit1"}),
            "events": {"B": pack([])},
            "received": {"N": AT_MS},
            "expires_at": {"N": MONTH_LATER_S},
        }
    ]


def test_a_quarantined_entry_as_it_lies_there(create_table: CreateTable) -> None:
    DynamoQuarantine(create_table("quarantine", True)).put([record()])
    assert stored("quarantine") == [
        {
            **attributes(keys.quarantined("2026-11-21.h1")),
            **attributes({"code": "unknown_event", "message": "", "field": "event", "source": "batch", "raw": "{}"}),
            "replayable": {"BOOL": True},
            "received": {"N": AT_MS},
            "expires_at": {"N": MONTH_LATER_S},
        }
    ]


def test_a_suppression_as_it_lies_there(create_table: CreateTable) -> None:
    suppressions = DynamoSuppressions(create_table("suppressions", False))
    for reason in ("complaint", "bounce"):
        suppressions.add("email", "Mira.Holm@example.com", reason=reason, now=AT)
    key = attributes(keys.suppression("email", "mira.holm@example.com"))
    assert stored("suppressions") == [{**key, **attributes({"channel": "email", "reason": "complaint"}), "at": {"N": AT_MS}}]


def test_touches_as_they_lie_there(create_table: CreateTable) -> None:
    touches = DynamoTouches(create_table("metrics", True))
    clicked = RecommendationClick(recommendation_id="r1", scene="home", item_id="i1", position=3, at=AT, event_id="e1")
    touches.click(SHE, clicked, expires_at=AT + MONTH)
    touches.order(SHE, OrderTouch(order_id="o1", at=AT, value_cents=255, currency="GBP", event_id="e2"), expires_at=AT + MONTH)
    common = {"at": {"N": AT_MS}, "expires_at": {"N": MONTH_LATER_S}}
    click, order = sorted(stored("metrics"), key=lambda item: str(item["sk"]))
    assert click == {
        **attributes(keys.click_touch(SHE, "i1", "r1")),
        **attributes({"recommendation": "r1", "scene": "home", "item": "i1", "event": "e1"}),
        "position": {"N": "3"},
        **common,
    }
    assert order == {
        **attributes(keys.order_touch(SHE, "o1")),
        **attributes({"order": "o1", "currency": "GBP", "event": "e2", "scene": ""}),
        "value_cents": {"N": "255"},
        **common,
    }


def test_a_model_is_bound_once_to_each_table(create_table: CreateTable) -> None:
    one, other = bound(SuppressionRow, create_table("one", False)), bound(SuppressionRow, create_table("other", False))
    assert bound(SuppressionRow, "one") is one
    one("k", channel="email", reason="x", at=AT).save()
    assert one.find({"pk": "k"}) is not None
    assert other.find({"pk": "k"}) is None


class Answers:
    """A client that answers every operation the same and keeps the requests."""

    def __init__(self, *answers: Any) -> None:
        self.answers: Iterator[Any] = iter(answers)
        self.requests: list[Any] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            self.requests.append((operation, request))
            answer = next(self.answers)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`answering(*answers)`: the process's client is an `Answers`; nobody sleeps between its tries."""

    def install(*answers: Any) -> Answers:
        made = Answers(*answers)
        for module in ("client", "pynamo"):
            monkeypatch.setattr(f"regulars.adapters.dynamodb.{module}.dynamodb", lambda: made)
        monkeypatch.setattr(page, "back_off", lambda attempt: None)
        return made

    return install


def refused(code: str) -> Exception:
    from botocore.exceptions import ClientError

    error: Exception = ClientError({"Error": {"Code": code, "Message": "m"}}, "Operation")
    return error


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("ConditionalCheckFailedException", Conflict),
        ("ThrottlingException", TryLater),
        ("ResourceNotFoundException", Misconfigured),
    ],
)
def test_a_vendors_error_is_one_of_ours(answering: Any, code: str, word: type[Exception]) -> None:
    rows = bound(QuarantineRow, "quarantine")
    key = {"pk": "p", "sk": "s"}
    calls: list[Callable[[], object]] = [
        rows.of(key).delete,
        lambda: rows.find(key),
        lambda: list(rows.query("p")),
        lambda: list(rows.scan()),
        lambda: rows.delete_all([rows.of(key)]),
        lambda: list(rows.get_all([key])),
    ]
    for call in calls:
        answering(refused(code))
        with pytest.raises(word):
            call()


def test_an_endpoint_nobody_answers_at_is_for_later(answering: Any) -> None:
    from botocore.exceptions import EndpointConnectionError

    answering(EndpointConnectionError(endpoint_url="http://127.0.0.1:9"))
    with pytest.raises(TryLater):
        bound(SuppressionRow, "suppressions").find({"pk": "k"})


def test_what_a_batch_left_is_sent_again_and_not_for_ever(answering: Any) -> None:
    left = {"UnprocessedItems": {"quarantine": [{"DeleteRequest": {"Key": attributes({"pk": "p", "sk": "s"})}}]}}
    rows = bound(QuarantineRow, "quarantine")
    patient = answering(left, left, left, left, {})
    assert rows.delete_all([rows.of({"pk": "p", "sk": "s"})]) == 1
    assert [request for _, request in patient.requests] == [{"RequestItems": left["UnprocessedItems"]}] * 5
    answering(*[left] * 8)
    with pytest.raises(TryLater):
        rows.delete_all([rows.of({"pk": "p", "sk": "s"})])


def test_keys_a_batch_left_unread_are_asked_for_again(answering: Any) -> None:
    left = {"UnprocessedKeys": {"suppressions": {"Keys": [attributes({"pk": "b"})]}}}
    found = {"suppressions": [{**attributes({"pk": "a", "reason": "x"}), "at": {"N": "1"}}]}
    rest = {"suppressions": [{**attributes({"pk": "b", "reason": "y"}), "at": {"N": "2"}}]}
    asked = answering({"Responses": found, **left}, {"Responses": rest, "UnprocessedKeys": {}})
    rows = bound(SuppressionRow, "suppressions").get_all([{"pk": "a"}, {"pk": "b"}])
    assert {row.pk: row.reason for row in rows} == {"a": "x", "b": "y"}
    assert asked.requests[1] == ("batch_get_item", {"RequestItems": left["UnprocessedKeys"]})


FRESH = """
import json, sys
sys.path.insert(0, sys.argv[1])
import app
statuses = [app.handler(event, None)["statusCode"] for event in json.loads(sys.argv[2])]
print(json.dumps([statuses, "pynamodb" in sys.modules]))
"""


def answered(endpoint: str, name: str, *bodies: bytes) -> Any:
    """[statuses, whether PynamoDB was loaded] of a fresh process with nothing but AWS_ENDPOINT_URL to find AWS by."""
    route, target, params, body = CALLS[name]
    events = [payload_event(route.partition(" ")[0], target, BASIC, sent, route, params) for sent in bodies or (body,)]
    command = [sys.executable, "-c", FRESH, str(ROOT / "functions" / name), json.dumps(events)]
    done = subprocess.run(command, env=environment(endpoint), capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", sorted(CALLS))
def test_no_api_function_loads_pynamodb_for_an_ordinary_answer(name: str) -> None:
    with stub_aws() as endpoint:
        statuses, loaded = answered(endpoint, name)
    assert max(statuses) < 500
    assert loaded is False


def test_collect_events_loads_it_with_the_first_bad_event_and_writes_where_the_environment_says() -> None:
    with stub_aws() as endpoint:
        (status,), loaded = answered(endpoint, "collect_events", b'{"event": ""}')
    assert 400 <= status < 500
    assert loaded is True

"""Through the deployed stack: one event sent over HTTP changes the very next answer, and the answer says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.flow.conftest import eventually

from regulars_demo.drive import Api
from regulars_local.stack import LocalStack

pytestmark = pytest.mark.stack
Client = Callable[[str], Any]
SHE = "flow-next"
ITEMS = [
    {"item_id": f"next-{name}", "title": name.title(), "category": shelf, "price": "9.50", "currency": "GBP", "stock": 5}
    for name, shelf in (("kettle", "kitchen"), ("teapot", "tea"), ("lamp", "light"), ("bulb", "light"), ("vase", "decor"))
]


@pytest.fixture(scope="module")
def app(stack: LocalStack) -> Iterator[Api]:
    with closing(Api(stack.api_url, stack.write_key)) as api:
        yield api


@pytest.fixture(scope="module")
def model(stack: LocalStack, aws_client: Client, app: Api) -> str:
    """The version of a model that has learned: whoever buys a kettle buys a teapot."""
    with closing(Api(stack.api_url, stack.operator_key)) as operator:
        report = operator.call("POST", "/v1/catalogue", json.dumps(ITEMS).encode())
        assert report["created"] + report["unchanged"] == len(ITEMS), report
    bought = datetime.now(UTC) - timedelta(hours=2)
    lines = [{"product_id": f"next-{name}", "quantity": 1, "price": 9.5} for name in ("kettle", "teapot")]
    sold = {"total": 19.0, "currency": "GBP", "products": lines}
    batch = [event(f"flow-buyer-{n}", "Order Completed", bought, order_id=f"next-{n}", **sold) for n in range(6)]
    answer = app.call("POST", "/v1/batch", {"batch": batch})
    assert {entry["status"] for entry in answer["results"]} == {"accepted"}, answer

    def build(function: str) -> dict[str, Any]:
        called = aws_client("lambda").invoke(FunctionName=stack.function(function), Payload=b"{}")
        summary: dict[str, Any] = json.loads(called["Payload"].read())
        return summary

    def learned() -> dict[str, Any] | None:
        made = build("build_similarity")
        return made if made.get("similar_pairs", 0) >= 2 else None

    built = eventually(learned)
    assert build("build_popularity")["items"] >= len(ITEMS)
    return str(built["version"])


def event(user: str, name: str, at: datetime, **properties: Any) -> dict[str, Any]:
    return {
        "type": "track", "event": name, "userId": user, "messageId": f"{user} {name} {at.isoformat()}",
        "timestamp": at.isoformat(), "properties": properties,
    }  # fmt: skip


def test_an_event_changes_the_very_next_answer(app: Api, model: str) -> None:
    def home() -> dict[str, Any]:
        answer: dict[str, Any] = app.call("GET", f"/v1/recommendations/home?userId={SHE}&limit=5&explain=true&locale=en")
        return answer

    def teapot(answer: dict[str, Any]) -> dict[str, Any]:
        return next((shown for shown in answer["items"] if shown["itemId"] == "next-teapot"), {})

    before = eventually(lambda: next((answer for answer in [home()] if answer["modelVersion"]), None))
    assert teapot(before).get("reason", {}).get("because", []) == []
    app.call("POST", "/v1/track", event(SHE, "Product Viewed", datetime.now(UTC), product_id="next-kettle"))
    # As soon as capture has stored the event the next answer knows it: nothing in between is built or kept.
    after = eventually(lambda: next((answer for answer in [home()] if teapot(answer).get("reason", {}).get("because")), None))
    first = after["items"][0]
    assert first["itemId"] == "next-teapot"
    assert first["reason"] == {
        "code": "because_viewed",
        "text": "Because you looked at Kettle",
        "because": ["next-kettle"],
    }
    assert first["explain"]["by"] in first["explain"]["parts"]
    assert after["arm"] == "model"

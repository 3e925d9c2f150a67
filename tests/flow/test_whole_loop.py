"""One shopper through the deployed stack: HTTP event to outbox to click to KPI, and out again by her own word."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.flow.conftest import LONGEST_WAIT_SECONDS, eventually

from regulars_demo.drive import Api
from regulars_demo.virtual import ClockFile
from regulars_local import outbox
from regulars_local.stack import LocalStack

pytestmark = pytest.mark.stack
Client = Callable[[str], Any]
NOON = datetime(2031, 3, 11, 12, 0, tzinfo=UTC)
"""Later than the real time in which the other flow tests let the due index run: its watermark never goes back."""
SHE = "flow-1"
ITEMS = [
    {"item_id": f"item-{n}", "title": f"Cup {n}", "category": "kitchen", "price": f"{n}.50", "currency": "GBP", "stock": 5,
     "url": f"https://shop.example/items/item-{n}"}
    for n in range(1, 5)
]  # fmt: skip
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


@pytest.fixture(scope="module")
def clock(stack: LocalStack) -> Iterator[ClockFile]:
    """Virtual time for this module; real time again after it."""
    file = Path(stack.clock_file)
    clock = ClockFile(file)
    clock.set(NOON)
    yield clock
    file.unlink()


@pytest.fixture(scope="module")
def app(stack: LocalStack) -> Iterator[Api]:
    with closing(Api(stack.api_url, stack.write_key)) as api:
        yield api


@pytest.fixture(scope="module")
def operator(stack: LocalStack) -> Iterator[Api]:
    with closing(Api(stack.api_url, stack.operator_key)) as api:
        yield api


def track(event: str, at: datetime, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "track", "event": event, "userId": SHE, "messageId": f"{event} {at.isoformat()}",
        "timestamp": at.isoformat(), "properties": properties,
    }  # fmt: skip


def browse(url: str, method: str = "GET", body: str | None = None) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.netloc, timeout=LONGEST_WAIT_SECONDS)) as connection:
        connection.request(method, parts.path, body=body, headers=BROWSER)
        answer = connection.getresponse()
        answer.read()
        return answer


def link(html: str, path: str) -> str:
    found = re.search(rf'"(http[^"]*{path}[^"]*)"', html)
    assert found, f"no {path} link in the mail"
    return found.group(1)


def test_from_event_to_outbox_to_click_to_kpi(
    stack: LocalStack, aws_client: Client, clock: ClockFile, app: Api, operator: Api
) -> None:
    report = operator.call("POST", "/v1/catalogue", json.dumps(ITEMS).encode())
    assert report["created"] == len(ITEMS), report
    identify = {
        "type": "identify", "userId": SHE, "messageId": "flow-identify", "timestamp": NOON.isoformat(),
        "traits": {"email": "flow-1@shop.example", "timezone": "Europe/London", "country": "GB", "consent": {"email": True}},
    }  # fmt: skip
    added = track("Product Added", NOON, {"product_id": "item-1", "quantity": 1, "price": 1.5, "currency": "GBP"})
    answer = app.call("POST", "/v1/batch", {"batch": [identify, added, {"type": "track", "userId": SHE, "event": "Nonsense"}]})
    assert [entry["status"] for entry in answer["results"]] == ["accepted", "accepted", "rejected"]

    mail = sent_after(stack, aws_client, clock, operator, NOON + timedelta(hours=4, minutes=5))
    assert mail.to == "flow-1@shop.example"
    assert "Cup 1" in mail.html
    assert "Cup 1" in mail.text

    clock.set(clock.read() + timedelta(minutes=7))  # at once, only a machine would
    assert browse(link(mail.html, "/l/o/")).status == 200
    clicked = browse(link(mail.html, "/l/c/"))
    assert (clicked.status, clicked.headers["Location"]) == (302, "https://shop.example/items/item-1")
    delivered = {
        "eventType": "Delivery",
        "mail": {"messageId": mail.id, "tags": {"message_id": [mail.message_id]}, "destination": [mail.to]},
        "delivery": {"timestamp": clock.read().isoformat(), "recipients": [mail.to]},
    }
    aws_client("sns").publish(TopicArn=stack.feedback_topic_arn, Message=json.dumps(delivered))
    eventually(lambda: {"delivered", "clicked", "opened"} <= set(feedback(operator)))
    ordered_at = NOON + timedelta(hours=11)
    clock.set(ordered_at)
    order = {
        "order_id": "o-1",
        "total": 1.5,
        "currency": "GBP",
        "products": [{"product_id": "item-1", "quantity": 1, "price": 1.5}],
    }
    app.call("POST", "/v1/track", track("Order Completed", ordered_at, order))

    eventually(lambda: "converted" in feedback(operator))
    kpis = eventually(lambda: converted(operator))
    assert (
        kpis["messages"]["cart_abandoned"] | {"sent": 1, "delivered": 1, "opened": 1, "clicked": 1, "converted": 1}
        == (kpis["messages"]["cart_abandoned"])
    )
    assert (
        kpis["credited"]["cart_abandoned"]["revenue_cents"] == {"GBP": 150}
        or kpis["credited"]["cart_abandoned"]["revenue_cents"] == 150
    )


def test_unsubscribing_takes_a_post(stack: LocalStack, operator: Api) -> None:
    mail = next(entry for entry in outbox.emails(stack.endpoint_url) if entry.kind == "cart_abandoned")
    address = link(mail.html, "/l/u/")
    for method in ("GET", "HEAD"):
        browse(address, method)
    assert story(operator)["who"]["consent"]["email"] == "yes"
    assert browse(address, "POST", "List-Unsubscribe=One-Click").status in (200, 202)
    assert story(operator)["who"]["consent"]["email"] == "no"


def test_an_event_changes_the_next_answer(app: Api, clock: ClockFile) -> None:
    at = NOON + timedelta(hours=11, minutes=30)
    clock.set(at)

    def first() -> str:
        items = app.call("GET", f"/v1/recommendations/return?userId={SHE}")["items"]
        return str(items[0]["itemId"]) if items else ""

    assert first() != "item-3"
    app.call("POST", "/v1/track", track("Product Added to Wishlist", at, {"product_id": "item-3"}))
    eventually(lambda: first() == "item-3")


def test_a_search_finds_what_was_imported(app: Api) -> None:
    found = app.call("GET", f"/v1/search?q=cups&userId={SHE}&limit=3")
    assert (found["match"], len(found["items"])) == ("all", 3)
    assert app.call("GET", "/v1/suggestions?q=kit")["suggestions"] or found["modelVersion"] is None


def sent_after(stack: LocalStack, aws_client: Client, clock: ClockFile, operator: Api, at: datetime) -> outbox.Sent:
    """The cart mail: the timer is due at `at`, and where the arbiter waits for a better hour, time moves there."""

    def look() -> outbox.Sent | None:
        carts = [moment for moment in story(operator)["moments"] if moment["kind"] == "cart_abandoned"]
        waits = carts[0].get("waits_until") if carts else None
        clock.set(max(at, clock.read(), *([datetime.fromisoformat(waits) + timedelta(minutes=1)] if waits else [])))
        aws_client("lambda").invoke(FunctionName=stack.function("fire_timers"), Payload=b"{}")["Payload"].read()
        return next((mail for mail in outbox.emails(stack.endpoint_url) if mail.kind == "cart_abandoned"), None)

    return eventually(look)


def story(operator: Api) -> dict[str, Any]:
    told: dict[str, Any] = operator.call("GET", f"/v1/shoppers/user:{SHE}/explain")
    return told


def feedback(operator: Api) -> dict[str, str]:
    moments = [moment for moment in story(operator)["moments"] if moment["kind"] == "cart_abandoned"]
    return dict(moments[0].get("feedback", {})) if moments else {}


def converted(operator: Api) -> dict[str, Any] | None:
    report: dict[str, Any] = operator.call("GET", f"/v1/report?day={NOON:%Y-%m-%d}")
    return report if report["messages"].get("cart_abandoned", {}).get("converted") else None

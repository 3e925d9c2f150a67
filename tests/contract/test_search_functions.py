"""Search woken by its golden events against moto: from what shoppers did to what a search shows, and what it costs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CreateTable
from tests.contract.test_openapi import fits
from tests.support.functions import LogRecord, Wake, deploy, warm
from tests.support.metering import metering
from tests.support.prices import GB_SECOND, HTTP_API_REQUEST, LAMBDA_REQUEST
from tests.support.shoppers import event, order
from tests.support.window import SHELF, item

from regulars.access import hash_key
from regulars.adapters.dynamodb.catalogue import DynamoCatalogue
from regulars.adapters.storage.s3 import S3Storage
from regulars.capture.archive import ArchiveEvents
from regulars.capture.model import Event

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)
BILLED_SECONDS = 0.02
"""Two reads of about four milliseconds and five of work at 100,000 items, rounded up."""


@pytest.fixture
def wake(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Wake:
    """`wake(golden name, **changes)` → the body of the answer, or what a build returns; functions stay warm within a test."""
    tables, keys = ("profiles", "models", "catalogue"), hash_key("wk_shop_app")
    deploy(create_table, monkeypatch, tmp_path / "clock", NOW, tables, WRITE_KEY_HASHES=keys)
    answer = warm()

    def call(name: str, **changes: Any) -> dict[str, Any]:
        reply: dict[str, Any] = answer(name, **changes)
        if "statusCode" not in reply:
            return reply
        body: dict[str, Any] = json.loads(reply["body"])
        return {**body, "status": reply["statusCode"]}

    return call


def shopping() -> list[Event]:
    """Six shoppers search, one of them searches what nobody else does, and all buy the rival."""
    at, found = NOW - timedelta(days=2), []
    for number in range(6):
        she = f"user:{number}"
        found.append(event("Products Searched", at, shopper=she, properties={"query": "Phone Case"}))
        found.append(order(f"o{number}", at + timedelta(minutes=9), items=("rival",), shopper=she))
    found.append(event("Products Searched", at, shopper="user:0", properties={"query": "phone for ada"}))
    return found


def test_from_archive_to_results_and_suggestions(wake: Wake) -> None:
    shelf = [
        *SHELF,
        item("shell", "cases", title="手机壳 透明", brand="Aa"),
        item("case-2", "cases", title="Phone case of rubber"),
    ]
    DynamoCatalogue("catalogue").put(shelf)
    archive = ArchiveEvents(S3Storage("data"))
    for number, entry in enumerate(shopping()):
        archive([LogRecord([entry], number)])
    built = wake("build_popularity")
    assert (built["search_queries"], built["items"]) == (1, len(shelf))
    body = wake("serve_recommendations.search")
    status = body.pop("status")
    fits(body, "SearchResults")
    assert (status, body["match"], body["modelVersion"]) == (200, "some", built["search_version"])
    assert {shown["itemId"] for shown in body["items"]} & {"shell", "phone"}
    popular = wake("serve_recommendations.search", queryStringParameters={"q": "phones"})
    assert {shown["itemId"]: shown["reason"]["code"] for shown in popular["items"]}["rival"] == "found_popular"
    completed = wake("serve_recommendations.suggestions")
    assert completed.pop("status") == 200
    fits(completed, "Suggestions")
    assert completed["suggestions"][0] == {"text": "phone case", "kind": "query"}
    assert "phone for ada" not in {entry["text"] for entry in completed["suggestions"]}


def test_before_anything_was_built(wake: Wake) -> None:
    body = wake("serve_recommendations.search")
    assert body.pop("status") == 200
    fits(body, "SearchResults")
    assert (body["items"], body["reason"], body["modelVersion"]) == ([], "empty_catalogue", None)
    assert wake("serve_recommendations.suggestions")["reason"] == "nothing_begins_so"


def test_what_is_refused(wake: Wake) -> None:
    for name in ("serve_recommendations.search", "serve_recommendations.suggestions"):
        assert wake(name, headers={})["status"] == 401
        refused = wake(name, queryStringParameters={"q": "x" * 500})
        fits({"error": refused["error"]}, "Error")
        assert (refused["status"], refused["error"]["code"]) == (400, "query_too_long")
    assert wake("serve_recommendations.search", queryStringParameters=None)["error"]["code"] == "missing_query"


def test_two_round_trips_and_their_price(wake: Wake, capsys: pytest.CaptureFixture[str]) -> None:
    DynamoCatalogue("catalogue").put(SHELF)
    wake("build_popularity")
    wake("serve_recommendations.search")
    with metering() as warm:
        wake("serve_recommendations.search")
    assert warm.calls == ["Query", "BatchGetItem"]
    with metering() as typing:
        wake("serve_recommendations.suggestions")
    assert typing.calls == []
    price = warm.dollars_per_million + HTTP_API_REQUEST + LAMBDA_REQUEST + BILLED_SECONDS * GB_SECOND
    with capsys.disabled():
        print(f"\none search in a warm function: {warm.reads:g} read units, {price:.2f} USD per million")
    assert price <= 2.00

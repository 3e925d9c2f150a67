"""build_similarity, build_popularity and serve_recommendations woken by their golden events, against moto; and what a
recommendation costs."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CreateTable
from tests.support.functions import LogRecord, Wake, deploy, warm
from tests.support.metering import Meter, metering
from tests.support.prices import GB_SECOND, HTTP_API_REQUEST, LAMBDA_REQUEST
from tests.support.shoppers import event, order
from tests.support.window import SHELF, item

from regulars.access import hash_key
from regulars.adapters.aws import client
from regulars.adapters.dynamodb.catalogue import DynamoCatalogue
from regulars.adapters.dynamodb.models import DynamoModels
from regulars.adapters.dynamodb.profiles import DynamoProfiles
from regulars.adapters.storage.s3 import S3Storage
from regulars.capture.archive import ArchiveEvents
from regulars.capture.model import Event
from regulars.catalogue.snapshot import publish
from regulars.clock import to_ms
from regulars.profiles.orders import OrderRecord
from regulars.profiles.record import ItemMark, Record
from regulars.recommendations.rulebook import Rulebook
from regulars.similarity.model import Neighbours, Pointer, Popularity
from regulars.similarity.recipe import Part, Recipe

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)
DAY = timedelta(days=1)
BILLED_SECONDS = 0.015
"""Two reads of about four milliseconds and three of work, rounded up."""
MEMORY_GB = 1.0


@pytest.fixture
def wake(create_table: CreateTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Wake:
    """`wake(golden name, **changes)` → what the handler returns; functions stay warm within a test."""
    tables, keys = ("profiles", "models", "catalogue"), hash_key("wk_shop_app")
    deploy(create_table, monkeypatch, tmp_path / "clock", NOW, tables, WRITE_KEY_HASHES=keys)
    return warm()


def shopping() -> Iterator[Event]:
    """Five shoppers look at two phones and buy one with a case."""
    for number in range(5):
        she, at = f"user:{number}", NOW - 3 * DAY + number * timedelta(hours=1)
        yield event("Product Viewed", at, shopper=she, properties={"product_id": "phone"})
        yield event("Product Viewed", at + timedelta(minutes=1), shopper=she, properties={"product_id": "rival"})
        yield order(f"o{number}", at + timedelta(minutes=9), items=("phone", "case"), shopper=she)


def answer(reply: dict[str, Any]) -> dict[str, Any]:
    assert reply["statusCode"] == 200, reply
    body: dict[str, Any] = json.loads(reply["body"])
    return body


def test_from_archive_to_answer(wake: Wake) -> None:
    DynamoCatalogue("catalogue").put(SHELF)
    for number, entry in enumerate(shopping()):
        ArchiveEvents(S3Storage("data"))([LogRecord([entry], number)])
    popularity = wake("build_popularity")
    assert (popularity["items"], popularity["interactions"]) == (len(SHELF), 20)
    similarity = wake("build_similarity")
    assert similarity["interactions"] == 20
    assert similarity["rows"] >= 3  # those of the log, and what is alike by attributes
    home = answer(wake("serve_recommendations"))
    assert home["modelVersion"] == similarity["version"]
    assert home["items"][0]["reason"]["text"] == "当前热销"
    cart = answer(wake("serve_recommendations.cart"))
    assert {shown["itemId"]: shown["reason"]["code"] for shown in cart["items"]}["case"] == "goes_with_cart"
    assert cart["threshold"]["gapCents"] == 0


def test_nothing_is_there_yet(wake: Wake) -> None:
    body = answer(wake("serve_recommendations"))
    assert (body["items"], body["reason"], body["modelVersion"]) == ([], "empty_catalogue", None)
    assert wake("build_similarity")["rows"] == 0
    assert wake("build_popularity")["items"] == 0


def test_a_call_without_a_key_is_refused(wake: Wake) -> None:
    reply = wake("serve_recommendations", headers={})
    assert reply["statusCode"] == 401


def test_a_damaged_row_falls_back(wake: Wake) -> None:
    publish(S3Storage("data"), SHELF, NOW)
    _shopper("42", ["phone"])
    models = DynamoModels("models")
    models.write("1", [Neighbours("phone", {"similar": (("rival", 1.0),)})])
    models.flip(Pointer(version="1", built_at=NOW), None)
    client("dynamodb").update_item(
        TableName="models",
        Key={"pk": {"S": "neighbours#1#phone"}, "sk": {"S": "all"}},
        UpdateExpression="SET #similar = :b",
        ExpressionAttributeNames={"#similar": "similar"},
        ExpressionAttributeValues={":b": {"B": b"damaged"}},
    )
    body = answer(wake("serve_recommendations"))
    assert body["arm"] == "fallback"
    assert len(body["items"]) == 3


def test_rules_hold_in_the_very_next_answer_of_a_warm_function(wake: Wake) -> None:
    """Put as the operator's API stores them, within the seconds for which what is the same for everybody is kept."""
    publish(S3Storage("data"), SHELF, NOW)
    first = answer(wake("serve_recommendations"))["items"][0]["itemId"]
    book = Rulebook(DynamoModels("models"), lambda: NOW)
    for document, shown in (
        ({"rules": [{"id": "no", "action": "ban", "items": [first]}]}, False),
        ({"rules": []}, True),
        ({"rules": [{"id": "no", "action": "ban", "items": [first], "scenes": ["cart"]}]}, True),
    ):
        book.replace(json.dumps(document).encode())
        ids = [placed["itemId"] for placed in answer(wake("serve_recommendations"))["items"]]
        assert (first in ids) is shown


def _shopper(name: str, items: list[str]) -> None:
    """A profile whose newest deeds are with these items, and five orders of eight lines."""
    marks = {item_id: ItemMark(1.0, to_ms(NOW - number * DAY), 3, 40.0) for number, item_id in enumerate(items)}
    tags = {f"category/shelf-{number}": 1.0 + number for number in range(20)}
    record = Record(shopper=f"user:{name}", first_ms=to_ms(NOW - 300 * DAY), newest_ms=to_ms(NOW), items=marks, tags=tags)
    store = DynamoProfiles("profiles")
    store.save(record)
    lines = tuple(f"bought-{number:05d}" for number in range(8))
    store.join_orders(
        f"user:{name}",
        [
            OrderRecord(
                order_id=f"o{number}",
                placed_ms=frozenset({to_ms(NOW - 30 * DAY)}),
                told_ms=to_ms(NOW - 30 * DAY),
                cents=5000,
                items=lines,
            )
            for number in range(5)
        ],
    )


def _price(meter: Meter, calls: int = 1) -> float:
    """US dollars per million answers."""
    return meter.dollars_per_million / calls + HTTP_API_REQUEST + LAMBDA_REQUEST + BILLED_SECONDS * MEMORY_GB * GB_SECOND


def _long_tail_shop(shoppers: int) -> list[str]:
    """A thousand items, rows for 400 of them, shoppers whose interest has a long tail: item n is looked at with probability
    ~ 1/(n + 1). Returns the ids."""
    shelf = [item(f"item-{number:05d}", f"shelf-{number % 20}") for number in range(1000)]
    publish(S3Storage("data"), shelf, NOW)
    dice = random.Random(7)
    names = [entry.item_id for entry in shelf]
    models = DynamoModels("models")
    near = [tuple((other, 1 / (place + 1)) for place, other in enumerate(dice.sample(names, 100))) for _ in range(40)]
    models.write(
        "1",
        [
            Neighbours(
                name, {relation: near[(n + k) % 40] for k, relation in enumerate(("similar", "together", "next", "linear"))}
            )
            for n, name in enumerate(names[:400])
        ],
    )
    models.put_popularity([Popularity("all", near[0], near[1], NOW)])
    parts = {relation: Part(weight=1.0) for relation in ("similar", "together", "next", "linear")}
    recipe = Recipe(protocol="time-new", parts=parts, popularity={"week": 0.3})
    models.flip(Pointer(version="1", built_at=NOW, params={"recipe": recipe.to_wire()}, counts={"rows": 400}), None)
    weights = [1 / (number + 1) for number in range(400)]
    for number in range(shoppers):
        _shopper(str(number), list(dict.fromkeys(dice.choices(names[:400], weights, k=60)))[:20])
    return names


def test_two_sequential_round_trips_and_their_price(wake: Wake, capsys: pytest.CaptureFixture[str]) -> None:
    names = _long_tail_shop(30)
    _shopper("42", names[:20])
    answer(wake("serve_recommendations", queryStringParameters=None))  # whatever is the same for everybody is in memory now
    with metering() as cold:
        body = answer(wake("serve_recommendations"))
    assert (body["arm"], len(body["items"])) == ("model", 3)
    assert cold.calls == ["Query", "BatchGetItem"]
    for number in range(15):
        answer(wake("serve_recommendations", queryStringParameters={"userId": str(number)}))
    with metering() as warm:
        for number in range(15, 30):
            answer(wake("serve_recommendations", queryStringParameters={"userId": str(number)}))
    assert warm.calls == ["Query", "BatchGetItem"] * 15
    with capsys.disabled():
        print(
            f"\none recommendation, 20 recent items: {cold.reads:g} read units with no row in memory, "
            f"{_price(cold):.2f} USD per million; {warm.reads / 15:.2f} in a warm function, {_price(warm, 15):.2f} USD"
        )
    assert cold.reads <= 13  # 20 rows, one profile, two sets of stock-outs, rules, popularity of a region: half a unit each
    assert _price(warm, 15) <= 2.00
    assert cold.writes == 0


def test_a_missing_and_a_broken_model_are_counted(wake: Wake, capsys: pytest.CaptureFixture[str]) -> None:
    publish(S3Storage("data"), SHELF, NOW)
    for _ in range(3):
        answer(wake("serve_recommendations"))
    assert _metrics(capsys.readouterr().out) == ["ModelMissing"]  # once a minute, not once a call
    DynamoModels("models").flip(Pointer(version="1", built_at=NOW, params={"recipe": {"parts": 7}}), None)
    _tick(6)
    body = answer(wake("serve_recommendations"))
    assert (body["arm"], len(body["items"])) == ("fallback", 3)
    assert _metrics(capsys.readouterr().out) == ["ModelBroken"]


def _metrics(printed: str) -> list[str]:
    """Names of the metrics in CloudWatch's embedded format, of this namespace and service."""
    names = []
    for line in printed.splitlines():
        document = json.loads(line) if line.startswith("{") else {}
        for entry in document.get("_aws", {}).get("CloudWatchMetrics", ()):
            assert (entry["Namespace"], entry["Dimensions"], document["service"]) == ("Regulars", [["service"]], "test")
            names += [metric["Name"] for metric in entry["Metrics"]]
    return names


def _tick(seconds: int) -> None:
    """Time passes for the functions."""
    path = Path(os.environ["CLOCK_SOURCE"].removeprefix("file:"))
    path.write_text((datetime.fromisoformat(path.read_text()) + timedelta(seconds=seconds)).isoformat())


def test_a_new_version_is_served_without_a_restart(wake: Wake) -> None:
    publish(S3Storage("data"), SHELF, NOW)
    _shopper("42", ["phone"])
    models = DynamoModels("models")
    for version, other in (("1", "rival"), ("2", "cable")):
        models.write(version, [Neighbours("phone", {"similar": ((other, 1.0),)})])
        live = models.pointer()
        models.flip(Pointer(version=version, built_at=NOW, previous=live.version if live else ""), live)
        _tick(6)
        body = answer(wake("serve_recommendations"))
        assert (body["modelVersion"], body["items"][0]["itemId"]) == (version, other)
    models.roll_back()
    _tick(6)
    body = answer(wake("serve_recommendations"))
    assert (body["modelVersion"], body["items"][0]["itemId"]) == ("1", "rival")


def test_an_event_changes_the_very_next_answer(wake: Wake) -> None:
    """What capture has stored is read by the next call: profiles are never kept in memory."""
    publish(S3Storage("data"), SHELF, NOW)
    _shopper("42", ["phone"])
    models = DynamoModels("models")
    models.write("1", [Neighbours("phone", {"similar": (("rival", 1.0),)}), Neighbours("film", {"similar": (("cable", 1.0),)})])
    models.flip(Pointer(version="1", built_at=NOW), None)
    before = answer(wake("serve_recommendations"))["items"][0]
    assert (before["itemId"], before["reason"]["because"]) == ("rival", ["phone"])
    store = DynamoProfiles("profiles")
    record = store.load("user:42")
    looked = {**record.items, "film": ItemMark(1.0, to_ms(NOW) + 1, 1, 10.0), "rival": ItemMark(1.0, to_ms(NOW), 1, 10.0)}
    store.save(replace(record, items=looked))
    after = answer(wake("serve_recommendations"))["items"]
    assert ("cable", ["film"]) in [(shown["itemId"], shown["reason"]["because"]) for shown in after]

"""docs/openapi.yaml is a valid document, has flow.py's routes and no other, and says what the views really answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]
from tests.support.collecting import NOW, open_shop, viewed
from tests.support.decisions import EVENING, SHE, Desk, moment
from tests.support.department_store import store
from tests.support.offers import ANN, FLASH, FLASH_TERMS, Market, basket
from tests.support.offers import settings as offer_settings
from tests.support.window import item, profile

from regulars.adapters.memory.catalogue import MemoryCatalogue
from regulars.catalogue.config import CatalogueSettings
from regulars.catalogue.http import item_to_dict
from regulars.catalogue.importing import Importer
from regulars.decisions.explain import Explain
from regulars.flow import FLOW, Http
from regulars.operation.quarantine import list_records, replay_records
from regulars.recommendations.http import parse_ask
from regulars.recommendations.model import SCENES
from regulars.recommendations.rules import parse
from regulars.recommendations.spelling import to_json
from regulars.shop import section

DOCUMENT: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "docs" / "openapi.yaml").read_text("utf-8"))
METHODS = ("get", "head", "put", "post", "delete", "patch")
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


def operations() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """`METHOD /path` and the operation."""
    for path, entry in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in entry:
                yield f"{method.upper()} {path}", entry[method]


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in the document."""
    if isinstance(value, dict):
        yield value
    for entry in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(entry)


def resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference points at; KeyError when it points nowhere."""
    if "$ref" not in node:
        return node
    found: Any = DOCUMENT
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    target: Mapping[str, Any] = found
    return target


def test_it_has_the_routes_of_the_flow_and_no_other() -> None:
    routes = {route for entry in FLOW for wake in entry.woken_by if isinstance(wake, Http) for route in wake.routes}
    assert {name for name, _ in operations()} == routes


def test_references_resolve_and_every_component_is_used() -> None:
    used = {node["$ref"] for node in nodes(DOCUMENT) if isinstance(node.get("$ref"), str)}
    assert all(resolved({"$ref": name}) for name in used)
    components = {
        f"#/components/{kind}/{name}"
        for kind, entries in DOCUMENT["components"].items()
        if kind != "securitySchemes"
        for name in entries
    }
    assert used == components


def test_every_operation_is_whole() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    names = [operation["operationId"] for _, operation in operations()]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    for name, operation in operations():
        assert set(operation["tags"]) <= tags, name
        parameters = [resolved(entry) for entry in operation.get("parameters", ())]
        in_path = {entry["name"] for entry in parameters if entry["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", name)), name
        assert all(entry["required"] for entry in parameters if entry["in"] == "path"), name
        for way in operation.get("security", ()):
            assert set(way) <= set(DOCUMENT["components"]["securitySchemes"]), name
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[2-5]\d\d", status), name
            assert resolved(response)["description"], f"{name} {status}"


def test_only_links_callbacks_and_health_are_open() -> None:
    """Links have their token, callbacks Amazon's signature."""
    unlocked = {name for name, operation in operations() if not operation.get("security")}
    links = {f"{method} /l/{kind}/{{token}}" for method in ("GET", "HEAD") for kind in "ocu"}
    assert unlocked == {"GET /v1/health", "POST /v1/callbacks/sns", *links, "POST /l/u/{token}"}


def test_schemas_are_json_schema() -> None:
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)


def closed() -> dict[str, Any]:
    """The document with every object of named properties closed: an answer with a key that is not there fails."""
    whole = deepcopy(DOCUMENT)
    for node in nodes(whole["components"]["schemas"]):
        if isinstance(node.get("properties"), dict) and "additionalProperties" not in node:
            node["additionalProperties"] = False
    return whole


def fits(answer: Any, name: str) -> None:
    validator = Draft202012Validator({**closed(), "$ref": f"#/components/schemas/{name}"}, format_checker=FormatChecker())
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(answer)] == []


def test_capture_answers_as_said() -> None:
    shop = open_shop()
    bad = viewed(messageId="m2", properties={"product_id": "p", "price": -1})
    status, receipt = shop.post("batch", {"batch": [viewed(), viewed(), bad]})
    assert (status, receipt["rejected"]) == (200, 1)
    fits(receipt, "BatchReceipt")
    status, refused = shop.post("track", bad)
    assert status == 400
    fits(refused, "Error")
    fits(list_records(shop.quarantine, lambda: NOW, {}), "Quarantine")
    fits(replay_records(shop.quarantine, shop.collector, lambda: NOW, {"day": NOW.date().isoformat()}), "Replayed")


@pytest.mark.parametrize("scene", SCENES)
def test_recommendations_answer_as_said(scene: str) -> None:
    window = store()
    window.rulebook.replace(b"lists: [{id: gifts, title: Gifts, items: [honey]}]")
    window.knows(profile(bought={"nova-12-black": 3}))
    ask = parse_ask(scene, {"userId": "42", "itemId": "nova-12-black", "cart": "teapot", "explain": "true"}, 100)
    body = to_json(window.recommend(ask), ask)
    assert body["items"]
    fits(body, "Recommendations")


def test_the_catalogue_answers_as_said() -> None:
    desk = Importer(MemoryCatalogue(), section(CatalogueSettings, "catalogue"), lambda: NOW)
    fits(desk.import_file(b"item_id,title,price,odd\na,Mug,1,x\nb,,x,x\n").to_dict(), "ImportReport")
    fits(item_to_dict(item("phone")), "Item")


def test_explain_answers_as_said() -> None:
    desk = Desk()
    desk.knows(tier="high", stage="loyal", rfm="HHM")
    desk.now = EVENING
    desk.decide(moment(at=EVENING))
    story = Explain(desk.people, desk.contacts, desk.ledger, lambda: desk.now, desk.config)(SHE)
    assert story["moments"]
    fits(story, "Story")


def test_rules_are_taken_as_said() -> None:
    document = {
        "rules": [
            {"id": "a", "action": "pin", "items": ["x"], "position": 2, "scenes": ["home"], "segments": ["tier:high"]},
            {"id": "b", "action": "bury", "brands": ["x"], "factor": 0.5, "from": "2026-11-01", "until": None, "note": "sale"},
            {
                "id": "c",
                "action": "boost",
                "price_cents": {"from": 100, "to": 200},
                "currency": "GBP",
                "attributes": {"colour": ["red"], "style": "plain"},
                "not_segments": ["country:GB"],
                "weekdays": ["sat"],
                "hours": {"from": "18:00", "to": "02:00"},
                "time_zone": "Europe/London",
            },
            {"id": "d", "action": "limit", "per": "brand", "most": 2, "scenes": ["members", "search"]},
            {"id": "e", "action": "pin", "items": ["x"], "slot": "banner"},
        ],
        "lists": [{"id": "f", "title": {"en": "Gifts", "zh": "礼物"}, "items": ["x"], "first": 2, "until": "2026-12-24"}],
    }
    assert len(parse(document).rules) == 5
    fits(document, "Rules")


def test_offers_answer_as_said() -> None:
    market = Market(
        config=offer_settings(
            {"dear": {**FLASH_TERMS, "edition": "year", "categories": ["a"], "cost_cents": 5, "currency": "GBP"}}
        )
    )
    coupon, dear = market.claiming.claim(ANN, FLASH), market.claiming.claim(ANN, "dear")
    for held in (coupon, dear):
        fits(market.claiming.to_wire(held), "Coupon")
    fits(market.redeeming.redeem(coupon.code, basket()), "Redeemed")
    fits(dict(market.claiming.wallet(ANN)), "Wallet")
    fits(market.redeeming.take_back(coupon.code, "o-1"), "Redeemed")
    for name in (FLASH, "dear", "winback_25"):
        fits(market.standing(name), "OfferStanding")

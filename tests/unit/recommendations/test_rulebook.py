"""The document of rules: kept as it was put, refused by path, warned about where it can have no effect."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.department_store import STORE
from tests.support.window import NOW, Window

from regulars.errors import Invalid
from regulars.recommendations.rulebook import Rulebook
from regulars.recommendations.rules import parse

FULL: dict[str, Any] = {
    "rules": [
        {"id": "hero", "action": "pin", "items": ["teapot", "honey"], "position": 2, "scenes": ["home", "members"]},
        {"id": "banner", "action": "pin", "items": ["watch-gold"], "slot": "banner", "note": "for the campaign"},
        {
            "id": "dear",
            "action": "bury",
            "categories": ["Electronics > Phones"],
            "price_cents": {"from": 50000, "to": 90000},
            "currency": "EUR",
            "attributes": {"colour": ["black"], "model": "nova-12"},
            "factor": 0.5,
        },
        {
            "id": "weekend",
            "action": "boost",
            "brands": ["Leaf"],
            "factor": 1.5,
            "from": "2026-08-01",
            "until": "2026-12-24T18:00:00+01:00",
            "weekdays": ["sat", "sun"],
            "hours": {"from": "18:00", "to": "02:00"},
            "time_zone": "Europe/Berlin",
            "segments": ["tier:high"],
            "not_segments": ["country:cn"],
        },
        {"id": "two-a-brand", "action": "limit", "per": "brand", "most": 2},
        {"id": "no-whisky", "action": "ban", "items": ["whisky"], "scenes": ["search"]},
    ],
    "lists": [{"id": "gifts", "title": {"en": "Gifts", "zh": "礼物"}, "items": ["teapot"], "first": 3, "until": "2027-01-01"}],
}


@pytest.fixture
def window() -> Window:
    made = Window(STORE)
    made.rulebook = Rulebook(made.models, lambda: made.now, made.catalogue.get)
    return made


def test_what_was_put_is_read_and_may_be_put_again(window: Window) -> None:
    told = window.rulebook.replace(json.dumps(FULL).encode())
    assert told == {"rules": 6, "lists": 1, "updated_at": NOW.isoformat()}
    read = window.rulebook.read()
    assert {key: value for key, value in read.items() if key != "updated_at"} == FULL
    assert window.rulebook.replace(json.dumps(read).encode())["rules"] == 6
    assert window.rulebook.read() == read


def test_yaml_and_json_say_the_same(window: Window) -> None:
    window.rulebook.replace(
        b"rules:\n"
        b"- {id: weekend, action: boost, brands: [Leaf], factor: 1.5, from: 2026-08-01, until: 2026-12-24T18:00:00+01:00}\n"
        b"lists:\n- {id: gifts, title: Gifts, items: [teapot], until: 2027-01-01}\n"
    )
    read = window.rulebook.read()
    assert read["rules"][0]["from"] == "2026-08-01"
    assert read["rules"][0]["until"] == "2026-12-24T18:00:00+01:00"
    assert read["lists"][0]["until"] == "2027-01-01"
    assert parse({"rules": read["rules"], "lists": read["lists"]})


@pytest.mark.parametrize(
    "body",
    [b'{"rules": [{"id": "\\ud83c", "action": "ban", "items": ["a"]}]}', b"[" * 5000, b"rules: [" * 2000, b"!!python/x {}"],
)
def test_no_body_breaks_it(window: Window, body: bytes) -> None:
    with pytest.raises(Invalid):
        window.rulebook.replace(body)
    assert window.rulebook.read() == {"rules": []}


def test_ids_that_the_catalogue_does_not_know_are_told_by_path(window: Window) -> None:
    told = window.rulebook.replace(
        json.dumps(
            {
                "rules": [{"id": "x", "action": "ban", "items": ["honey", "hony 🍯"]}],
                "lists": [{"id": "l", "title": "L", "items": ["nothing", "honey"]}],
            }
        ).encode()
    )
    assert [(entry["path"], entry["code"]) for entry in told["warnings"]] == [
        ("rules[0].items[1]", "unknown_item"),
        ("lists[0].items[0]", "unknown_item"),
    ]
    assert told["warnings"][0]["message"] == "rules[0].items[1]: the catalogue has no item 'hony 🍯'"
    assert (told["rules"], told["warnings_total"]) == (1, 2)
    assert "honey" not in window.ids("home", limit=100)


def test_what_has_ended_and_pins_that_may_meet_are_told(window: Window) -> None:
    entries: list[dict[str, Any]] = [
        {"id": "past", "action": "ban", "items": ["honey"], "until": "2026-01-01"},
        {"id": "one", "action": "pin", "items": ["teapot", "tea-black"], "position": 1},
        {"id": "two", "action": "pin", "items": ["honey"], "position": 2},
        {"id": "elsewhere", "action": "pin", "items": ["honey"], "position": 20},
    ]
    told = window.rulebook.replace(json.dumps({"rules": entries}).encode())
    assert [(entry["path"], entry["code"]) for entry in told["warnings"]] == [
        ("rules[0].until", "ended"),
        ("rules[2].position", "same_place"),
    ]
    entries[1]["scenes"], entries[2]["scenes"] = ["home"], ["cart"]
    entries[0]["until"] = "2027-01-01"
    assert "warnings" not in window.rulebook.replace(json.dumps({"rules": entries}).encode())


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ({"action": "ban"}, "rules[0]"),
        ({"action": "ban", "items": [85123]}, "rules[0].items[0]"),
        ({"action": "ban", "categories": [" / "]}, "rules[0].categories[0]"),
        ({"action": "ban", "price_cents": {"from": 5}}, "rules[0].currency"),
        ({"action": "ban", "price_cents": {"from": 5}, "currency": "euro"}, "rules[0].currency"),
        ({"action": "ban", "items": ["a"], "currency": "EUR"}, "rules[0].currency"),
        ({"action": "ban", "price_cents": {}, "currency": "EUR"}, "rules[0].price_cents"),
        ({"action": "ban", "price_cents": {"from": 9, "to": 9}, "currency": "EUR"}, "rules[0].price_cents.to"),
        ({"action": "ban", "price_cents": {"from": 1.5}, "currency": "EUR"}, "rules[0].price_cents.from"),
        ({"action": "ban", "price_cents": {"from": float("nan")}, "currency": "EUR"}, "rules[0].price_cents.from"),
        ({"action": "ban", "price_cents": {"above": 1}, "currency": "EUR"}, "rules[0].price_cents.above"),
        ({"action": "ban", "attributes": {}}, "rules[0].attributes"),
        ({"action": "ban", "attributes": {"colour": 3}}, "rules[0].attributes.colour"),
        ({"action": "ban", "items": ["a"], "not_segments": ["stage:gone"]}, "rules[0].not_segments[0]"),
        ({"action": "ban", "items": ["a"], "weekdays": ["sunday"]}, "rules[0].weekdays[0]"),
        ({"action": "ban", "items": ["a"], "hours": {"from": "25:00", "to": "26:00"}}, "rules[0].hours.from"),
        ({"action": "ban", "items": ["a"], "hours": {"from": "10:00"}}, "rules[0].hours.to"),
        ({"action": "ban", "items": ["a"], "hours": {"from": "10:00", "to": "10:00"}}, "rules[0].hours"),
        ({"action": "ban", "items": ["a"], "time_zone": "Mars/Olympus"}, "rules[0].time_zone"),
        ({"action": "ban", "items": ["a"], "time_zone": "../etc"}, "rules[0].time_zone"),
        ({"action": "ban", "items": ["a"], "position": 1}, "rules[0].position"),
        ({"action": "ban", "items": ["a"], "factor": 2}, "rules[0].factor"),
        ({"action": "boost", "items": ["a"], "factor": float("nan")}, "rules[0].factor"),
        ({"action": "boost", "items": ["a"], "factor": float("inf")}, "rules[0].factor"),
        ({"action": "pin", "items": ["a"], "slot": "top"}, "rules[0].slot"),
        ({"action": "pin", "items": ["a"], "price_cents": {"to": 5}, "currency": "EUR"}, "rules[0].items"),
        ({"action": "limit", "items": ["a"]}, "rules[0].most"),
        ({"action": "limit", "per": "brand", "most": 0}, "rules[0].most"),
        ({"action": "limit", "most": 2}, "rules[0]"),
        ({"action": "limit", "per": "colour", "most": 2}, "rules[0].per"),
        ({"action": "ban", "items": ["a"], "until": "0001-01-01T00:00:00+23:00"}, "rules[0].until"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused_by_its_path(entry: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse({"rules": [{"id": "x", **entry}]})
    assert (caught.value.field, caught.value.code) == (path, "bad_rules")
    assert caught.value.reason.startswith(path)


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ({"title": "T", "items": ["a"]}, "lists[0].id"),
        ({"id": "l", "items": ["a"]}, "lists[0].title"),
        ({"id": "l", "title": {"fr": "Cadeaux"}, "items": ["a"]}, "lists[0].title.fr"),
        ({"id": "l", "title": {"en": ""}, "items": ["a"]}, "lists[0].title.en"),
        ({"id": "l", "title": "T", "items": []}, "lists[0].items"),
        ({"id": "l", "title": "T", "items": ["a"], "first": -1}, "lists[0].first"),
        ({"id": "l", "title": "T", "items": ["a"], "action": "pin"}, "lists[0].action"),
    ],
)
def test_a_list_that_does_not_fit_is_refused_by_its_path(entry: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse({"lists": [entry]})
    assert caught.value.field == path


def test_too_many_of_either_and_names_used_twice_are_refused() -> None:
    rule = {"action": "ban", "items": ["a"]}
    with pytest.raises(Invalid) as caught:
        parse({"rules": [{"id": f"r{n}", **rule} for n in range(501)]})
    assert caught.value.code == "too_many_rules"
    with pytest.raises(Invalid) as caught:
        parse({"lists": [{"id": f"l{n}", "title": "T", "items": ["a"]} for n in range(101)]})
    assert caught.value.code == "too_many_lists"
    with pytest.raises(Invalid, match="there twice") as caught:
        parse({"rules": [{"id": "x", **rule}], "lists": [{"id": "x", "title": "T", "items": ["a"]}]})
    assert caught.value.field == "lists[0].id"


def test_the_parsed_rules_are_kept_until_the_document_changes(window: Window) -> None:
    reader, document = window.recommend.read_rules, dict(FULL)
    assert reader(document) is reader(document)
    assert reader(dict(FULL)) is not reader(None)
    assert reader(None).rules == ()

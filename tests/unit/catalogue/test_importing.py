"""Importing: accepted rows go in, every other is reported with its place and reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.window import DAY, NOW

from regulars.adapters.memory.catalogue import MemoryCatalogue
from regulars.catalogue.config import CatalogueSettings
from regulars.catalogue.importing import Importer, Report
from regulars.catalogue.model import Item
from regulars.catalogue.validation import normalise_category
from regulars.errors import Invalid
from regulars.shop import section

SETTINGS = section(CatalogueSettings, "catalogue", {"catalogue": {"category_aliases": {"mobiles": "electronics/phones"}}})


class Desk:
    """An importer over an empty catalogue, and what it told of changes."""

    def __init__(self) -> None:
        self.catalogue = MemoryCatalogue()
        self.changed: list[str] = []
        self.importer = Importer(self.catalogue, SETTINGS, lambda: NOW, self._note)

    def _note(self, items: object) -> None:
        self.changed += [item.item_id for item in items]  # type: ignore[attr-defined]

    def take(self, text: str | bytes, file_format: str = "") -> Report:
        return self.importer.import_file(text.encode() if isinstance(text, str) else text, file_format)

    def item(self, item_id: str) -> Item:
        return self.catalogue.get([item_id])[item_id]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def lines(*rows: object) -> str:
    return "\n".join(json.dumps(row) if not isinstance(row, str) else row for row in rows)


def test_csv_with_everything(desk: Desk) -> None:
    report = desk.take(
        "item_id,title,category,price,list_price,currency,stock,brand,colour,url,listed_at\n"
        'a,"Mug, red",Home > Mugs,19.99,24.99,gbp,3,Kiln,red,https://shop.example/a,2026-01-02\n'
    )
    assert (report.rows, report.created, report.refused) == (1, 1, 0)
    assert desk.item("a") == Item(
        item_id="a",
        title="Mug, red",
        category="home/mugs",
        brand="Kiln",
        price_cents=1999,
        list_price_cents=2499,
        currency="GBP",
        stock=3,
        url="https://shop.example/a",
        attributes={"colour": "red"},
        listed_at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    assert desk.changed == ["a"]


@pytest.mark.parametrize("text", ['[{"id":"a","title":"A","price":0.1}]', '{"items":[{"id":"a","title":"A","price":0.1}]}'])
def test_json_shapes_are_told_apart(desk: Desk, text: str) -> None:
    assert desk.take(text).created == 1
    assert desk.item("a").price_cents == 10


@given(cents=st.integers(0, 10**9))
def test_no_price_passes_through_a_float(cents: int) -> None:
    desk = Desk()
    desk.take(f'{{"id":"a","title":"A","price":{cents // 100}.{cents % 100:02d}}}')
    assert desk.item("a").price_cents == cents


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        ({"title": "A", "price": 1}, "item_id", "missing"),
        ({"id": "a", "price": 1}, "title", "missing"),
        ({"id": "a", "title": "A"}, "price", "missing"),
        ({"id": "a", "title": "A", "price": -0.01}, "price", "negative"),
        ({"id": "a", "title": "A", "price": "cheap"}, "price", "not_a_number"),
        ({"id": "a", "title": "A", "price": "NaN"}, "price", "not_a_number"),
        ({"id": "a", "title": "A", "price": "1e400"}, "price", "too_large"),
        ({"id": "a", "title": "A", "price": 1, "currency": "XYZ"}, "currency", "unknown_currency"),
        ({"id": "a", "title": "A", "price": 1, "stock": 1.5}, "stock", "not_whole"),
        ({"id": "a", "title": "A", "price": 1, "stock": -1}, "stock", "negative"),
        ({"id": "a", "title": "A", "price": 1, "url": "javascript:alert(1)"}, "url", "bad_url"),
        ({"id": "a", "title": "A", "price": 1, "listed_at": "yesterday"}, "listed_at", "bad_time"),
        ({"id": "a", "title": "A", "price": 1, "active": "perhaps"}, "active", "not_a_flag"),
        ({"id": "a", "title": ["A"], "price": 1}, "title", "not_text"),
        ({"id": "x" * 201, "title": "A", "price": 1}, "id", "too_long"),
        ({"id": "a\u0000", "title": "A", "price": 1}, "id", "control_characters"),
        ({"id": "a", "title": "A", "price": 1, "attributes": [1]}, "attributes", "not_an_object"),
        ("{broken", "", "invalid_json"),
        ("[1]", "", "not_an_object"),
    ],
)
def test_a_bad_row_is_named_and_its_neighbours_go_in(desk: Desk, row: object, field: str, code: str) -> None:
    report = desk.take(lines({"id": "n1", "title": "N", "price": 1}, row, {"id": "n2", "title": "N", "price": 1}), "jsonl")
    (violation,) = report.violations
    assert (violation.row, violation.field, violation.code) == (2, field, code)
    assert (report.rows, report.created, report.refused) == (3, 2, 1)
    assert {item.item_id for item in desk.catalogue.scan()} == {"n1", "n2"}


def test_every_fault_of_a_row_is_told(desk: Desk) -> None:
    report = desk.take(lines({"id": "a", "title": "", "price": -1, "currency": "?"}))
    assert [entry.code for entry in report.violations] == ["missing", "negative", "unknown_currency"]
    assert report.refused == 1


def test_a_csv_row_with_too_many_cells(desk: Desk) -> None:
    report = desk.take("id,title,price\na,A,1\nb,B,2,3\nc,C,3\n")
    assert [(entry.row, entry.code) for entry in report.violations] == [(2, "column_count")]
    assert report.created == 2


def test_duplicates_in_one_file(desk: Desk) -> None:
    first, other = {"id": "a", "title": "A", "price": 1}, {"id": "a", "title": "A", "price": 2}
    report = desk.take(lines(first, first, other))
    assert (report.created, report.repeated, report.refused) == (1, 1, 1)
    assert report.violations[0].code == "duplicate_id"
    assert "row 1" in report.violations[0].message
    assert desk.item("a").price_cents == 100


def test_a_file_of_ids_and_prices_updates_and_keeps_the_rest(desk: Desk) -> None:
    desk.take(lines({"id": "a", "title": "A", "price": 5, "stock": 0, "colour": "red"}))
    report = desk.take("id,price\na,4.50\n")
    assert (report.updated, report.created) == (1, 0)
    known = desk.item("a")
    assert (known.title, known.price_cents, known.list_price_cents, known.stock) == ("A", 450, 450, 0)
    assert known.attributes == {"colour": "red"}
    assert desk.take("id,price\na,4.50\n").unchanged == 1


def test_a_discount_needs_a_list_price_and_is_never_negative(desk: Desk) -> None:
    desk.take(lines({"id": "a", "title": "A", "price": 5, "list_price": 4}))
    assert desk.item("a").list_price_cents == 500
    desk.take(lines({"id": "a", "price": 3, "list_price": 5}))
    assert (desk.item("a").price_cents, desk.item("a").list_price_cents) == (300, 500)


def test_an_import_outranks_older_feeds(desk: Desk) -> None:
    desk.take(lines({"id": "a", "title": "A", "price": 5, "stock": 7}))
    assert desk.catalogue.update("a", at=NOW - DAY, stock=0)
    assert desk.item("a").stock == 7


def test_unknown_columns_are_told_not_swallowed(desk: Desk) -> None:
    assert desk.take("id,title,price,pirce\na,A,1,2\n").to_dict()["ignored_fields"] == ["pirce"]


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"\xff\xfeid", "invalid_utf8"), (b"[1,", "invalid_json"), (b"[[1]]x", "invalid_json"), (b"id,id\na,b", "bad_header")],
)
def test_an_unreadable_file_is_refused_whole(desk: Desk, body: bytes, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        desk.take(body)
    assert caught.value.code == code


def test_an_unknown_format_is_refused(desk: Desk) -> None:
    with pytest.raises(Invalid, match="unknown format"):
        desk.take("x", "xml")


@pytest.mark.parametrize(
    ("given_text", "standard"),
    [
        ("  Home >  Mugs ", "home/mugs"),
        ("Home/Mugs/", "home/mugs"),
        ("Ｈｏｍｅ|礼盒", "home/礼盒"),
        ("Mobiles", "electronics/phones"),
        ("", ""),
    ],
)
def test_categories_have_one_form(given_text: str, standard: str) -> None:
    assert normalise_category(given_text, SETTINGS.category_aliases) == standard


@given(st.binary(max_size=300))
def test_any_bytes_end_in_a_report_or_a_refusal(body: bytes) -> None:
    try:
        report = Desk().take(body)
    except Invalid:
        return
    assert report.rows == report.created + report.updated + report.unchanged + report.repeated + report.refused

"""Every catalogue keeps the same promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.support.window import DAY, NOW, item

from regulars.catalogue.model import Item
from regulars.catalogue.ports import Catalogue

FULL = Item(
    item_id="a b/é🙂",
    title="Mug",
    category="home/mugs",
    brand="Kiln",
    price_cents=1000,
    list_price_cents=1500,
    currency="EUR",
    stock=3,
    url="https://shop.example/a",
    image_url="https://shop.example/a.jpg",
    attributes={"colour": "red"},
    listed_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
)
SECOND = timedelta(seconds=1)


@pytest.fixture(params=["memory", "dynamodb"])
def catalogue(request: pytest.FixtureRequest) -> Catalogue:
    if request.param == "memory":
        from regulars.adapters.memory.catalogue import MemoryCatalogue

        return MemoryCatalogue()
    from regulars.adapters.dynamodb.catalogue import DynamoCatalogue

    return DynamoCatalogue(request.getfixturevalue("create_table")("catalogue", False))


def test_items_come_back_as_they_were(catalogue: Catalogue) -> None:
    bare = Item(item_id="bare", title="Bare")
    catalogue.put([FULL, bare])
    assert catalogue.get([FULL.item_id, "bare", "unknown", "bare"]) == {FULL.item_id: FULL, "bare": bare}
    assert {entry.item_id for entry in catalogue.scan()} == {FULL.item_id, "bare"}
    assert catalogue.get([]) == {}


def test_more_than_a_hundred_at_once(catalogue: Catalogue) -> None:
    catalogue.put(item(f"i{number}") for number in range(230))
    assert len(catalogue.get(f"i{number}" for number in range(300))) == 230


def test_the_list_price_is_never_below_the_price(catalogue: Catalogue) -> None:
    catalogue.put([item("a", price_cents=1000, list_price_cents=1200)])
    catalogue.update("a", at=NOW, price_cents=2000)
    assert (catalogue.get(["a"])["a"].price_cents, catalogue.get(["a"])["a"].list_price_cents) == (2000, 2000)
    catalogue.update("a", at=NOW + SECOND, price_cents=1100)
    assert catalogue.get(["a"])["a"].list_price_cents == 1200


def test_the_latest_word_of_a_feed_stands_whatever_the_order(catalogue: Catalogue) -> None:
    catalogue.put([item("a", stock=5)])
    assert catalogue.update("a", at=NOW, stock=2)
    assert catalogue.update("a", at=NOW - SECOND, stock=9)
    assert catalogue.get(["a"])["a"].stock == 2
    assert catalogue.update("a", at=NOW - DAY, price_cents=1)
    assert catalogue.get(["a"])["a"].price_cents == 1


def test_a_put_with_its_time_outranks_older_feeds(catalogue: Catalogue) -> None:
    catalogue.put([item("a", stock=5)], at=NOW)
    assert catalogue.update("a", at=NOW - SECOND, stock=0, price_cents=1, active=False)
    assert catalogue.get(["a"])["a"] == item("a", stock=5)
    assert catalogue.update("a", at=NOW + SECOND, stock=0)
    assert catalogue.get(["a"])["a"].stock == 0


def test_an_unknown_item_is_told(catalogue: Catalogue) -> None:
    assert not catalogue.update("unknown", at=NOW, stock=1)
    assert not catalogue.update("unknown", at=NOW)
    assert catalogue.get(["unknown"]) == {}
    assert catalogue.stock_outs() == frozenset()


def test_stock_outs_follow_puts_and_feeds(catalogue: Catalogue) -> None:
    catalogue.put([item("a", stock=0), item("b", stock=1), item("c", active=False), item("d")])
    assert catalogue.stock_outs() == {"a", "c"}
    catalogue.update("a", at=NOW, stock=4)
    catalogue.update("b", at=NOW, stock=0)
    catalogue.update("c", at=NOW, active=True)
    catalogue.update("d", at=NOW, active=False)
    assert catalogue.stock_outs() == {"b", "d"}
    catalogue.update("b", at=NOW - SECOND, stock=9)
    assert catalogue.stock_outs() == {"b", "d"}
    catalogue.put([item("b", stock=1), item("d")])
    assert catalogue.stock_outs() == frozenset()


def test_a_repeated_word_changes_nothing(catalogue: Catalogue) -> None:
    catalogue.put([item("a", stock=5)])
    for _ in range(2):
        assert catalogue.update("a", at=NOW, stock=0, price_cents=700)
    assert catalogue.stock_outs() == {"a"}
    assert (catalogue.get(["a"])["a"].stock, catalogue.get(["a"])["a"].price_cents) == (0, 700)

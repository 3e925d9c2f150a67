"""Every profile store keeps the same promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from regulars.adapters.memory.profiles import MemoryProfiles
from regulars.errors import Conflict
from regulars.profiles.model import Expected
from regulars.profiles.orders import ALL, OrderRecord
from regulars.profiles.record import ItemMark, OrderFacts, Record, Standing, tombstone
from regulars.profiles.writing import ProfileStore

SHE, GUEST = "user:42", "anon:a1"


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> ProfileStore:
    if request.param == "memory":
        return MemoryProfiles()
    from regulars.adapters.dynamodb.profiles import DynamoProfiles

    return DynamoProfiles(request.getfixturevalue("create_table")("profiles"))


def full() -> Record:
    return Record(
        shopper=SHE,
        aliases=(b"abcdef", b"ghijkl"),
        first_ms=1_000,
        newest_ms=1_700_000_000_123,
        tags={"category/礼盒": 1.25, "habit/viewer": -0.5},
        items={"mug": ItemMark(2.5, 1_700_000_000_000, 3, 121.5)},
        hours={"20": 1.0},
        channels={"email": 0.25},
        cart={"mug": (5, 0)},
        cart_cleared_ms=4,
        wishlist={"tin": (6, 7)},
        traits={"plan": (8, "gold"), "sizes": (9, [1, 2.5, None, {"a": True}])},
        told={"address/email": (10, "ab12")},
        rule_tags={"mid-spend-minimal": ("mid-spend", "minimal")},
        orders=OrderFacts(2, 1000, 7, 3, 2),
        seen={2900: b"\x00\xff" * 6, 2901: b"x" * 12},
        standing=Standing(
            stage="loyal",
            stage_since_ms=11,
            stage_reason="loyal_orders",
            tier="high",
            rfm="HML",
            win_back="2026-01-01#1",
            swept_ms=12,
            expected=Expected(purchases=2.125, horizon_days=90, chance=0.5, next_day=date(2026, 3, 9), lifetime_cents=12_345),
        ),
    )


def order(order_id: str = "o1", at: int = 100, cents: int = 500, **changes: object) -> OrderRecord:
    told = OrderRecord(order_id=order_id, placed_ms=frozenset({at}), told_ms=at, cents=cents, items=("a", "b"))
    return replace(told, **changes)  # type: ignore[arg-type]


def test_an_unknown_shopper_is_an_empty_record_of_version_nought(store: ProfileStore) -> None:
    assert store.load(SHE) == Record(shopper=SHE)
    assert store.everything(SHE).record == Record(shopper=SHE)
    assert list(store.scan()) == []


def test_what_is_saved_comes_back_one_version_higher(store: ProfileStore) -> None:
    store.save(full())
    assert store.load(SHE) == replace(full(), version=1)
    assert store.everything(SHE).record == replace(full(), version=1)


@pytest.mark.parametrize(
    "changes",
    [
        {"traits": {"card": (1, 10**30 + 1)}},
        {"traits": {"plan": (1, "gold"), "cards": (1, [{"of": -(10**25) - 1}])}},
        {"traits": {"size": (1, 2.5), "adult": (2, True), "none": (3, None), "large": (4, 2**64 - 1)}},
        {"traits": {}, "orders": OrderFacts(1, 10**20 + 1, 7, 1, 1)},
        {"tags": {"habit/viewer": float("inf")}},
    ],
)
def test_numbers_come_back_as_they_were_told(store: ProfileStore, changes: dict[str, Any]) -> None:
    told = replace(full(), **changes)
    store.save(told)
    held = store.load(SHE)
    assert held == replace(told, version=1)
    assert repr((held.traits, held.orders)) == repr((told.traits, told.orders))


def test_a_save_on_another_version_changes_nothing(store: ProfileStore) -> None:
    store.save(full())
    held = store.load(SHE)
    store.save(replace(held, tags={}))
    for stale in (held, full(), replace(held, version=7)):
        with pytest.raises(Conflict):
            store.save(stale)
    assert (store.load(SHE).version, store.load(SHE).tags) == (2, {})


def test_a_merge_is_all_or_nothing(store: ProfileStore) -> None:
    store.save(Record(shopper=GUEST, newest_ms=5, tags={"habit/viewer": 1.0}))
    guest = store.load(GUEST)
    store.save(replace(guest, newest_ms=6))
    with pytest.raises(Conflict):
        store.save(full(), [tombstone(guest, SHE)])
    assert store.load(SHE).version == 0
    assert not store.load(GUEST).merged_into
    store.save(full(), [tombstone(store.load(GUEST), SHE), tombstone(Record(shopper="anon:unseen"), SHE)])
    assert store.load(SHE).version == 1
    assert store.load(GUEST).merged_into == store.load("anon:unseen").merged_into == SHE
    assert store.everything(SHE).aliases == {GUEST, "anon:unseen"}
    with pytest.raises(Conflict):
        store.save(replace(store.load(SHE), first_ms=1), [tombstone(guest, SHE)])


def test_orders_join_in_any_order(store: ProfileStore) -> None:
    words = [
        order(at=100, cents=500),
        OrderRecord(order_id="o1", told_ms=150, cents=700, items=("c",)),
        OrderRecord(order_id="o1", refunds={"m1": 50}),
        OrderRecord(order_id="o1", refunds={"m2": ALL}),
        order(at=90, cents=400),
    ]
    wanted = OrderRecord(
        order_id="o1", placed_ms=frozenset({90, 100}), told_ms=150, cents=700, items=("c",), refunds={"m1": 50, "m2": ALL}
    )
    for number, turned in enumerate((words, words[::-1], [*words[2:], *words[:2], *words])):
        shopper = f"user:{number}"
        for word in turned:
            store.join_orders(shopper, [word])
        assert list(store.orders(shopper)) == [wanted]


def test_everything_and_the_scan_bring_orders_along(store: ProfileStore) -> None:
    store.save(full())
    store.join_orders(SHE, [order("o1"), order("o2")])
    store.join_orders("user:orders-only", [order("o3")])
    store.save(Record(shopper="user:other", newest_ms=1))
    store.save(Record(shopper=GUEST))
    store.save(store.load(SHE), [tombstone(store.load(GUEST), SHE)])
    assert {entry.order_id for entry in store.everything(SHE).orders} == {"o1", "o2"}
    swept = {stored.record.shopper: stored for stored in store.scan()}
    assert set(swept) == {SHE, "user:other"}
    assert {entry.order_id for entry in swept[SHE].orders} == {"o1", "o2"}
    assert swept[SHE].aliases == {GUEST}


def test_the_scan_sees_hundreds_of_shoppers_whole(store: ProfileStore) -> None:
    for number in range(150):
        store.save(replace(full(), shopper=f"user:{number}"))
        store.join_orders(f"user:{number}", [order("o1"), order("o2")])
    swept = list(store.scan())
    assert len(swept) == 150
    assert all(len(stored.orders) == 2 for stored in swept)

"""The operator's look into the quarantine, page by page, and the second try."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.collecting import NOW, Shop, open_shop, viewed

from regulars.errors import Invalid, TooLarge
from regulars.operation.quarantine import list_records, replay_records

DAY = NOW.date().isoformat()


@pytest.fixture
def shop() -> Shop:
    """Seven records: five of one reason, two of another."""
    shop = open_shop(custom_events=())
    shop.batch(*(viewed(messageId=f"m{n}", event=f"Zebra {n}") for n in range(5)))
    shop.batch(*(viewed(messageId=f"p{n}", properties={"product_id": "p", "price": -1 - n}) for n in range(2)))
    return shop


def listed(shop: Shop, **query: str) -> dict[str, Any]:
    return list_records(shop.quarantine, lambda: NOW, query)


def replay(shop: Shop, body: Any) -> dict[str, Any]:
    declared = open_shop(custom_events=tuple(f"Zebra {n}" for n in range(5)))
    declared.collector._quarantine = shop.quarantine
    return replay_records(shop.quarantine, declared.collector, lambda: NOW, body)


def test_records_are_listed_by_day_and_reason_page_by_page(shop: Shop) -> None:
    assert len(listed(shop)["records"]) == 7
    assert len(listed(shop, day=DAY, reason="invalid_price")["records"]) == 2
    assert listed(shop, day="2026-11-20") == {"records": [], "next": ""}
    seen: list[str] = []
    after = ""
    while True:
        page = listed(shop, limit="3", after=after)
        seen += [record["id"] for record in page["records"]]
        after = page["next"]
        if not after:
            break
    assert len(seen) == len(set(seen)) == 7


def test_a_record_shows_the_entry_and_why(shop: Shop) -> None:
    record = listed(shop, reason="unknown_event")["records"][0]
    assert record["entry"]["userId"] == "u1"
    assert record["reason"]["field"] == "event"
    assert (record["source"], record["replayable"], record["receivedAt"]) == ("batch", True, NOW.isoformat())


@pytest.mark.parametrize(
    "query", [{"day": "soon"}, {"day": ""}, {"limit": "0"}, {"limit": "x"}, {"limit": "1001"}, {"limit": ""}]
)
def test_a_bad_query_says_which_part(shop: Shop, query: dict[str, str]) -> None:
    with pytest.raises(Invalid) as caught:
        listed(shop, **query)
    assert caught.value.field == next(iter(query))


def test_replay_by_reason_leaves_the_others(shop: Shop) -> None:
    answer = replay(shop, {"day": DAY, "reason": "unknown_event"})
    assert (answer["found"], len(answer["replayed"]), answer["failed"], answer["next"]) == (5, 5, [], "")
    assert shop.quarantined == ["invalid_price", "invalid_price"]


def test_replay_of_a_day_is_paged_past_what_still_fails(shop: Shop) -> None:
    after, found = "", 0
    while True:
        answer = replay(shop, {"limit": 2, "after": after})
        found += answer["found"]
        after = answer["next"]
        if not after:
            break
    assert found == 7
    assert shop.quarantined == ["invalid_price", "invalid_price"]


def test_replay_by_ids_says_why_one_still_fails(shop: Shop) -> None:
    ids = [record["id"] for record in listed(shop)["records"]]
    answer = replay(shop, {"ids": [*ids, "2026-11-21.gone"]})
    assert (answer["found"], len(answer["replayed"])) == (7, 5)
    assert [failure["reason"]["code"] for failure in answer["failed"]] == ["invalid_price", "invalid_price"]


@pytest.mark.parametrize(
    "body", [None, [], {"ids": "x"}, {"ids": [1]}, {"ids": ["no-day"]}, {"reason": 5}, {"limit": []}, {"day": 5}]
)
def test_a_bad_replay_is_refused(shop: Shop, body: Any) -> None:
    with pytest.raises(Invalid):
        replay(shop, body)
    with pytest.raises(TooLarge):
        replay(shop, {"ids": [f"{DAY}.x"] * 1001})

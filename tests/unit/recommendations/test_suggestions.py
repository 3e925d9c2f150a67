"""What a beginning may become, and whose searches are shown to others."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.searching import CHINESE, ENGLISH, Counter, search_settings
from tests.support.shoppers import event, identify
from tests.support.window import DAY, NOW

from regulars.capture.model import Event
from regulars.catalogue.snapshot import publish
from regulars.recommendations.search.completions import Text, completions
from regulars.recommendations.search.publishing import PublishSearch
from regulars.recommendations.search.searched import Searched

SETTINGS = search_settings().suggestions


def searches(query: Any, shoppers: int, at: datetime = NOW - DAY) -> list[Event]:
    return [event("Products Searched", at, shopper=f"user:{n}", properties={"query": query}) for n in range(shoppers)]


def shown(*events: Iterable[Event]) -> list[tuple[str, int]]:
    counted = Searched(SETTINGS, NOW)
    passed = [entry for part in events for entry in part]
    assert list(counted.watching(passed)) == passed
    return counted.queries()


def test_few_shoppers_stay_private() -> None:
    enough = SETTINGS.min_shoppers
    assert shown(searches("red mug", enough), searches("secret mug", enough - 1)) == [("red mug", enough)]


def test_one_shopper_a_hundred_times_is_one_shopper() -> None:
    assert shown(*(searches("my odd wish", 1) for _ in range(100))) == []


def test_devices_of_one_user_are_one_shopper() -> None:
    devices = [event("Products Searched", NOW - DAY, shopper=f"anon:a{n}", properties={"query": "red mug"}) for n in range(9)]
    joined = [identify(NOW - DAY, shopper="user:1", anonymous_id=f"a{n}") for n in range(9)]
    assert shown(devices) == [("red mug", 9)]
    assert shown(devices, joined) == []


@pytest.mark.parametrize(
    "query",
    [
        "ada@example.com",
        "call +44 20 7946 0958",
        "13800138000",
        "order 12345678",
        "身份证110101199003070011",
        "x" * 61,
        "",
        "   ",
        None,
        7,
        ["a"],
    ],
)
def test_what_may_point_to_a_person_is_never_shown(query: Any) -> None:
    assert shown(searches(query, 50)) == []


def test_spellings_are_one_query_and_old_ones_fade() -> None:
    parts = (
        searches("Red  Mug", 3),
        searches("ＲＥＤ mug\x00", 6),
        searches("blue mug", 9, NOW - timedelta(days=SETTINGS.days + 1)),
    )
    assert shown(*parts) == [("red mug", 6)]


def test_more_queries_than_are_counted_are_told() -> None:
    counted = Searched(search_settings().suggestions.__class__(**{**_fields(SETTINGS), "max_counted": 1}), NOW)
    list(counted.watching([*searches("a", 6), *searches("b", 6)]))
    assert (counted.queries(), counted.overflowed) == ([("a", 6)], 6)


def _fields(settings: Any) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__slots__}


def suggestions(counter: Counter, text: str, limit: int = 8) -> list[tuple[str, str]]:
    return [(entry.text, entry.kind) for entry in counter.suggest(text, limit)[0]]


def counter_of(*events: Iterable[Event], chinese: bool = False) -> Counter:
    """A shop whose build saw these events."""
    counter = Counter(CHINESE if chinese else ENGLISH)
    build = PublishSearch(counter.window.storage, counter.search.settings.search)
    list(build.watching([entry for part in events for entry in part], NOW))
    snapshot = publish(counter.window.storage, counter.window.catalogue.scan(), NOW)
    build.publish(snapshot, {"teapot": 1.0, "cn18": 1.0}, NOW)
    return counter


def test_what_is_searched_comes_before_what_there_is() -> None:
    counter = counter_of(searches("red mug", 40), searches("mug set", 6), searches("nobody has this", 90))
    assert suggestions(counter, "mug")[:3] == [("mugs", "category"), ("red mug", "query"), ("mug set", "query")]
    assert suggestions(counter, "red") == [
        ("red mug", "query"),
        ("Red Hanging Heart T-Light Holder", "title"),
        ("Red Retrospot Mug", "title"),
    ]
    assert suggestions(counter, "")[0] == ("red mug", "query")
    assert "nobody has this" not in [text for text, _ in suggestions(counter, "n")]


def test_categories_brands_and_titles_complete() -> None:
    counter = counter_of()
    assert ("teapots", "category") in suggestions(counter, "tea")
    assert suggestions(counter, "SON") == [("Sony", "brand"), ("Sony WH-1000XM4 Headphones", "title")]
    assert suggestions(counter, "head") == [("Sony WH-1000XM4 Headphones", "title")]
    found = counter.suggest("teapots", 1)[0][0]
    assert (found.kind, found.ref) == ("category", "kitchen/teapots")
    assert suggestions(counter, "zzz") == []


def test_chinese_completes_from_any_character() -> None:
    counter = counter_of(searches("红色连衣裙", 9), chinese=True)
    assert suggestions(counter, "红")[0] == ("红色连衣裙", "query")
    assert ("红色连衣裙", "query") in suggestions(counter, "连衣")
    assert ("茶叶", "category") in suggestions(counter, "茶")
    assert ("华为", "brand") in suggestions(counter, "华")


def test_a_misspelt_beginning_is_completed_as_corrected() -> None:
    counter = counter_of()
    found, completed = counter.suggest("porcelian", 8)
    assert ([entry.text for entry in found], completed) == (["Porcelain Teapot"], "porcelain")


def test_what_is_banned_or_gone_is_not_suggested() -> None:
    counter = counter_of()
    counter.window.rules(
        {"id": "b", "action": "ban", "brands": ["sony"]}, {"id": "c", "action": "ban", "categories": ["kitchen/teapots"]}
    )
    assert suggestions(counter, "son") == []
    assert suggestions(counter, "teap") == []
    assert suggestions(counter, "phones")[0] == ("phones", "category")


def test_the_heavier_of_equal_texts_stands() -> None:
    made = completions(
        [Text("Tea", "brand", 0.2), Text("tea", "query", 0.9), Text("green tea", "title", 0.8), Text("", "title", 1)]
    )
    assert [(text.text, text.kind) for text in made.beginning_with("te", 9, 0.5)] == [("tea", "query"), ("green tea", "title")]
    assert [text.text for text in made.beginning_with("", 1, 0.5)] == ["tea"]

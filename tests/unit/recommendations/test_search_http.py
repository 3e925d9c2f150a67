"""The API of search: what it takes, refuses and answers."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.replies import document
from tests.support.searching import Counter

import regulars
from regulars.access import Keys, hash_key
from regulars.errors import Invalid, Unauthorised
from regulars.recommendations.search.http import SearchApi, search_routes
from regulars.web import Request


@pytest.fixture
def counter() -> Counter:
    made = Counter()
    made.index()
    return made


def get(counter: Counter, path: str = "/v1/search", key: str = "k", **query: str) -> dict[str, Any]:
    credentials = base64.b64encode(f"{key}:".encode()).decode()
    api = SearchApi(Keys(hash_key("k"), "write"), counter.search, counter.suggest)
    headers = {"authorization": f"Basic {credentials}"} if key else {}
    answer: dict[str, Any] = document(search_routes(lambda: api)[f"GET {path}"](Request("GET", path, {}, query, headers, b"")))
    return answer


def test_an_answer_says_what_was_asked_and_why_each_place(counter: Counter) -> None:
    body = get(counter, q=" red   mug ", limit="1", explain="true", userId="42")
    assert (body["scene"], body["query"], body["total"], body["match"], body["sort"]) == (
        "search",
        "red mug",
        1,
        "all",
        "relevance",
    )
    assert body["recommendationId"].startswith(f"search.{body['modelVersion']}.model.")
    (shown,) = body["items"]
    assert shown["reason"] == {"code": "found", "text": "Matches your search", "because": []}
    assert set(shown["explain"]["details"]) == {"relevance", "heat", "rating", "price", "taste", "seen"}
    assert shown["score"] == pytest.approx(sum(shown["explain"]["details"].values()), abs=0.001)


def test_filters_sort_and_language_come_through(counter: Counter) -> None:
    body = get(
        counter, q="mug", brand="BB", priceFrom="3.9", priceTo="12", category="Kitchen > Mugs", sort="-price", locale="zh-CN"
    )
    assert [shown["itemId"] for shown in body["items"]] == ["mug-set", "mug-blue"]
    assert body["items"][0]["reason"]["text"] == "符合您的搜索，好评商品"
    assert get(counter, q="mug", offset="3", limit="2")["offset"] == 3


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ({}, "q", "missing_query"),
        ({"q": ""}, "q", "missing_query"),
        ({"q": " \t\n"}, "q", "missing_query"),
        ({"q": "x" * 500}, "q", "query_too_long"),
        ({"q": "a\x00b"}, "q", "invalid_query"),
        ({"q": "a\x1b[0m"}, "q", "invalid_query"),
        ({"q": "a\ud800"}, "q", "invalid_query"),
        ({"q": "a", "limit": "0"}, "limit", "invalid_number"),
        ({"q": "a", "limit": "101"}, "limit", "invalid_number"),
        ({"q": "a", "offset": "-1"}, "offset", "invalid_number"),
        ({"q": "a", "offset": "1001"}, "offset", "invalid_number"),
        ({"q": "a", "priceFrom": "-1"}, "priceFrom", "invalid_price"),
        ({"q": "a", "priceTo": "NaN"}, "priceTo", "invalid_price"),
        ({"q": "a", "priceTo": "1e9"}, "priceTo", "invalid_price"),
        ({"q": "a", "priceFrom": "2", "priceTo": "1.99"}, "priceFrom", "invalid_price"),
        ({"q": "a", "sort": "cheap"}, "sort", "invalid_sort"),
        ({"q": "a", "brand": "b" * 201}, "brand", "invalid_brand"),
        ({"q": "a", "userId": "u" * 257}, "userId", "invalid_id"),
    ],
)
def test_a_bad_parameter_is_named(counter: Counter, query: dict[str, str], field: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        get(counter, **query)
    assert (caught.value.field, caught.value.code) == (field, code)


@pytest.mark.parametrize(
    "text",
    ["x" * 200, "'; DROP TABLE items; --", "%00", "../../etc", "<script>", "\u202e\u200b", "𝕞𝕦𝕘", "mug " * 40, "·" * 200],
)
def test_odd_questions_have_an_answer(counter: Counter, text: str) -> None:
    body = get(counter, q=text)
    assert body["items"]
    assert body["match"] in ("all", "some", "none")


def test_suggestions(counter: Counter) -> None:
    body = get(counter, "/v1/suggestions", q="tea", limit="2")
    assert body["suggestions"][0] == {"text": "teapots", "kind": "category", "category": "kitchen/teapots"}
    assert len(body["suggestions"]) == 2
    body = get(counter, "/v1/suggestions", q="porcelian")
    assert (body["suggestions"], body["completed"]) == (
        [{"text": "Porcelain Teapot", "kind": "title", "itemId": "teapot"}],
        "porcelain",
    )
    assert get(counter, "/v1/suggestions", q="zzqx") == {"query": "zzqx", "suggestions": [], "reason": "nothing_begins_so"}
    assert get(counter, "/v1/suggestions")["suggestions"]
    for query, field in (({"limit": "21"}, "limit"), ({"q": "x" * 201}, "q"), ({"q": "\x07"}, "q")):
        with pytest.raises(Invalid) as caught:
            get(counter, "/v1/suggestions", **query)
        assert caught.value.field == field


def test_other_scenes_start_without_search() -> None:
    """Of the package, a function that was never searched has loaded the routes and the settings."""
    script = """
import sys
import regulars.compose.recommendations, regulars.recommendations.http, regulars.recommendations.search.http
import regulars.recommendations.service
print(sorted(name.rpartition(".")[2] for name in sys.modules if name.startswith("regulars.recommendations.search.")))
"""
    shared = str(Path(regulars.__file__).parents[1])
    outcome = subprocess.run([sys.executable, "-c", script], env={"PYTHONPATH": shared}, capture_output=True, text=True)
    assert outcome.stdout.strip() == "['config', 'http']", outcome.stderr


@pytest.mark.parametrize("path", ["/v1/search", "/v1/suggestions"])
@pytest.mark.parametrize("key", ["", "wrong"])
def test_a_key_is_needed(counter: Counter, path: str, key: str) -> None:
    with pytest.raises(Unauthorised):
        get(counter, path, key, q="mug")

"""The API of recommendations: what it takes, refuses and answers."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.replies import document
from tests.support.window import NOW, SHE, Window, profile

from regulars.access import Keys, hash_key
from regulars.errors import Invalid, NotFound, Unauthorised
from regulars.recommendations.http import RecommendationsApi, parse_ask, put_rules_view, routes, rules_view
from regulars.recommendations.reasons import LANGUAGES, TEXTS, language_of
from regulars.web import Request

ROUTE = "GET /v1/recommendations/{scene}"


@pytest.fixture
def window() -> Window:
    made = Window()
    made.learns({"phone": {"similar": {"rival": 1.0}, "together": {"case": 1.0}}})
    made.knows(profile(bought={"phone": 3}, traits={"language": "zh-CN"}))
    return made


def get(window: Window, scene: str = "home", key: str = "k", **query: str) -> dict[str, Any]:
    credentials = base64.b64encode(f"{key}:".encode()).decode()
    headers: Mapping[str, str] = {"authorization": f"Basic {credentials}"} if key else {}
    request = Request("GET", f"/v1/recommendations/{scene}", {"scene": scene}, query, headers, b"")
    api = RecommendationsApi(Keys(hash_key("k"), "write"), window.recommend)
    answer: dict[str, Any] = document(routes(lambda: api)[ROUTE](request))
    return answer


def test_an_answer_names_itself_its_places_and_its_reasons(window: Window) -> None:
    body = get(window, userId="42", locale="en", limit="1", explain="true")
    assert body["scene"] == "home"
    assert body["recommendationId"].startswith("home.0000000000001.model.")
    assert body["generatedAt"] == NOW.isoformat()
    (shown,) = body["items"]
    assert shown["itemId"] in ("case", "rival")
    assert shown["position"] == 1
    assert shown["reason"] == {"code": "because_bought", "text": "Because you bought Phone", "because": ["phone"]}
    assert shown["explain"] == {
        "by": "similar",
        "rule": None,
        "rules": [],
        "source": "similar",
        "parts": {"similar": 1.0} if shown["itemId"] == "rival" else {"together": 0.3},
        "details": {},
    }
    assert "explain" not in get(window, userId="42", limit="1")["items"][0]
    assert shown["priceCents"] == round(shown["price"] * 100)


def test_reasons_are_in_her_language_unless_asked_otherwise(window: Window) -> None:
    assert get(window, userId="42", limit="1")["items"][0]["reason"]["text"] == "因为您购买过Phone"
    assert get(window, userId="42", limit="1", locale="en-GB")["language"] == "en"
    assert get(window, locale="fr")["language"] == "en"


def test_an_anonymous_shopper_is_another(window: Window) -> None:
    window.knows(profile(cart={"film": NOW}))
    assert get(window, "return", anonymousId="42")["items"][0]["itemId"] != "film"
    assert get(window, "return", userId="42")["items"][0]["itemId"] == "film"
    assert SHE == "user:42"


def test_threshold_and_discount_are_told(window: Window) -> None:
    body = get(window, "cart", cart="phone, ,film", cartCents="19000")
    assert body["threshold"] == {
        "spendCents": 20000,
        "saveCents": 5000,
        "currency": "EUR",
        "cartCents": 19000,
        "gapCents": 1000,
        "reachedSaveCents": 0,
        "tiers": [{"spendCents": 20000, "saveCents": 5000}],
        "cheapest": {"itemIds": ["case"], "totalCents": 1500},
    }
    case = next(shown for shown in body["items"] if shown["itemId"] == "case")
    assert (case["listPriceCents"], case["discountPercent"]) == (2000, 25)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"userId": "x" * 257}, "userId"),
        ({"anonymousId": "a\x00b"}, "anonymousId"),
        ({"cart": ",".join("abc" * 70)}, "cart"),
        ({"exclude": "x" * 300}, "exclude"),
        ({"cartCents": "1.5"}, "cartCents"),
        ({"country": "x" * 61}, "country"),
        ({"device": "toaster"}, "device"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "Europe/" + "x" * 60}, "timezone"),
    ],
)
def test_a_bad_parameter_is_named(window: Window, query: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        get(window, **query)
    assert caught.value.field == field


def test_device_and_time_zone_are_read_in_their_spellings() -> None:
    ask = parse_ask("home", {"device": "iOS", "timezone": "Asia/Shanghai"}, 100)
    assert (ask.device, ask.time_zone) == ("mobile", "Asia/Shanghai")
    assert (parse_ask("home", {}, 100).device, parse_ask("home", {}, 100).time_zone) == ("", "")


def test_unknown_scenes_and_keys(window: Window) -> None:
    with pytest.raises(NotFound, match="no scene"):
        get(window, "lobby")
    for key in ("", "wrong"):
        with pytest.raises(Unauthorised):
            get(window, key=key)


def test_a_list_is_asked_for_by_name_and_of_one_scene_only(window: Window) -> None:
    window.rulebook.replace(b"lists: [{id: gifts, title: {en: Gifts, zh: \xe7\xa4\xbc\xe7\x89\xa9}, items: [film, cable]}]")
    body = get(window, "trending", list="gifts", locale="zh")
    assert [shown["itemId"] for shown in body["items"]] == ["film", "cable"]
    assert body["lists"] == [{"id": "gifts", "title": "礼物"}]
    with pytest.raises(NotFound) as unknown:
        get(window, "trending", list="spring")
    assert unknown.value.code == "unknown_list"
    with pytest.raises(Invalid) as elsewhere:
        get(window, "home", list="gifts")
    assert (elsewhere.value.field, elsewhere.value.code) == ("list", "invalid_list")


def test_what_rules_took_away_is_told_on_request(window: Window) -> None:
    window.rules({"id": "no-case", "action": "ban", "items": ["case", "rival"]})
    assert get(window, userId="42", explain="true")["removed"] == {"no-case": 2}
    assert "removed" not in get(window, userId="42")


def test_rules_come_and_go_by_http(window: Window) -> None:
    def request(body: bytes = b"") -> Request:
        return Request("PUT", "/v1/rules", {}, {}, {}, body)

    put, read = put_rules_view(lambda: window.rulebook), rules_view(lambda: window.rulebook)
    assert put(request(b'{"rules": [{"id": "x", "action": "ban", "items": ["rival"]}]}'))["rules"] == 1
    assert read(request())["rules"][0]["id"] == "x"
    for body in (b"rules: [", b"\xff", b"x" * 200_001):
        with pytest.raises(Invalid):
            put(request(body))


def test_every_reason_is_worded_in_every_language() -> None:
    assert set(TEXTS) == set(LANGUAGES)
    assert set(TEXTS["en"]) == set(TEXTS["zh"])
    for code, text in TEXTS["en"].items():
        assert text.count("{") == TEXTS["zh"][code].count("{"), code


@pytest.mark.parametrize(("wish", "language"), [("zh_TW", "zh"), ("EN", "en"), ("", "en"), (None, "en"), (7, "en")])
def test_languages(wish: object, language: str) -> None:
    assert language_of(wish) == language

"""What a search shows, in which order, and what it says when there is little or nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.searching import CHINESE, ENGLISH, Counter
from tests.support.window import DAY, NOW, item, profile

from regulars.catalogue.model import Item
from regulars.catalogue.snapshot import publish
from regulars.recommendations.search.model import SORTS
from regulars.recommendations.search.reading import BODY_KEY, POINTER_KEY
from regulars.recommendations.search.wording import TEXTS


@pytest.fixture
def counter() -> Counter:
    made = Counter()
    made.index()
    return made


def twins(count: int = 6, **changes: Any) -> list[Item]:
    """Items that one word finds equally well."""
    return [item(f"mug-{n}", "mugs", title="Mug", price_cents=1000, **changes) for n in range(count)]


def test_relevance_is_in_the_title(counter: Counter) -> None:
    assert counter.ids("red mug")[0] == "mug-red"
    assert counter.ids("teapot") == ["teapot"]


def test_what_sells_comes_first_among_equals() -> None:
    counter = Counter(twins())
    counter.index({"mug-4": 1.0, "mug-2": 0.3})
    assert counter.ids("mug")[:2] == ["mug-4", "mug-2"]
    assert counter.ask("mug").items[0].reason.code == "found_popular"


def test_a_good_rating_helps_and_a_bad_one_harms() -> None:
    shelf = [*twins(3), *twins(0), item("good", "mugs", title="Mug", attributes={"rating": "5", "reviews": "90"})]
    shelf.append(item("bad", "mugs", title="Mug", attributes={"rating": "1", "reviews": "90"}))
    counter = Counter(shelf)
    counter.index()
    shown = counter.ids("mug")
    assert (shown[0], shown[-1]) == ("good", "bad")
    assert counter.ask("mug").items[0].reason.code == "found_rated"


def test_a_usual_price_comes_before_an_odd_one() -> None:
    counter = Counter([*twins(3), replace(twins(1)[0], item_id="aaa", price_cents=90_000)])
    counter.index()
    assert counter.ids("mug")[-1] == "aaa"
    seen = {"dear": NOW - 30 * DAY, "dear2": NOW - 31 * DAY}
    counter = Counter(
        [
            *twins(3),
            *(
                item(name, "mugs", title=title, price_cents=90_000)
                for name, title in (("aaa", "Mug"), ("dear", "X"), ("dear2", "Y"))
            ),
        ]
    )
    counter.index()
    counter.window.knows(profile(item_seen_at=seen))
    assert counter.ids("mug")[0] == "aaa"


def test_the_usual_price_is_that_of_what_was_bought_last() -> None:
    once = [item(f"once-{n}", "mugs", title="X", price_cents=100) for n in range(60)]
    lately = [item(f"lately-{n}", "mugs", title="Y", price_cents=90_000) for n in range(60)]
    counter = Counter([*twins(3), replace(twins(1)[0], item_id="zzz", price_cents=90_000), *once, *lately])
    counter.index()
    counter.window.knows(profile(bought={**{made.item_id: 900 for made in once}, **{made.item_id: 9 for made in lately}}))
    assert counter.ids("mug")[0] == "zzz"


def test_two_shoppers_see_two_orders() -> None:
    shelf = [item("tea-a", "tea", title="红茶", brand="八马"), item("tea-b", "tea", title="红茶", brand="大益")]
    counter = Counter(shelf)
    counter.index()
    counter.window.knows(profile(tags={"preference/brand/大益": 3.0}))
    counter.window.knows(replace(profile(tags={"preference/brand/八马": 3.0}), shopper="user:7"))
    assert counter.ids("红茶") == ["tea-b", "tea-a"]
    assert counter.ids("红茶", shopper="user:7") == ["tea-a", "tea-b"]
    shown = counter.ask("红茶", language="zh").items[0]
    assert (shown.reason.code, shown.reason.text) == ("found_taste", "符合您的搜索与喜好")
    assert shown.details["taste"] == counter.search.settings.search.weights.taste


def test_taste_reaches_far_down_a_long_list() -> None:
    """Liked items count wherever words alone would have put them."""
    shelf = [item(f"mug-{n:04d}", "mugs", title="Mug", brand=f"B{n % 400}") for n in range(2000)]
    counter = Counter(shelf)
    counter.index()
    counter.window.knows(profile(tags={"preference/brand/b399": 1.0}))
    assert counter.ids("mug", limit=5) == [f"mug-{n:04d}" for n in (399, 799, 1199, 1599, 1999)]


def test_what_she_saw_lately_comes_back_up() -> None:
    counter = Counter(twins())
    counter.index()
    counter.window.knows(profile(item_seen_at={"mug-5": NOW - timedelta(hours=2), "mug-3": NOW - 60 * DAY}))
    assert counter.ids("mug")[0] == "mug-5"
    assert counter.ask("mug").items[0].reason.code == "found_seen"


def test_what_she_bought_is_still_found() -> None:
    counter = Counter()
    counter.index()
    counter.window.knows(profile(bought={"teapot": 3}, cart={"mug-red": NOW}))
    assert counter.ids("teapot") == ["teapot"]
    assert "mug-red" in counter.ids("mug")


def test_pages_do_not_overlap() -> None:
    shelf = [item(f"mug-{n:03d}", f"shelf-{n % 7}", title="Mug" + " x" * (n % 3), brand=f"B{n % 9}") for n in range(620)]
    counter = Counter(shelf)
    counter.index({f"mug-{n:03d}": (n * 37 % 620) / 620 for n in range(620)})
    counter.window.knows(profile(tags={"preference/brand/b3": 2.0}))
    pages = [counter.ids("mug", limit=90, offset=offset) for offset in range(0, 700, 90)]
    shown = [item_id for page in pages for item_id in page]
    assert sorted(shown) == sorted(entry.item_id for entry in shelf)
    answer = counter.ask("mug", limit=2, offset=90)
    assert [placed.item.item_id for placed in answer.items] == pages[1][:2]
    assert [placed.position for placed in answer.items] == [91, 92]
    assert (answer.extras["total"], answer.extras["offset"]) == (620, 90)


@pytest.mark.parametrize(
    ("sort", "ids"),
    [
        ("price", ["mug-odd", "mug-red", "mug-blue", "mug-set"]),
        ("-price", ["mug-set", "mug-blue", "mug-red", "mug-odd"]),
        ("popular", ["mug-blue", "mug-set", "mug-odd", "mug-red"]),
        ("new", ["mug-odd", "mug-blue", "mug-red", "mug-set"]),
    ],
)
def test_sorts(sort: str, ids: list[str]) -> None:
    listed = {"mug-odd": NOW, "mug-blue": NOW - DAY, "mug-red": NOW - 2 * DAY, "mug-set": NOW - 3 * DAY}
    shelf = [replace(entry, listed_at=listed[entry.item_id], category="x") for entry in ENGLISH if entry.item_id in listed]
    counter = Counter(shelf)
    counter.index({"mug-blue": 1.0, "mug-set": 0.5, "mug-odd": 0.2})
    assert counter.ids("mug", sort=sort) == ids


def test_all_sorts_find_the_same() -> None:
    counter = Counter(twins(100))
    counter.index()
    assert len({frozenset(counter.ids("mug", sort=sort, limit=100)) for sort in SORTS}) == 1


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({"category": "kitchen"}, {"mug-red"}),
        ({"category": "clothes"}, {"tshirt"}),
        ({"brand": "dd"}, {"tshirt"}),
        ({"price_from": 400}, {"tshirt"}),
        ({"price_to": 350}, {"mug-red", "21733"}),
        ({"price_from": 295, "price_to": 295}, {"21733"}),
    ],
)
def test_filters(counter: Counter, changes: dict[str, Any], ids: set[str]) -> None:
    answer = counter.ask("red", **changes)
    assert {placed.item.item_id for placed in answer.items} == ids
    assert answer.extras["total"] == len(ids)


def test_a_filter_that_leaves_nothing_of_the_words_shows_what_it_holds(counter: Counter) -> None:
    body = counter.body("teapot", category="phones")
    assert (body["match"], body["reason"], body["total"], body["arm"]) == ("none", "filtered_out", 0, "fallback")
    assert {shown["itemId"] for shown in body["items"]} == {"case", "phone", "head"}
    body = counter.body("teapot", category="nowhere")
    assert (body["items"], body["reason"]) == ([], "nothing_fits_the_filters")


def test_words_that_do_not_go_together_find_the_nearest(counter: Counter) -> None:
    body = counter.body("red porcelain teapot")
    assert [shown["itemId"] for shown in body["items"]] == ["teapot"]
    assert (body["match"], body["ignored"]) == ("some", ["red"])
    assert body["items"][0]["reason"] == {"code": "found_near", "text": "Close to your search", "because": []}


def test_unknown_words_are_named(counter: Counter) -> None:
    body = counter.body("red qqq mug zzz")
    assert body["items"][0]["itemId"] == "mug-red"
    assert (body["match"], body["ignored"]) == ("some", ["qqq", "zzz"])


def test_nothing_known_shows_what_is_popular_and_says_so(counter: Counter) -> None:
    counter.window.sells(teapot=1.0, choc=0.5)
    body = counter.body("zzqx")
    assert [shown["itemId"] for shown in body["items"]][:2] == ["teapot", "choc"]
    assert body["items"][0]["reason"]["code"] == "popular"
    assert (body["match"], body["reason"], body["arm"], body["ignored"]) == ("none", "no_match", "fallback", ["zzqx"])


@pytest.mark.parametrize("text", ["🎄🎁", "!!!", "—"])
def test_a_question_without_words(counter: Counter, text: str) -> None:
    body = counter.body(text)
    assert body["items"]
    assert (body["match"], body["reason"]) == ("none", "no_words")


def test_stop_words_alone_are_words() -> None:
    counter = Counter([item("who", title="The Who"), item("other", title="Others of x")])
    counter.index()
    assert counter.ids("the") == ["who"]
    assert counter.ids("the of others") == ["other"]


def test_a_slip_is_corrected_and_told(counter: Counter) -> None:
    body = counter.body("Chocolte box")
    assert [shown["itemId"] for shown in body["items"]] == ["choc"]
    assert (body["corrected"], body["didYouMean"], body["match"]) == ({"chocolte": "chocolate"}, "chocolate box", "all")


def test_more_words_than_are_looked_at_are_named() -> None:
    counter = Counter(changes={"max_words": 2})
    counter.index()
    body = counter.body("red retrospot mug")
    assert (body["ignored"], body["match"]) == (["mug"], "some")


def test_an_id_names_its_item(counter: Counter) -> None:
    for text in ("85123A", "85123a", " 85123A "):
        body = counter.body(text)
        assert [shown["itemId"] for shown in body["items"]] == ["85123A"]
        assert (body["match"], body["total"], body["items"][0]["reason"]["code"]) == ("all", 1, "found_id")


def test_sold_out_is_not_shown_and_said_when_it_is_all(counter: Counter) -> None:
    counter.window.catalogue.update("teapot", at=NOW, stock=0)
    body = counter.body("teapot")
    assert (body["match"], body["reason"]) == ("none", "sold_out")
    assert "teapot" not in {shown["itemId"] for shown in body["items"]}
    assert "85123A" in counter.ids("heart")
    for entry in ENGLISH[1:]:
        counter.window.catalogue.update(entry.item_id, at=NOW, stock=0)
    assert counter.ids("heart") == ["85123A"]
    assert "mug-red" not in counter.ids("mug", exclude=frozenset({"mug-red"}))


def test_a_page_behind_the_last_says_so(counter: Counter) -> None:
    for text in ("teapot", "zzqx"):
        body = counter.body(text, offset=500)
        assert (body["items"], body["reason"]) == ([], "past_the_end")


def test_an_item_for_adults_is_kept_back() -> None:
    counter = Counter([item("wine", title="Red wine", attributes={"min_age": "18"}), item("glass", title="Wine glass")])
    counter.index()
    assert counter.ids("wine") == ["glass"]
    counter.window.knows(profile(traits={"age": 30}))
    assert set(counter.ids("wine")) == {"wine", "glass"}


def test_an_empty_catalogue_says_so() -> None:
    body = Counter(()).body("mug")
    assert (body["items"], body["reason"], body["modelVersion"]) == ([], "empty_catalogue", None)


def test_chinese_shop() -> None:
    counter = Counter(CHINESE)
    counter.index()
    assert counter.ids("手机壳")[0] in ("cn06", "cn07")
    assert counter.ids("红色连衣裙") == ["cn11"]
    body = counter.body("红色 真皮 连衣裙", language="zh")
    assert (body["items"][0]["itemId"], body["ignored"], body["items"][0]["reason"]["text"]) == (
        "cn11",
        ["真皮"],
        "与您的搜索相近",
    )
    assert counter.ids("羊绒", price_to=100_000) == ["cn15"]
    assert set(counter.ids("礼盒", category="食品")) == {"cn18", "cn22", "cn30"}


class TestRules:
    """Merchandising rules in the scene search."""

    def test_a_ban_holds(self, counter: Counter) -> None:
        counter.window.rules({"id": "x", "action": "ban", "brands": ["Aa"], "scenes": ["search"]})
        answer = counter.ask("mug")
        assert "mug-red" not in [placed.item.item_id for placed in answer.items]
        assert answer.extras["total"] == len(answer.items) == 3
        assert answer.removed == {"x": 2}
        assert "mug-red" in counter.window.ids("home", limit=20)

    def test_what_is_banned_as_a_whole_gives_way_to_what_is_popular(self, counter: Counter) -> None:
        counter.window.rules({"id": "x", "action": "ban", "items": ["teapot"]})
        body = counter.body("teapot")
        assert (body["match"], body["reason"], body["total"], body["arm"]) == ("none", "not_offered", 0, "fallback")
        assert body["items"]
        assert "teapot" not in {shown["itemId"] for shown in body["items"]}

    def test_boost_and_bury_move_what_was_found(self, counter: Counter) -> None:
        counter.window.rules(
            {"id": "up", "action": "boost", "items": ["mug-blue", "phone"], "factor": 3.0},
            {"id": "down", "action": "bury", "items": ["mug-odd"], "factor": 0.1},
        )
        answer = counter.ask("mug", explain=True)
        shown = [placed.item.item_id for placed in answer.items]
        assert (shown[0], shown[-1]) == ("mug-blue", "mug-odd")
        assert answer.items[0].rule == "up"
        assert "phone" not in shown

    def test_a_pin_moves_what_was_found_and_nothing_else(self, counter: Counter) -> None:
        counter.window.rules({"id": "p", "action": "pin", "items": ["phone", "mug-set", "mug-odd"], "position": 2})
        assert counter.ids("mug")[1:3] == ["mug-set", "mug-odd"]
        assert counter.ids("teapot") == ["teapot"]
        assert counter.ids("mug", sort="price")[0] == "mug-odd"

    def test_a_rule_for_a_query_brings_its_items_in(self, counter: Counter) -> None:
        counter.window.rules({"id": "q", "action": "pin", "items": ["phone"], "position": 1, "queries": ["red mugs"]})
        answer = counter.ask("mug red")
        assert [placed.item.item_id for placed in answer.items][:2] == ["phone", "mug-red"]
        assert (answer.items[0].reason.code, answer.items[0].rule, answer.extras["total"]) == ("featured", "q", 2)
        assert "phone" not in counter.ids("mug")
        assert counter.ids("red mug", price_to=400) == ["mug-red"]

    def test_a_rule_for_a_query_holds_in_no_other_scene(self, counter: Counter) -> None:
        counter.window.rules({"id": "q", "action": "ban", "items": ["teapot"], "queries": ["teapot"]})
        assert "teapot" not in counter.ids("teapot")
        assert "teapot" in counter.ids("porcelain")
        assert "teapot" in counter.window.ids("home", limit=20)

    def test_a_limit_counts_by_page_and_loses_nothing(self) -> None:
        counter = Counter([*twins(5, brand="Aa"), *(item(f"z{n}", "mugs", title="Mug", brand=f"Z{n}") for n in range(4))])
        counter.index()
        counter.window.rules({"id": "l", "action": "limit", "per": "brand", "brands": ["Aa"], "most": 2})
        pages = [counter.ids("mug", limit=3, offset=offset) for offset in (0, 3, 6)]
        assert [sum(name.startswith("mug") for name in page) for page in pages] == [2, 2, 1]
        assert len({name for page in pages for name in page}) == 9
        assert counter.ids("mug", limit=3, offset=1) != pages[0]

    def test_unreadable_rules_are_lived_with(self, counter: Counter) -> None:
        counter.window.models.put_rules({"rules": "nonsense"})
        assert counter.ids("teapot") == ["teapot"]
        assert any("rules" in text for text in counter.warnings)


class TestReading:
    """Where the index comes from."""

    def test_without_a_published_index_the_catalogue_is_indexed(self) -> None:
        assert Counter().ids("teapot") == ["teapot"]

    def test_an_item_listed_since_is_found_at_once(self, counter: Counter) -> None:
        assert "late" not in counter.ids("teapot")
        counter.window.catalogue.put([item("late", title="Late teapot")])
        counter.window.now += timedelta(minutes=2)
        publish(counter.window.storage, counter.window.catalogue.scan(), counter.window.now)
        assert set(counter.ids("teapot")) == {"teapot", "late"}
        assert counter.ids("late") == ["late"]
        version = counter.ask("teapot").model_version
        counter.index()
        counter.window.now += timedelta(minutes=2)
        assert counter.ask("late").model_version > version

    def test_prices_and_filters_are_those_of_the_catalogue(self, counter: Counter) -> None:
        teapot = next(entry for entry in ENGLISH if entry.item_id == "teapot")
        counter.window.catalogue.put([replace(teapot, price_cents=2500, list_price_cents=2500)])
        counter.window.now += timedelta(minutes=2)
        publish(counter.window.storage, counter.window.catalogue.scan(), counter.window.now)
        assert counter.ask("teapot").items[0].item.price_cents == 2500
        assert counter.ids("teapot", price_to=2000) != ["teapot"]

    def test_a_damaged_index_is_lived_with(self, counter: Counter) -> None:
        counter.window.storage.put(BODY_KEY, b"damaged")
        counter.window.storage.put(POINTER_KEY, b"{}")
        assert counter.ids("teapot") == ["teapot"]
        assert any("cannot be read" in text for text in counter.warnings)

    def test_what_is_too_much_to_index_at_once_is_told(self) -> None:
        counter = Counter(changes={"live_items": 3})
        body = counter.body("heart")
        assert body["notIndexed"] == len(ENGLISH) - 3
        assert any("waits for the build" in text for text in counter.warnings)


def test_every_reason_is_worded_in_every_language() -> None:
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()

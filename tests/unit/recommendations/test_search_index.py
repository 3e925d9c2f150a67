"""The index: BM25F by an independent implementation, postings, packing, items added later."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest
from tests.support.searching import CHINESE, ENGLISH, search_settings
from tests.support.window import item

from regulars.catalogue.model import Item
from regulars.errors import TryLater
from regulars.recommendations.search.config import Field, Relevance
from regulars.recommendations.search.index import Index
from regulars.recommendations.search.indexing import build, extended
from regulars.recommendations.search.matching import matches, nearest
from regulars.recommendations.search.packing import pack, unpack
from regulars.recommendations.search.understanding import Need, edits, understand, widened

SETTINGS = search_settings()
ONE_FIELD = search_settings(
    relevance=Relevance(
        k1=1.2,
        title=Field(weight=1.0, b=0.75),
        brand=Field(weight=0.0, b=0.0),
        category=Field(weight=0.0, b=0.0),
        attributes=Field(weight=0.0, b=0.0),
    )
)


def indexed(*items: Item, **heat: float) -> Index:
    return build(items, heat, SETTINGS, "v1", "s1")


def found(text: str, index: Index) -> dict[str, float]:
    scores = matches(understand(text, index, SETTINGS).needs, index)
    return {index.ids[number]: score for number, score in scores.items()}


def test_one_field_is_bm25_as_bm25s_reckons_it() -> None:
    import bm25s

    titles = [
        "red mug with red stripe and red lid",
        "blue mug",
        "red teapot in a box of blue paper",
        "wooden spoon",
        "blue wooden box",
        "mug mug mug",
    ]
    index = build([item(str(n), title=title, category="") for n, title in enumerate(titles)], {}, ONE_FIELD, "v", "s")
    other = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    other.index([title.split() for title in titles], show_progress=False)
    for question in (["red"], ["mug"], ["blue", "box"], ["wooden"], ["red", "mug"], ["spoon"]):
        expected = other.get_scores(question)
        scores = matches([Need(word, (((word,), 1.0),)) for word in question], index)
        assert scores
        for number, score in scores.items():
            # one step in 255 of each word's share
            assert score == pytest.approx(float(expected[number]), abs=sum(index.rarity(word) for word in question) / 255)


def test_title_weighs_more_than_brand_category_attributes() -> None:
    index = indexed(
        item("title", title="Oak thing", category="x", brand="y"),
        item("brand", title="Some thing", category="x", brand="Oak"),
        item("category", title="Some thing", category="oak", brand="y"),
        item("attribute", title="Some thing", category="x", brand="y", attributes={"material": "oak"}),
    )
    scores = found("oak", index)
    assert sorted(scores, key=scores.__getitem__, reverse=True) == ["title", "brand", "category", "attribute"]


def test_ratings_and_ages_are_no_words() -> None:
    index = indexed(item("a", attributes={"rating": "4.5", "min_age": "18", "colour": "red"}))
    assert index.frequency("18") == 0
    assert index.frequency("red") == 1


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("t-shirt", {"tshirt"}),
        ("tshirts", {"tshirt"}),
        ("t shirt", {"tshirt"}),
        ("iphone15", {"case", "phone"}),
        ("iphone 15", {"case", "phone"}),
        ("i phone", {"case", "phone"}),
        ("wh-1000xm4", {"head"}),
        ("wh1000xm4", {"head"}),
        ("cafe creme", {"cafe"}),
        ("CAFÉ", {"cafe"}),
        ("dress", {"dress"}),
        ("mug box", {"mug-set"}),
        ("128 gb", {"phone"}),
        ("85123", set()),
    ],
)
def test_english_questions(text: str, ids: set[str]) -> None:
    assert set(found(text, indexed(*ENGLISH))) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("苹果手机", {"cn01", "cn02", "cn06"}),
        ("手机壳", {"cn06", "cn07"}),
        ("红色连衣裙", {"cn11"}),
        ("红色的连衣裙", {"cn11"}),
        ("连衣裙 红色", {"cn11"}),
        ("ＩＰＨＯＮＥ１５", {"cn01", "cn02", "cn06"}),
        ("红茶", {"cn18"}),
        ("茶", {"cn17", "cn18", "cn19", "cn20", "cn21"}),
        ("小米14", {"cn04"}),
        ("华为 mate 60", {"cn03"}),
        ("羊绒", {"cn14", "cn15"}),
        ("礼盒", {"cn18", "cn22", "cn30"}),
        ("茶具", {"cn20", "cn21"}),
    ],
)
def test_chinese_questions(text: str, ids: set[str]) -> None:
    assert set(found(text, indexed(*CHINESE))) == ids


def test_synonyms_join_words_and_languages() -> None:
    index = indexed(*CHINESE, *ENGLISH)
    settings = search_settings(synonyms=(("mobile phone", "手机"), ("headphones", "耳机"), ("cup", "mug")))

    def ids(text: str) -> set[str]:
        return {index.ids[number] for number in matches(understand(text, index, settings).needs, index)}

    assert {"cn01", "cn04"} <= ids("mobile phone")
    assert ids("耳机") == ids("headphone") == {"cn10", "head"}
    assert "cafe" in ids("mugs")
    assert ids("小米mobile phone") >= {"cn04", "cn05"}
    assert "cn05" in ids("蓝色手机")


def test_a_last_word_may_be_half_typed() -> None:
    index = indexed(*ENGLISH)
    assert set(found("porcel", index)) == {"teapot"}
    assert found("porcel teapot", index).keys() == {"teapot"}  # nobody types on before the end: it is ignored
    assert understand("porcel teapot", index, SETTINGS).unknown == ("porcel",)
    needs = understand("red", index, SETTINGS).needs
    assert ("retrospot",) not in [words for words, _ in widened(needs, index, SETTINGS)[0].ways]
    needs = understand("t", index, SETTINGS).needs
    assert widened(needs, index, SETTINGS) == needs


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("chocolte", "chocolate"),
        ("chocolatee", "chocolate"),
        ("chpcolate", "chocolate"),
        ("hcocolate", "chocolate"),
        ("Dreses", "dresses"),
    ],
)
def test_one_slip_is_forgiven(typed: str, meant: str) -> None:
    understood = understand(f"{typed} candle", indexed(*ENGLISH), SETTINGS)
    assert understood.corrected == {typed.casefold(): meant}


@pytest.mark.parametrize("typed", ["mgu", "chcolte", "85124a", "苹梨手机"])
def test_short_words_two_slips_and_codes_are_not(typed: str) -> None:
    assert understand(typed, indexed(*ENGLISH), SETTINGS).corrected == {}


def test_edits_are_all_of_one_slip() -> None:
    made = set(edits("abc"))
    assert {"ab", "abcd", "xbc", "bac", "acb", "aabc"} <= made
    assert "cba" not in made


def test_a_rare_word_beside_a_common_one_is_looked_up_and_scores_the_same() -> None:
    """Of the long list only the items that the short one left are looked up."""
    shelf = [item(f"i{n:03d}", title=f"common {'rare' if n in (7, 70) else 'other'} mug") for n in range(100)]
    index = indexed(*shelf)
    apart = [found(word, index) for word in ("rare", "common", "mug")]
    together = found("common rare mug", index)
    assert together.keys() == {"i007", "i070"}
    for item_id, score in together.items():
        assert score == pytest.approx(sum(one[item_id] for one in apart))


def test_nearest_lets_the_common_word_go_first() -> None:
    def need(name: str) -> Need:
        return Need(name, (((name,), 1.0),))

    scores, gone = nearest([(need("a"), {1: 1.0, 2: 1.0}), (need("b"), {1: 1.0}), (need("c"), {2: 2.0, 3: 1.0, 4: 1.0})])
    assert (scores, [one.said for one in gone]) == ({1: 2.0}, ["c"])
    scores, gone = nearest([(need("a"), {1: 1.0}), (need("b"), {2: 1.0, 3: 1.0}), (need("c"), {4: 1.0, 5: 1.0, 6: 2.0})])
    assert [one.said for one in gone] == ["a", "c"]
    assert set(scores) == {2, 3}
    assert nearest([]) == ({}, ())


def test_packing_keeps_everything() -> None:
    index = indexed(*CHINESE, *ENGLISH, cn01=1.0, teapot=0.25)
    again = unpack(pack(index))
    assert again == index
    assert pack(again) == pack(index)
    assert again.columns.heat[again.numbers["teapot"]] == round(255 * 0.5)
    nothing = build([], {}, SETTINGS, "v", "s")
    assert unpack(pack(nothing)) == nothing


@pytest.mark.parametrize("blob", [b"", b"x", gzip.compress(b"x", mtime=0), gzip.compress(b"\x02" + bytes(7) + b"{}", mtime=0)])
def test_what_is_no_index_is_refused(blob: bytes) -> None:
    with pytest.raises(TryLater) as caught:
        unpack(blob)
    assert caught.value.code == "broken_search_index"


def test_a_cut_index_is_refused() -> None:
    whole = gzip.decompress(pack(indexed(*ENGLISH)))
    with pytest.raises(TryLater, match="cut short"):
        unpack(gzip.compress(whole[:-9], mtime=0))


def test_items_that_are_added_are_found_like_the_others() -> None:
    some, rest = ENGLISH[:6], ENGLISH[6:]
    grown, whole = extended(indexed(*some), rest, SETTINGS), indexed(*ENGLISH)
    assert set(grown.ids) == set(whole.ids)
    for text in ("mug", "red", "t-shirt", "iphone 15", "aa"):
        assert found(text, grown).keys() == found(text, whole).keys()
    assert grown.terms == whole.terms
    assert list(grown.starts) == list(whole.starts)
    prices = {item_id: grown.columns.price[number] for item_id, number in grown.numbers.items()}
    assert prices == {entry.item_id: entry.price_cents for entry in ENGLISH}


def test_a_rating_of_few_reviews_is_drawn_to_the_mean() -> None:
    def rated(item_id: str, **told: str) -> Item:
        return item(item_id, attributes=dict(told))

    index = indexed(
        rated("few", rating="5", reviews="1"),
        rated("many", rating="4.5", reviews="500"),
        rated("bad", rating="1", reviews="500"),
        rated("none"),
        rated("odd", rating="good", reviews="-3"),
    )
    ratings = {item_id: index.columns.rating[number] for item_id, number in index.numbers.items()}
    assert ratings["many"] > ratings["few"] > ratings["none"] == ratings["odd"] > ratings["bad"]


def test_order_of_items_changes_nothing() -> None:
    assert pack(indexed(*ENGLISH)) == pack(indexed(*reversed(ENGLISH)))
    assert indexed(replace(ENGLISH[0], brand="Zz")) != indexed(ENGLISH[0])

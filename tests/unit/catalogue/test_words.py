"""Text becomes the same words for items and for questions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.catalogue.words import folded, pieces_of, stem, words, words_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Red Retrospot Mug", "red retrospot mug"),
        ("Women's T-Shirts", "women tshirt t shirt"),
        ("Café Crème", "cafe creme"),
        ("Straße", "strasse"),
        ("ＩＰＨＯＮＥ　１５", "iphone 15"),
        ("iPhone15", "iphone15 iphone 15"),
        ("iPhone 15", "iphone 15"),
        ("85123A", "85123a 85123"),
        ("WH-1000XM4", "wh1000xm4 wh 1000xm4"),
        ("3.5mm jack", "3.5mm 3.5 mm jack"),
        ("256GB", "256gb 256 gb"),
        ("m&s don't", "ms m s dont"),
        ("苹果手机", "苹果 果手 手机 苹 果 手 机"),
        ("红色的裙", "红色 红 色 裙"),
        ("茶", "茶"),
        ("小米14 Pro", "小米 小 米 14 pro"),
        ("红色iPhone手机壳", "红色 红 色 iphone 手机 机壳 手 机 壳"),
        ("ﾌﾟﾚ", "プレ プ レ"),
        ("한국", "한국 한 국"),
        ("🎄 mug 🎁👩‍👧", "mug"),
        ("— … !!! 🎁", ""),
        ("", ""),
        ("a\tb\nc", "a b c"),
    ],
)
def test_what_an_item_is_found_by(text: str, expected: str) -> None:
    assert [word for word, _ in words_of(text)] == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Red ENAMEL mugs, 2 mugs!", "red enamel mug 2"),
        ("Women's T-Shirts", "women t shirt"),
        ("Boxes for Crème", "box for creme"),
        ("iPhone15 85123A", "iphone15 85123a"),
        ("龙井绿茶 Gift", "龙井 井绿 绿茶 gift"),
        ("茶", "茶"),
        ("🎁✨ — …", ""),
        ("ＭＵＧ glass gps", "mug glass gps"),
    ],
)
def test_what_makes_names_alike(text: str, expected: str) -> None:
    assert list(words(text)) == expected.split()


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("mug", "mugs"),
        ("dress", "dresses"),
        ("box", "boxes"),
        ("watch", "watches"),
        ("brush", "brushes"),
        ("shoe", "shoes"),
        ("candy", "candies"),
        ("cookie", "cookies"),
        ("pie", "pies"),
        ("house", "houses"),
        ("size", "sizes"),
        ("tree", "trees"),
    ],
)
def test_plurals_are_one_word(one: str, many: str) -> None:
    assert stem(one) == stem(many)


@pytest.mark.parametrize("word", ["glass", "bus", "gps", "dress", "dressing", "iron", "ironing", "85123s", "s"])
def test_other_words_stay(word: str) -> None:
    assert stem(word) == word


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("red mugs", [["red"], ["mug"]]),
        ("t-shirt", [["tshirt", "t shirt"]]),
        ("iphone15", [["iphone15", "iphone 15"]]),
        ("85123A", [["85123a"]]),
        ("茶", [["茶"]]),
        ("手机", [["手机"]]),
        ("连衣裙", [["连衣"], ["衣裙"]]),
        ("苹果手机", [["苹果"], ["手机"]]),
        ("苹果手机壳", [["苹果"], ["果手", "手机"], ["机壳"]]),
        ("红色的连衣裙", [["红色"], ["连衣"], ["衣裙"]]),
        ("的", [["的"]]),
        ("🎁", []),
    ],
)
def test_what_a_question_needs(text: str, ways: list[list[str]]) -> None:
    assert [[" ".join(way) for way in piece.ways] for piece in pieces_of(text)] == ways


@given(st.text(max_size=80))
def test_any_text_has_words_that_are_found_again(text: str) -> None:
    """Each run of a question finds the very text it was taken from, and folding twice changes nothing."""
    has = {word for word, _ in words_of(text)}
    assert folded(folded(text)) == folded(text)
    assert all(any(set(way) <= has for way in piece.ways) for piece in pieces_of(text))


@given(st.text(max_size=80))
def test_names_have_words_that_search_knows_too(text: str) -> None:
    """One tokeniser: what makes a name alike is among what it is searched by, or joined there with a number of its own."""
    found = words(text)
    assert len(set(found)) == len(found)
    assert bool(found) == bool(words_of(text))

"""Likeness by attributes: new items find their look-alikes, and are found by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.window import item, similarity_settings

from regulars.catalogue.model import Item
from regulars.similarity.content import Content, content_neighbours, widened

SETTINGS = similarity_settings().content
SHELF = (
    item("mug-red", "home/mugs", title="Red enamel mug", price_cents=900),
    item("mug-blue", "home/mugs", title="Blue enamel mug", price_cents=950),
    item("lamp", "home/lamps", title="Oak desk lamp", price_cents=4900),
    item("bowl", "home/bowls", title="Enamel bowl", price_cents=1200),
    item("tea", "food/tea", title="龙井绿茶礼盒", price_cents=8800),
    item("pan", "kitchen", title="Cast iron pan", price_cents=3900),
)


def related(new: Item | tuple[Item, ...], support: int = 50, **changes: Any) -> tuple[Content, Mapping[str, list[str]]]:
    """Names by row, of a shop whose shelf is well known and in which `new` has just been listed."""
    newcomers = new if isinstance(new, tuple) else (new,)
    known = [entry.item_id for entry in SHELF]
    items = {entry.item_id: entry for entry in (*SHELF, *newcomers)}
    content = content_neighbours(items, known, np.full(len(known), support), replace(SETTINGS, **changes))
    return content, named(content)


def named(content: Content) -> dict[str, list[str]]:
    rows = {}
    for number, item_id in enumerate(content.item_ids):
        others, scores = content.neighbours.of(number)
        assert np.all(np.diff(scores) <= 0)
        rows[item_id] = [content.item_ids[other] for other in others.tolist()]
    return rows


def test_a_new_item_names_its_look_alikes_and_they_name_it() -> None:
    content, rows = related(item("mug-green", "home/mugs", title="Green enamel mug", price_cents=920))
    assert rows["mug-green"][:2] == ["mug-red", "mug-blue"] or rows["mug-green"][:2] == ["mug-blue", "mug-red"]
    assert rows["mug-red"] == ["mug-green"]
    assert rows["mug-blue"] == ["mug-green"]
    assert rows["tea"] == []
    assert content.counts["content_new"] == content.counts["content_new_reached"] == 1


def test_chinese_titles_meet_by_pairs_of_characters() -> None:
    _, rows = related(item("oolong", "food/tea", title="乌龙绿茶", price_cents=300000))
    assert rows["oolong"][0] == "tea"
    assert rows["tea"] == ["oolong"]


def test_well_known_items_are_left_to_behaviour() -> None:
    _, rows = related(item("lonely", "x", title="Zzz", price_cents=7))
    assert rows["mug-red"] == []


def test_a_well_known_item_names_only_the_best_few() -> None:
    crowd = tuple(item(f"mug-{n}", "home/mugs", title=f"Enamel mug number{n}", price_cents=920) for n in range(9))
    content, rows = related(crowd, new_per_item=3)
    assert len(rows["mug-red"]) == 3
    assert content.counts["content_new"] == 9


def test_attributes_and_brand_count() -> None:
    shelf = (
        item("a", "", title="Aa", brand="Linea", price_cents=0, attributes={"material": "linen", "size": "M"}),
        item("b", "", title="Bb", brand="Other", price_cents=0, attributes={"material": "linen", "size": "L"}),
        item("c", "", title="Cc", brand="Other", price_cents=0, attributes={"material": "wool", "size": "M"}),
        item("new", "", title="Nn", brand="Linea", price_cents=0, attributes={"material": "linen", "size": "M"}),
    )
    content = content_neighbours({e.item_id: e for e in shelf}, ["a", "b", "c"], np.full(3, 50), replace(SETTINGS, least=0.0))
    assert named(content)["new"] == ["a", "b"]


def test_items_that_say_nothing_are_counted_and_never_fail() -> None:
    nothing = Item(item_id="🎁 1", title="✨")
    no_price = replace(item("odd", "", title="Odd"), price_cents=float("nan"))  # type: ignore[arg-type]
    content, rows = related((nothing, no_price))
    assert rows["🎁 1"] == rows["odd"] == []
    assert content.counts["content_bare"] == 1
    assert content.counts["content_new"] == 1
    assert content.counts["content_new_reached"] == 0


def test_an_item_that_left_the_range_is_no_neighbour_but_has_some() -> None:
    gone = item("mug-old", "home/mugs", title="Old enamel mug", active=False)
    fresh = item("mug-new", "home/mugs", title="New enamel mug")
    content = content_neighbours({"mug-old": gone, "mug-new": fresh}, ["mug-old"], np.array([40]), SETTINGS)
    assert named(content) == {"mug-old": [], "mug-new": []}
    assert content.counts["content_pairs"] == 0


def test_empty_catalogue_and_items_the_catalogue_does_not_have() -> None:
    empty = content_neighbours({}, ["a", "b"], np.array([1, 2]), SETTINGS)
    assert named(empty) == {"a": [], "b": []}
    none = content_neighbours({}, [], np.zeros(0, dtype=np.int64), SETTINGS)
    assert none.item_ids == ()
    assert len(none.neighbours.items) == 0


def test_a_shop_without_a_single_deed_has_neighbours_all_the_same() -> None:
    content = content_neighbours({entry.item_id: entry for entry in SHELF}, [], np.zeros(0, dtype=np.int64), SETTINGS)
    assert named(content)["mug-red"][0] == "mug-blue"


def test_of_a_common_feature_only_the_best_known_are_found() -> None:
    crowd = {f"i{n}": item(f"i{n}", "shelf", title=f"word{n}", price_cents=0) for n in range(50)}
    crowd["new"] = item("new", "shelf", title="newest", price_cents=0)
    ids = [f"i{n}" for n in range(50)]
    content = content_neighbours(crowd, ids, np.arange(50) + 10, replace(SETTINGS, champions=3, least=0.0))
    assert sorted(named(content)["new"]) == ["i47", "i48", "i49"]


def test_widened_keeps_lists_and_adds_empty_ones() -> None:
    content, _ = related(item("mug-green", "home/mugs", title="Green enamel mug"))
    size = len(content.item_ids)
    wide = widened(content.neighbours, size + 2)
    assert wide.of(0)[0].tolist() == content.neighbours.of(0)[0].tolist()
    assert len(wide.of(size + 1)[0]) == 0


@given(
    st.lists(
        st.tuples(
            st.text(max_size=12),
            st.sampled_from(["", "a", "a/b", "🍵/茶"]),
            st.integers(min_value=-5, max_value=10**9),
            st.integers(min_value=0, max_value=9),
        ),
        max_size=12,
    )
)
def test_scores_are_cosines_and_links_go_both_ways(shop: list[tuple[str, str, int, int]]) -> None:
    items = {
        str(n): item(str(n), category, title=title, price_cents=price) for n, (title, category, price, _) in enumerate(shop)
    }
    heard = np.array([deeds for *_, deeds in shop], dtype=np.int64)
    content = content_neighbours(items, list(items), heard, SETTINGS)
    assert len(content.item_ids) == len(items)
    if len(content.neighbours.scores):
        assert content.neighbours.scores.max() <= 1 + 1e-5
        assert content.neighbours.scores.min() >= SETTINGS.least - 1e-6
    rows = named(content)
    for n, item_id in enumerate(items):
        assert item_id not in rows[item_id]
        if heard[n] >= SETTINGS.few_interactions:
            assert all(heard[int(other)] < SETTINGS.few_interactions and item_id in rows[other] for other in rows[item_id])


@pytest.mark.parametrize("deeds", [0, 4])
def test_new_is_what_few_have_touched(deeds: int) -> None:
    content = content_neighbours(
        {entry.item_id: entry for entry in SHELF}, ["mug-red", "mug-blue"], np.array([deeds, 100]), SETTINGS
    )
    assert "mug-red" in named(content)["mug-blue"]

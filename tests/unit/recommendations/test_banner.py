"""The banner without a rule: what is chosen is what its words say, asked for plainly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.support.window import NOW, Window, item, profile, settings

from regulars.catalogue.model import Item
from regulars.catalogue.snapshot import load
from regulars.recommendations.blending import liking
from regulars.recommendations.model import Ask, Candidate
from regulars.recommendations.scenes.banner import liked_banner
from regulars.recommendations.situation import Situation

PLACES = 3
wares = st.builds(
    lambda category, brand, picture, price, hours: (category, brand, picture, price, hours),
    st.sampled_from(("mugs", "lamps", "")),
    st.sampled_from(("Kiln", "")),
    st.sampled_from(("", "https://shop.example/a.jpg")),
    st.sampled_from(((1000, 1000), (900, 1000), (950, 1000), (0, 1000))),
    st.none() | st.sampled_from((-1, 0, 1, 30 * 24 - 13, 30 * 24, 30 * 24 + 1, 900 * 24)),
)


def plainly(pool: Sequence[Item], situation: Situation) -> tuple[str, str] | None:
    """(item id, code): of the news with a picture, else of what lies beyond the list, else of the list."""
    news = [(entry, code) for entry in pool if entry.image_url and (code := _news(entry))]
    pictured = [(entry, "picked_for_you") for entry in pool if entry.image_url]
    for shelf in (news, pictured[PLACES:] or pictured):
        found = [(entry, code) for entry, code in shelf if situation.fresh(entry.item_id)]
        if found:
            entry, code = max(found, key=lambda pair: liking(pair[0], situation.taste))
            return entry.item_id, code
    return None


def _news(entry: Item) -> str:
    if entry.list_price_cents * 0.9 >= entry.price_cents > 0:
        return "reduced"
    return "new_arrival" if entry.listed_at and NOW - timedelta(days=30) <= entry.listed_at <= NOW else ""


@given(
    st.lists(wares, max_size=9),
    st.frozensets(st.integers(0, 8)),
    st.sampled_from(({}, {"preference/category/lamps": 2.0}, {"preference/category/mugs": 1.0, "preference/brand/kiln": 2.0})),
)
def test_it_is_what_she_likes_best_of_the_news_else_of_what_the_list_has_no_room_for(
    drawn: list[tuple[str, str, str, tuple[int, int], int | None]], sold: frozenset[int], tags: dict[str, float]
) -> None:
    pool = [
        item(
            f"ware-{number}",
            category,
            brand=brand,
            image_url=picture,
            price_cents=price,
            list_price_cents=full,
            listed_at=None if hours is None else NOW - timedelta(hours=hours),
        )
        for number, (category, brand, picture, (price, full), hours) in enumerate(drawn)
    ]
    snapshot = load(Window(pool).storage)
    situation = Situation(Ask(scene="home", limit=PLACES), profile(tags=tags), snapshot, settings(), NOW)
    situation = replace(situation, stock_outs=frozenset(f"ware-{number}" for number in sold))
    found = liked_banner([Candidate(entry.item_id, 1.0, "popular", source="all") for entry in pool], situation)
    assert (found and (found.item_id, found.code)) == plainly(pool, situation)
    assert found is None or (found.score, found.source) == (1.0, "all")

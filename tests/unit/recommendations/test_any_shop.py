"""Whatever the catalogue, the shopper, the model and the rules are: every scene answers, and keeps its promises."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.support.window import DAY, NOW, Window, profile, settings

from regulars.catalogue.model import Item
from regulars.errors import NotFound
from regulars.profiles.model import LIFECYCLE_STAGES, VALUE_TIERS
from regulars.recommendations.config import Saving
from regulars.recommendations.model import SCENES, Answer
from regulars.recommendations.ruling import shelves_above
from regulars.similarity.model import RELATIONS, Popularity

IDS = ("a", "b b", "c,c", "d🎁", "é/é", "f" * 200, "七", "h", "i", "j")
CATEGORIES = ("", "x", "x/y", "x/z", "书")
BRANDS = ("", "Aa", "aa", "Bb")
CURRENCIES = ("EUR", "USD", "")
ids = st.sampled_from(IDS)
some_ids = st.lists(ids, max_size=4, unique=True)


@st.composite
def items(draw: st.DrawFn) -> Item:
    """Anything an import lets through: without attributes, price, category, date."""
    price = draw(st.sampled_from((0, 1, 500, 1000, 100000)))
    return Item(
        item_id=draw(ids),
        title=draw(st.sampled_from(("", "Title", "{title}", "标题"))),
        category=draw(st.sampled_from(CATEGORIES)),
        brand=draw(st.sampled_from(BRANDS)),
        price_cents=price,
        list_price_cents=draw(st.sampled_from((price, price * 2))),
        currency=draw(st.sampled_from(CURRENCIES)),
        stock=draw(st.sampled_from((None, None, 3, 0))),
        image_url=draw(st.sampled_from(("", "https://shop.example/a.jpg"))),
        attributes=draw(
            st.dictionaries(
                st.sampled_from(("colour", "model", "style", "min_age", "members_only", "bundle")),
                st.sampled_from(("red", "18", "no", "yes", "")),
                max_size=3,
            )
        ),
        listed_at=draw(st.sampled_from((None, NOW, NOW - 5 * DAY, NOW - 400 * DAY, NOW + 9 * DAY))),
        active=draw(st.sampled_from((True, True, True, False))),
    )


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    """A document of up to four rules and a list."""
    found = []
    for number in range(draw(st.integers(0, 4))):
        action = draw(st.sampled_from(("pin", "ban", "boost", "bury", "limit")))
        rule: dict[str, Any] = {
            "id": f"r{number}",
            "action": action,
            "scenes": draw(st.lists(st.sampled_from(SCENES), max_size=2)),
        }
        if action == "pin":
            rule |= {"items": draw(st.lists(ids, min_size=1, max_size=3)), "position": draw(st.integers(1, 6))}
        elif action == "limit":
            rule |= {"per": draw(st.sampled_from(("category", "brand"))), "most": draw(st.integers(1, 2))}
        else:
            rule |= {"items": draw(some_ids), "categories": draw(st.sampled_from(([], ["x"]))), "brands": ["aa"]}
        if draw(st.booleans()):
            rule |= {draw(st.sampled_from(("segments", "not_segments"))): ["stage:loyal"]}
        found.append(rule)
    listed = {"id": "l", "title": "L", "items": draw(st.lists(ids, min_size=1, max_size=4)), "first": draw(st.integers(0, 2))}
    return {"rules": found, "lists": [listed]}


profiles = st.builds(
    profile,
    stage=st.sampled_from(LIFECYCLE_STAGES),
    tier=st.sampled_from(VALUE_TIERS),
    cart=st.dictionaries(ids, st.sampled_from((NOW, NOW - DAY)), max_size=3),
    wishlist=st.dictionaries(ids, st.just(NOW - 2 * DAY), max_size=3),
    item_seen_at=st.dictionaries(ids, st.sampled_from((NOW, NOW - 50 * DAY)), max_size=4),
    bought=st.dictionaries(ids, st.sampled_from((0, (60, 30), (90, 61, 30, 1))), max_size=3),
    tags=st.dictionaries(st.sampled_from(("preference/category/x", "preference/brand/aa", "odd")), st.just(1.0), max_size=2),
    traits=st.sampled_from(({}, {"age": 40, "country": "gb"}, {"birthday": "2020-01-01"}, {"age": "old", "language": 5})),
)
models = st.dictionaries(
    ids, st.dictionaries(st.sampled_from(RELATIONS), st.dictionaries(ids, st.sampled_from((1.0, 0.5)), max_size=4)), max_size=5
)
questions = st.fixed_dictionaries(
    {
        "limit": st.integers(1, 8),
        "item_id": ids,
        "exclude": st.frozensets(ids, max_size=2),
        "cart": st.sampled_from((None, (), ("a", "b b"), ("nothing",))),
        "category": st.sampled_from(("", "", "x", "nowhere")),
        "list_id": st.sampled_from(("", "", "l", "unknown")),
    }
)


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(items(), max_size=10, unique_by=lambda item: item.item_id),
    profiles,
    models,
    rules(),
    questions,
    st.sampled_from(SCENES),
)
def test_every_scene_answers_and_keeps_its_promises(
    shelf: list[Item], she: Any, model: Any, document: Any, question: Any, scene: str
) -> None:
    assume(scene == "trending" or not question["list_id"])
    window = Window(shelf)
    window.settings = replace(
        settings(), threshold=replace(settings().threshold, further=(Saving(spend_cents=900, save_cents=1),))
    )
    window.learns(model)
    window.models.put_popularity([Popularity("all", tuple((i, 0.5) for i in IDS[:4]), tuple((i, 0.5) for i in IDS[2:7]), NOW)])
    window.knows(she)
    window.rulebook.replace(json.dumps(document).encode())
    if shelf and question["list_id"] == "unknown":
        with pytest.raises(NotFound):
            window.ask(scene, **question)
        return
    check(window, window.ask(scene, **question), she, document, question)


def check(window: Window, answer: Answer, she: Any, document: Any, question: Any) -> None:
    shown = [placed.item for placed in answer.items]
    everything = [*shown, *([answer.banner.item] if answer.banner else [])]
    assert len(shown) <= question["limit"]
    assert len({item.item_id for item in everything}) == len(everything)
    assert [placed.position for placed in answer.items] == list(range(1, len(shown) + 1))
    assert bool(answer.reason) == (not shown)
    assert all(placed.reason.text and "{" not in placed.reason.text.replace("{title}", "") for placed in answer.items)
    for item in everything:
        may_be_shown(window, item, she, question)
    rules = [entry for entry in document["rules"] if holds(entry, answer.scene, she)]
    for item in everything:
        assert not any(entry["action"] == "ban" and matches(entry, item) for entry in rules)
    pinned = {placed.item.item_id for placed in answer.items if any(step["action"] == "pin" for step in placed.trace)}
    for entry in rules:
        if entry["action"] == "limit":
            kinds = [
                getattr(item, entry["per"]) for item in shown if item.item_id not in pinned and getattr(item, entry["per"])
            ]
            assert max(Counter(kinds).values(), default=0) <= entry["most"]
    pins_where_promised(window, answer, rules, she, question)


def may_be_shown(window: Window, item: Item, she: Any, question: Any) -> None:
    assert item.in_stock
    assert item.item_id not in question["exclude"]
    assert item.attributes.get("members_only", "") in ("", "no") or she.stage == "loyal" or she.tier == "high"
    assert "min_age" not in item.attributes or item.attributes["min_age"] in ("", "18")
    if item.attributes.get("min_age") == "18":
        assert she.traits.get("age") == 40


def holds(entry: Any, scene: str, she: Any) -> bool:
    loyal = she.stage == "loyal"
    return (
        (not entry["scenes"] or scene in entry["scenes"])
        and (loyal or "segments" not in entry)
        and not (loyal and "not_segments" in entry)
    )


def matches(entry: Any, item: Item) -> bool:
    return (
        item.item_id in entry.get("items", [])
        or item.brand.casefold() in entry.get("brands", [])
        or any(name in entry.get("categories", []) for name in shelves_above(item.category))
    )


def pins_where_promised(window: Window, answer: Answer, rules: Any, she: Any, question: Any) -> None:
    """The first item of the first pin that may be shown stands at its place, or closes a list that is shorter."""
    first = next((entry for entry in rules if entry["action"] == "pin"), None)
    if first is None or first["position"] > question["limit"]:
        return
    bought = {item_id for item_id, days in she.purchases.items() if days}
    cart = set(she.cart) if question["cart"] is None else set(question["cart"])
    hers = set() if answer.scene in ("return", "repurchase") else bought | cart | {question["item_id"]}
    known = {item.item_id: item for item in window.catalogue.scan()}
    for item_id in first["items"]:
        item = known.get(item_id)
        bans = [entry for entry in rules if entry["action"] == "ban"]
        guarded = item is None or not item.in_stock or item_id in question["exclude"] or item_id in hers
        if (
            guarded
            or item is None
            or item.attributes.keys() & {"min_age", "members_only"}
            or any(matches(b, item) for b in bans)
        ):
            continue
        positions = {placed.item.item_id: placed.position for placed in answer.items}
        assert positions[item_id] == first["position"] or len(answer.items) < first["position"]
        return

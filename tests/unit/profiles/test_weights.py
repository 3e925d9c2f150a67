"""Forward decay, opposites, trimming, declared tags, orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from tests.support.shoppers import DAY, HOUR, NOON, SHE, Shop, event, identify, order, unit, weights

from regulars.errors import Invalid
from regulars.profiles.applying import applied
from regulars.profiles.config import Opposites, ProfilesConfig
from regulars.profiles.model import tag_value
from regulars.profiles.reading import profile_at
from regulars.profiles.record import Record
from regulars.shop import section


def viewed(category: str, at: Any = NOON, **more: Any) -> Any:
    return event(at=at, properties={"product_id": f"p-{category}", "category": category, **more})


def test_a_weight_halves_in_its_half_life() -> None:
    shop = Shop()
    shop.capture(unit([viewed("Mugs")]))
    half_life = weights().families["category"].half_life_days
    for halvings in (0, 1, 3):
        tags = shop.profile(at=NOON + halvings * timedelta(days=half_life)).tags
        assert tags["preference/category/mugs"] == pytest.approx(0.5**halvings)


def test_a_late_event_weighs_what_it_would_have_weighed_in_time() -> None:
    then, now = NOON - 45 * DAY, NOON
    in_time, late = Shop(), Shop()
    for at in (then, now):
        in_time.capture(unit([viewed("Mugs", at)]))
    for at in (now, then):
        late.capture(unit([viewed("Mugs", at)]))
    assert late.profile().tags == pytest.approx(in_time.profile().tags)
    assert late.profile().tags["preference/category/mugs"] == pytest.approx(1.5)
    assert late.profile().last_seen_at == NOON


def test_decades_of_deeds_neither_overflow_nor_vanish() -> None:
    shop = Shop()
    for year in (1990, 2126, 2026):
        at = NOON.replace(year=year)
        shop.capture(unit([viewed("Mugs", at)]))
    tags = shop.profile(at=NOON.replace(year=2126)).tags
    assert tags["preference/category/mugs"] == pytest.approx(1.0)


def test_a_deed_dated_in_the_future_counts_when_it_was_received() -> None:
    shop = Shop()
    shop.capture(unit([event(at=NOON + 400 * DAY, received_at=NOON)]))
    assert shop.profile().last_seen_at == NOON


def test_opposites_push_each_other_down() -> None:
    pair = Opposites(("preference/category/mother-and-baby", "preference/style/single"), 1.0)
    settings = replace(weights(), opposites=(pair,))
    record = applied(Record(shopper=SHE), [viewed("Mother and Baby")] * 3 + [viewed("x", style="single")], {}, settings)
    tags = profile_at(record, (), NOON, settings).tags
    assert tags["preference/category/mother-and-baby"] == pytest.approx(2.0)
    assert "preference/style/single" not in tags


def test_only_the_heaviest_of_a_family_are_kept_and_only_the_last_items() -> None:
    shop = Shop()
    for number in range(60):
        for _ in range(1 + (number > 50)):
            shop.capture(unit([viewed(f"c{number}", NOON + number * HOUR + timedelta(seconds=_))]))
    profile = shop.profile(at=NOON + 60 * HOUR)
    categories = [tag for tag in profile.tags if tag.startswith("preference/category/")]
    assert len(categories) == weights().families["category"].keep
    assert {f"preference/category/c{number}" for number in range(51, 60)} <= set(categories)
    assert len(profile.items) == weights().items.keep
    assert "p-c59" in profile.items


def test_a_wholesale_order_does_not_swamp_the_tags() -> None:
    shop = Shop()
    lines = [{"product_id": f"i{n}", "category": "Mugs"} for n in range(300)]
    shop.capture(unit([event("Order Completed", properties={"order_id": "o1", "products": lines})]))
    assert shop.profile().tags["preference/category/mugs"] == pytest.approx(5 * weights().items.lines_per_tag)


@pytest.mark.parametrize(
    ("traits", "tag"),
    [
        ({"birthday": "2010-03-03"}, "base/age/under-18"),
        ({"birthday": "2008-03-02"}, "base/age/18-24"),
        ({"age": 70}, "base/age/65-plus"),
        ({"country": "CN"}, "base/region/cn"),
        ({"interests": ["Home / Mugs", 3]}, "preference/category/home-mugs"),
    ],
)
def test_declared_traits_are_tags_that_do_not_fade(traits: dict[str, Any], tag: str) -> None:
    shop = Shop()
    shop.capture(unit([identify(traits)]))
    assert shop.profile().tags[tag] == weights().declared.weight
    assert profile_at(shop.profiles.load(SHE), (), NOON + 100 * DAY, weights()).tags[tag] == weights().declared.weight


def test_odd_values_are_nobodys_tags() -> None:
    shop = Shop()
    odd = {"birthday": "soon", "age": True, "country": 7, "interests": {"a": 1}, "gender": "  "}
    shop.capture(unit([identify(odd, context={"device": "x", "location": 3, "timezone": 9, "campaign": []})]))
    shop.capture(unit([event(properties={"product_id": 5, "category": 3, "dwell_seconds": "long", "products": "x"})]))
    assert set(shop.profile().tags) == {"behaviour/habit/viewer"}


@pytest.mark.parametrize(
    ("text", "value"),
    [("Home / Mugs", "home-mugs"), ("  Red_&_White ", "red-white"), ("礼盒", "礼盒"), ("x" * 60, "x" * 40), ("///", "")],
)
def test_tag_values_have_one_spelling(text: str, value: str) -> None:
    assert tag_value(text) == value


def test_channels_are_learned_from_answers_and_campaigns() -> None:
    shop = Shop()
    shop.capture(unit([event("Email Opened"), event("Page", context={"campaign": {"medium": "SMS"}})]))
    assert shop.profile().channel_weights == pytest.approx({"email": 1.0, "sms": 1.0})


def refund(order_id: str, **more: Any) -> Any:
    return event("Order Refunded", NOON + DAY, properties={"order_id": order_id, **more})


def test_orders_are_net_of_refunds_and_cancelled_ones_are_none() -> None:
    shop = Shop()
    told = [order(f"o{n}", NOON + n * HOUR, 100) for n in range(5)]
    told += [
        refund("o1", total=30),
        refund("o2"),
        refund("o3", products=[{"product_id": "mug", "price": 20, "quantity": 2}]),
        event("Order Cancelled", NOON + DAY, properties={"order_id": "o4"}),
    ]
    for it in reversed(told):
        shop.capture(unit([it]))
        shop.capture(unit([it]))
    profile = shop.profile()
    assert [(o.order_id, o.value_cents) for o in profile.orders] == [("o0", 10000), ("o1", 7000), ("o3", 6000)]
    assert profile.purchases == {"mug": (NOON.date(),)}


def test_an_order_told_twice_under_other_message_ids_is_one_order() -> None:
    shop = Shop()
    shop.capture(unit([order("o1", id="m1"), order("o1", id="m2")]))
    update = event(
        "Order Updated", NOON + HOUR, properties={"order_id": "o1", "total": 25, "products": [{"product_id": "tin"}]}
    )
    status = event("Order Updated", NOON + DAY, properties={"order_id": "o1", "status": "packed"})
    shop.capture(unit([status, update]))
    (it,) = shop.profile().orders
    assert (it.at, it.value_cents) == (NOON, 2500)
    assert shop.profile().purchases == {"tin": (date(2026, 3, 2),)}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"families": {"x": {"layer": "odd", "half_life_days": 1, "keep": 1}}}, "weights.families.x.layer"),
        ({"families": {"x": {"layer": "base", "half_life_days": 0, "keep": 1}}}, "weights.families.x.half_life_days"),
        ({"attributes": {"x": "nope"}}, "weights.attributes.x"),
        ({"declared": {"traits": {"x": "base/nope"}}}, "weights.declared.traits.x"),
        ({"opposites": [{"tags": ["a"]}]}, "weights.opposites[0].tags"),
        ({"floor": "much"}, "weights.floor"),
        ({"flor": 1}, "weights.flor"),
    ],
)
def test_wrong_settings_are_refused_by_their_path(change: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refusal:
        section(ProfilesConfig, "profiles", {"profiles": {"weights": change}})
    assert refusal.value.field == f"profiles.{path}"

"""Rule tags: the shipped examples hold when they should, and a wrong file is refused by its path."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.support.shoppers import DAY, HOUR, MINUTE, NOON, SHE, Shop, config, event, identify, order, unit

from regulars.errors import Invalid
from regulars.profiles.facts import FACTS, ITEM_FACTS, Facts
from regulars.profiles.festivals import check, days_until
from regulars.profiles.record import ItemMark, OrderFacts, Record
from regulars.profiles.rules import load_rules

BEFORE_SPRING_FESTIVAL = datetime(2026, 2, 1, 12, tzinfo=UTC)


def view(number: int, dwell: float, item: str = "mug") -> Any:
    return event(at=NOON + number * MINUTE, properties={"product_id": item, "dwell_seconds": dwell})


@pytest.mark.parametrize(
    ("dwells", "holds"), [((41, 40, 40), True), ((40, 40, 40), False), ((200, 200), False), ((0, 0, 121), True)]
)
def test_one_item_looked_at_three_times_for_two_minutes_is_of_high_interest(dwells: tuple[float, ...], holds: bool) -> None:
    shop = Shop()
    for number, dwell in enumerate(dwells):
        shop.capture(unit([view(number, dwell)]))
    assert ("high-interest" in shop.profile().rule_tags) is holds


def test_looks_at_different_items_do_not_add_up() -> None:
    shop = Shop()
    shop.capture(unit([view(n, 100, item) for n, item in enumerate(("mug", "tin", "rug"))]))
    assert "high-interest" not in shop.profile().rule_tags


@pytest.mark.parametrize(("totals", "holds"), [((600, 700), True), ((499, 500), False), ((1001,), False), ((1500, 500), True)])
def test_mid_spend_and_minimal(totals: tuple[float, ...], holds: bool) -> None:
    shop = Shop()
    shop.capture(unit([event()]))
    shop.capture(unit([order(f"o{n}", NOON + n * HOUR, total) for n, total in enumerate(totals)]))
    assert ({"mid-spend", "minimal"} <= shop.profile().rule_tags) is holds


@pytest.mark.parametrize(
    ("at", "holds"), [(BEFORE_SPRING_FESTIVAL, True), (BEFORE_SPRING_FESTIVAL - 60 * DAY, False), (NOON, False)]
)
def test_browsing_gift_boxes_near_spring_festival(at: datetime, holds: bool) -> None:
    shop = Shop(now=at)
    shop.capture(unit([event(at=at, properties={"product_id": "box", "name": "新年礼盒", "category": "礼盒"})]))
    assert ("festival-gifting" in shop.profile().rule_tags) is holds


def test_a_verdict_on_orders_stands_while_only_views_come() -> None:
    shop = Shop()
    shop.capture(unit([order("o1"), order("o2", NOON + HOUR)]))
    assert "repeat-buyer" in shop.profile().rule_tags
    shop.capture(unit([event(at=NOON + DAY)]))
    assert "repeat-buyer" in shop.profile().rule_tags
    cancelled = event("Order Cancelled", NOON + DAY, properties={"order_id": "o2"})
    shop.capture(unit([cancelled]))
    assert "repeat-buyer" not in shop.profile().rule_tags


def test_a_shop_adds_changes_and_switches_off_rules() -> None:
    gold, full = {"trait": "plan", "equals": "gold"}, {"not": {"fact": "cart.items", "below": 9}}
    own = {"searcher": {"enabled": False}, "vip": {"tags": ["vip"], "when": {"any": [gold, full]}}}
    rules = {rule.name: rule for rule in load_rules({"tag_rules": {"rules": own}}, config().festivals)}
    assert "searcher" not in rules
    assert "high-interest" in rules
    shop = Shop()
    assert not rules["vip"].holds(Facts(shop.profile(), shop.profiles.load(SHE), config().festivals))
    shop.capture(unit([identify({"plan": "gold"})]))
    assert rules["vip"].holds(Facts(shop.profile(), shop.profiles.load(SHE), config().festivals))


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"tags": ["x"]}, "when"),
        ({"tags": [], "when": {}}, "tags"),
        ({"tags": ["x"], "when": {}, "colour": 1}, "colour"),
        ({"tags": ["x"], "when": {"fact": "orders.cuont", "above": 1}}, "when.fact"),
        ({"tags": ["x"], "when": {"fact": "orders.count", "over": 1}}, "when.over"),
        ({"tags": ["x"], "when": {"fact": "orders.count", "above": 1, "below": 3}}, "when"),
        ({"tags": ["x"], "when": {"fact": "orders.count", "above": "many"}}, "when.above"),
        ({"tags": ["x"], "when": {"fact": "orders.count", "between": [1]}}, "when.between"),
        ({"tags": ["x"], "when": {"fact": "item.views", "above": 1}}, "when.fact"),
        ({"tags": ["x"], "when": {"tag": "minimal", "above": 1}}, "when.tag"),
        ({"tags": ["x"], "when": {"days_to": "festivus", "below": 1}}, "when.days_to"),
        ({"tags": ["x"], "when": {"all": []}}, "when.all"),
        ({"tags": ["x"], "when": {"all": [{"any": [{"fact": 3, "above": 1}]}]}}, "when.all[0].any[0].fact"),
        ({"tags": ["x"], "when": {"trait": "plan", "one_of": "gold"}}, "when.one_of"),
        ({"tags": ["x"], "when": {"trait": "plan", "equals": 1}, "for_each": "order"}, "for_each"),
    ],
)
def test_a_wrong_rule_is_refused_by_its_path(rule: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refusal:
        load_rules({"tag_rules": {"rules": {"mine": rule}}}, config().festivals)
    assert refusal.value.field == f"tag_rules.rules.mine.{path}"


def test_every_fact_can_be_asked() -> None:
    shop = Shop()
    for shopper in (shop.profile("user:nobody"), shop.profile()):
        record = Record(shopper=SHE, items={"mug": ItemMark(1.0, 1000, 1, 2.0)}, orders=OrderFacts(1, 2, 3, 4, 5))
        facts = Facts(shopper, record, config().festivals)
        for name in FACTS:
            facts.value(name, "mug" if name in ITEM_FACTS else "")


def test_a_trait_of_another_type_satisfies_nothing() -> None:
    own = {"x": {"tags": ["x"], "when": {"trait": "plan", "above": 3}}}
    rule = load_rules({"tag_rules": {"rules": own}}, config().festivals)[-1]
    shop = Shop()
    shop.capture(unit([identify({"plan": "gold"})]))
    assert not rule.holds(Facts(shop.profile(), shop.profiles.load(SHE), config().festivals))


@pytest.mark.parametrize(
    ("festival", "today", "days"),
    [
        # Hong Kong Observatory, Gregorian-lunar calendar conversion tables
        ("spring-festival", date(2024, 2, 10), 0),
        ("spring-festival", date(2025, 1, 29), 0),
        ("spring-festival", date(2026, 2, 17), 0),
        ("spring-festival", date(2033, 1, 31), 0),
        ("mid-autumn", date(2025, 10, 6), 0),
        ("dragon-boat", date(2026, 6, 19), 0),
        ("spring-festival", date(2026, 2, 27), -10),
        ("spring-festival", date(2025, 12, 31), 48),
        ("mothers-day", date(2026, 5, 10), 0),
        ("christmas", date(2026, 1, 2), -8),
        ("valentine", date(2026, 12, 30), 46),
    ],
)
def test_festivals(festival: str, today: date, days: int) -> None:
    assert days_until(config().festivals[festival], today) == days


@pytest.mark.parametrize(
    "shape", [{"month": 2}, {"month": 13, "day": 1}, {"lunar_month": 1}, {"month": 2, "weekday": 1, "nth": 9}]
)
def test_a_festival_without_a_date_is_refused(shape: dict[str, int]) -> None:
    with pytest.raises(Invalid) as refusal:
        check({"mine": shape})
    assert refusal.value.field == "profiles.festivals.mine"


def test_leap_day_festivals_have_a_day_every_year() -> None:
    assert days_until({"month": 2, "day": 29}, date(2026, 2, 28)) == 0

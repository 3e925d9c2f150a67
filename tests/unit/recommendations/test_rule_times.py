"""When rules hold: dates, weekdays and hours, each on its own clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.window import Window

from regulars.recommendations.rules import parse


def holds(at: str, **conditions: Any) -> bool:
    """Whether a rule with the conditions holds at an instant (UTC)."""
    rules = parse({"rules": [{"id": "x", "action": "ban", "items": ["a"], **conditions}]})
    return bool(rules.active("home", frozenset(), datetime.fromisoformat(at).replace(tzinfo=UTC)))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-07-31T23:59:59", False),
        ("2026-08-01T00:00:00", True),
        ("2026-08-04T23:59:59", True),
        ("2026-08-05T00:00:00", False),
    ],
)
def test_from_is_the_first_instant_and_until_the_first_without(at: str, expected: bool) -> None:
    assert holds(at, **{"from": "2026-08-01", "until": "2026-08-05"}) is expected


@pytest.mark.parametrize(("at", "expected"), [("2026-07-31T15:59:59", False), ("2026-07-31T16:00:00", True)])
def test_a_bare_date_is_midnight_in_the_rules_zone(at: str, expected: bool) -> None:
    assert holds(at, time_zone="Asia/Shanghai", **{"from": "2026-08-01"}) is expected


def test_an_offset_of_its_own_wins_over_the_zone() -> None:
    assert holds("2026-08-01T00:00:00", time_zone="Asia/Shanghai", **{"from": "2026-08-01T00:00:00Z"})
    assert not holds("2026-07-31T23:59:00", time_zone="Asia/Shanghai", **{"from": "2026-08-01T00:00:00Z"})


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-08-05T17:59:00", False),  # a Wednesday
        ("2026-08-05T18:00:00", True),
        ("2026-08-05T21:59:59", True),
        ("2026-08-05T22:00:00", False),
        ("2026-08-08T19:00:00", False),  # a Saturday
    ],
)
def test_weekdays_and_hours(at: str, expected: bool) -> None:
    assert holds(at, weekdays=["mon", "wed"], hours={"from": "18:00", "to": "22:00"}) is expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-08-07T22:30:00", True),  # Friday night
        ("2026-08-08T01:59:00", True),  # still Friday's
        ("2026-08-08T02:00:00", False),
        ("2026-08-07T01:00:00", False),  # Thursday's
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_began(at: str, expected: bool) -> None:
    assert holds(at, weekdays=["fri"], hours={"from": "22:00", "to": "02:00"}) is expected


def test_hours_follow_daylight_saving() -> None:
    morning = {"hours": {"from": "09:00", "to": "10:00"}, "time_zone": "Europe/London"}
    assert holds("2026-08-05T08:30:00", **morning)
    assert not holds("2026-12-05T08:30:00", **morning)
    assert holds("2026-12-05T09:30:00", **morning)


def test_unquoted_hours_of_yaml_mean_the_same() -> None:
    window = Window()
    window.rulebook.replace(
        b"rules:\n- {id: evening, action: ban, items: [film], hours: {from: 18:00, to: 22:30}, from: 2026-01-01}\n"
    )
    (rule,) = window.recommend.read_rules(window.models.rules()).rules
    assert rule.when.hours is not None
    assert [f"{at:%H:%M}" for at in rule.when.hours] == ["18:00", "22:30"]


def test_a_rule_begins_and_ends_while_the_shop_is_open() -> None:
    window = Window()
    window.sells(rival=1.0, film=0.9)
    window.rules({"id": "sale", "action": "pin", "items": ["case"], "from": "2026-08-06", "until": "2026-08-07T12:00:00+02:00"})
    for at, first in (
        ("2026-08-05T23:59", "rival"),
        ("2026-08-06T00:00", "case"),
        ("2026-08-07T09:59", "case"),
        ("2026-08-07T10:00", "rival"),
    ):
        window.now = datetime.fromisoformat(at).replace(tzinfo=UTC)
        assert window.ids("home", limit=1) == [first], at

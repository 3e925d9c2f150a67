"""Moments of the calendar: festivals a week ahead (lunar ones too) and anniversaries, once a shopper and year."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.support.shoppers import NOON, Shop, config, event, order, rules, unit

from regulars.adapters.memory.queues import MemoryQueue
from regulars.adapters.memory.storage import MemoryStorage
from regulars.clock import from_ms
from regulars.errors import Invalid, TryLater
from regulars.messages import Moment
from regulars.profiles.config import ProfilesConfig
from regulars.profiles.model import Order, Profile
from regulars.profiles.occasions import Calendar, told_through
from regulars.profiles.sweep import SweepLifecycle
from regulars.shop import section

UTC_ZONE, SHANGHAI = ZoneInfo("UTC"), ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
GIFTS = {"occasion/occasion/gifting": 1.0}
SHE = Profile(shopper="user:1", as_of=NOON, tags=GIFTS)


def told(day: str, who: Profile = SHE, through: str = "", zone: ZoneInfo = UTC_ZONE, **numbers: object) -> list[Moment]:
    occasions = replace(config().occasions, **numbers)  # type: ignore[arg-type]
    now = datetime.fromisoformat(f"{day}T03:00:00").replace(tzinfo=UTC)
    mark = date.fromisoformat(through) if through else None
    return list(Calendar(occasions, config().festivals, mark, now, zone).moments(who))


@pytest.mark.parametrize(
    ("day", "subject"),
    [
        ("2026-02-10", "spring-festival/2026"),  # 17 February 2026
        ("2026-09-18", "mid-autumn/2026"),  # 25 September 2026
        ("2026-06-12", "dragon-boat/2026"),  # 19 June 2026
        ("2026-08-12", "qixi/2026"),  # 19 August 2026
        ("2027-01-30", "spring-festival/2027"),  # 6 February 2027
        ("2026-12-18", "christmas/2026"),
        ("2026-05-03", "mothers-day/2026"),  # the second Sunday of May
    ],
)
def test_a_festival_is_told_a_week_before_it(day: str, subject: str) -> None:
    (moment,) = told(day)
    assert (moment.id, moment.kind) == (f"festival#{subject}", "festival")
    assert from_ms(moment.expires_at_ms).date() == date.fromisoformat(day) + 7 * DAY
    assert told(str(date.fromisoformat(day) - DAY)) == []
    assert told(str(date.fromisoformat(day) + DAY), through=day) == []


def test_a_missed_sweep_is_made_up_for_and_a_long_gap_tells_nothing_late() -> None:
    assert [moment.subject for moment in told("2026-09-21", through="2026-09-17")] == ["mid-autumn/2026"]
    assert told("2026-09-24", through="2026-09-10") == []  # more than catch_up_days late
    assert told("2026-09-21") == []  # nothing is known of sweeps before: only of today


def test_the_day_is_that_of_the_zone() -> None:
    assert [moment.subject for moment in told("2026-09-18", zone=SHANGHAI)] == ["mid-autumn/2026"]
    late = Calendar(config().occasions, config().festivals, None, datetime(2026, 9, 17, 18, tzinfo=UTC), SHANGHAI)
    (moment,) = late.moments(SHE)
    assert from_ms(moment.expires_at_ms) == datetime(2026, 9, 24, 16, tzinfo=UTC)  # midnight in Shanghai


def test_only_those_who_lean_to_it_or_everybody() -> None:
    stranger = replace(SHE, tags={})
    assert told("2026-12-18", stranger) == []
    assert len(told("2026-12-18", replace(stranger, rule_tags=frozenset({"christmas-gifting"})))) == 1
    assert told("2026-12-18", replace(stranger, rule_tags=frozenset({"festival-gifting"}))) == []
    assert len(told("2026-12-18", stranger, audience="everybody")) == 1
    with pytest.raises(Invalid, match=r"profiles\.occasions\.audience"):
        section(ProfilesConfig, "profiles", {"profiles": {"occasions": {"audience": "nobody"}}})


def test_years_since_the_first_order_else_since_sign_up() -> None:
    buyer = replace(SHE, tags={}, orders=(Order("o1", datetime(2024, 3, 5, 12, tzinfo=UTC), 100),))
    (moment,) = told("2026-03-05", buyer)
    assert (moment.id, moment.facts) == ("anniversary#purchase/2026", {"anniversary": "purchase", "years": 2})
    assert told("2024-03-05", buyer) == []
    both = replace(buyer, first_seen_at=datetime(2023, 3, 5, tzinfo=UTC))
    assert [entry.subject for entry in told("2026-03-05", both)] == ["purchase/2026"]
    new = replace(SHE, tags={}, first_seen_at=datetime(2024, 2, 29, 12, tzinfo=UTC))
    assert [entry.subject for entry in told("2026-02-28", new)] == ["sign_up/2026"]
    assert told("2026-02-28", new, anniversaries=()) == []
    newyear = replace(new, first_seen_at=datetime(2024, 12, 31, 12, tzinfo=UTC))
    assert [entry.subject for entry in told("2026-01-02", newyear, through="2025-12-30")] == ["sign_up/2025"]


def test_the_sweep_tells_each_once_even_when_it_dies_and_runs_again() -> None:
    shop, queue, storage = Shop(), MemoryQueue(), MemoryStorage()
    gift = {"product_id": "box", "name": "Gift hamper", "category": "Gifts"}
    shop.capture(unit([event(properties=gift, at=NOON), order("o1", NOON, 10)]))

    def sweep(day: str) -> None:
        now = datetime.fromisoformat(f"{day}T03:00:00").replace(tzinfo=UTC)
        shop.now = now
        settings = replace(config(), occasions=replace(config().occasions, audience="everybody"))
        SweepLifecycle(
            profiles=shop.profiles,
            moments=queue,
            storage=storage,
            config=settings,
            rules=rules(),
            clock=lambda: now,
            report=lambda name, facts: None,
        )()

    def festivals() -> list[str]:
        found = [message for message, _ in queue.sent if isinstance(message, Moment)]
        return [moment.id for moment in found if moment.kind == "festival"]

    sweep("2026-05-02")
    queue.failing = TryLater("full")
    with pytest.raises(TryLater):
        sweep("2026-05-03")
    assert told_through(storage) == date(2026, 5, 2)
    queue.failing = None
    for day in ("2026-05-04", "2026-05-04", "2026-05-05"):
        sweep(day)
    assert festivals() == ["festival#mothers-day/2026"]

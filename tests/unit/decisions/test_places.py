"""Zones, countries, channels' hours, holdout and settings."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from tests.support.decisions import EVENING, SHE, Desk, numbers

from regulars.channels.model import Contact
from regulars.clock import zone_named
from regulars.decisions.addresses import masked
from regulars.decisions.config import Decisions, Hours
from regulars.decisions.holdout import HOLDOUT, arm_of
from regulars.decisions.limits import Holdout
from regulars.decisions.model import CHANNELS
from regulars.decisions.quiet import hours_for, is_open, next_open
from regulars.decisions.timing import best_instant
from regulars.decisions.zones import country_of, country_zones, openings, zones_of
from regulars.errors import Invalid
from regulars.shop import section

PLACE = numbers().place


def contact(**known: object) -> Contact:
    return Contact(shopper=SHE, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "country"),
    [
        ({"country": "fr"}, "FR"),
        ({"country": "Germany"}, "DE"),
        ({"country": "EIRE"}, "IE"),
        ({"country": "UK"}, "GB"),
        ({"country": "Atlantis"}, "GB"),
        ({"addresses": {"sms": "+8613800000000"}}, "CN"),
        ({"addresses": {"sms": "+85260000000"}}, "HK"),
        ({"addresses": {"sms": "+999"}}, "GB"),
        ({}, "GB"),
    ],
)
def test_a_country_by_code_name_number_or_the_shops(known: dict[str, object], country: str) -> None:
    assert country_of(contact(**known), PLACE) == country


def test_a_zone_of_her_own_else_her_countrys_else_the_shops() -> None:
    def names(**known: object) -> list[str]:
        return [zone.key for zone in zones_of(contact(**known), PLACE)]

    assert names(time_zone="Asia/Tokyo", country="FR") == ["Asia/Tokyo"]
    assert names(time_zone="Mars/Olympus", country="FR") == ["Europe/Paris"]
    assert names() == ["Europe/London"]
    assert "America/New_York" in names(country="US")
    assert "Pacific/Honolulu" in names(country="US")
    assert len(country_zones()) > 200


def test_legal_hours_narrow_marketing_on_their_channels_only() -> None:
    assert hours_for(numbers(), "sms", "IN") == Hours(opens=10, closes=21)
    assert hours_for(numbers(), "email", "IN") == Hours(opens=8, closes=22)
    assert hours_for(numbers(), "sms", "FR").weekdays == (1, 2, 3, 4, 5, 6)
    assert hours_for(numbers(), "sms", "IN", transactional=True) == Hours(opens=8, closes=22)
    assert hours_for(numbers(), "email", "IN", transactional=True) == Hours(opens=0, closes=24)


def test_a_closed_weekday_is_skipped_by_the_local_calendar() -> None:
    saturday_evening = datetime(2026, 6, 13, 19, 0, tzinfo=UTC)  # 21:00 in Paris
    paris = zones_of(contact(time_zone="Europe/Paris"), PLACE)
    opens = next_open(saturday_evening, paris, hours_for(numbers(), "sms", "FR"))
    assert opens == datetime(2026, 6, 15, 6, 0, tzinfo=UTC)  # Monday 08:00 in Paris


def test_an_opening_that_daylight_saving_skips_happens_after_the_gap() -> None:
    paris = zone_named("Europe/Paris")
    assert paris is not None
    assert openings(date(2026, 3, 29), 2.5, paris) == (datetime(2026, 3, 29, 1, 0, tzinfo=UTC),)
    twice = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert openings(date(2026, 10, 25), 2.5, paris) == (twice, twice + timedelta(hours=1))


def test_evenings_are_spread_over_the_window_by_shopper() -> None:
    noon = datetime(2026, 6, 10, 12, 0, tzinfo=UTC)
    zones, evening = zones_of(contact(time_zone="UTC"), PLACE), Hours(opens=20, closes=22)
    starts = [best_instant(noon, zones, evening, numbers().quiet, f"user:{n}") for n in range(200)]
    minutes = sorted((at.hour - 20) * 60 + at.minute for at in starts if at)
    assert len(minutes) == 200
    assert minutes[0] < 10
    assert 98 < minutes[-1] < 109
    assert starts[0] == best_instant(noon, zones, evening, numbers().quiet, "user:0")


def test_the_control_group_is_sticky_and_of_its_size() -> None:
    config = section(Decisions, "decisions")
    assert config.holdout == Holdout(share=0.05, salt="global")
    held = [arm_of(f"user:{n}", config) == HOLDOUT for n in range(20_000)]
    assert 900 < sum(held) < 1_100
    assert held == [arm_of(f"user:{n}", config) == HOLDOUT for n in range(20_000)]


def test_a_larger_control_group_only_adds() -> None:
    small, large = Desk(holdout=Holdout(share=0.05, salt="s")).config, Desk(holdout=Holdout(share=0.2, salt="s")).config
    for n in range(2_000):
        assert arm_of(f"user:{n}", small) != HOLDOUT or arm_of(f"user:{n}", large) == HOLDOUT


def test_the_defaults_know_every_channel_and_every_kind_its_channels() -> None:
    config = numbers()
    assert set(config.channels) == set(CHANNELS)
    assert all(set(kind.channels) <= set(CHANNELS) for kind in config.kinds.values())
    tells_of_a_coupon = {"coupon_expiring"}  # which is the benefit
    promising = [kind for name, kind in config.kinds.items() if not kind.transactional and name not in tells_of_a_coupon]
    assert all({"plain"} <= set(kind.benefit) for kind in promising)


def test_a_number_can_be_changed_and_a_typo_is_refused() -> None:
    changed = section(Decisions, "decisions", {"decisions": {"caps": {"day": {"at_most": {"low": 1}}}}})
    assert changed.caps["day"].at_most == {"low": 1, "mid": 2, "high": 2}
    with pytest.raises(Invalid, match=r"decisions\.spacing\.hour"):
        section(Decisions, "decisions", {"decisions": {"spacing": {"hour": 2}}})


def test_an_address_is_shown_in_part() -> None:
    assert masked("mira@example.com") == "m***@example.com"
    assert masked("+447700900123") == "***123"
    assert masked("ab") == "***"
    assert EVENING.tzinfo is UTC


def test_the_weekday_is_hers_not_utcs() -> None:
    auckland = zones_of(contact(time_zone="Pacific/Auckland"), PLACE)
    saturday_in_utc = datetime(2026, 6, 13, 21, 0, tzinfo=UTC)  # Sunday 09:00 in Auckland
    assert not is_open(saturday_in_utc, auckland, Hours(opens=8, closes=22, weekdays=(1, 2, 3, 4, 5, 6)))

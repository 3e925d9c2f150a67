"""Wall clocks against the zones themselves: transitions 2024–2035, sampled with a fixed seed."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from regulars.triggers.local_time import instant, local, next_local

FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
ZONES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix", "right")))


def transitions(zone: ZoneInfo, first: datetime = FIRST, last: datetime = LAST) -> list[datetime]:
    """Every instant at which the zone's offset changes, found by bisection between probes five days apart."""
    found = []
    before, step = first, timedelta(days=5)
    while before < last:
        after = before + step
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            low, high = before, after
            while high - low > timedelta(seconds=1):
                middle = (low + (high - low) / 2).replace(microsecond=0)
                same = middle.astimezone(zone).utcoffset() == before.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append(high)
        before = after
    return found


def walls_around(change: datetime, zone: ZoneInfo) -> list[datetime]:
    """Wall times, to the minute, before, in and after what the transition skips or repeats."""
    return [
        (change.astimezone(zone) + timedelta(minutes=minutes)).replace(tzinfo=None, second=0)
        for minutes in (-90, -60, -59, -31, -30, -1, 0, 1, 30, 59, 60, 61, 90)
    ]


PECULIAR = ("Australia/Lord_Howe", "Africa/Casablanca", "America/New_York", "Asia/Beirut")
SAMPLE = [*random.Random(20260701).sample(ZONES, 60), *PECULIAR]


@pytest.mark.parametrize("name", SAMPLE)
def test_every_wall_time_around_every_transition_happens_once(name: str) -> None:
    zone = ZoneInfo(name)
    for change in transitions(zone):
        for wall in walls_around(change, zone):
            at = instant(wall.date(), wall.hour, wall.minute, zone)
            shown = at.astimezone(zone).replace(tzinfo=None)
            readings = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
            real = sorted(reading for reading in readings if reading.astimezone(zone).replace(tzinfo=None) == wall)
            if real:
                assert at == real[0], "the first of a repeated wall time"
            else:
                assert shown > wall, "after the gap"
                assert (at - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) < wall, "at its very end"


@pytest.mark.parametrize("name", SAMPLE[::4])
def test_a_daily_slot_comes_once_a_local_day_in_order(name: str) -> None:
    zone, rng = ZoneInfo(name), random.Random(name)
    for change in transitions(zone)[:8]:
        hour, minute = rng.randrange(24), rng.randrange(60)
        if rng.random() < 0.7:
            hour = change.astimezone(zone).hour
        at, slots = change - timedelta(days=3), []
        for _ in range(6):
            at = next_local(at, zone, hour, minute)
            slots.append(at)
            at += timedelta(milliseconds=1)
        days = [local(slot, zone).date() for slot in slots]
        assert slots == sorted(set(slots))
        assert all((later - earlier).days == 1 for earlier, later in pairwise(days)), (hour, minute, slots)


def test_next_local_is_the_earliest_that_fits() -> None:
    rng = random.Random(7)
    for _ in range(2_000):
        zone = ZoneInfo(rng.choice(ZONES))
        at = FIRST + timedelta(seconds=rng.randrange(int((LAST - FIRST).total_seconds())))
        hour, weekdays = rng.randrange(24), set(rng.sample(range(7), rng.randrange(1, 8)))
        found = next_local(at, zone, hour, 30, weekdays=weekdays)
        assert found >= at
        assert next_local(found, zone, hour, 30, weekdays=weekdays) == found
        days = (local(at, zone).date() + timedelta(days=ahead) for ahead in range(-1, 9))
        slots = (instant(day, hour, 30, zone) for day in days if day.weekday() in weekdays)
        assert found == min(slot for slot in slots if slot >= at)


def test_a_skipped_half_hour_and_a_repeated_one_in_new_york() -> None:
    zone = ZoneInfo("America/New_York")
    assert instant(date(2026, 3, 8), 2, 30, zone) == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)  # 03:00, the end of the gap
    assert instant(date(2026, 11, 1), 1, 30, zone) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # the first 01:30
    assert next_local(datetime(2026, 11, 1, 5, 31, tzinfo=UTC), zone, 1, 30) == datetime(2026, 11, 2, 6, 30, tzinfo=UTC)


def test_a_day_that_a_zone_skipped_whole() -> None:
    zone = ZoneInfo("Pacific/Apia")  # no 30 December 2011
    assert instant(date(2011, 12, 30), 20, 0, zone) == datetime(2011, 12, 30, 10, 0, tzinfo=UTC)


def test_the_weekday_is_the_shoppers() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    sunday_evening_utc = datetime(2026, 7, 5, 20, 0, tzinfo=UTC)  # Monday 04:00 in Shanghai
    assert local(sunday_evening_utc, zone).weekday() == 0
    assert next_local(sunday_evening_utc, zone, 5, weekdays={0}) == datetime(2026, 7, 5, 21, 0, tzinfo=UTC)


def test_no_weekday_is_refused() -> None:
    with pytest.raises(ValueError, match="weekday"):
        next_local(FIRST, ZoneInfo("UTC"), 8, weekdays=())

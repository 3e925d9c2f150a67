"""Quiet hours and legal hours, in the shopper's own time; closed wherever it is not certain that they are open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from regulars.decisions.config import Decisions, Hours
from regulars.decisions.zones import openings, wall_hour

_ROUNDS = 400
_ALWAYS = Hours(opens=0, closes=24)


def hours_for(config: Decisions, channel: str, country: str, *, transactional: bool = False, manufacturer: str = "") -> Hours:
    """When `channel` may be used: the shop's hours, narrowed to the country's legal ones where they speak of the channel, and
    for pushes to those of the telephone's maker.

    A transactional message (what became of your order) may go at any hour where nothing rings: on channels that are
    `quiet_exempt`. Elsewhere it keeps the shop's hours; the legal ones are about marketing and do not bind it.
    """
    if transactional:
        return _ALWAYS if config.channels[channel].quiet_exempt else config.quiet
    hours, legal = config.quiet, config.legal.get(country)
    if legal and channel in legal.channels:
        hours = meet(hours, legal.hours)
    if channel == "push" and config.vendors.vendor(manufacturer):
        hours = meet(hours, Hours(opens=config.vendors.opens, closes=config.vendors.closes))
    return hours


def meet(one: Hours, other: Hours) -> Hours:
    """The hours that lie in both; may be empty (`opens` ≥ `closes`)."""
    days = tuple(day for day in one.weekdays if day in other.weekdays)
    return Hours(opens=max(one.opens, other.opens), closes=min(one.closes, other.closes), weekdays=days)


def is_open(at: datetime, zones: Sequence[ZoneInfo], hours: Hours) -> bool:
    """Whether the clock and the day are inside `hours` in every one of `zones`; never without a zone."""
    return bool(zones) and all(_is_open(at, zone, hours) for zone in zones)


def next_open(at: datetime, zones: Sequence[ZoneInfo], hours: Hours) -> datetime | None:
    """The first instant from `at` on that is open in every zone; None when there is none within two weeks, or no zone."""
    if not zones:
        return None
    candidate = at
    for _ in range(_ROUNDS):
        closed = next((zone for zone in zones if not _is_open(candidate, zone, hours)), None)
        if closed is None:
            return candidate
        later = _next_open(candidate, closed, hours)
        if later is None or later - at > timedelta(days=14):
            return None
        candidate = later
    return None


def _is_open(at: datetime, zone: ZoneInfo, hours: Hours) -> bool:
    local = at.astimezone(zone)
    return local.isoweekday() in hours.weekdays and hours.opens <= wall_hour(local) < hours.closes


def _next_open(at: datetime, zone: ZoneInfo, hours: Hours) -> datetime | None:
    if hours.opens >= hours.closes:
        return None
    today = at.astimezone(zone).date()
    for ahead in range(-1, 9):  # clocks that go back over midnight bring yesterday again
        for opens in openings(today + timedelta(days=ahead), hours.opens, zone):
            candidate = max(at, opens)
            if _is_open(candidate, zone, hours):
                return candidate
    return None

"""The birthday timer: one a year, which sets its successor when it fires.

29 February is kept on the 28th in other years. Due at the local hour, `lead_days` before; it lapses when the local
birthday ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from regulars.capture.model import Event
from regulars.clock import zone_named
from regulars.triggers.agenda import Agenda
from regulars.triggers.config import Birthday
from regulars.triggers.local_time import instant, local
from regulars.triggers.model import Timer

KIND = "birthday"


def recurrence(month_day: str, zone: ZoneInfo, numbers: Birthday) -> Mapping[str, Any]:
    """What every year's timer is made of."""
    return {
        "month_day": month_day,
        "zone": zone.key,
        "hour": numbers.hour,
        "minute": numbers.minute,
        "lead_days": numbers.lead_days,
        "remember_days": numbers.remember_days,
    }


def birthday_in(year: int, month_day: str) -> date:
    """The day it is kept on that year."""
    month, day = (int(part) for part in month_day.split("-"))
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, 2, 28)


def timer_in(year: int, shopper: str, rule: Mapping[str, Any], *, occurred_at: datetime, correlation_id: str = "") -> Timer:
    """That year's timer; its due instant may have passed."""
    zone = zone_named(rule["zone"]) or ZoneInfo("UTC")
    day = birthday_in(year, rule["month_day"])
    expires_at = instant(day + timedelta(days=1), 0, 0, zone)
    return Timer(
        shopper=shopper,
        kind=KIND,
        subject=str(year),
        due_at=instant(day - timedelta(days=rule["lead_days"]), rule["hour"], rule["minute"], zone),
        occurred_at=occurred_at,
        expires_at=expires_at,
        correlation_id=correlation_id,
        notes=dict(rule),
        remember_until=expires_at + timedelta(days=rule["remember_days"]),
    )


def upcoming(shopper: str, rule: Mapping[str, Any], now: datetime, *, occurred_at: datetime, correlation_id: str) -> Timer:
    """The timer of the birthday that has not ended yet."""
    zone = zone_named(rule["zone"]) or ZoneInfo("UTC")
    year = local(now, zone).year
    timer = timer_in(year, shopper, rule, occurred_at=occurred_at, correlation_id=correlation_id)
    if timer.expires_at > now:
        return timer
    return timer_in(year + 1, shopper, rule, occurred_at=occurred_at, correlation_id=correlation_id)


def successor(timer: Timer, now: datetime) -> Timer | None:
    """What a fired timer sets: the next birthday whose time has not come; None for a timer that does not recur
    (a deferred one: its year's first firing set the successor)."""
    if timer.kind != KIND or not timer.notes:
        return None
    year = int(timer.subject) + 1
    while True:
        following = timer_in(
            year, timer.shopper, timer.notes, occurred_at=timer.occurred_at, correlation_id=timer.correlation_id
        )
        if following.expires_at > now:
            return following
        year += 1


def standing_zone(agenda: Agenda) -> ZoneInfo | None:
    """The zone in which a birthday waits already."""
    told = (zone_named(timer.notes["zone"]) for timer in agenda.of(KIND) if timer.notes)
    return next((zone for zone in told if zone), None)


def plan_birthday(agenda: Agenda, event: Event, born: str, zone: ZoneInfo, numbers: Birthday) -> None:
    """Her birthday was told: the coming one waits; one told differently before, or in another zone, does no longer."""
    waiting = [timer for timer in agenda.of(KIND) if timer.notes and not agenda.fired(timer)]
    rule = recurrence(born, zone, numbers)
    timer = upcoming(agenda.shopper, rule, agenda.now, occurred_at=event.at, correlation_id=event.message_id)
    standing = agenda.get(timer.key)
    if standing is not None and standing not in waiting:  # this year's was told already, or the arbiter deferred it
        year = int(timer.subject) + 1
        timer = timer_in(year, agenda.shopper, rule, occurred_at=event.at, correlation_id=event.message_id)
        standing = agenda.get(timer.key)
    agenda.drop(other for other in waiting if other.key != timer.key)
    if standing is None or standing.notes != rule:
        agenda.put(timer)

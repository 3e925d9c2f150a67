"""Quiet hours, legal hours and wall times over every IANA zone, every transition 2024–2035 and random instants.

`REGULARS_SIMULATE=long`: every zone, every minute three hours around each transition, 1,000,000 random instants through the
arbiter and the gate. Otherwise one zone of each behaviour, every seventh minute, 20,000 instants.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from tests.simulation import figures
from tests.simulation.promises import is_long
from tests.simulation.wall_clock import DAY, FIRST, LAST, clock, distinct
from tests.support.decisions import SHE, message, moment, numbers

from regulars.channels.model import Contact
from regulars.decisions.arbiter import decide
from regulars.decisions.config import Decisions, Hours
from regulars.decisions.gate import may_send
from regulars.decisions.model import Message, State
from regulars.decisions.quiet import is_open, next_open
from regulars.decisions.verdicts import Facts
from regulars.decisions.zones import country_zones
from regulars.profiles.model import Profile
from regulars.triggers.local_time import instant, next_local

LONG = is_long()
ZONES = sorted(available_timezones() - {"localtime"})
INSTANTS = 1_000_000 if LONG else 20_000
STEP = 60 if LONG else 7 * 60
AROUND = 3 * 3600
SHOPS, WEEKDAYS = Hours(opens=8, closes=22), Hours(opens=10.5, closes=18, weekdays=(1, 2, 3, 4, 5))


def zones() -> list[str]:
    return ZONES if LONG else distinct(ZONES)


def at_utc(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def hours_about(wall: int) -> list[Hours]:
    """The shop's, a working week's, and two about the hour of the transition itself: one opens before what it skips or
    repeats, one within."""
    hour = wall % DAY / 3600
    return [SHOPS, WEEKDAYS, *(Hours(opens=max(0, hour - early), closes=min(24, hour + 0.5)) for early in (1.5, 0.5))]


def test_open_is_what_the_wall_says_around_every_transition() -> None:
    asked = wrong = transitions = 0
    for name in zones():
        zone, wall = ZoneInfo(name), clock(name)
        for change, before, _ in wall.transitions:
            transitions += 1
            midnight = change - wall.local(change) % DAY
            near = range(change - AROUND, change + AROUND, STEP)
            far = range(midnight - 2 * DAY, midnight + 3 * DAY, 15 * 60 if LONG else 125 * 60)
            for hours in hours_about(change + before):
                for at in (*near, *far):
                    asked += 1
                    wrong += is_open(at_utc(at), [zone], hours) != wall.is_open(at, hours)
    figures.tell("quiet hours at transitions", zones=len(zones()), transitions=transitions, asked=asked, violations=wrong)
    assert (wrong, asked > 100_000, transitions > 500) == (0, True, True)


def test_the_next_open_instant_is_the_first_around_every_transition() -> None:
    asked = 0
    for name in zones():
        zone, wall = ZoneInfo(name), clock(name)
        for change, before, _ in wall.transitions:
            for hours in hours_about(change + before):
                for start in range(change - AROUND, change + AROUND, STEP * (5 if LONG else 6)):
                    found = next_open(at_utc(start), [zone], hours)
                    assert found == at_utc(first_open(name, start, hours)), (name, at_utc(start), hours)
                    asked += 1
    figures.tell("next open instant at transitions", asked=asked, violations=0)
    assert asked > 5_000


def first_open(name: str, start: int, hours: Hours) -> int:
    """By looking at every quarter of an hour from `start` on, then back at every minute; none of `hours` is shorter."""
    wall = clock(name)
    if wall.is_open(start, hours):
        return start
    found = next(at for at in range(start - start % 900 + 900, start + 9 * DAY, 900) if wall.is_open(at, hours))
    while wall.is_open(found - 60, hours):
        found -= 60
    return found


def test_every_wall_time_of_every_transition_happens_once() -> None:
    """In a gap: once, at its end. In an overlap: once, the first time. And so a daily slot comes once a local day."""
    asked = gaps = 0
    for name in zones():
        zone, wall = ZoneInfo(name), clock(name)
        for change, before, after in wall.transitions:
            gaps += after > before
            low, high = change + min(before, after) - 3600, change + max(before, after) + 3600
            for local in range(low - low % 60, high, 15 * 60):
                day, second = divmod(local, DAY)
                found = instant(date(1970, 1, 1) + timedelta(days=day), second // 3600, second // 60 % 60, zone)
                reached = [at for at in (local - before, local - after) if wall.local(at) == local]
                expected = min(reached) if reached else change
                assert found == at_utc(expected), (name, at_utc(change), local)
                asked += 1
            second = (change + min(before, after)) % DAY
            slots, at = [], at_utc(change - 3 * DAY)
            for _ in range(6):
                slots.append(next_local(at, zone, second // 3600, second // 60 % 60))
                at = slots[-1] + timedelta(seconds=1)
            assert slots == sorted(set(slots))
            begins = slots[0].astimezone(zone).date()  # a slot in a gap before midnight falls on the next day
            days = [begins + timedelta(days=n) for n in range(6)]
            assert slots == [instant(day, second // 3600, second // 60 % 60, zone) for day in days], (name, at_utc(change))
    figures.tell("wall times in gaps and overlaps", asked=asked, gaps=gaps, violations=0)
    assert asked > 5_000


def config(**changes: object) -> Decisions:
    """The shop's defaults; `night`: open all day, so that only the law and makers of telephones close it."""
    return replace(numbers(), **changes)  # type: ignore[arg-type]


KINDS = ("cart_abandoned", "welcome", "festival", "birthday")
COUNTRIES = ("US", "GB", "FR", "IN", "CN", "CA", "RU", "BR", "AU", "MX", "ID", "KZ", "")
PHONES = ("", "+12125550123", "+33612345678", "+8613800138000", "+61412345678", "+999123")
MAKERS = ("", "HUAWEI", "Redmi", "Pixel")


class Asked:
    """A shopper of whom something is told, and what is allowed where she may be: by the words of the settings alone."""

    def __init__(self, chance: random.Random, config: Decisions) -> None:
        self.channel = chance.choice(("push", "email", "sms", "inapp"))
        told = chance.random()
        zone = chance.choice(ZONES) if told < 0.6 else chance.choice(("", "Mars/Olympus", "EST5EDT4"))
        phone = chance.choice(PHONES)
        addresses = {"push": "token", "email": "mira@example.com", **({"sms": phone} if phone else {})}
        if self.channel == "sms" and not phone:
            addresses["sms"] = "+447700900123"
        self.contact = Contact(
            shopper=SHE,
            version=1,
            addresses=addresses,
            consent={self.channel: True},
            time_zone=zone,
            country=chance.choice(COUNTRIES),
            push_vendor=chance.choice(MAKERS),
        )
        self.country = self.contact.country or self._dialled(addresses.get("sms", ""), config) or config.place.country
        self.names = self._names(config)
        self.hours = self._hours(config)

    def _dialled(self, number: str, config: Decisions) -> str:
        known = [(len(prefix), code) for prefix, code in config.place.phone_prefixes.items() if number.startswith(prefix)]
        return max(known, default=(0, ""))[1]

    def _names(self, config: Decisions) -> list[str]:
        if self.contact.time_zone in ZONES:
            return [self.contact.time_zone]
        country = [zone.key for zone in country_zones().get(self.country, ())]
        return country or [config.place.time_zone]

    def _hours(self, config: Decisions) -> list[Hours]:
        hours, legal = [config.quiet], config.legal.get(self.country)
        if legal and self.channel in legal.channels:
            hours.append(legal.hours)
        if self.channel == "push" and self.contact.push_vendor in ("HUAWEI", "Redmi"):
            hours.append(Hours(opens=6, closes=24))
        return hours

    def allowed(self, at: datetime) -> bool:
        second = int(at.timestamp())
        return all(clock(name).is_open(second, hours) for name in self.names for hours in self.hours)


def facts(asked: Asked, now: datetime, kind: str, chance: random.Random) -> Facts:
    due = moment(kind, "m", at=now, expires_at=now + timedelta(days=chance.choice((1, 3, 9))), deferrals=chance.randrange(2))
    habit = {chance.randrange(24): 9.0} if chance.random() < 0.5 else {}
    seen = now - timedelta(days=90)
    profile = Profile(shopper=SHE, as_of=now, first_seen_at=seen, tier="low", hour_weights=habit)
    return Facts(moment=due, profile=profile, contact=asked.contact, now=now)


@pytest.mark.parametrize("night", [False, True], ids=["the shop's hours", "open all night"])
def test_no_random_instant_is_written_at_that_is_closed(night: bool) -> None:
    settings = config(quiet=Hours(opens=0, closes=24)) if night else config()
    chance = random.Random(f"instants {night}")
    planned = deferred = closed = wrong = 0
    for _ in range(INSTANTS // 2):
        now, asked, kind = at_utc(chance.randrange(FIRST, LAST)), Asked(chance, settings), chance.choice(KINDS)
        decision = decide(facts(asked, now, kind, chance), settings)
        sendable = may_send(sent(asked, kind, now), asked.contact, now, settings) is None
        wrong += sendable != asked.allowed(now)
        if decision.state is State.PLANNED:
            planned += 1
            wrong += not asked.allowed(now)
        elif decision.state is State.DEFERRED:
            deferred += 1
            assert decision.not_before is not None
            wrong += not asked.allowed(decision.not_before)
        closed += not asked.allowed(now)
    figures.tell(
        f"quiet hours at random instants, {'night' if night else 'day'}",
        instants=INSTANTS // 2,
        planned=planned,
        deferred=deferred,
        closed=closed,
        violations=wrong,
    )
    assert wrong == 0
    assert min(planned, deferred, closed) > INSTANTS // 50


def sent(asked: Asked, kind: str, now: datetime) -> Message:
    address = asked.contact.addresses.get(asked.channel, "") if asked.channel != "inapp" else ""
    return message(kind, "m", at=now, channel=asked.channel, address=address)


def test_where_nothing_is_known_nothing_is_sent() -> None:
    """Neither zone nor country of the shopper, and none of the shop."""
    base = numbers()
    settings = config(place=replace(base.place, time_zone="", country=""))
    chance = random.Random("nowhere")
    contact = Contact(shopper=SHE, version=1, addresses={"push": "token"}, consent={"push": True}, time_zone="Mars/Olympus")
    for _ in range(INSTANTS // 100):
        now = at_utc(chance.randrange(FIRST, LAST))
        asked = Asked(chance, settings)
        asked.contact = contact
        for kind in (*KINDS, "order_update"):
            decision = decide(facts(asked, now, kind, chance), settings)
            assert (decision.state, decision.reason) == (State.WITHHELD, "no_time_zone")
            assert may_send(message(kind, at=now, channel="push", address="token"), contact, now, settings) == "quiet_hours"


def test_the_weekday_is_the_shoppers_own() -> None:
    """France leaves no marketing text on a Sunday: judged in Auckland, Kiritimati and Honolulu on their own walls."""
    settings = config()
    for name in ("Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Honolulu", "Europe/Paris"):
        contact = Contact(
            shopper=SHE, version=1, addresses={"sms": "+33612345678"}, consent={"sms": True}, time_zone=name, country="FR"
        )
        for hour in range(24 * 14):
            now = datetime(2026, 3, 20, tzinfo=UTC) + timedelta(hours=hour)
            local = now.astimezone(ZoneInfo(name))
            allowed = local.weekday() != 6 and 8 <= local.hour < 20
            may = may_send(message(at=now, channel="sms", address="+33612345678"), contact, now, settings) is None
            assert may == allowed, (name, local)


def test_every_zone_is_covered() -> None:
    names: Sequence[str] = zones()
    assert len(ZONES) > 550
    assert len(names) == len(ZONES) or len(names) > 60

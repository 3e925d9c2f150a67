"""Laws that hold for any history and any hour: caps, quiet hours, one entry with a reason for every moment."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.decisions import DAY, EVENING, HOUR, KEEP, SHE, Desk, moment, numbers

from regulars.decisions.config import Hours
from regulars.decisions.gate import may_send
from regulars.decisions.model import State
from regulars.decisions.quiet import is_open, next_open
from regulars.decisions.reasons import SENTENCES
from regulars.decisions.timing import best_instant

KINDS = sorted(numbers().kinds)
NIGHT_OWL = Hours(opens=20, closes=22)
OPEN = Hours(opens=8, closes=22)


def run(desk: Desk, seed: int, count: int) -> list[tuple[datetime, str, str]]:
    """A random life: moments of every kind, deferrals brought back, plans sent through the gate; (at, kind, channel) sent."""
    chance = random.Random(seed)
    waiting = sorted((EVENING + chance.uniform(0, 60) * DAY, n) for n in range(count))
    agenda = [(at, moment(chance.choice(KINDS), f"s{n}", at=at, expires_at=at + 4 * DAY)) for at, n in waiting]
    sent: list[tuple[datetime, str, str]] = []
    while agenda:
        agenda.sort(key=lambda entry: (entry[0], entry[1].id))
        desk.now, due = agenda.pop(0)
        desk.deferred.clear()
        entry = desk.decide(due)
        agenda += [(until, back) for back, until in desk.deferred]
        contact = desk.contacts.load(SHE)
        if entry.state is State.PLANNED and may_send(entry, contact, desk.now, desk.config) is None:
            slot = not desk.config.kinds[entry.kind].transactional
            desk.ledger.claim(
                entry,
                contact,
                token="t",
                now=desk.now,
                lease_until=desk.now + HOUR,
                takes_slot=slot,
                keep_slots_since=desk.now - KEEP,
            )
            fate = chance.choice([State.SENT, State.SENT, State.FAILED])
            desk.ledger.finish(
                entry, token="t", state=fate, reason="sent", now=desk.now, gives_slot_back=slot and fate is State.FAILED
            )
            if fate is State.SENT and slot:
                sent.append((desk.now, entry.kind, entry.channel))
    return sent


@pytest.mark.parametrize("tier", ["low", "high"])
@pytest.mark.parametrize("seed", range(12))
def test_no_window_ever_holds_more_than_its_cap(seed: int, tier: str) -> None:
    desk = Desk()
    desk.knows(tier=tier)
    desk.reachable(email="mira@example.com", push="token", sms="+447700900123")
    sent = run(desk, seed, 120)
    assert len(sent) >= 4
    for cap in desk.config.caps.values():
        for end, kind, channel in sent:
            if cap.only and channel not in cap.only:
                continue
            inside = [
                at
                for at, other, way in sent
                if end - timedelta(hours=cap.hours) < at <= end
                and {"": True, "channel": way == channel, "kind": other == kind}[cap.per]
            ]
            assert len(inside) <= cap.at_most[tier]


@pytest.mark.parametrize("seed", range(6))
def test_no_marketing_leaves_at_night_and_every_moment_has_one_entry_with_a_reason(seed: int) -> None:
    zone = ZoneInfo(random.Random(seed).choice(sorted(available_timezones())))
    desk = Desk()
    desk.contacts.update(SHE, now=EVENING, details={"time_zone": zone.key})
    for at, _, _ in run(desk, seed, 60):
        assert 8 <= at.astimezone(zone).hour < 22
    entries = desk.ledger.list(SHE, 1_000)
    assert sorted(entry.subject for entry in entries) == sorted(f"s{n}" for n in range(60))
    assert all(entry.reason in SENTENCES and entry.history for entry in entries)
    assert all(entry.state is not State.DEFERRED for entry in entries)


def transitions(zone: ZoneInfo) -> list[datetime]:
    """Instants 2024–2035 at which the zone's offset changes, to the hour."""
    found, at, end = [], datetime(2024, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
    offset = at.astimezone(zone).utcoffset()
    while at < end:
        later = at + 7 * DAY
        if later.astimezone(zone).utcoffset() != offset:
            hour = next(at + n * HOUR for n in range(1, 169) if (at + n * HOUR).astimezone(zone).utcoffset() != offset)
            found.append(hour)
            offset = later.astimezone(zone).utcoffset()
        at = later
    return found


def test_quiet_hours_hold_around_every_transition_of_sampled_zones() -> None:
    chance = random.Random(2024)
    zones = [ZoneInfo(name) for name in chance.sample(sorted(available_timezones()), 60)]
    zones += [ZoneInfo(name) for name in ("Australia/Lord_Howe", "America/Nuuk", "Africa/Casablanca", "Pacific/Chatham")]
    checked = 0
    for zone in zones:
        for change in transitions(zone)[:12]:
            for at in (change + chance.uniform(-30, 30) * HOUR for _ in range(3)):
                for opens, closes in ((8.0, 22.0), (1.5, 3.0)):
                    hours = Hours(opens=opens, closes=closes)
                    found = next_open(at, [zone], hours)
                    assert found is not None
                    local = found.astimezone(zone)
                    assert opens <= local.hour + local.minute / 60 < closes
                    assert at <= found <= at + timedelta(hours=50)
                    checked += 1
    assert checked > 500


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    at=st.integers(1_704_067_200, 2_082_758_399),
    names=st.lists(st.sampled_from(sorted(available_timezones())), min_size=1, max_size=3),
)
def test_what_is_called_open_is_open_in_every_zone(at: int, names: list[str]) -> None:
    instant, zones = datetime.fromtimestamp(at, UTC), [ZoneInfo(name) for name in names]
    found = next_open(instant, zones, OPEN)
    if found is None:  # the zones lie so far apart that no hour is open in all of them
        assert len(set(names)) > 1
        return
    assert is_open(found, zones, OPEN)
    assert all(8 <= found.astimezone(zone).hour < 22 for zone in zones)
    assert found == instant or not is_open(instant, zones, OPEN)
    best = best_instant(instant, zones, NIGHT_OWL, OPEN, SHE)
    if best is not None:
        assert best.astimezone(zones[0]).hour in (20, 21)
        assert is_open(best, zones, OPEN)


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from([*KINDS, "unheard_of"]),
    hours=st.floats(-100, 100),
    lasts=st.floats(-10, 200),
    facts=st.dictionaries(st.sampled_from(["items", "x"]), st.one_of(st.none(), st.integers(), st.lists(st.text()), st.text())),
    deferrals=st.integers(0, 30),
    zone=st.sampled_from(["", "UTC", "Mars/Olympus", "Asia/Kathmandu"]),
    country=st.sampled_from(["", "US", "xx", "United Kingdom", "RSA", "RU"]),
)
def test_every_moment_ends_in_exactly_one_entry_with_a_reason(
    kind: str, hours: float, lasts: float, facts: dict[str, object], deferrals: int, zone: str, country: str
) -> None:
    desk = Desk()
    desk.contacts.update(SHE, now=EVENING, details={"time_zone": zone, "country": country})
    at = EVENING + timedelta(hours=hours)
    asked = moment(kind, "any", at=at, expires_at=at + timedelta(hours=lasts), facts=facts, deferrals=deferrals)
    entry = desk.decide(asked)
    assert list(desk.ledger.list(SHE)) == [entry]
    assert entry.reason in SENTENCES
    assert (len(desk.orders) == 1) == (entry.state is State.PLANNED)
    assert (len(desk.deferred) == 1) == (entry.state is State.DEFERRED)
    if entry.state is State.DEFERRED:
        assert entry.not_before is not None
        assert desk.now <= entry.not_before < entry.expires_at

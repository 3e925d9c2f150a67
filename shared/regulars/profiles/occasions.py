"""Moments of the calendar that the daily sweep tells: festivals a week ahead, anniversaries of signing up and of buying.

Each has a day on which it is told. A sweep tells what fell due since the last one, so that a missed day is made up for; a
sweep that dies and runs again tells the same moments, and their ids (festival and year, anniversary and year) make them one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from regulars.clock import to_ms
from regulars.messages import Moment
from regulars.profiles.config import EVERYBODY, Occasions
from regulars.profiles.festivals import date_in
from regulars.profiles.model import Profile
from regulars.storage import Storage
from regulars.triggers.birthdays import birthday_in
from regulars.triggers.local_time import instant, local

FESTIVAL, ANNIVERSARY = "festival", "anniversary"
MARK_KEY = "profiles/occasions.json"
"""`through`: the last day whose occasions were told."""


@dataclass(frozen=True, slots=True)
class Festival:
    """One festival of one year."""

    name: str
    day: date


class Calendar:
    """What falls due in one sweep at `now`; days are those of `zone`."""

    def __init__(
        self,
        numbers: Occasions,
        festivals: Mapping[str, Mapping[str, int]],
        through: date | None,
        now: datetime,
        zone: ZoneInfo,
    ) -> None:
        self._numbers, self._zone, self._now = numbers, zone, now
        self.today = local(now, zone).date()
        earliest = self.today - timedelta(days=numbers.catch_up_days)
        self._after = max(earliest, through) if through else self.today - timedelta(days=1)
        self.festivals = tuple(self._coming(festivals))

    def moments(self, profile: Profile) -> Iterator[Moment]:
        """The occasions of one shopper."""
        for festival in self.festivals:
            if self._may_want(profile, festival.name):
                facts = {"festival": festival.name, "day": festival.day.isoformat()}
                ends = instant(festival.day, 0, 0, self._zone)
                yield self._moment(profile, FESTIVAL, f"{festival.name}/{festival.day.year}", ends, facts)
        yield from self._anniversaries(profile)

    def _coming(self, festivals: Mapping[str, Mapping[str, int]]) -> Iterator[Festival]:
        lead = timedelta(days=self._numbers.lead_days)
        for name, shape in festivals.items():
            for year in (self.today.year - 1, self.today.year, self.today.year + 1):
                day = date_in(shape, year)
                if self._after < day - lead <= self.today < day:
                    yield Festival(name, day)

    def _may_want(self, profile: Profile, festival: str) -> bool:
        if self._numbers.audience == EVERYBODY:
            return True
        if profile.rule_tags.intersection(self._numbers.rule_tags.get(festival, ())):
            return True
        return sum(profile.tags.get(tag, 0.0) for tag in self._numbers.tags) >= self._numbers.least

    def _anniversaries(self, profile: Profile) -> Iterator[Moment]:
        """The first order's day, else the day she was first seen: one of the two a day."""
        days = {"purchase": profile.orders[0].at if profile.orders else None, "sign_up": profile.first_seen_at}
        for what, began in days.items():
            if what not in self._numbers.anniversaries or began is None:
                continue
            first = local(began, self._zone).date()
            for year in sorted({self._after.year, self.today.year}):
                day = birthday_in(year, f"{first:%m-%d}")
                if year > first.year and self._after < day <= self.today:
                    ends = instant(day + timedelta(days=self._numbers.anniversary_lapse_days), 0, 0, self._zone)
                    facts = {"anniversary": what, "years": year - first.year}
                    yield self._moment(profile, ANNIVERSARY, f"{what}/{year}", ends, facts)
                    return

    def _moment(self, profile: Profile, kind: str, subject: str, ends: datetime, facts: Mapping[str, Any]) -> Moment:
        return Moment(
            id=f"{kind}#{subject}",
            correlation_id=f"sweep-{self.today.isoformat()}",
            sent_at_ms=to_ms(self._now),
            shopper=profile.shopper,
            kind=kind,
            subject=subject,
            occurred_at_ms=to_ms(self._now),
            due_at_ms=to_ms(self._now),
            expires_at_ms=to_ms(ends),
            facts=dict(facts),
        )


def told_through(storage: Storage) -> date | None:
    """The last day whose occasions were told, None before the first sweep."""
    body = storage.get(MARK_KEY)
    return date.fromisoformat(json.loads(body)["through"]) if body else None


def note_told(storage: Storage, through: date) -> None:
    """Everything up to this day has been told."""
    storage.put(MARK_KEY, json.dumps({"through": through.isoformat()}).encode(), "application/json")

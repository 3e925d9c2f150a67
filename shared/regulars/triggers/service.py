"""plan_triggers: the log's stream becomes timers. And `defer`, by which the arbiter waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from regulars.capture.model import Event
from regulars.capture.packing import unpack
from regulars.catalogue.ports import Catalogue
from regulars.clock import Clock, from_ms, to_ms
from regulars.messages import Moment
from regulars.profiles.ports import Profiles
from regulars.triggers.agenda import Plan
from regulars.triggers.config import Triggers
from regulars.triggers.model import timer_of
from regulars.triggers.planning import Circumstances, bought_items, is_of_interest, plan, wants_profile
from regulars.triggers.ports import Timers
from regulars.triggers.reading import joined


class PlanTriggers:
    """Called with each change of the events table; only inserted log items plan anything.

    Repeating an item changes nothing: subjects are made of the deeds, and a timer that fired is still known. Raises
    TryLater when a store does; the stream brings the item again.
    """

    def __init__(
        self, *, timers: Timers, profiles: Profiles, catalogue: Catalogue, clock: Clock, zone: ZoneInfo, numbers: Triggers
    ) -> None:
        self._timers = timers
        self._profiles = profiles
        self._catalogue = catalogue
        self._clock = clock
        self._zone = zone
        self._numbers = numbers

    def __call__(self, table: str, change: str, new: Mapping[str, Any], old: Mapping[str, Any]) -> Plan:
        """The plan as it was written."""
        if change != "INSERT" or "events" not in new:
            return Plan()
        events = [event for event in unpack(new["events"]) if is_of_interest(event, self._numbers)]
        if not events:
            return Plan()
        made = plan(str(new["pk"]), events, self._circumstances(str(new["pk"]), events), self._numbers)
        for timer in made.sets:
            self._timers.set(timer)
        for shopper, kind, subject in made.cancels:
            self._timers.cancel(shopper, (kind,), subject=subject)
        return made

    def _circumstances(self, shopper: str, events: list[Event]) -> Circumstances:
        now = from_ms(to_ms(self._clock()))
        known = self._timers.known(shopper)
        others = dict.fromkeys(other for event in events for other in joined(event) if other != shopper)
        bought = bought_items(events)
        return Circumstances(
            now=now,
            zone=self._zone,
            known=known,
            joined=[timer for other in others for timer in self._timers.known(other)],
            profile=self._profiles.load(shopper, now) if wants_profile(events, known, now, self._numbers) else None,
            items=self._catalogue.get(bought) if bought else {},
        )


def defer(timers: Timers, moment: Moment, until: datetime, *, remember: timedelta = timedelta(days=7)) -> None:
    """Bring this very moment (same id, one deferral older) back at `until`; never by its own queue.

    It keeps its kind, so what cancels the kind cancels it while it waits. `remember`: how long after its expiry planning
    still knows that it was said.
    """
    timer = timer_of(moment, until)
    timers.set(replace(timer, remember_until=timer.expires_at + remember))

"""Events, a planner on memory adapters, and a tick, at a fixed hour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from regulars.adapters.memory.catalogue import MemoryCatalogue
from regulars.adapters.memory.queues import MemoryQueue
from regulars.adapters.memory.timers import MemoryTimers
from regulars.capture.model import Event
from regulars.capture.packing import pack
from regulars.messages import Moment
from regulars.profiles.model import Profile
from regulars.shop import section
from regulars.triggers.agenda import Plan
from regulars.triggers.config import Triggers
from regulars.triggers.firing import FireTimers
from regulars.triggers.ports import Timers
from regulars.triggers.service import PlanTriggers

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
NUMBERS = section(Triggers, "triggers")
SHOPPER = "user:ann"
_ids = count()


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def event(name: str, at: datetime = NOW, *, shopper: str = SHOPPER, **properties: Any) -> Event:
    """A track call."""
    return Event(
        message_id=f"m{next(_ids)}",
        type="track",
        name=name,
        shopper=shopper,
        user_id=shopper.removeprefix("user:") if shopper.startswith("user:") else "",
        anonymous_id=shopper.removeprefix("anon:") if shopper.startswith("anon:") else "",
        at=at,
        received_at=at,
        properties=properties,
    )


def viewed(item: str = "mug", at: datetime = NOW, **more: Any) -> Event:
    return event("Product Viewed", at, product_id=item, **more)


def added(item: str = "mug", at: datetime = NOW, **more: Any) -> Event:
    return event("Product Added", at, **{"product_id": item, "price": 4.25, "quantity": 2, **more})


def removed(item: str = "mug", at: datetime = NOW, **more: Any) -> Event:
    return event("Product Removed", at, **{"product_id": item, "price": 4.25, "quantity": 2, **more})


def ordered(*items: str, at: datetime = NOW, order_id: str = "o1", **more: Any) -> Event:
    return event("Order Completed", at, order_id=order_id, products=[{"product_id": item} for item in items], **more)


def identified(at: datetime = NOW, *, anonymous_id: str = "", context: Mapping[str, Any] | None = None, **traits: Any) -> Event:
    base = event("", at)
    return replace(base, type="identify", traits=traits, anonymous_id=anonymous_id, context=context or {}, properties={})


@dataclass
class OneProfile:
    """The port Profiles with a profile for everybody; `asked` counts the reads."""

    profile: Profile = field(default_factory=lambda: Profile(shopper=SHOPPER, as_of=NOW))
    asked: int = 0

    def load(self, shopper: str, now: datetime) -> Profile:
        self.asked += 1
        return self.profile


class Loop:
    """Both functions around one due index, with a clock to turn."""

    def __init__(
        self, timers: Timers | None = None, *, shards: int = 4, now: datetime = NOW, numbers: Triggers = NUMBERS
    ) -> None:
        self.now = now
        self.timers: Timers = timers or MemoryTimers(shards)
        self.queue = MemoryQueue()
        self.profiles = OneProfile()
        self.catalogue = MemoryCatalogue()
        self.planner = PlanTriggers(
            timers=self.timers,
            profiles=self.profiles,
            catalogue=self.catalogue,
            clock=lambda: self.now,
            zone=ZoneInfo("Europe/London"),
            numbers=numbers,
        )
        self.fire = FireTimers(
            timers=self.timers,
            moments=self.queue,
            clock=lambda: self.now,
            shards=shards,
            numbers=replace(numbers.firing, workers=1),
            monotonic=lambda: 0.0,
        )

    def plan(self, *events: Event, shopper: str = "", at_once: bool = False) -> Plan:
        """One log item, as the stream brings it; the clock is not behind the deeds unless they come `at_once`."""
        if not at_once:
            self.now = max([self.now, *(event.at for event in events)])
        shopper = shopper or (events[0].shopper if events else SHOPPER)
        return self.planner("events", "INSERT", {"pk": shopper, "sk": "-", "events": pack(events)}, {})

    def live(
        self,
        events: Iterable[Event],
        *,
        until: datetime,
        step: timedelta = timedelta(minutes=1),
        ticks: Callable[[datetime], bool] = lambda now: True,
    ) -> None:
        """Each event is planned when it happens; every `step`, until the clock shows `until`, the tick comes if `ticks`."""
        waiting = sorted(events, key=lambda event: event.at)
        while self.now < until:
            self.now += step
            while waiting and waiting[0].at <= self.now:
                self.plan(waiting.pop(0))
            if ticks(self.now):
                self.fire()

    def known(self, kind: str = "", shopper: str = SHOPPER) -> dict[str, datetime]:
        """Key → due instant of what waits."""
        return {
            timer.key: timer.due_at
            for timer in self.timers.known(shopper)
            if timer.due_at > self.now and timer.kind.startswith(kind)
        }

    @property
    def moments(self) -> list[Moment]:
        return [message for message in self.queue.messages if isinstance(message, Moment)]

    @property
    def told(self) -> list[str]:
        """Ids of the moments emitted, in order."""
        return [moment.id for moment in self.moments]

    @property
    def told_by(self) -> list[tuple[str, str]]:
        """(shopper, id) of the moments emitted."""
        return [(moment.shopper, moment.id) for moment in self.moments]

"""The whole loop on memory adapters: due index → moments → decisions → orders → sending → delivery reports → feedback."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, partial
from heapq import heappop, heappush
from itertools import count
from typing import Any

from tests.simulation.choices import Choices
from tests.simulation.faults import Faults
from tests.simulation.kernel import NEVER, START, Kernel, Stepping
from tests.simulation.providers import ShakyProvider
from tests.simulation.queue import Line
from tests.support.decisions import ShopWindow
from tests.support.triggers import NUMBERS

from regulars.adapters.memory.contacts import MemoryContacts
from regulars.adapters.memory.limits import MemoryPauses, MemoryPermits
from regulars.adapters.memory.messages import MemoryLedger
from regulars.adapters.memory.metrics import MemoryCounters, MemoryTouches
from regulars.adapters.memory.offers import MemoryOffers
from regulars.adapters.memory.profiles import MemoryProfiles
from regulars.adapters.memory.suppressions import MemorySuppressions
from regulars.adapters.memory.timers import MemoryTimers
from regulars.channels.config import ChannelSettings
from regulars.channels.pacing import Pace
from regulars.channels.ports import Envelope
from regulars.channels.sending import SendMessage
from regulars.clock import to_ms
from regulars.decisions.config import Decisions
from regulars.decisions.model import CHANNELS, Message
from regulars.decisions.service import DecideMessage
from regulars.feedback.attribution import Attribution
from regulars.feedback.config import FeedbackConfig, load
from regulars.feedback.service import RecordFeedback
from regulars.messages import Feedback, Moment, SendOrder, encode
from regulars.profiles.model import Profile
from regulars.profiles.reading import NewestOrder
from regulars.shop import section
from regulars.triggers.firing import FireTimers
from regulars.triggers.model import Timer
from regulars.triggers.service import defer

SHARDS = 2
LONG_AGO = START - timedelta(days=400)
MINUTE = timedelta(minutes=1)
LAG = timedelta(seconds=3)
"""DynamoDB's eventually consistent reads are usually behind by less than a second."""


@cache
def decisions() -> Decisions:
    """The shop's defaults, nobody in the control group."""
    return section(Decisions, "decisions", {"decisions": {"holdout": {"share": 0.0}}})


@cache
def channel_settings() -> ChannelSettings:
    return section(ChannelSettings, "channels")


@cache
def feedback_config() -> FeedbackConfig:
    return load()


class Plain:
    """A renderer that says nothing: the words are tested elsewhere and cost ten times a send."""

    def render(self, message: Message, *, transactional: bool) -> Any:
        return None


class Everybody:
    """The port Profiles: everybody is known and spends little."""

    def load(self, shopper: str, now: datetime) -> Profile:
        return Profile(shopper=shopper, as_of=now, first_seen_at=LONG_AGO, tier="low")


class LaggingLedger(MemoryLedger):
    """Its list is eventually consistent: now and then it shows what stood up to `LAG` ago."""

    def __init__(self, kernel: Kernel, *parts: Any) -> None:
        super().__init__(*parts)
        self._kernel = kernel
        self._before: dict[str, list[tuple[datetime, str, Message | None]]] = {}

    def list(self, shopper: str, limit: int = 100) -> Sequence[Message]:
        now = super().list(shopper, limit)
        if not self._kernel.choices.chance(self._kernel.faults.stale):
            return now
        shown: dict[str, Message | None] = {message.moment_id: message for message in now}
        for at, moment_id, old in reversed(self._before.get(shopper, [])):
            if at < self._kernel.now - LAG:
                break
            shown[moment_id] = old
        found = (message for message in shown.values() if message)
        return sorted(found, key=lambda message: (message.decided_at, message.moment_id), reverse=True)

    def _keep(self, message: Message) -> Message:
        before = self._before.setdefault(message.shopper, [])
        before.append((self._kernel.now, message.moment_id, self.get(message.shopper, message.moment_id)))
        return super()._keep(message)


class WatchedTimers(MemoryTimers):
    """Knows when its next timer is due."""

    def __init__(self, shards: int) -> None:
        super().__init__(shards)
        self._next: datetime | None = None

    def set(self, timer: Timer) -> None:
        self._next = None
        super().set(timer)

    def done(self, shard: int, timers: Sequence[Timer]) -> None:
        self._next = None
        super().done(shard, timers)

    def next_at(self) -> datetime:
        if self._next is None:
            pages = [self.due(shard, LONG_AGO, NEVER, 1) for shard in range(self._shards)]
            self._next = min((timer.due_at for page in pages for timer in page.timers), default=NEVER)
        return self._next


@dataclass
class Ticks:
    """The minute schedule, as a source: idle minutes are skipped. Now and then two ticks run at once."""

    kernel: Kernel
    timers: WatchedTimers
    fire: Callable[[], object]
    last: datetime = START

    def next_at(self) -> datetime:
        return max(self.timers.next_at(), self.last + MINUTE) if self.timers.next_at() < NEVER else NEVER

    def start(self) -> None:
        again = self.kernel.choices.chance(self.kernel.faults.again)
        self.last = self.kernel.now - (MINUTE if again else timedelta())
        self.kernel.spawn("tick", self.fire, lambda error: None)


class Life:
    """What happens meanwhile, as a source: each thing once, at its time."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._plans: list[tuple[datetime, int, Callable[[], object]]] = []
        self._turn = count()

    def plan(self, at: datetime, happens: Callable[[], object]) -> None:
        heappush(self._plans, (at, next(self._turn), happens))

    def next_at(self) -> datetime:
        return self._plans[0][0] if self._plans else NEVER

    def start(self) -> None:
        heappop(self._plans)[2]()
        self._kernel.note("life")


class SimulatedShop:
    """Everything between a timer and a delivery report, in one small world of its own."""

    def __init__(
        self,
        choices: Choices,
        faults: Faults,
        *,
        config: Decisions | None = None,
        workers: int = 3,
        most_receives: int = 5,
    ) -> None:
        self.kernel = kernel = Kernel(choices, faults, workers=workers)
        self.config = config or decisions()
        self.contacts, self.suppressions = MemoryContacts(), MemorySuppressions()
        self.offers, self.pauses, self.profiles = MemoryOffers(), MemoryPauses(), MemoryProfiles()
        self.ledger = LaggingLedger(kernel, self.contacts, self.suppressions, self.offers)
        self.timers = WatchedTimers(SHARDS)
        self.moments = Line(kernel, "moments", most=most_receives)
        self.orders = {channel: Line(kernel, channel, most=most_receives) for channel in CHANNELS}
        self.reports = Line(kernel, "feedback", most=most_receives)
        self.provider = ShakyProvider(kernel, self._report)
        self.told: set[str] = set()
        self._tokens = count(1)
        self._wire()

    def _wire(self) -> None:
        kernel = self.kernel
        ledger = Stepping(kernel, "ledger", self.ledger)
        contacts = Stepping(kernel, "contacts", self.contacts)
        suppressions = Stepping(kernel, "suppressions", self.suppressions)
        timers = Stepping(kernel, "timers", self.timers)
        moments = Stepping(kernel, "moments", self.moments)
        parts: dict[str, Any] = {"ledger": ledger, "contacts": contacts, "suppressions": suppressions, "clock": kernel.clock}
        pauses, defers = Stepping(kernel, "pauses", self.pauses), partial(defer, timers)
        decide = DecideMessage(
            **parts,
            profiles=Stepping(kernel, "profiles", Everybody()),
            showcase=ShopWindow(),
            queues={channel: Stepping(kernel, f"orders.{channel}", line) for channel, line in self.orders.items()},
            defer=defers,
            config=self.config,
            paused=pauses.standing,
        )
        self.moments.handle = lambda moment, tries: decide(moment)
        self.send = SendMessage(
            **parts,
            renderer=Plain(),  # type: ignore[arg-type]
            providers=dict.fromkeys(CHANNELS, self.provider),
            decisions=self.config,
            config=channel_settings().sending,
            defer=defers,
            pace=Pace(MemoryPermits(), replace(channel_settings().pacing, quotas={}), clock=kernel.clock),
            pauses=pauses,
            orders=NewestOrder(Stepping(kernel, "profiles", self.profiles)),
            chance=lambda: kernel.choices.below(100) / 100,
            new_token=lambda: f"t{next(self._tokens)}",
        )
        for line in self.orders.values():
            line.handle = self.send
        attribution = Attribution(self.ledger, MemoryTouches(MemoryCounters()), feedback_config().attribution)
        record = self.record = RecordFeedback(
            **parts, attribution=attribution, config=feedback_config(), topics=["arn:aws:sns:eu-west-1:1:feedback"]
        )
        self.reports.handle = lambda body, tries: record(body)
        self.fire = FireTimers(
            timers=timers,
            moments=moments,
            clock=kernel.clock,
            shards=SHARDS,
            numbers=replace(NUMBERS.firing, workers=1),
            monotonic=lambda: 0.0,
        )
        self.life = Life(kernel)
        ticks = Ticks(kernel, self.timers, self.fire)
        kernel.sources = [ticks, self.life, self.moments, *self.orders.values(), self.reports]

    @property
    def lines(self) -> list[Line]:
        return [self.moments, *self.orders.values(), self.reports]

    def shopper(self, name: str, channels: Iterable[str] = ("email", "push")) -> str:
        """Somebody who can be reached on `channels` and agreed."""
        addresses: Mapping[str, str | None] = {channel: f"{name}@{channel}" for channel in channels}
        details = {"time_zone": "UTC", "country": "GB", "name": "Ann"}
        consent = dict.fromkeys(channels, True)
        self.contacts.update(name, now=START, addresses=addresses, consent=consent, details=details)
        return name

    def arm(self, shopper: str, kind: str, subject: str, due_at: datetime, *, lasts: timedelta = timedelta(days=2)) -> None:
        """A timer whose moment lapses `lasts` after it is due."""
        timer = Timer(
            shopper=shopper,
            kind=kind,
            subject=subject,
            due_at=due_at,
            occurred_at=START - timedelta(hours=2),
            expires_at=due_at + lasts,
            facts={"items": ["i1"]},
        )
        self.timers.set(timer)

    def changes_her_mind(self, shopper: str, channel: str) -> None:
        """Consent of the channel withdrawn."""
        self.contacts.update(shopper, now=self.kernel.now, consent={channel: False})

    def bounces(self, shopper: str, channel: str) -> None:
        """The address is suppressed, for order updates too."""
        self.suppressions.add(channel, f"{shopper}@{channel}", reason="bounce", now=self.kernel.now)

    def buys(self, shopper: str) -> None:
        """An order that answers what reminds her of one."""
        record = self.profiles.load(shopper)
        facts = replace(record.orders, last_ms=to_ms(self.kernel.now))
        self.profiles.save(replace(record, orders=facts))

    def pauses_marketing(self, channel: str, span: timedelta) -> None:
        """Somebody stops a channel, and lets it go on after `span`."""
        self.pauses.pause(channel, "operator", at=self.kernel.now)
        self.life.plan(self.kernel.now + span, lambda: self.pauses.resume(channel))

    def all_dead(self) -> list[tuple[str, str]]:
        """(shopper, moment id) of the moments and orders among the dead letters."""
        letters = [letter for line in self.lines for letter in line.dead]
        moments = [(letter.shopper, letter.id) for letter in letters if isinstance(letter, Moment)]
        return moments + [(letter.shopper, letter.moment_id) for letter in letters if isinstance(letter, SendOrder)]

    def _report(self, envelope: Envelope) -> None:
        """The provider's delivery report, some seconds to minutes later; or never."""
        choices = self.kernel.choices
        if choices.chance(self.kernel.faults.silent):
            return
        self.told.add(envelope.message_id)
        report = Feedback(
            id=f"f-{envelope.message_id}",
            correlation_id="",
            sent_at_ms=to_ms(self.kernel.now),
            kind="delivered",
            channel=envelope.channel,
            at_ms=to_ms(self.kernel.now),
            message_id=envelope.message_id,
        )
        self.reports.put([encode(report)], timedelta(seconds=1 + 20 * choices.below(20)))

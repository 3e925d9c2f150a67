"""The rehearsal: the shop's own arbiter, due index and sender on a clock that jumps from one due instant to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from regulars.adapters.memory.channels import MemoryProvider
from regulars.adapters.memory.limits import MemoryPauses, MemoryPermits
from regulars.adapters.memory.queues import MemoryQueue
from regulars.channels.config import ChannelSettings
from regulars.channels.pacing import Pace
from regulars.channels.rendering import Renderer
from regulars.channels.sending import SendMessage
from regulars.decisions.config import Decisions
from regulars.decisions.model import CHANNELS, Message
from regulars.decisions.ports import Showcase
from regulars.decisions.service import DecideMessage
from regulars.decisions.zones import shop_zone
from regulars.errors import GiveUp, RegularsError, TryLater
from regulars.messages import Moment, SendOrder
from regulars.offers.codes import Codes
from regulars.offers.config import OfferSettings
from regulars.offers.issuing import Issuing
from regulars.offers.reserving import Reserving
from regulars.offers.stock import Stock
from regulars.profiles.config import Weights
from regulars.profiles.reading import NewestOrder, ProfileReader
from regulars.profiles.sweep import SweepLifecycle
from regulars.triggers.config import Firing
from regulars.triggers.firing import FireTimers
from regulars.triggers.service import defer
from regulars_ops.rehearsal.copying import Copy

_TRIES = 5
_NO_KEY = b"rehearsal" * 4
_SWEEP_AT = timedelta(hours=2, minutes=15)


@dataclass(slots=True)
class VirtualClock:
    """Call it for the time; set `now` to move it."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The shop's numbers, as the functions read them."""

    decisions: Decisions
    channels: ChannelSettings
    weights: Weights
    firing: Firing
    offers: OfferSettings


@dataclass(slots=True)
class Rehearsal:
    """`run` yields the virtual instant after each step, for a progress bar; then `outbox` and `touched` tell what came of it.

    `sweep` makes the daily sweep on the copy, or is None: then no win-back moments come up by themselves. `refused`: moment
    id → error, of moments whose decision or sending could not be made at all.
    """

    copy: Copy
    rules: Rules
    clock: VirtualClock
    showcase: Showcase
    renderer: Renderer
    sweep: Callable[[MemoryQueue], SweepLifecycle] | None = None
    moments: MemoryQueue = field(default_factory=MemoryQueue)
    provider: MemoryProvider = field(default_factory=MemoryProvider)
    refused: dict[tuple[str, str], str] = field(default_factory=dict)
    touched: dict[tuple[str, str], None] = field(default_factory=dict)
    _queues: dict[str, MemoryQueue] = field(default_factory=lambda: {channel: MemoryQueue() for channel in CHANNELS})

    def run(self, end: datetime, campaigns: Mapping[datetime, Sequence[Moment]]) -> Iterator[datetime]:
        """Until `end` (excluded). `campaigns`: instant → the moments that a campaign makes then."""
        planned = sorted(campaigns)
        while (at := self._next(planned, end)) is not None and at < end:
            self.clock.now = max(at, self.clock.now)
            if planned and planned[0] <= at:
                self.moments.send(campaigns[planned.pop(0)])
            elif self.sweep and at == self._next_sweep():
                self._swept = at
                self.sweep(self.moments)()
            self._tick()()
            self._settle()
            yield self.clock.now

    _swept: datetime | None = None

    def messages(self) -> list[Message]:
        """What stands at the end about every moment that came up, in the order in which they did."""
        found = (self.copy.ledger.get(shopper, moment_id) for shopper, moment_id in self.touched)
        return [message for message in found if message is not None]

    def _next(self, planned: Sequence[datetime], end: datetime) -> datetime | None:
        page = self.copy.timers.due(0, self.clock.now - timedelta(days=1), end, 1)
        candidates = [max(page.timers[0].due_at, self.clock.now)] if page.timers else []
        candidates += planned[:1]
        candidates += [self._next_sweep()] if self.sweep else []
        return min(candidates, default=None)

    def _next_sweep(self) -> datetime:
        midnight = self.clock.now.replace(hour=0, minute=0, second=0, microsecond=0)
        today = midnight + _SWEEP_AT
        done = today < self.clock.now or self._swept == today
        return today + timedelta(days=1) if done else today

    def _tick(self) -> FireTimers:
        return FireTimers(
            timers=self.copy.timers,
            moments=self.moments,
            clock=self.clock,
            shards=1,
            numbers=self.rules.firing,
            monotonic=lambda: 0.0,
        )

    def _settle(self) -> None:
        """Decide what came up and send what was decided, until both queues are empty."""
        decide, send = self._decide(), self._send()
        while self.moments.sent:
            waiting, self.moments.sent = self.moments.messages, []
            for moment in waiting:
                if isinstance(moment, Moment):
                    self.touched[(moment.shopper, moment.id)] = None
                    self._guarded(moment.shopper, moment.id, partial(decide, moment))
            for queue in self._queues.values():
                orders, queue.sent = queue.messages, []
                for order in orders:
                    if isinstance(order, SendOrder):
                        self._guarded(order.shopper, order.moment_id, partial(send, order))

    def _guarded(self, shopper: str, moment_id: str, step: Callable[[], object]) -> None:
        for _ in range(_TRIES):
            try:
                step()
                return
            except TryLater as error:
                self.refused[(shopper, moment_id)] = error.reason
            except GiveUp as error:
                self.refused[(shopper, moment_id)] = error.reason
                return
            except RegularsError as error:
                self.refused[(shopper, moment_id)] = f"{error.code}: {error.reason}"
                return

    def _decide(self) -> DecideMessage:
        return DecideMessage(
            profiles=ProfileReader(self.copy.profiles, self.rules.weights),
            contacts=self.copy.contacts,
            suppressions=self.copy.suppressions,
            ledger=self.copy.ledger,
            showcase=self.showcase,
            queues=self._queues,
            defer=partial(defer, self.copy.timers),
            clock=self.clock,
            config=self.rules.decisions,
            offers=self.rules.offers,
            pools=self.copy.offers,
        )

    def _send(self) -> SendMessage:
        return SendMessage(
            ledger=self.copy.ledger,
            contacts=self.copy.contacts,
            suppressions=self.copy.suppressions,
            renderer=self.renderer,
            providers=dict.fromkeys(CHANNELS, self.provider),
            decisions=self.rules.decisions,
            config=self.rules.channels.sending,
            clock=self.clock,
            defer=partial(defer, self.copy.timers),
            pace=Pace(MemoryPermits(), replace(self.rules.channels.pacing, quotas={})),  # nobody's seconds pass here
            pauses=MemoryPauses(),
            orders=NewestOrder(self.copy.profiles),
            reserving=self._reserving(),
        )

    def _reserving(self) -> Reserving:
        """Coupons of the rehearsal: their codes are good nowhere."""
        offers, decisions = self.rules.offers, self.rules.decisions
        stock = Stock(self.copy.offers, offers.sharding)
        issuing = Issuing(offers, Codes(_NO_KEY), stock, shop_zone(decisions.place))
        return Reserving(issuing, self.copy.offers, decisions, self.clock)

"""Whatever a shopper or her provider says to stop her messages wins, if it is said before the provider's call.

Every call that decide_message and send_message make to an adapter is a step. A clean run counts them; then, for each step and
each way of stopping, a fresh world runs again and the stop is committed right before that step. No message may go out, not in
that run nor when the queue brings the order again. The one step left out is the provider's call itself: what is said while
it is on its way to the provider comes too late for anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from tests.support import decisions as deciding
from tests.support.sending import ADDRESSES, DESTINATIONS, NOW, SETTINGS, SHOPPER, Sender, link_maker, order, signer

from regulars.adapters.memory.channels import MemoryInbox
from regulars.adapters.memory.events import MemoryEventLog
from regulars.adapters.memory.metrics import MemoryCounters, MemoryTouches
from regulars.adapters.memory.quarantine import MemoryQuarantine
from regulars.adapters.memory.queues import MemoryQueue
from regulars.adapters.memory.storage import MemoryStorage
from regulars.channels.pacing import Pace
from regulars.channels.preferences import Preferences
from regulars.decisions.model import CHANNELS, State
from regulars.errors import GiveUp, TryLater
from regulars.feedback.attribution import Attribution
from regulars.feedback.config import load
from regulars.feedback.links import Links, routes
from regulars.feedback.service import RecordFeedback
from regulars.messages import SendOrder, encode
from regulars.privacy.config import Privacy
from regulars.privacy.erasure import EraseShopper
from regulars.profiles.model import Profile
from regulars.shop import section
from regulars.triggers.service import defer
from regulars.web import Request

PROVIDER = "provider.send"
Stop = Callable[["World", str], None]


@dataclass
class Steps:
    """Counts the calls to adapters; right before number `at` it lets `happen` happen. `names`: what was called, in order."""

    at: int = 0
    happen: Callable[[], None] = lambda: None
    names: list[str] = field(default_factory=list)

    def around(self, name: str, adapter: Any) -> Any:
        return _Stepped(name, adapter, self)

    def take(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) == self.at:
            self.happen()


class _Stepped:
    """An adapter every method of which is a step."""

    def __init__(self, name: str, adapter: Any, steps: Steps) -> None:
        self._name, self._adapter, self._steps = name, adapter, steps

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._adapter, method)
        if not callable(found):
            return found

        def step(*arguments: Any, **named: Any) -> Any:
            self._steps.take(f"{self._name}.{method}")
            return found(*arguments, **named)

        return step

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self._steps.take(self._name)
        return self._adapter(*arguments, **named)


class World:
    """One message to one shopper, everything it touches, and everybody who may stop it."""

    def __init__(self, channel: str, kind: str) -> None:
        self.sender = Sender()
        self.steps = Steps()
        self.message = self.sender.plan(channel=channel, kind=kind)
        self.inbox, self.queue = MemoryInbox(), MemoryQueue()
        touches = MemoryTouches(MemoryCounters())
        config, ledger = load(), self.sender.ledger
        attribution = Attribution(ledger, touches, config.attribution)
        self.feedback = RecordFeedback(
            ledger, self.sender.contacts, self.sender.suppressions, attribution, self.sender.clock, config, []
        )
        self.preferences = Preferences(self.sender.contacts, self.queue, self.sender.clock, self.sender.profiles.erased)
        links = Links(ledger, self.sender.contacts, self.queue, signer(), self.sender.clock, DESTINATIONS)
        self.pages = routes(lambda: links)
        self.erase = EraseShopper(
            histories=self.sender.profiles,
            log=MemoryEventLog(),
            stores={
                "contacts": self.sender.contacts,
                "messages": ledger,
                "timers": self.sender.timers,
                "inbox": self.inbox,
                "offers": self.sender.offers,
                "metrics": touches,
            },
            quarantine=MemoryQuarantine(),
            storage=MemoryStorage(),
            config=section(Privacy, "privacy").erasure,
            clock=self.sender.clock,
        )

    def worker(self) -> Any:
        sender, around = self.sender, self.steps.around
        pace = Pace(
            around("permits", sender.permits), replace(SETTINGS.pacing, quotas={}), clock=sender.clock, sleep=sender.clock.sleep
        )
        return sender.service(
            ledger=around("ledger", sender.ledger),
            contacts=around("contacts", sender.contacts),
            suppressions=around("suppressions", sender.suppressions),
            providers=dict.fromkeys(CHANNELS, around("provider", sender.provider)),
            pauses=around("pauses", sender.pauses),
            orders=around("orders", _Nobody()),
            defer=around("timers.set", partial(defer, sender.timers)),
            pace=pace,
        )

    def deliver(self, send_order: SendOrder | None = None) -> None:
        """The queue brings the order, and again: at once, and after its lease."""
        worker = self.worker()
        for minutes in (0, 0, 5, 60):
            self.sender.clock.pass_(minutes=minutes)
            try:
                worker(send_order or order(self.message))
            except (TryLater, GiveUp):
                continue

    @property
    def sent(self) -> int:
        return len(self.sender.provider.outbox)


class _Nobody:
    """No orders."""

    def last_at(self, shopper: str) -> None:
        return None


def opt_out(world: World, channel: str) -> None:
    world.preferences.change(SHOPPER, {"consent": {channel: False}}, source="preferences")


def opt_out_of_topic(world: World, channel: str) -> None:
    world.preferences.change(SHOPPER, {"topics": {f"{channel}/carts": False}}, source="preferences")


def one_click(world: World, channel: str) -> None:
    token = link_maker().unsubscribe(SHOPPER, world.message.moment_id, channel).rsplit("/", 1)[1]
    body = b"List-Unsubscribe=One-Click"
    reply = world.pages["POST /l/u/{token}"](Request("POST", "", {"token": token}, {}, {}, body))
    assert reply.status == 200


def report(world: World, channel: str, kind: str, **detail: Any) -> None:
    from tests.support.feedback import report as told

    world.feedback(encode(told(kind, at=world.sender.clock(), channel=channel, address=ADDRESSES[channel], detail=detail)))


def hard_bounce(world: World, channel: str) -> None:
    report(world, channel, "bounced", permanent=True)


def complaint(world: World, channel: str) -> None:
    report(world, channel, "complained")


def stop_word(world: World, channel: str) -> None:
    report(world, channel, "stopped")


def erasure(world: World, channel: str) -> None:
    world.erase(SHOPPER)


CONSENT: tuple[Stop, ...] = (opt_out, opt_out_of_topic, one_click)
ADDRESS: tuple[Stop, ...] = (hard_bounce, complaint, stop_word)
CASES = [
    (channel, kind, stop)
    for channel in CHANNELS
    for kind in ("cart_abandoned", "order_update")
    for stop in (*CONSENT, *ADDRESS, erasure)
    # Order updates need no consent; what has no address cannot bounce.
    if not (kind == "order_update" and stop in CONSENT) and not (channel == "inapp" and stop in ADDRESS)
]
IDS = [f"{channel}-{kind}-{stop.__name__}" for channel, kind, stop in CASES]


def steps_of(channel: str, kind: str) -> list[str]:
    """What a clean run calls until the provider, which it reaches."""
    world = World(channel, kind)
    world.worker()(order(world.message))
    assert world.sent == 1
    return world.steps.names[: world.steps.names.index(PROVIDER)]


@pytest.mark.parametrize(("channel", "kind", "stop"), CASES, ids=IDS)
def test_a_stop_before_any_step_of_sending_wins(channel: str, kind: str, stop: Stop) -> None:
    names = steps_of(channel, kind)
    assert len(names) >= 4
    for at, name in enumerate(names, 1):
        world = World(channel, kind)
        world.steps.at, world.steps.happen = at, partial(stop, world, channel)
        world.deliver()
        assert world.sent == 0, f"{stop.__name__} before step {at} ({name})"
        assert world.sender.slots == 0
        standing = world.sender.ledger.get(SHOPPER, world.message.moment_id)
        assert standing is None if stop is erasure else standing and standing.state is State.WITHHELD, name


@pytest.mark.parametrize(("channel", "kind", "stop"), CASES, ids=IDS)
def test_a_stop_while_the_provider_throttles_wins_over_the_next_try(channel: str, kind: str, stop: Stop) -> None:
    """The first try was taken back by the provider; she stops; the order comes again."""
    from regulars.channels.ports import Later

    world = World(channel, kind)
    world.sender.provider.behaviour = lambda envelope: Later("throttled", 1)
    with pytest.raises(TryLater):
        world.worker()(order(world.message))
    world.sender.provider.behaviour = None
    stop(world, channel)
    world.deliver()
    assert world.sent == 0


DECIDED = [
    (stop, channel) for channel in ("email", "sms", "push", "inapp") for stop in (*CONSENT, *ADDRESS, erasure)
    if not (channel == "inapp" and stop in ADDRESS)
]  # fmt: skip


@pytest.mark.parametrize(("stop", "channel"), DECIDED, ids=[f"{stop.__name__}-{channel}" for stop, channel in DECIDED])
def test_a_stop_before_any_step_of_deciding_wins(stop: Stop, channel: str) -> None:
    """Deciding, then sending what was decided: the stop falls before any step of deciding."""
    total = len(decide(channel, None, 0)[1].names)
    assert total >= 5
    for at in range(1, total + 1):
        world, steps = decide(channel, stop, at)
        for queued in world.queue.messages:
            if isinstance(queued, SendOrder):
                world.deliver(queued)
        assert world.sent == 0, f"{stop.__name__} before step {at} ({steps.names[at - 1]})"


def decide(channel: str, stop: Stop | None, at: int) -> tuple[World, Steps]:
    """A cart's moment decided in a world where she can be reached by `channel` alone."""
    world = World(channel, "cart_abandoned")
    sender, steps = world.sender, Steps(at)
    sender.ledger.close(SHOPPER, world.message.moment_id, state=State.LAPSED, reason="expired", now=NOW)
    others = dict.fromkeys((name for name in CHANNELS if name != channel), False)
    sender.contacts.update(SHOPPER, now=NOW - timedelta(days=1), consent=others)
    sender.contacts.update(SHOPPER, now=NOW, consent=others)
    world.queue = MemoryQueue()
    moment = deciding.moment("cart_abandoned", "2", at=NOW, shopper=SHOPPER)
    world.message = replace(world.message, moment_id=moment.id)
    if stop:
        steps.happen = partial(stop, world, channel)
    people = deciding.People()
    people.known[SHOPPER] = Profile(shopper=SHOPPER, as_of=NOW, first_seen_at=NOW - timedelta(days=90), tier="low")
    from regulars.decisions.service import DecideMessage

    service = DecideMessage(
        profiles=steps.around("profiles", people),
        contacts=steps.around("contacts", sender.contacts),
        suppressions=steps.around("suppressions", sender.suppressions),
        ledger=steps.around("ledger", sender.ledger),
        showcase=steps.around("showcase", deciding.ShopWindow()),
        queues={name: steps.around("queue", world.queue) for name in CHANNELS},
        defer=lambda moment, until: None,
        clock=lambda: NOW,
        config=deciding.numbers(),
    )
    decided = service(moment)
    if stop is None:
        assert (decided.state, decided.channel) == (State.PLANNED, channel), decided.reason
        world.deliver(world.queue.messages[-1])  # type: ignore[arg-type]
        assert world.sent == 1
    return world, steps

"""Promise: each accepted event counts exactly once, whenever and however often it comes, whatever dies on the way; and the
profile that comes of it depends on the events alone, not on their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tests.simulation.choices import Choices, Seeded
from tests.simulation.faults import Faults
from tests.simulation.kernel import START, Kernel, Stepping
from tests.simulation.queue import Line
from tests.simulation.tally import Tally
from tests.support import shoppers

from regulars.capture.applying import CaptureEvents
from regulars.capture.model import Event
from regulars.clock import to_ms
from regulars.ids import stable_id
from regulars.messages import EventUnit

FAULTS = Faults(rate=0.015, again=0.01, beside=0.01)
"""Of 100 calls 1.5 go wrong in one of five ways; a unit makes four or more: over 1 % each of crash, throttle and time-out."""
REPEATED = 0.10
LATEST = timedelta(days=28)
DAYS = 30
NAMES = (
    "Product Viewed",
    "Product Added",
    "Product Removed",
    "Product Added to Wishlist",
    "Products Searched",
    "Order Completed",
    "Order Refunded",
    "identify",
)
ITEMS = ("mug", "tin", "rug", "lamp", "vase")


class Mall:
    """A capture behind a queue, on memory adapters and the kernel's clock."""

    def __init__(self, choices: Choices, faults: Faults) -> None:
        self.kernel = kernel = Kernel(choices, faults)
        self.shop = shoppers.Shop(now=START)
        self.line = Line(kernel, "events")
        ports = ("profiles", "log", "contacts", "catalogue", "quarantine")
        stepping: dict[str, Any] = {name: Stepping(kernel, name, getattr(self.shop, name)) for name in ports}
        capture = CaptureEvents(
            **stepping,
            config=shoppers.config(),
            rules=shoppers.rules(),
            keep_days=730,
            quarantine_days=30,
            clock=kernel.clock,
            count=self.shop.counted.update,
        )
        self.line.handle = lambda unit, tries: capture(unit)
        kernel.sources = [self.line]

    def bring(self, events: Sequence[Event], after: timedelta) -> None:
        """What the collector puts on the queue, `after` the start; its time of receipt is that of the call."""
        self.line.put([unit_of(events, to_ms(START + after))], after)


def unit_of(events: Sequence[Event], received_ms: int) -> EventUnit:
    wires = tuple({**event.to_wire(), "received": received_ms} for event in events)
    return EventUnit(
        id=stable_id(events[0].shopper, *(wire["id"] for wire in wires)),
        correlation_id="corr",
        sent_at_ms=received_ms,
        shopper=events[0].shopper,
        received_at_ms=received_ms,
        events=wires,
    )


def story(choices: Choices, who: int, length: int) -> list[Event]:
    """One shopper's month: partly as a guest, who signs in at its end."""
    told = [_deed(choices, who, number) for number in range(length - 1)]
    at = START - timedelta(minutes=1)
    return [*told, shoppers.event("Signed In", at, id=f"login-{who}", shopper=f"user:{who}", anonymous_id=f"a{who}")]


def _deed(choices: Choices, who: int, number: int) -> Event:
    name, item = NAMES[choices.below(len(NAMES))], ITEMS[choices.below(len(ITEMS))]
    at = START - timedelta(minutes=2 + choices.below(DAYS * 24 * 60))
    person: dict[str, Any] = {"shopper": f"user:{who}", "anonymous_id": f"a{who}"}
    if choices.below(3) == 0:
        person = {"shopper": f"anon:a{who}"}
    if name == "identify":
        return shoppers.identify({"gender": item, "plan": str(number % 3)}, at, id=f"m{who}.{number}", **person)
    properties: dict[str, Any] = {"product_id": item, "category": f"c-{item}", "dwell_seconds": 45}
    if name.startswith("Order "):
        properties = {
            "order_id": f"o{who}.{number % 4}",
            "total": float(number % 7 + 1) * 10,
            "products": [{"product_id": item}],
        }
    return shoppers.event(name, at, id=f"m{who}.{number}", properties=properties, **person)


def world(seed: int, *, people: int = 4, length: int = 50, faults: Faults = FAULTS) -> Tally:
    """Four months of four shoppers; every tenth event is sent again by its client, up to 28 days later."""
    choices = Seeded(seed)
    stories = [story(choices, who, length) for who in range(people)]
    mall = Mall(choices, faults)
    repeats = sum(_send(choices, mall, told) for told in stories)
    mall.kernel.run()
    redriven = 0
    while mall.line.dead:
        redriven += mall.line.redrive()
        mall.kernel.run()
    return _judged(seed, mall, stories, repeats, redriven)


def _send(choices: Choices, mall: Mall, told: list[Event]) -> int:
    """In calls of one to eight events, in no order; how many events were sent again."""
    waiting, repeats = list(told), 0
    for place in range(len(waiting) - 1, 0, -1):
        other = choices.below(place + 1)
        waiting[place], waiting[other] = waiting[other], waiting[place]
    for shopper in dict.fromkeys(event.shopper for event in waiting):
        theirs = [event for event in waiting if event.shopper == shopper]
        while theirs:
            size = 1 + choices.below(8)
            call, theirs = theirs[:size], theirs[size:]
            after = timedelta(hours=choices.below(48))
            mall.bring(call, after)
            again = [event for event in call if choices.chance(REPEATED)]
            if again:
                mall.bring(again, after + timedelta(seconds=choices.below(int(LATEST.total_seconds()))))
                repeats += len(again)
    return repeats


def _judged(seed: int, mall: Mall, stories: list[list[Event]], repeats: int, redriven: int) -> Tally:
    tally = Tally()
    end = START + timedelta(days=DAYS)
    for who, told in enumerate(stories):
        calm = shoppers.Shop(now=START)
        she, guest = f"user:{who}", f"anon:a{who}"
        for name in (guest, she):
            calm.capture(shoppers.unit(sorted((event for event in told if event.shopper == name), key=lambda event: event.at)))
        logged = Counter([*mall.shop.logged(she), *mall.shop.logged(guest)])
        missing = {event.message_id for event in told} - logged.keys()
        doubled = {name for name, times in logged.items() if times > 1}
        alike = shoppers.same(mall.shop.profile(she, end), calm.profile(she, end), 1e-5)
        tally.check(not missing, seed, she, "lacks", sorted(missing)[:5])
        tally.check(not doubled, seed, she, "has twice", sorted(doubled)[:5])
        tally.check(alike, seed, she, "has another profile than in order and undisturbed")
        tally.counts.update({"events": len(told), "missing": len(missing), "twice in the log": len(doubled)})
        tally.counts["other profiles"] += not alike
    expected = {"done", "TryLater"}
    tally.check(mall.line.endings.keys() <= expected, seed, dict(mall.line.endings))
    tally.counts.update({"sent again": repeats, "deliveries": mall.line.deliveries, "dead letters redriven": redriven})
    tally.counts.update({"steps": mall.kernel.steps, "crashes": mall.kernel.crashes})
    return tally

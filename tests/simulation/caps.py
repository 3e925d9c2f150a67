"""Promise: caps are exact. However many campaigns race for one shopper, her places are filled and never overfilled; what
failed gives its place back exactly once; what was withheld for a full cap had a full cap before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from tests.simulation.choices import Choices, Seeded
from tests.simulation.faults import Faults
from tests.simulation.kernel import START
from tests.simulation.shop import SimulatedShop, decisions
from tests.simulation.tally import Tally
from tests.support.sending import order

from regulars.clock import from_ms, to_ms
from regulars.decisions.caps import longest
from regulars.decisions.config import Cap, Decisions
from regulars.decisions.model import Message, State

CAMPAIGNS = 64
RACE = Faults(switch=0.6, beside=0.05, again=0.05)
"""Nothing fails; only the order is anybody's."""
MIXED = Faults(rate=0.01, switch=0.5, beside=0.02, again=0.02, provider=0.02, refused=0.25, busy=0.1, silent=0.01)
"""A quarter is refused, a tenth is told to come later, a seventh ends undecided."""


@cache
def capped(most: int) -> Decisions:
    """At most `most` marketing messages a day, and no other cap."""
    return replace(decisions(), caps={"day": Cap(hours=24, at_most={"low": most})})


def race(seed: int, *, shoppers: int = 4) -> Tally:
    """64 campaigns for each shopper, all at once, cap 1, 2 or 3; eight workers; nothing fails."""
    most = 1 + seed % 3
    tally = Tally()
    shop = _ready(Seeded(seed), RACE, most, shoppers, CAMPAIGNS)
    shop.kernel.run()
    for number in range(shoppers):
        she = f"user:{number}"
        sent = sum(entry.state is State.SENT for entry in shop.ledger.list(she, 2 * CAMPAIGNS))
        tally.check(sent <= most, seed, she, "got", sent, "of at most", most)
        tally.check(sent >= most, seed, she, "got only", sent, "of", most)
        tally.counts.update({"over": max(0, sent - most), "unused": max(0, most - sent), "sent": sent})
    _common(tally, shop, seed, shoppers)
    return tally


def mixed(seed: int, *, shoppers: int = 5, campaigns: int = 20) -> Tally:
    """Messages that are refused, throttled, undecided and crashed over; places are counted at every single step."""
    most = 2 + 3 * (seed % 4)
    tally = Tally()
    shop = _ready(Seeded(seed), MIXED, most, shoppers, campaigns)
    watch = _Watch(shop, tally, seed, most)
    shop.kernel.run()
    tally.counts["withheld, cap full"] += watch.withheld
    for number in range(shoppers):
        she = f"user:{number}"
        entries = shop.ledger.list(she, 2 * campaigns)
        counting = _counting(entries, shop)
        held = {slot.moment_id for slot in shop.contacts.load(she).slots}
        tally.check(held == counting, seed, she, "holds", sorted(held), "for", sorted(counting))
        tally.counts["drift"] += len(held ^ counting)
        for entry in entries:
            tally.counts[f"outcome: {entry.state.value}"] += 1
    _common(tally, shop, seed, shoppers)
    return tally


def _counting(entries: Sequence[Message], shop: SimulatedShop) -> set[str]:
    """Moments whose places must be held: sent, or maybe so. Each claim drops the places that count in no window any more."""
    claimed = {entry.moment_id: [at for at, word, _ in entry.history if word == "CLAIMED"] for entry in entries}
    newest = max((at for times in claimed.values() for at in times), default=0)
    since = to_ms(from_ms(newest) - longest(shop.config))
    going = [entry for entry in entries if entry.state in (State.SENT, State.UNKNOWN, State.CLAIMED)]
    return {entry.moment_id for entry in going if claimed[entry.moment_id][-1] >= since}


class _Watch:
    """Sees every change of a contact and every message withheld for a full cap."""

    def __init__(self, shop: SimulatedShop, tally: Tally, seed: int, most: int) -> None:
        self._shop, self._tally, self._seed, self._most = shop, tally, seed, most
        self.withheld = 0
        self._was_full: set[str] = set()
        keep, close = shop.contacts._keep, shop.ledger.close

        def keeping(contact: Any, slots: Any) -> None:
            keep(contact, slots)
            self._look(contact.shopper)

        def closing(shopper: str, moment_id: str, **named: Any) -> bool:
            if named["reason"] == "cap_full":
                self.withheld += 1
                tally.check(shopper in self._was_full, seed, shopper, moment_id, "was withheld with a place free all along")
            return close(shopper, moment_id, **named)

        shop.contacts._keep = keeping  # type: ignore[method-assign]
        shop.ledger.close = closing  # type: ignore[method-assign]

    def _look(self, shopper: str) -> None:
        slots = self._shop.contacts.load(shopper).slots
        now = self._shop.kernel.now
        recent = sum(slot.at > now - timedelta(hours=24) for slot in slots)
        self._tally.check(recent <= self._most, self._seed, shopper, "has", recent, "places of", self._most)
        self._tally.counts["over"] += recent > self._most
        if recent >= self._most:
            self._was_full.add(shopper)


def _ready(choices: Choices, faults: Faults, most: int, shoppers: int, campaigns: int) -> SimulatedShop:
    """Decided messages and their orders on the queue. More receives than a race can use up."""
    shop = SimulatedShop(choices, faults, config=capped(most), workers=8, most_receives=50)
    for number in range(shoppers):
        she = shop.shopper(f"user:{number}", channels=("email",))
        for campaign in range(campaigns):
            message = planned(she, f"c{campaign}", f"{she}@email")
            assert shop.ledger.record(message)
            shop.orders["email"].put([order(message, START)])
    return shop


def planned(shopper: str, campaign: str, address: str) -> Message:
    """A campaign's message as the arbiter leaves it."""
    return Message(
        shopper=shopper,
        moment_id=f"welcome#{campaign}",
        kind="welcome",
        subject=campaign,
        state=State.PLANNED,
        reason="chosen",
        decided_at=START,
        expires_at=START + timedelta(days=2),
        channel="email",
        address=address,
        content={"tier": "low", "zone": "UTC"},
        campaign=campaign,
    )


def _common(tally: Tally, shop: SimulatedShop, seed: int, shoppers: int) -> None:
    tally.check(all(count == 1 for count in shop.provider.taken.values()), seed, "a message was taken twice")
    tally.check(not shop.orders["email"].dead, seed, "orders became dead letters")
    tally.counts.update({"shoppers": shoppers, "sends": shop.provider.calls, "steps": shop.kernel.steps})

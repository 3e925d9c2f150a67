"""Promise: however deliveries repeat, workers die and providers fall silent, a message goes out at most once, and every moment
ends with a state and a reason, or in a dead-letter queue where it can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from tests.simulation.choices import Choices, Seeded
from tests.simulation.faults import ONE_PERCENT, Faults
from tests.simulation.kernel import START
from tests.simulation.shop import SimulatedShop
from tests.simulation.tally import Tally

from regulars.decisions.model import State
from regulars.ids import message_id, split_message_id
from regulars.messages import Feedback, decode

MARKETING = ("cart_abandoned", "welcome", "birthday")
EXPECTED_ENDINGS = frozenset({"done", "TryLater", "RateLimited", "GiveUp"})
_OVER = frozenset({State.SENT, State.FAILED, State.LAPSED, State.WITHHELD, State.UNKNOWN})
Armed = Sequence[tuple[str, str]]


def world(seed: int, *, shoppers: int = 20, faults: Faults = ONE_PERCENT) -> Tally:
    """Twenty shoppers, each with three order updates and two reasons for marketing, all within two hours; some of them opt
    out, bounce or buy meanwhile, and a channel pauses."""
    choices = Seeded(seed)
    shop, armed = opened(choices, faults, shoppers=shoppers)
    _live(choices, shop, shoppers)
    shop.kernel.run()
    return judged(shop, armed, seed)


def opened(
    choices: Choices, faults: Faults, *, shoppers: int, updates: int = 3, marketing: int = 2
) -> tuple[SimulatedShop, Armed]:
    """A shop with its timers armed; and what was armed."""
    shop = SimulatedShop(choices, faults)
    armed = []
    for number in range(shoppers):
        she = shop.shopper(f"user:{number}")
        wanted = [("order_update", f"o{update}") for update in range(updates)]
        wanted += [(MARKETING[(number + place) % len(MARKETING)], "1") for place in range(marketing)]
        for kind, subject in wanted:
            shop.arm(she, kind, subject, START + timedelta(seconds=choices.below(7200)))
            armed.append((she, f"{kind}#{subject}"))
    return shop, armed


def _live(choices: Choices, shop: SimulatedShop, shoppers: int) -> None:
    """Something happens to every fourth shopper, at any time."""
    for number in range(0, shoppers, 4):
        she, channel = f"user:{number}", ("email", "push")[choices.below(2)]
        happenings = (
            partial(shop.changes_her_mind, she, channel),
            partial(shop.bounces, she, channel),
            partial(shop.buys, she),
            partial(shop.pauses_marketing, channel, timedelta(minutes=10)),
        )
        shop.life.plan(START + timedelta(seconds=choices.below(7200)), happenings[choices.below(len(happenings))])


def judged(shop: SimulatedShop, armed: Armed, seed: object) -> Tally:
    """The promises, one by one, against what the world looks like when nothing moves any more."""
    tally = Tally()
    dead = set(shop.all_dead())
    for shopper, moment_id in armed:
        _judge_message(shop, tally, seed, shopper, moment_id, (shopper, moment_id) in dead)
    for shopper in dict.fromkeys(shopper for shopper, _ in armed):
        _judge_slots(shop, tally, seed, shopper)
    for identity in shop.provider.taken:
        tally.check(split_message_id(identity) in armed, seed, identity, "was sent and nobody wanted it")
    for line in shop.lines:
        tally.check(line.endings.keys() <= EXPECTED_ENDINGS, seed, line.name, dict(line.endings))
        tally.counts["deliveries"] += line.deliveries
        tally.counts["dead letters"] += len(line.dead)
    tally.counts.update({f"provider: {way}": count for way, count in shop.provider.ways.items() if way})
    tally.counts.update(
        {
            "moments": len(armed),
            "sends": shop.provider.calls,
            "steps": shop.kernel.steps,
            "crashes": shop.kernel.crashes,
            "duplicates": sum(count - 1 for count in shop.provider.taken.values()),
        }
    )
    return tally


def _judge_message(shop: SimulatedShop, tally: Tally, seed: object, shopper: str, moment_id: str, dead: bool) -> None:
    identity = message_id(shopper, moment_id)
    taken, entry = shop.provider.taken[identity], shop.ledger.get(shopper, moment_id)
    who = f"{shopper} {moment_id}"
    tally.check(taken <= 1, seed, who, "was taken", taken, "times")
    if entry is None:
        tally.check(dead, seed, who, "is lost: no entry, no dead letter")
        tally.counts["never decided, a dead letter"] += 1
        return
    tally.counts[f"state: {entry.state.value}"] += 1
    tally.check(bool(entry.reason), seed, who, "has no reason")
    tally.check(entry.state in _OVER or dead, seed, who, "is left", entry.state.value, "without a dead letter")
    if entry.state is State.SENT:
        tally.check(taken == 1, seed, who, "is SENT and was never taken")
    if taken and entry.state is not State.SENT:
        settles = identity in shop.told and not _report_is_dead(shop, identity)
        undecided = entry.state is State.UNKNOWN and not settles
        tally.check(undecided or (dead and entry.state is State.CLAIMED), seed, who, "was taken and is", entry.state.value)
        tally.counts["taken, never reported"] += undecided


def _judge_slots(shop: SimulatedShop, tally: Tally, seed: object, shopper: str) -> None:
    """A place is held by what was sent, may have been sent or is being sent; by nothing else, and by each of them."""
    counting = {
        entry.moment_id
        for entry in shop.ledger.list(shopper)
        if entry.state in (State.SENT, State.UNKNOWN, State.CLAIMED) and not shop.config.kinds[entry.kind].transactional
    }
    held = [slot.moment_id for slot in shop.contacts.load(shopper).slots]
    tally.check(sorted(held) == sorted(counting), seed, shopper, "holds places", held, "for", sorted(counting))
    tally.counts["slot drift"] += len(set(held) ^ counting)


def _report_is_dead(shop: SimulatedShop, identity: str) -> bool:
    return any(decode(Feedback, body).message_id == identity for body in shop.reports.dead)

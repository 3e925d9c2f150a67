"""An anonymous shopper turns out to be a known one while her message is on its way.

As in `test_stop_wins`, every call to an adapter is a step; the join is committed right before each of them in turn, those
behind the provider's call too, under everything a provider may answer and around a worker's death. Whatever happens, the known
shopper then holds a place in the caps for exactly what was or may have been sent.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from tests.simulation.test_stop_wins import World
from tests.support.sending import NOW, SHOPPER, order

from regulars.channels.ports import Accepted, Ambiguous, Later, Outcome, Refused
from regulars.decisions.model import State

KNOWN = "user:known"
MAY_COUNT = frozenset({State.SENT, State.UNKNOWN})


class Crash(BaseException):
    """The process dies: nothing catches it."""


def dying() -> Outcome:
    raise Crash


ANSWERS: dict[str, Callable[[], Outcome]] = {
    "accepted": lambda: Accepted("p1"),
    "refused": lambda: Refused("no"),
    "refused, address dead": lambda: Refused("gone", address_dead=True),
    "later": lambda: Later("slow", 1),
    "ambiguous": lambda: Ambiguous("time-out"),
    "dies": dying,
}


def one_run(answer: Callable[[], Outcome], at: int, *, crash_at: int = 0) -> World:
    """One message, its order delivered until its lease is long over; the join before step `at`, a death before `crash_at`."""
    world = World("email", "cart_abandoned")
    contacts, steps = world.sender.contacts, world.steps
    contacts.update(KNOWN, now=NOW, addresses={"push": "p"}, consent={"push": True})
    world.sender.provider.behaviour = lambda envelope: answer()
    take = steps.take

    def taking(name: str) -> None:
        take(name)
        if len(steps.names) == crash_at:
            raise Crash

    steps.take = taking  # type: ignore[method-assign]
    steps.at, steps.happen = at, partial(contacts.merge, SHOPPER, KNOWN, now=NOW)
    for _ in range(2):
        try:
            world.deliver(order(world.message))
        except Crash:
            continue
    contacts.merge(SHOPPER, KNOWN, now=NOW)
    return world


def judge(world: World, *told: object) -> None:
    contacts = world.sender.contacts
    entry = world.sender.standing(world.message)
    held = [slot.moment_id for shopper in (KNOWN, SHOPPER) for slot in contacts.load(shopper).slots]
    assert entry.state is not State.CLAIMED, told
    assert held == ([entry.moment_id] if entry.state in MAY_COUNT else []), (*told, entry.state)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=list(ANSWERS))
def test_a_join_before_any_step_of_sending_leaves_no_place_behind(answer: Callable[[], Outcome]) -> None:
    names = one_run(answer, 0).steps.names
    assert len(names) >= 8
    for at in range(1, len(names) + 1):
        judge(one_run(answer, at), "joined before", at)


def test_nor_does_one_around_the_death_of_a_worker() -> None:
    names = one_run(ANSWERS["later"], 0).steps.names[:14]
    for crash_at in range(1, len(names) + 1):
        for at in range(1, len(names) + 4):
            judge(one_run(ANSWERS["later"], at, crash_at=crash_at), "joined before", at, "death before", crash_at)

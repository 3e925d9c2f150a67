"""Every promise in its short form, as `python -m tests.simulation` runs it at length; and what makes a run believable."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.simulation import due, events, figures, sends
from tests.simulation.choices import Drawn, Seeded
from tests.simulation.faults import ONE_PERCENT, Faults
from tests.simulation.promises import PROMISES, shortly
from tests.simulation.tally import gathered

OFTEN = Faults(rate=0.05, again=0.1, beside=0.1, provider=0.1, refused=0.05, busy=0.1, silent=0.05, stale=0.2, switch=0.4)


@pytest.mark.parametrize("name", PROMISES)
def test_the_promise_is_kept(name: str) -> None:
    tally = shortly(name)
    assert tally.broken == []
    assert PROMISES[name].kept(tally), tally


def test_most_messages_arrive_all_the_same() -> None:
    tally = gathered(sends.world, range(3))
    assert tally.counts["state: SENT"] > 0.8 * tally.counts["sends"]


def test_sends_when_nearly_everything_goes_wrong() -> None:
    tally = gathered(lambda seed: sends.world(seed, shoppers=10, faults=OFTEN), range(100, 112))
    assert tally.broken == []
    assert tally.counts["crashes"] > 50
    assert tally.counts["dead letters"] > 0


def test_events_when_nearly_everything_goes_wrong() -> None:
    faults = Faults(rate=0.2, again=0.2, beside=0.2)
    tally = gathered(lambda seed: events.world(seed, people=2, length=30, faults=faults), range(8))
    assert tally.broken == []
    assert tally.counts["dead letters redriven"] > 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_sends_as_hypothesis_lets_them_interleave(data: st.DataObject) -> None:
    shop, armed = sends.opened(Drawn(data), OFTEN, shoppers=1, updates=1, marketing=2)
    shop.kernel.run()
    assert sends.judged(shop, armed, "drawn").broken == []


def trace(seed: int) -> str:
    shop, _ = sends.opened(Seeded(seed), ONE_PERCENT, shoppers=5)
    shop.kernel.run()
    return shop.kernel.trace


def test_a_seed_is_a_run() -> None:
    assert trace(7) == trace(7)
    assert len({trace(seed) for seed in range(10)}) == 10


def test_a_tick_costs_what_is_due_whatever_waits() -> None:
    of_a_million, of_a_hundred_million = due.a_tick(1_000_000, 435), due.a_tick(100_000_000, 43_500)
    assert of_a_million == of_a_hundred_million
    moments, touched, requests = due.a_tick(100_000_000, 4_350)
    assert moments <= touched <= 2.2 * moments < 60_000, "the minute and the one that begins"
    assert requests["send_batch"] < moments / 10 + 3 * due.SHARDS + moments / 100
    assert requests["batch_get"] <= moments / 100 + 3 * due.SHARDS
    assert sum(due.a_tick(1, 43_500)[2].values()) <= 3 * due.SHARDS + 2
    figures.tell("sweep cost", moments=moments, touched=touched, timers=100_000_000, **requests)


def test_shards_are_even() -> None:
    assert due.spread(100_000) < 1.1

"""The reader that answering functions ask at every call: renewed now and then, a version read once, damage said as such."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from regulars.adapters.memory.storage import MemoryStorage
from regulars.errors import GiveUp, TryLater
from regulars.needs.model import CURRENT_KEY, MODEL_KEY, NeedsModel, from_bytes, publish, to_bytes
from regulars.needs.reading import RebuyingReader
from regulars.needs.rebuying import PAIR_FEATURES, PRODUCTS, ItemFacts, Rebuying

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LEARNED = Rebuying(14, -1.5, (), {"tea": ItemFacts(gap_days=20.0, buyers=9.0)}, 30.0)


class Store(MemoryStorage):
    """Counts what is read; `down` makes it unreadable."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []
        self.down = False

    def get(self, key: str) -> bytes | None:
        if self.down:
            raise TryLater("the store does not answer")
        self.reads.append(key)
        return super().get(key)


class Bench:
    """A reader, its store and its clock."""

    def __init__(self) -> None:
        self.store, self.now = Store(), NOW
        self.read = RebuyingReader(self.store, lambda: self.now, 300)

    def publish(self, rebuying: Rebuying = LEARNED, version: str = "1") -> None:
        publish(self.store, NeedsModel(version, NOW, None, None, rebuying, (), {}))

    def later(self, seconds: int = 301) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_version_is_read_once_and_a_newer_one_within_the_time(bench: Bench) -> None:
    assert bench.read() is None
    bench.publish()
    assert bench.read() is None  # not looked for yet
    bench.later()
    assert bench.read() == LEARNED
    bench.later()
    assert bench.read() == LEARNED
    assert bench.store.reads == [CURRENT_KEY, CURRENT_KEY, MODEL_KEY.format(version="1"), CURRENT_KEY]
    newer = replace(LEARNED, usual_gap_days=12.0)
    bench.publish(newer, "2")
    bench.later()
    assert bench.read() == newer


def test_a_clock_that_is_turned_back_looks_again(bench: Bench) -> None:
    bench.read()
    bench.publish()
    bench.later(-86_400)
    assert bench.read() == LEARNED


def test_what_is_known_stays_while_the_store_is_silent(bench: Bench) -> None:
    bench.publish()
    bench.read()
    bench.store.down = True
    bench.later()
    assert bench.read() == LEARNED


def test_a_silent_store_is_said_when_nothing_is_known(bench: Bench) -> None:
    bench.store.down = True
    with pytest.raises(TryLater):
        bench.read()


def test_a_damaged_model_is_said_at_every_call_and_read_once(bench: Bench) -> None:
    bench.publish()
    bench.store.put(MODEL_KEY.format(version="1"), b"{}")
    for _ in range(3):
        with pytest.raises(GiveUp, match="not a model of needs"):
            bench.read()
    assert len(bench.store.reads) == 2
    bench.publish(version="2")
    bench.later()
    assert bench.read() == LEARNED


ALL = len(PAIR_FEATURES) + len(PRODUCTS)


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda learned: replace(learned, weights=(0.1,) * (ALL - 1)),
        lambda learned: replace(learned, weights=(float("nan"), *(0.1,) * (ALL - 1))),
        lambda learned: replace(learned, intercept=float("inf")),
        lambda learned: replace(learned, usual_gap_days=-1.0),
        lambda learned: replace(learned, trusted_gaps=0),
        lambda learned: replace(learned, items={"tea": ItemFacts(gap_days=-3.0)}),
    ],
)
def test_numbers_that_no_formula_can_take_are_a_broken_model(spoilt: Callable[[Rebuying], Rebuying]) -> None:
    whole = NeedsModel("1", NOW, None, None, replace(LEARNED, weights=(0.1,) * ALL), (), {})
    assert from_bytes(to_bytes(whole)) == whole
    with pytest.raises(GiveUp) as caught:
        from_bytes(to_bytes(replace(whole, rebuying=spoilt(whole.rebuying))))
    assert caught.value.code == "broken_model"

"""Random lives against the rules as one would tell them."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.triggers import NOW, Loop, added, ordered, viewed

from regulars.capture.model import Event

Deed = tuple[int, str]
"""(minute, add | view | order)"""

deeds = st.lists(
    st.tuples(st.integers(1, 12 * 96).map(lambda n: 5 * n), st.sampled_from(["add", "add", "view", "view", "order"])),
    max_size=14,
    unique_by=lambda deed: deed[0],
).map(sorted)
quick = settings(max_examples=40, deadline=None, derandomize=True)


def at(minute: int) -> datetime:
    return NOW + timedelta(minutes=minute)


def event_of(deed: Deed) -> Event:
    minute, kind = deed
    if kind == "order":
        return ordered("mug", at=at(minute), order_id=f"o{minute}")
    return (added if kind == "add" else viewed)("mug", at(minute))


def carts_told(life: list[Deed]) -> list[tuple[str, datetime]]:
    """A cart is what was added since the last order. It is reminded once: four hours after an item went in with neither
    another nor an order following, or a day after the first."""
    told = []
    orders = [minute for minute, kind in life if kind == "order"]
    for start, end in zip([0, *orders], [*orders, 10**9], strict=True):
        adds = [minute for minute, kind in life if kind == "add" and start < minute < end]
        for n, minute in enumerate(adds):
            due = min(minute + 240, adds[0] + 1440)
            following = adds[n + 1] if n + 1 < len(adds) else 10**9
            if due < min(following, end):
                told.append((f"cart_abandoned#{at(adds[0]):%Y-%m-%dT%H:%M}", at(due)))
                break
    return told


def browses_told(life: list[Deed]) -> list[tuple[str, datetime]]:
    """A day's first view that no reminder waits for already is reminded a day later, unless an order comes between."""
    told: list[tuple[str, datetime]] = []
    since: int | None = None
    for minute, kind in [*life, (10**9, "end")]:
        if since is not None and minute > since + 1440:
            told.append((f"browse_abandoned#{at(since).date()}", at(since + 1440)))
            since = None
        if kind == "order":
            since = None
        elif kind == "view" and since is None:
            since = minute
    return told


@quick
@given(life=deeds)
def test_a_life_lived_by_the_minute_is_told_as_the_rules_say(life: list[Deed]) -> None:
    loop = Loop(shards=1)
    loop.live(map(event_of, life), until=at(60 * 130), step=timedelta(minutes=5))
    told = [(moment.id, moment.due_at_ms) for moment in loop.moments]
    for kind, expected in (("cart", carts_told(life)), ("browse", browses_told(life))):
        assert [entry for entry in told if entry[0].startswith(kind)] == [
            (key, int(due.timestamp() * 1000)) for key, due in expected
        ]
    assert len(set(told)) == len(told)


@quick
@given(life=deeds, start=st.integers(0, 60 * 96), length=st.integers(1, 360))
def test_six_missed_hours_lose_nothing_whenever_they_come(life: list[Deed], start: int, length: int) -> None:
    made = {"add": added, "view": viewed, "order": None}
    shoppers = [make("mug", at(minute), shopper=f"user:{minute}") for minute, kind in life if (make := made[kind])]
    calm, broken = Loop(shards=1), Loop(shards=1)
    step, until = timedelta(minutes=5), at(60 * 130)
    calm.live(shoppers, until=until, step=step)
    broken.live(shoppers, until=until, step=step, ticks=lambda now: not at(start) <= now < at(start + length))
    assert len(calm.told) == len(shoppers)
    assert sorted(calm.told_by) == sorted(broken.told_by)


@quick
@given(
    life=st.lists(
        st.tuples(st.integers(1, 200), st.sampled_from(["add", "view", "order"])),
        max_size=10,
        unique_by=lambda deed: deed[0],
    ).map(sorted),
    cuts=st.sets(st.integers(0, 10)),
    dice=st.randoms(use_true_random=False),
)
def test_batches_cut_anyhow_and_shuffled_within_plan_the_same(life: list[Deed], cuts: set[int], dice: Random) -> None:
    single, cut = Loop(shards=1), Loop(shards=1)
    for deed in life:
        single.plan(event_of(deed))
    for first, last in pairwise([0, *sorted(cuts), len(life)]):
        unit = [event_of(deed) for deed in life[first:last]]
        dice.shuffle(unit)
        if unit:
            cut.plan(*unit)
    assert single.known() == cut.known()

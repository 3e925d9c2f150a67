"""Every due index keeps the same promises; DynamoDB's also under interleaving, crash and by its cost."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.conftest import CreateTable
from tests.support.triggers import NOW, Loop, added, hours, identified, ordered, viewed

from regulars.adapters.memory.timers import MemoryTimers
from regulars.triggers.model import Timer, shard_of
from regulars.triggers.ports import Timers

SHARDS = 4


def dynamo(create_table: CreateTable, shards: int = SHARDS, table: str = "timers") -> Any:
    from regulars.adapters.dynamodb.timers import DynamoTimers

    return DynamoTimers(create_table(table, True), shards)


@pytest.fixture(params=["memory", "dynamodb"])
def timers(request: pytest.FixtureRequest) -> Timers:
    if request.param == "memory":
        return MemoryTimers(SHARDS)
    made: Timers = dynamo(request.getfixturevalue("create_table"))
    return made


def timer(
    shopper: str = "user:ann", kind: str = "cart_abandoned", subject: str = "s", due_at: datetime = NOW, **more: Any
) -> Timer:
    made = Timer(
        shopper=shopper,
        kind=kind,
        subject=subject,
        due_at=due_at,
        occurred_at=due_at - hours(4),
        expires_at=due_at + hours(20),
        facts={"items": ["mug", "杯"], "cart_value_cents": 850},
        correlation_id="m1",
    )
    return replace(made, **more)


def due(timers: Timers, until: datetime = NOW, *, page: int = 100) -> list[Timer]:
    """Everything due, shard by shard."""
    found: list[Timer] = []
    for shard in range(SHARDS):
        cursor = ""
        while True:
            part = timers.due(shard, until - timedelta(days=3), until, page, cursor)
            found += part.timers
            cursor = part.cursor
            if not cursor:
                break
    return found


def done(timers: Timers, fired: list[Timer]) -> None:
    for one in fired:
        timers.done(shard_of(one.shopper, SHARDS), [one])


def test_a_timer_comes_back_whole(timers: Timers) -> None:
    whole = timer(
        subject="a/b#c 杯",
        due_at=NOW + timedelta(milliseconds=123),
        deferrals=2,
        campaign="spring",
        notes={"month_day": "02-29", "zone": "UTC"},
        remember_until=NOW + timedelta(days=9),
    )
    timers.set(whole)
    assert timers.known("user:ann") == [whole]
    assert due(timers, NOW + hours(1)) == [whole]


def test_nothing_known_of_a_stranger(timers: Timers) -> None:
    assert list(timers.known("user:nobody")) == []
    assert timers.cancel("user:nobody", ["cart_abandoned"]) == 0
    assert timers.cancel("user:nobody", ["cart_abandoned"], subject="s") == 0
    assert due(timers) == []


def test_due_is_after_and_until_across_midnights(timers: Timers) -> None:
    instants = [NOW + hours(n) for n in range(-40, 41, 4)]
    for n, at in enumerate(instants):
        timers.set(timer(subject=str(n), due_at=at))
    shard = shard_of("user:ann", SHARDS)
    page = timers.due(shard, NOW - hours(36), NOW + hours(36), 100)
    assert [one.due_at for one in page.timers] == instants[2:-1]
    assert page.cursor == ""
    assert list(timers.due(shard, NOW, NOW - hours(1), 100).timers) == []


@pytest.mark.parametrize("page", [1, 3, 7, 100])
def test_pages_hold_everything_once_also_of_one_instant(timers: Timers, page: int) -> None:
    for n in range(21):
        timers.set(timer(f"user:{n}", subject=str(n), due_at=NOW - hours(13 * (n % 3))))
    found = due(timers, page=page)
    assert sorted(one.subject for one in found) == sorted(str(n) for n in range(21))


def test_setting_again_moves(timers: Timers) -> None:
    timers.set(timer())
    timers.set(timer(due_at=NOW + hours(2), facts={"items": ["tray"]}))
    assert due(timers) == []
    (moved,) = due(timers, NOW + hours(2))
    assert moved.facts == {"items": ["tray"]}
    assert len(timers.known("user:ann")) == 1


def test_setting_the_same_twice_is_setting_it_once(timers: Timers) -> None:
    timers.set(timer())
    timers.set(timer())
    assert due(timers) == [timer()]


def test_what_fired_is_not_due_but_known(timers: Timers) -> None:
    timers.set(timer())
    done(timers, due(timers))
    assert due(timers) == []
    assert timers.known("user:ann") == [timer()]
    done(timers, [timer()])


def test_done_spares_what_was_moved_meanwhile(timers: Timers) -> None:
    timers.set(timer())
    fired = due(timers)
    timers.set(timer(due_at=NOW + hours(1)))
    done(timers, fired)
    assert [one.due_at for one in due(timers, NOW + hours(1))] == [NOW + hours(1)]


def test_cancel_takes_kinds_or_one_subject_fired_ones_too(timers: Timers) -> None:
    for kind in ("cart_abandoned", "cart_abandoned_more", "browse_abandoned"):
        for subject in ("a", "b"):
            timers.set(timer(kind=kind, subject=subject))
    done(timers, [one for one in due(timers) if one.subject == "a"])
    assert timers.cancel("user:ann", ["browse_abandoned", "birthday"]) == 2
    assert timers.cancel("user:ann", ["cart_abandoned"], subject="a") == 1
    assert timers.cancel("user:ann", ["cart_abandoned"], subject="a") == 0
    assert [one.key for one in timers.known("user:ann")] == [
        "cart_abandoned#b",
        "cart_abandoned_more#a",
        "cart_abandoned_more#b",
    ]
    assert sorted(one.key for one in due(timers)) == ["cart_abandoned#b", "cart_abandoned_more#b"]


def test_shoppers_do_not_meet(timers: Timers) -> None:
    timers.set(timer("user:ann"))
    timers.set(timer("user:an"))
    timers.cancel("user:an", ["cart_abandoned"])
    assert [one.shopper for one in due(timers)] == ["user:ann"]


def test_a_clock_set_back_behind_the_watermark_asks_for_no_empty_range(
    create_table: CreateTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = dynamo(create_table)

    def asked() -> None:
        raise AssertionError("DynamoDB refuses BETWEEN with its bounds turned round; moto does not")

    monkeypatch.setattr("regulars.adapters.dynamodb.timers.dynamodb", asked)
    assert list(timers.due(0, NOW, NOW - hours(1), 100).timers) == []


def test_the_watermark_only_rises(timers: Timers) -> None:
    assert timers.watermarks() == {}
    timers.advance(3, NOW)
    timers.advance(3, NOW - hours(1))
    timers.advance(0, NOW - hours(2))
    assert timers.watermarks() == {0: NOW - hours(2), 3: NOW}


def test_the_longest_ids_fit(timers: Timers) -> None:
    long = timer("user:" + "杯" * 256, subject="x" * 200)
    timers.set(long)
    assert due(timers) == [long]


def test_random_operations_agree_with_a_plain_dictionary(timers: Timers) -> None:
    rng = random.Random(11)
    truth: dict[tuple[str, str], Timer] = {}
    for _ in range(120):
        shopper, kind, subject = f"user:{rng.randrange(3)}", rng.choice(["a", "b"]), rng.choice("xy")
        deed = rng.randrange(4)
        if deed < 2:
            one = timer(shopper, kind, subject, NOW + timedelta(minutes=rng.randrange(-300, 300)))
            timers.set(one)
            truth[shopper, one.key] = one
        elif deed == 2:
            gone = [key for key in truth if key[0] == shopper and truth[key].kind == kind]
            assert timers.cancel(shopper, [kind]) == len(gone)
            for key in gone:
                del truth[key]
        else:
            fired = due(timers, page=rng.randrange(1, 5))
            expected = {key for key, one in truth.items() if one.due_at <= NOW and not one.deferrals}
            assert {(one.shopper, one.key) for one in fired} == expected
            done(timers, fired)
            for key in expected:
                truth[key] = replace(truth[key], deferrals=1)  # marks what fired
        known = [one for n in range(3) for one in timers.known(f"user:{n}")]
        assert {(one.shopper, one.key): one.due_at for one in known} == {key: one.due_at for key, one in truth.items()}


# DynamoDB: whatever comes between two of its calls


Act = Callable[[Timers], object]
EARLY, LATE = timer(), timer(due_at=NOW + hours(1))


def tick(at: datetime) -> Act:
    def act(timers: Timers) -> list[str]:
        fired = due(timers, at)
        done(timers, fired)
        return [f"{one.key}@{one.due_at:%H:%M}" for one in fired]

    return act


def setting(one: Timer) -> Act:
    return lambda timers: timers.set(one)


def cancelling(timers: Timers) -> object:
    return timers.cancel("user:ann", ["cart_abandoned"])


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch, aws: None) -> Callable[[int, Callable[[], None]], None]:
    """`between(n, act)`: `act` runs once, before the n-th DynamoDB call from now."""
    from regulars.adapters.dynamodb import client as page

    real = page.dynamodb()
    plan: list[tuple[int, Callable[[], None]]] = []
    state = {"calls": 0}

    class Client:
        def __getattr__(self, name: str) -> Any:
            state["calls"] += 1
            if plan and state["calls"] == plan[0][0]:
                _, act = plan.pop()
                act()
            return getattr(real, name)

    shim = Client()
    for module in ("client", "timers"):
        monkeypatch.setattr(f"regulars.adapters.dynamodb.{module}.dynamodb", lambda: shim)

    def arrange(number: int, act: Callable[[], None]) -> None:
        plan[:] = [(state["calls"] + number, act)]

    return arrange


class Crash(Exception):
    """The process ended here."""


Between = Callable[[int, Callable[[], None]], None]
OUTER: dict[str, tuple[list[Act], Act]] = {
    "set": ([], setting(EARLY)),
    "set again": ([setting(EARLY)], setting(EARLY)),
    "move": ([setting(EARLY)], setting(LATE)),
    "move back": ([setting(EARLY), setting(LATE)], setting(EARLY)),
    "cancel": ([setting(EARLY)], cancelling),
    "tick": ([setting(EARLY)], tick(NOW)),
    "tick over a stale entry": ([setting(LATE), setting(EARLY)], tick(NOW)),
}
INNER: dict[str, Act] = {"set": setting(EARLY), "move": setting(LATE), "cancel": cancelling, "tick": tick(NOW)}


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("outer", OUTER)
def test_one_deed_between_any_two_calls_of_another(create_table: CreateTable, between: Between, outer: str, inner: str) -> None:
    """After it all the pointer is the truth: exactly what it names fires, at its time, and nothing else ever does."""
    before, act = OUTER[outer]
    for number in range(1, 7):
        timers = dynamo(create_table, table=f"timers{number}")
        for deed in before:
            deed(timers)
        told: list[str] = []

        def run(deed: Act, timers: Timers = timers, told: list[str] = told) -> None:
            result = deed(timers)
            told.extend(result if isinstance(result, list) else [])

        between(number, lambda run=run: run(INNER[inner]))  # type: ignore[misc]
        run(act)
        between(10**9, lambda: None)
        known = timers.known("user:ann")
        told += tick(NOW)(timers)  # type: ignore[arg-type]
        if "tick" not in (outer.split()[0], inner):
            assert told == [f"{one.key}@{one.due_at:%H:%M}" for one in known if one.due_at <= NOW]
        later = tick(NOW + hours(1))(timers)
        expected = [f"{one.key}@13:00" for one in known if one.due_at > NOW]
        assert later == expected, (outer, inner, number)
        if known and known[0].due_at <= NOW:
            assert "cart_abandoned#s@12:00" in told, (outer, inner, number)
        assert tick(NOW + hours(2))(timers) == []


@pytest.mark.parametrize("outer", ["set", "set again", "move", "move back", "cancel"])
def test_a_crash_between_any_two_calls_is_mended_by_repeating(create_table: CreateTable, between: Between, outer: str) -> None:
    before, act = OUTER[outer]

    def crash() -> None:
        raise Crash

    for number in range(1, 6):
        timers, sound = dynamo(create_table, table=f"a{number}"), MemoryTimers(SHARDS)
        for deed in (*before, act):
            deed(sound)
        for deed in before:
            deed(timers)
        between(number, crash)
        try:
            act(timers)
        except Crash:
            between(10**9, crash)
            act(timers)
        between(10**9, crash)
        assert timers.known("user:ann") == sound.known("user:ann")
        for at in (NOW, NOW + hours(1), NOW + hours(2)):
            assert tick(at)(timers) == tick(at)(sound), (outer, number, at)


def test_more_shards_than_before_lose_nothing(create_table: CreateTable) -> None:
    from regulars.adapters.dynamodb.timers import DynamoTimers

    few = dynamo(create_table, shards=1)
    for n in range(12):
        few.set(timer(f"user:{n}", due_at=NOW if n % 2 else NOW - hours(1)))
    many = DynamoTimers("timers", SHARDS)
    many.cancel("user:0", ["cart_abandoned"])
    many.set(timer("user:1", due_at=NOW + hours(1)))
    loop = Loop(many, shards=SHARDS)
    assert loop.fire()["fired"] == 10
    assert loop.fire()["due"] == 0
    loop.now += hours(1)
    loop.fire()
    assert sorted(moment.shopper for moment in loop.moments) == sorted(f"user:{n}" for n in range(1, 12))


def test_the_whole_loop_does_the_same_on_both(create_table: CreateTable) -> None:
    loops = [Loop(MemoryTimers(SHARDS), shards=SHARDS), Loop(dynamo(create_table), shards=SHARDS)]
    for loop in loops:
        loop.plan(identified(birthday="1990-07-02", timezone="Asia/Shanghai"), viewed("lamp"))
        loop.plan(added("mug", shopper="anon:a"), added("tray", shopper="anon:a"))
        loop.now += hours(1)
        loop.plan(identified(loop.now, anonymous_id="a"), viewed("jug", loop.now))
        loop.now += hours(4)
        loop.fire()
        loop.plan(ordered("mug", at=loop.now))
        for _ in range(100):
            loop.now += hours(8)
            loop.fire()
    assert loops[0].told == loops[1].told
    assert set(loops[0].told) > {"welcome#once", "birthday#2026", "cart_abandoned#2026-07-01T12:00"}

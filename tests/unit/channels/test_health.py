"""A channel that draws complaints or bounces pauses its marketing, once, and says so; a small shop's one complaint does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from random import Random

import pytest
from tests.support.sending import planned

from regulars.adapters.memory.limits import MemoryGauges, MemoryPauses
from regulars.channels.config import ChannelSettings
from regulars.channels.health import Bucket, Gauge, Tick, counted, too_many
from regulars.channels.watching import WatchHealth
from regulars.decisions.model import Message, State
from regulars.errors import TryLater
from regulars.shop import section

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
HEALTH = section(ChannelSettings, "channels").health
Step = tuple[Message | None, Message]


class Watched:
    def __init__(self) -> None:
        self.gauges, self.pauses = MemoryGauges(), MemoryPauses()
        self.told: list[tuple[str, str, str]] = []
        self.watch = WatchHealth(self.gauges, self.pauses, HEALTH, lambda: NOW, lambda *told: self.told.append(told))

    @property
    def total(self) -> Bucket:
        return self.gauges.load("email").total


def sent(number: int, **changes: object) -> Step:
    claimed = planned(state=State.CLAIMED, slot="x", moment_id=f"cart_abandoned#{number}")
    return claimed, replace(claimed, state=State.SENT, **changes)  # type: ignore[arg-type]


def marked(number: int, mark: str) -> Step:
    before = sent(number)[1]
    return before, replace(before, marks={mark: 1})


def steps(messages: int, mark: str = "", every: int = 1) -> Iterator[Step]:
    for number in range(messages):
        yield sent(number)
        if mark and number % every == every - 1:
            yield marked(number, mark)


def fed(watched: Watched, found: Iterator[Step], batch: int = 100) -> Watched:
    while part := list(islice(found, batch)):
        watched.watch(part)
    return watched


def test_each_message_and_report_counts_once_however_batches_come_again() -> None:
    watched, random = Watched(), Random(4)
    found = list(steps(900, "bounced", 100))
    place = 0
    while place < len(found):
        size = random.randint(1, 60)
        for start in (place, max(0, place - random.randint(0, 200))):
            watched.watch(found[start : place + size])
        place += size
    assert watched.total == Bucket(900, 9, 0)


def test_order_updates_and_other_marks_do_not_count() -> None:
    watched = Watched()
    message = planned(kind="order_update", state=State.SENT)
    watched.watch([(None, message), marked(1, "soft_bounced"), marked(2, "opened")])
    assert watched.total == Bucket()


def test_a_settled_message_counts_as_sent() -> None:
    watched = Watched()
    unknown = replace(sent(1)[1], state=State.UNKNOWN)
    watched.watch([(sent(1)[0], unknown), (unknown, replace(unknown, state=State.SENT, marks={"delivered": 1}))])
    assert watched.total == Bucket(1, 0, 0)


@pytest.mark.parametrize(("complaints", "pauses"), [(7, False), (8, True)])
def test_complaints_at_eight_in_ten_thousand_pause(complaints: int, pauses: bool) -> None:
    watched = fed(Watched(), steps(10_000))
    fed(watched, iter([marked(number, "complained") for number in range(complaints)]))
    assert watched.pauses.standing() == ({"email": "complaints"} if pauses else {})
    assert watched.told == ([("email", "complaints", "8 complaints in 10000 messages")] if pauses else [])


@pytest.mark.parametrize(("bounces", "pauses"), [(399, False), (400, True)])
def test_bounces_at_four_in_a_hundred_pause(bounces: int, pauses: bool) -> None:
    watched = fed(Watched(), steps(10_000))
    fed(watched, iter([marked(number, "bounced") for number in range(bounces)]))
    assert watched.pauses.standing() == ({"email": "bounces"} if pauses else {})


def test_it_is_said_once() -> None:
    watched = fed(Watched(), steps(2_000, "complained", 100))
    assert len(watched.told) == 1


@pytest.mark.parametrize(
    ("messages", "mark", "reports", "pauses"),
    [
        (50, "complained", 1, False),
        (50, "complained", 2, False),
        (50, "complained", 3, True),
        (3_750, "complained", 3, True),
        (3_751, "complained", 3, False),
        (40, "bounced", 19, False),
        (40, "bounced", 20, True),
    ],
)
def test_few_reports_about_few_messages_say_little(messages: int, mark: str, reports: int, pauses: bool) -> None:
    watched = fed(Watched(), steps(messages), batch=5000)
    fed(watched, iter([marked(number, mark) for number in range(reports)]))
    assert bool(watched.pauses.standing()) is pauses


def test_the_window_slides() -> None:
    gauge = Gauge(channel="email")
    reports = [Tick(bytes([9, n]), complained=1) for n in range(7)]
    gauge = counted(gauge, [Tick(b"first", sent=1), *reports], HEALTH)
    later = (Tick(number.to_bytes(8, "big"), sent=1) for number in range(10_500))
    gauge = counted(gauge, later, HEALTH)
    assert HEALTH.window_sends - HEALTH.bucket_sends < gauge.total.sent <= HEALTH.window_sends
    assert gauge.total.complained == 0
    assert too_many(gauge, HEALTH) == ("", "")


def test_a_gauge_that_others_keep_writing_is_tried_later() -> None:
    watched = Watched()
    watched.gauges.save = lambda gauge: False  # type: ignore[method-assign]
    with pytest.raises(TryLater):
        watched.watch([sent(1)])


def test_a_crash_between_count_and_pause_pauses_when_the_batch_comes_again() -> None:
    watched, found = Watched(), list(steps(3, "complained"))
    original = watched.pauses.pause

    def crash(*_: object, **__: object) -> bool:
        raise TryLater("throttled")

    watched.pauses.pause = crash  # type: ignore[method-assign]
    with pytest.raises(TryLater):
        watched.watch(found)
    watched.pauses.pause = original  # type: ignore[method-assign]
    watched.watch(found)
    assert watched.told == [("email", "complaints", "3 complaints in 3 messages")]

"""Permits, pauses and gauges: the same promises in memory and in DynamoDB."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from regulars.channels.config import ChannelSettings
from regulars.channels.health import Bucket, Gauge, Tick, counted
from regulars.channels.ports import Gauges, Pauses, Permits
from regulars.channels.watching import WatchHealth, start_afresh
from regulars.shop import section

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
HEALTH = section(ChannelSettings, "channels").health


@dataclass
class Limits:
    permits: Permits
    pauses: Pauses
    gauges: Gauges


@pytest.fixture(params=["memory", "dynamodb"])
def limits(request: pytest.FixtureRequest) -> Limits:
    if request.param == "memory":
        from regulars.adapters.memory.limits import MemoryGauges, MemoryPauses, MemoryPermits

        return Limits(MemoryPermits(), MemoryPauses(), MemoryGauges())
    from regulars.adapters.dynamodb.limits import DynamoGauges, DynamoPauses, DynamoPermits

    request.getfixturevalue("create_table")("channels", True)
    return Limits(DynamoPermits("channels"), DynamoPauses("channels"), DynamoGauges("channels"))


def test_a_window_gives_its_permits_and_no_more(limits: Limits) -> None:
    assert [limits.permits.take("email", 7, 2) for _ in range(4)] == [True, True, False, False]
    assert limits.permits.take("email", 8, 2)
    assert limits.permits.take("sms", 7, 1)


def test_a_pause_stands_with_its_first_reason_until_it_is_lifted(limits: Limits) -> None:
    assert limits.pauses.standing() == {}
    assert limits.pauses.pause("email", "complaints", at=NOW, detail="9 complaints")
    assert not limits.pauses.pause("email", "operator", at=NOW)
    assert limits.pauses.pause("sms", "operator", at=NOW)
    assert limits.pauses.standing() == {"email": "complaints", "sms": "operator"}
    assert limits.pauses.resume("email")
    assert not limits.pauses.resume("email")
    assert limits.pauses.standing() == {"sms": "operator"}


def test_a_gauge_is_saved_on_the_version_that_was_read(limits: Limits) -> None:
    empty = limits.gauges.load("email")
    assert empty == Gauge(channel="email")
    news = [Tick(number.to_bytes(8, "big"), sent=1, bounced=number % 2) for number in range(1200)]
    first = counted(empty, news, HEALTH)
    assert limits.gauges.save(first)
    assert not limits.gauges.save(first)
    read = limits.gauges.load("email")
    assert (read.version, read.buckets, read.seen, read.seen_before) == (1, first.buckets, first.seen, first.seen_before)
    assert read.total == Bucket(1200, 600, 0)
    assert counted(read, news[500:], HEALTH) == read
    assert limits.gauges.save(read)
    assert not limits.gauges.save(read)


def test_resuming_forgets_what_was_counted(limits: Limits) -> None:
    def nothing(*_: str) -> None: ...

    assert not start_afresh(limits.gauges, limits.pauses, "email")
    bad = counted(Gauge(channel="email"), [Tick(bytes([n] * 8), sent=1, complained=1) for n in range(9)], HEALTH)
    limits.gauges.save(bad)
    watch = WatchHealth(limits.gauges, limits.pauses, HEALTH, lambda: NOW, nothing)
    watch([])
    assert limits.pauses.pause("email", "complaints", at=NOW)
    assert start_afresh(limits.gauges, limits.pauses, "email")
    assert limits.pauses.standing() == {}
    assert limits.gauges.load("email").total == Bucket()

"""What one sent message costs, counted at the client while the real worker runs on moto."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from tests.support.metering import Meter, metering
from tests.support.prices import READ_UNIT, WRITE_UNIT
from tests.support.sending import ADDRESSES, DECISIONS, NOW, SETTINGS, SHOPPER, link_maker, order, planned

from regulars.adapters.dynamodb.contacts import DynamoContacts
from regulars.adapters.dynamodb.limits import DynamoPauses, DynamoPermits
from regulars.adapters.dynamodb.messages import DynamoLedger
from regulars.adapters.dynamodb.profiles import DynamoProfiles
from regulars.adapters.dynamodb.suppressions import DynamoSuppressions
from regulars.adapters.dynamodb.timers import DynamoTimers
from regulars.adapters.memory.channels import MemoryProvider
from regulars.channels.pacing import Pace
from regulars.channels.pausing import KnownPauses
from regulars.channels.rendering import Renderer
from regulars.channels.sending import SendMessage
from regulars.decisions.model import CHANNELS
from regulars.profiles.reading import NewestOrder
from regulars.profiles.record import OrderFacts, Record
from regulars.triggers.service import defer


@pytest.fixture
def worker(create_table: Callable[..., str]) -> SendMessage:
    for name in ("messages", "contacts", "profiles", "channels", "timers"):
        create_table(name)
    create_table("suppressions", False)
    contacts = DynamoContacts("contacts")
    details = {"country": "GB", "time_zone": "Europe/London", "language": "en", "name": "Ann"}
    contacts.update(SHOPPER, now=NOW, addresses=dict(ADDRESSES), consent=dict.fromkeys(CHANNELS, True), details=details)
    DynamoProfiles("profiles").save(Record(shopper=SHOPPER, first_ms=1, orders=OrderFacts(count=2, last_ms=1)))
    pacing = replace(SETTINGS.pacing, quotas={"email": 14})
    return SendMessage(
        ledger=DynamoLedger("messages", "contacts", "suppressions", "offers"),
        contacts=contacts,
        suppressions=DynamoSuppressions("suppressions"),
        renderer=Renderer(SETTINGS, link_maker()),
        providers=dict.fromkeys(CHANNELS, MemoryProvider()),
        decisions=DECISIONS,
        config=SETTINGS.sending,
        clock=lambda: NOW,
        defer=partial(defer, DynamoTimers("timers", 1)),
        pace=Pace(DynamoPermits("channels"), pacing, clock=lambda: NOW, sleep=lambda seconds: None),
        pauses=KnownPauses(DynamoPauses("channels"), 1.0, lambda: NOW),
        orders=NewestOrder(DynamoProfiles("profiles")),
    )


def metered(worker: SendMessage, channel: str) -> Meter:
    message = planned(channel=channel, moment_id=f"cart_abandoned#{channel}", occurred_at=NOW - timedelta(hours=3))
    DynamoLedger("messages", "contacts", "suppressions").record(message)
    with metering() as meter:
        worker(order(message))
    return meter


@pytest.mark.parametrize(("channel", "permit", "writes"), [("push", [], 5), ("email", ["UpdateItem"], 6)])
def test_a_channel_with_a_quota_costs_one_write_more(worker: SendMessage, channel: str, permit: list[str], writes: int) -> None:
    meter = metered(worker, channel)
    # entry, pauses (known for a second), permit; contact, suppression, claim; fence: order, then token, contact and suppression
    # as of one instant; receipt
    claim = ["GetItem", "GetItem", "TransactWriteItems"]
    assert meter.calls == ["GetItem", "Query", *permit, *claim, "GetItem", "TransactGetItems", "UpdateItem"]
    assert (meter.reads, meter.writes) == (11, writes)
    assert meter.dollars_per_million == pytest.approx(writes * WRITE_UNIT + 11 * READ_UNIT)


def test_a_paused_channel_costs_no_claim(worker: SendMessage) -> None:
    DynamoPauses("channels").pause("email", "operator", at=NOW)
    meter = metered(worker, "email")
    assert "TransactWriteItems" not in meter.calls
    assert meter.writes <= 4  # DEFERRED, and its timer

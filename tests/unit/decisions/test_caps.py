"""Caps by topic, campaign and maker of the telephone; several at once; no interleaving of workers over any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.support.decisions import DAY, EVENING, HOUR, SHE, Desk, message, moment, numbers

from regulars.adapters.memory.contacts import MemoryContacts
from regulars.adapters.memory.messages import MemoryLedger
from regulars.adapters.memory.suppressions import MemorySuppressions
from regulars.channels.model import Contact, Slot
from regulars.decisions import caps
from regulars.decisions.config import Cap, Decisions, Hours
from regulars.decisions.gate import keep_slots_since, may_send, takes_slot
from regulars.decisions.model import Message, State
from regulars.errors import Conflict, Invalid
from regulars.shop import section

ONE = {"low": 1}


def capped(**each: Mapping[str, Any]) -> Decisions:
    return replace(numbers(), caps={name: Cap(**cap) for name, cap in each.items()})


def slot(n: int, hours: float, channel: str = "email", kind: str = "birthday", campaign: str = "") -> Slot:
    return Slot(EVENING - timedelta(hours=hours), channel, kind, f"m{n}", campaign)


def full(config: Decisions, *slots: Slot, kind: str = "welcome", channel: str = "email", **wanted: str) -> str:
    found = caps.full(slots, config, caps.Wanted(kind=kind, channel=channel, tier="low", moment_id="new", **wanted), EVENING)
    return found.code if found else ""


def test_a_topic_is_that_of_the_kind() -> None:
    config = capped(benefits={"per": "topic", "hours": 24, "at_most": ONE})
    assert full(config, slot(1, 2, kind="birthday"), kind="welcome") == "cap_topic"  # both are benefits
    assert full(config, slot(1, 2, kind="cart_abandoned"), kind="welcome") == ""
    assert full(config, slot(1, 2, kind="gone from the settings"), kind="welcome") == ""
    assert full(replace(config, caps={"b": replace(config.caps["benefits"], only=("carts",))}), slot(1, 2)) == ""


def test_a_campaign_is_its_name_and_of_a_standing_trigger_its_kind() -> None:
    config = capped(each={"per": "campaign", "hours": 24, "at_most": ONE})
    spring = slot(1, 2, kind="welcome", campaign="spring")
    assert full(config, spring, campaign="spring") == "cap_campaign"
    assert full(config, spring, campaign="summer") == ""
    assert full(config, spring) == ""
    assert full(config, slot(1, 2, kind="welcome")) == "cap_campaign"
    only = replace(config, caps={"spring": replace(config.caps["each"], only=("spring",))})
    assert full(only, spring, campaign="spring") == "cap_campaign"
    assert full(only, slot(1, 2, kind="welcome")) == ""


def test_several_caps_hold_at_once_and_the_one_that_frees_last_is_told() -> None:
    config = capped(
        day={"hours": 24, "at_most": ONE},
        topic_week={"per": "topic", "hours": 168, "at_most": ONE},
        campaign_month={"per": "campaign", "hours": 720, "at_most": ONE},
    )
    found = caps.full(
        [slot(1, 2, kind="birthday", campaign="spring")],
        config,
        caps.Wanted(kind="welcome", channel="push", tier="low", moment_id="new", campaign="spring"),
        EVENING,
    )
    assert found is not None
    assert (found.code, found.frees_at) == ("cap_campaign", EVENING - 2 * HOUR + 30 * DAY)


def test_eleven_at_night_and_midnight_are_two_within_a_day() -> None:
    config = capped(day={"hours": 24, "at_most": ONE})
    assert full(config, slot(1, 1)) == "cap_overall"
    assert full(config, slot(1, 23.99)) == "cap_overall"
    assert full(config, slot(1, 24)) == ""


def test_an_unknown_subject_of_a_cap_is_refused() -> None:
    with pytest.raises(Invalid, match=r"decisions\.caps\.day\.per: 'weekday' is none of channel, kind, topic, campaign"):
        section(Decisions, "decisions", {"decisions": {"caps": {"day": {"per": "weekday"}}}})


@pytest.mark.parametrize(
    ("maker", "most"),
    [("HUAWEI", 2), ("honor", 2), ("OPPO", 2), ("realme", 2), ("vivo", 2), ("Meizu", 3), ("Xiaomi", 5), ("Redmi", 5)],
)
def test_makers_of_telephones_allow_so_many_pushes_a_day(maker: str, most: int) -> None:
    config = replace(numbers(), caps={}, quiet=Hours(opens=0, closes=24))
    assert config.vendors.at_most[config.vendors.vendor(maker)] == most
    contact = Contact(shopper=SHE, addresses={"push": "t"}, consent={"push": True}, time_zone="UTC", push_vendor=maker)
    for taken, expected in ((most - 1, None), (most, "cap_full")):
        slots = tuple(slot(n, n, channel="push", kind=f"k{n}") for n in range(taken))
        push = message(channel="push", address="t", at=EVENING)
        assert may_send(push, replace(contact, slots=slots), EVENING, config) == expected
    mails = tuple(slot(n, n, channel="email") for n in range(9))
    assert may_send(message(channel="push", address="t"), replace(contact, slots=mails), EVENING, config) is None
    night = EVENING.replace(hour=5, minute=59)
    assert may_send(message(at=night, channel="push", address="t"), contact, night, config) == "quiet_hours"
    assert (
        may_send(message(at=night, channel="push", address="t"), replace(contact, push_vendor="Pixel"), night, config) is None
    )
    six = night + timedelta(minutes=1)
    assert may_send(message(at=six, channel="push", address="t"), contact, six, config) is None


def test_the_arbiter_passes_over_a_telephone_that_is_full() -> None:
    desk = Desk(caps={}, spacing=replace(numbers().spacing, hours=0))
    desk.reachable(push="token")
    desk.contacts.update(SHE, now=EVENING, details={"push_vendor": "vivo"}, addresses={"email": None})
    for n in (1, 2):
        desk.got("birthday", EVENING - n * HOUR, "push", f"b{n}")
    assert desk.verdict(moment()) == ("DEFERRED", "cap_vendor")
    assert desk.deferred[-1][1] >= EVENING + 22 * HOUR
    desk.contacts.update(SHE, now=EVENING, addresses={"email": "mira@example.com"})
    entry = desk.decide(moment(subject="c2"))
    assert (entry.state, entry.channel) == (State.PLANNED, "email")


TIERS = {"low": 2, "high": 3}
RACING = replace(
    numbers(),
    caps={
        "day": Cap(hours=24, at_most=TIERS),
        "push_day": Cap(hours=24, at_most={"low": 1, "high": 2}, per="channel", only=("push",)),
        "topic_2_days": Cap(hours=48, at_most={"low": 1, "high": 2}, per="topic"),
        "campaign_3_days": Cap(hours=72, at_most={"low": 1, "high": 1}, per="campaign"),
    },
    quiet=Hours(opens=0, closes=24),
    legal={},
)
KINDS = ("birthday", "welcome", "cart_abandoned", "winback_dormant", "order_update")


class Workers(RuleBasedStateMachine):
    """Workers that hold contacts of any age decide, claim and finish in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.number, self.claimed = EVENING, 0, 0
        self.contacts = MemoryContacts()
        self.ledger = MemoryLedger(self.contacts, MemorySuppressions())
        self.contacts.update(
            SHE,
            now=self.now,
            addresses={"push": "t", "email": "e"},
            consent={"push": True, "email": True},
            details={"time_zone": "UTC", "push_vendor": "vivo"},
        )
        self.planned: list[Message] = []
        self.views: list[Contact] = [self.contacts.load(SHE)]
        self.held: dict[str, tuple[Message, datetime]] = {}
        self.kept: dict[str, tuple[Message, datetime]] = {}
        self.claims: dict[str, int] = {}

    @rule(
        kind=st.sampled_from(KINDS),
        channel=st.sampled_from(("push", "email")),
        campaign=st.sampled_from(("", "spring", "summer")),
        tier=st.sampled_from(("low", "high")),
    )
    def plan(self, kind: str, channel: str, campaign: str, tier: str) -> None:
        self.number += 1
        address = self.contacts.load(SHE).addresses[channel]
        made = message(kind, f"s{self.number}", at=self.now, channel=channel, address=address, campaign=campaign)
        made = replace(made, content={"tier": tier}, expires_at=self.now + 9 * DAY)
        assert self.ledger.record(made)
        self.planned.append(made)

    @rule()
    def look(self) -> None:
        self.views.append(self.contacts.load(SHE))

    @rule(hours=st.sampled_from((0.5, 5, 23.5, 30)))
    def wait(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @precondition(lambda self: self.planned)
    @rule(data=st.data())
    def claim(self, data: st.DataObject) -> None:
        """By a contact that may be old, as the last gate saw it."""
        wanted = data.draw(st.sampled_from(self.planned))
        view = data.draw(st.sampled_from(self.views[-4:]))
        if may_send(wanted, view, self.now, RACING) is not None:
            return
        try:
            self.ledger.claim(
                wanted,
                view,
                token=wanted.moment_id,
                now=self.now,
                lease_until=self.now + HOUR,
                takes_slot=takes_slot(wanted, RACING),
                keep_slots_since=keep_slots_since(self.now, RACING),
            )
        except Conflict:
            return
        self.planned.remove(wanted)
        self.claimed += 1
        self.claims[wanted.moment_id] = self.claimed
        self.held[wanted.moment_id] = (wanted, self.now)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), fate=st.sampled_from((State.SENT, State.SENT, State.FAILED, State.UNKNOWN, State.PLANNED)))
    def finish(self, data: st.DataObject, fate: State) -> None:
        name = data.draw(st.sampled_from(sorted(self.held)))
        wanted, at = self.held.pop(name)
        back = fate in (State.FAILED, State.PLANNED)
        self.ledger.finish(
            wanted, token=name, state=fate, reason="x", now=self.now, gives_slot_back=back and takes_slot(wanted, RACING)
        )
        if fate is State.PLANNED:
            self.planned.append(wanted)
        elif not back:
            self.kept[name] = (wanted, at)

    @invariant()
    def slots_are_the_messages_that_may_have_gone_out(self) -> None:
        since = keep_slots_since(self.now, RACING)
        standing = {**self.held, **self.kept}
        expected = {name for name, (wanted, at) in standing.items() if takes_slot(wanted, RACING) and at > since}
        assert {slot.moment_id for slot in self.contacts.load(SHE).slots if slot.at > since} == expected

    @invariant()
    def no_cap_is_passed(self) -> None:
        """Each message, by its own tier, at the moment it was claimed."""
        gone = [entry for entry in (*self.held.values(), *self.kept.values()) if takes_slot(entry[0], RACING)]
        gone.sort(key=lambda entry: self.claims[entry[0].moment_id])
        for cap in RACING.caps.values():
            for place, (last, end) in enumerate(gone):
                since = end - timedelta(hours=cap.hours)
                inside = [other for other, at in gone[: place + 1] if at > since and same(cap, other, last)]
                if not cap.only or last.channel in cap.only:
                    assert len(inside) <= cap.at_most[last.content["tier"]]
        pushes = sorted(at for wanted, at in gone if wanted.channel == "push")
        assert all(later - first >= DAY for first, later in zip(pushes, pushes[2:], strict=False))


def same(cap: Cap, one: Message, other: Message) -> bool:
    kinds = RACING.kinds
    return {
        "": True,
        "channel": one.channel == other.channel,
        "topic": kinds[one.kind].topic == kinds[other.kind].topic,
        "campaign": (one.campaign or one.kind) == (other.campaign or other.kind),
    }[cap.per]


Workers.TestCase.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
test_no_interleaving_passes_a_cap_or_loses_a_slot = Workers.TestCase

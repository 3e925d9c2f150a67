"""The last gate: what comes up between the decision and the claim stops the message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tests.support.decisions import DAY, EVENING, HOUR, SHE, message, numbers

from regulars.channels.model import Contact, Slot
from regulars.decisions.gate import keep_slots_since, may_send, takes_slot

CONTACT = Contact(
    shopper=SHE, version=3, addresses={"email": "mira@example.com"}, consent={"email": True}, time_zone="UTC", country="GB"
)


def gate(changes: dict[str, object] | None = None, now: datetime = EVENING, **contact: object) -> str | None:
    return may_send(replace(message(), **(changes or {})), replace(CONTACT, **contact), now, numbers())  # type: ignore[arg-type]


def test_nothing_new_means_go() -> None:
    assert gate() is None


def test_expired() -> None:
    assert gate({"expires_at": EVENING}) == "expired"


def test_an_order_that_the_caller_knows_of() -> None:
    assert may_send(message(), CONTACT, EVENING, numbers(), answered=True) == "answered_by_order"
    birthday = replace(message("birthday"), kind="birthday")
    assert may_send(birthday, CONTACT, EVENING, numbers(), answered=True) is None


def test_consent_withdrawn_for_the_channel_or_the_topic() -> None:
    assert gate(consent={"email": False}) == "consent_withdrawn"
    assert gate(topics={"email/carts": False}) == "consent_withdrawn"
    assert gate({"kind": "order_update"}, consent={}) is None


def test_another_address_than_the_one_decided_for() -> None:
    assert gate(addresses={"email": "new@example.com"}) == "address_changed"
    assert gate(addresses={}) == "address_changed"


def test_the_last_place_was_taken_meanwhile() -> None:
    slots = tuple(Slot(EVENING - n * HOUR, "push", "birthday", f"b{n}") for n in (1, 2))
    assert gate(slots=slots) == "cap_full"
    assert gate({"kind": "order_update"}, slots=slots) is None


def test_its_own_slot_does_not_stand_in_its_way() -> None:
    own = Slot(EVENING, "email", "cart_abandoned", message().moment_id)
    assert gate(slots=(own, Slot(EVENING - HOUR, "push", "birthday", "b1"))) is None


def test_the_tier_it_was_decided_with_counts() -> None:
    slots = tuple(Slot(EVENING - n * DAY, "push", "birthday", f"b{n}") for n in (8, 12, 16))
    assert gate(slots=slots) == "cap_full"
    assert gate({"content": {"tier": "high"}}, slots=slots) is None
    assert gate({"content": {}}, slots=slots) == "cap_full"


def test_quiet_hours_that_began_meanwhile() -> None:
    late = datetime(2026, 6, 10, 22, 0, tzinfo=UTC)
    assert gate(now=late) == "quiet_hours"
    assert gate({"kind": "order_update"}, now=late) is None


def test_a_kind_that_is_gone_from_the_settings() -> None:
    assert gate({"kind": "moon_landing"}) == "unknown_kind"


def test_marketing_takes_a_slot_and_keeps_it_for_the_longest_window() -> None:
    assert takes_slot(message(), numbers())
    assert not takes_slot(replace(message(), kind="order_update"), numbers())
    assert keep_slots_since(EVENING, numbers()) == EVENING - 30 * DAY

"""Every ledger keeps what was decided, closes it once, and learns from feedback what became of it."""

from __future__ import annotations

import pytest
from tests.support.decisions import DAY, EVENING, HOUR, SHE, message
from tests.support.ledger import Books

from regulars.decisions.model import State
from regulars.errors import NotFound


def test_what_is_recorded_is_read_back_whole(books: Books) -> None:
    full = message(
        not_before=EVENING + HOUR,
        lease_until=EVENING + 2 * HOUR,
        token="t0",
        provider_id="p0",
        slot="s0",
        marks={"delivered": 12},
        arm="treated",
        correlation_id="c0",
        content={"template": "cart_abandoned", "items": [{"item_id": "i1", "title": "花瓶", "price_cents": 1200}], "facts": {}},
    )
    assert books.ledger.record(full)
    assert books.ledger.get(SHE, full.moment_id) == full
    assert books.ledger.get(SHE, "cart_abandoned#other") is None
    assert books.ledger.get("user:other", full.moment_id) is None


def test_a_decision_is_made_once(books: Books) -> None:
    books.planned()
    assert not books.ledger.record(message(reason="another"))
    assert books.stands(message()).reason == "chosen"


def test_a_deferred_decision_may_be_made_anew(books: Books) -> None:
    waiting = message(state=State.DEFERRED, reason="quiet_hours", not_before=EVENING + HOUR)
    assert books.ledger.record(waiting)
    assert books.ledger.record(message())
    assert books.stands(waiting) == message()


def test_the_list_is_newest_first_and_one_shoppers(books: Books) -> None:
    for number in (2, 0, 1):
        books.ledger.record(message(subject=f"c{number}", at=EVENING + number * HOUR))
    books.ledger.record(message(subject="c9", shopper="user:other"))
    assert [entry.subject for entry in books.ledger.list(SHE)] == ["c2", "c1", "c0"]
    assert [entry.subject for entry in books.ledger.list(SHE, limit=2)] == ["c2", "c1"]


@pytest.mark.parametrize("state", [State.PLANNED, State.DEFERRED])
def test_a_waiting_message_can_be_closed_once(books: Books, state: State) -> None:
    books.ledger.record(message(state=state))
    closing = {"state": State.LAPSED, "reason": "answered_by_order", "now": EVENING + HOUR}
    assert books.ledger.close(SHE, message().moment_id, **closing)  # type: ignore[arg-type]
    assert not books.ledger.close(SHE, message().moment_id, **closing)  # type: ignore[arg-type]
    closed = books.stands(message())
    assert (closed.state, closed.reason) == (State.LAPSED, "answered_by_order")


def test_a_claimed_or_missing_message_cannot_be_closed(books: Books) -> None:
    plan = books.planned()
    books.claim(plan)
    assert not books.ledger.close(SHE, plan.moment_id, state=State.LAPSED, reason="x", now=EVENING)
    assert not books.ledger.close(SHE, "cart_abandoned#none", state=State.LAPSED, reason="x", now=EVENING)
    assert books.stands(plan).state is State.CLAIMED


def test_a_mark_is_set_once(books: Books) -> None:
    plan = books.planned()
    assert books.ledger.mark(SHE, plan.moment_id, mark="opened", at=EVENING + HOUR, detail="web")
    assert not books.ledger.mark(SHE, plan.moment_id, mark="opened", at=EVENING + DAY)
    marked = books.stands(plan)
    assert marked.marks == {"opened": int((EVENING + HOUR).timestamp() * 1000)}
    assert [word for _, word, _ in marked.history] == ["PLANNED", "opened"]
    with pytest.raises(NotFound):
        books.ledger.mark(SHE, "cart_abandoned#none", mark="opened", at=EVENING)


@pytest.mark.parametrize("mark", ["accepted", "delivered", "opened", "clicked", "bounced", "complained"])
def test_feedback_settles_what_could_not_be_told(books: Books, mark: str) -> None:
    plan = books.planned()
    books.claim(plan)
    books.finish(plan, State.UNKNOWN)
    books.ledger.mark(SHE, plan.moment_id, mark=mark, at=EVENING + HOUR)
    assert books.stands(plan).state is State.SENT


def test_feedback_that_was_faster_than_the_receipt_settles_too(books: Books) -> None:
    plan = books.planned()
    books.claim(plan)
    books.ledger.mark(SHE, plan.moment_id, mark="delivered", at=EVENING + HOUR)
    assert books.stands(plan).state is State.CLAIMED
    for _ in range(2):
        books.finish(plan, State.UNKNOWN)
    assert books.stands(plan).state is State.SENT


def test_a_mark_that_says_nothing_of_the_provider_settles_nothing(books: Books) -> None:
    plan = books.planned()
    books.claim(plan)
    books.finish(plan, State.UNKNOWN)
    books.ledger.mark(SHE, plan.moment_id, mark="converted", at=EVENING + HOUR)
    assert books.stands(plan).state is State.UNKNOWN

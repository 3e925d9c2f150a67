"""What one change adds to which counter. Pure: the same change gives the same counts, whenever it is looked at."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from regulars.capture import names
from regulars.capture.model import Event
from regulars.clock import from_ms
from regulars.decisions.holdout import ENROLLED, enrolled_in
from regulars.decisions.model import Message, State
from regulars.feedback.attribution import CONVERTED, OrderStory
from regulars.feedback.machines import AGAIN, TAKEN_BACK
from regulars.feedback.touches import LIST_SEEN, RecommendationClick, recommendation_of
from regulars.metrics.counts import CountKey, Counts
from regulars.metrics.ratios import ARMS

_NAMED = frozenset(names.BUILT_IN)
_BY_CHANNEL = frozenset((State.PLANNED, State.SENT, State.FAILED, State.UNKNOWN))
_BY_REASON = frozenset((State.WITHHELD, State.DEFERRED, State.LAPSED))
_RESPONSES = frozenset(("clicked", CONVERTED))


def message_counts(old: Message | None, new: Message) -> Counts:
    """A step of the ledger: the decision, the state it came to, the marks it got, the experiments she entered with it.

    `responded` counts a message once, at its first click or conversion. A message that goes from UNKNOWN to SENT was
    settled by its feedback and counts as `settled` besides. A claim handed back (CLAIMED to PLANNED) is no new plan.
    """
    counts, group = Counts(), f"messages/{new.kind}"
    day = _stepped_on(new)
    if old is None:
        counts[CountKey(new.decided_at.date(), group, "decided")] += 1
    handed_back = old is not None and old.state is State.CLAIMED and new.state is State.PLANNED
    if (old is None or old.state is not new.state) and not handed_back:
        field = _state_field(new)
        if field:
            counts[CountKey(day, group, field)] += 1
        if old is not None and old.state is State.UNKNOWN and new.state is State.SENT:
            counts[CountKey(day, group, f"settled/{new.channel}")] += 1
    for at_ms, word, detail in new.history[len(old.history) if old else 0 :]:
        if word == ENROLLED:
            experiment, arm, draw = enrolled_in(detail)
            counts[CountKey(_day(at_ms), f"{ARMS}/{experiment}", f"{arm}/{draw}")] += 1
    before = old.marks if old else {}
    fresh = {mark: at_ms for mark, at_ms in new.marks.items() if mark not in before}
    for mark, at_ms in fresh.items():
        counts[CountKey(_day(at_ms), group, f"{mark}/{new.channel}")] += 1
    # A scanner's burst: its first click was counted as hers (`regulars.feedback.machines`). What it answered stays answered.
    if TAKEN_BACK in fresh and "clicked" in new.marks:
        counts[CountKey(_day(new.marks["clicked"]), group, f"clicked/{new.channel}")] -= 1
        if CONVERTED not in new.marks:
            counts[CountKey(_day(new.marks["clicked"]), group, f"responded/{new.channel}")] -= 1
    if AGAIN in fresh:
        counts[CountKey(_day(fresh[AGAIN]), group, f"clicked/{new.channel}")] += 1
        if CONVERTED not in before:
            counts[CountKey(_day(fresh[AGAIN]), group, f"responded/{new.channel}")] += 1
    responses = [at_ms for mark, at_ms in fresh.items() if mark in _RESPONSES]
    if responses and not _RESPONSES.intersection(before):
        counts[CountKey(_day(min(responses)), group, f"responded/{new.channel}")] += 1
    return counts


def event_counts(event: Event, click: RecommendationClick | None, order: OrderStory | None) -> Counts:
    """An event of the log, with what attribution says about it. Names the shop invented count as `track/other`."""
    counts, day = Counts(), event.at.date()
    counts[CountKey(day, "events", "total")] += 1
    counts[CountKey(day, "events", _event_field(event))] += 1
    if event.name == LIST_SEEN:
        recommendation_id, scene = recommendation_of(event.properties)
        if recommendation_id:
            counts[CountKey(day, f"recommendations/{scene}", "seen")] += 1
    if click is not None:
        counts[CountKey(day, f"recommendations/{click.scene}", "clicked")] += 1
    if order is not None:
        counts.update(_order_counts(day, order))
    if event.name == names.ORDER_REFUNDED:
        counts[CountKey(day, "orders", "refunds")] += 1
    return counts


def active(events: Collection[Event], feed_events: Collection[str]) -> dict[date, set[str]]:
    """The shoppers seen on each day, without what the shop's own systems tell."""
    days: dict[date, set[str]] = {}
    for event in events:
        if event.name not in feed_events:
            days.setdefault(event.at.date(), set()).add(event.shopper)
    return days


def _order_counts(day: date, story: OrderStory) -> Counts:
    counts, order = Counts(), story.order
    if not story.first:
        counts[CountKey(day, "orders", "repeated")] += 1
        return counts
    counts[CountKey(day, "orders", "count")] += 1
    counts[CountKey(day, "orders", f"revenue_cents/{order.currency or '-'}")] += order.value_cents
    if order.scene:
        counts[CountKey(day, f"recommendations/{order.scene}", "ordered")] += 1
        counts[CountKey(day, f"recommendations/{order.scene}", "revenue_cents")] += order.value_cents
    return counts


def _event_field(event: Event) -> str:
    if event.type != "track":
        return event.type
    return f"track/{event.name if event.name in _NAMED else 'other'}"


def _state_field(message: Message) -> str:
    word = message.state.value.lower()
    if message.state in _BY_CHANNEL:
        return f"{word}/{message.channel}"
    return f"{word}/{message.reason.partition(':')[0]}" if message.state in _BY_REASON else ""


def _stepped_on(message: Message) -> date:
    """The day of the newest step of the story, of the decision when it has none."""
    return _day(message.history[-1][0]) if message.history else message.decided_at.date()


def _day(at_ms: Any) -> date:
    return from_ms(int(at_ms)).date()

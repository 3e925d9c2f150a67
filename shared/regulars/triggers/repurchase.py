"""When a shopper will want the same item again.

The gap is that of `needs.rebuying.expected_gap`, as in the repurchase scene: the median of the days between her own purchases
of it, below `trusted_gaps` of them shrunk to the item's usual gap in proportion, (n·own + (t−n)·usual) / t. The usual gap is
the item's attribute `repurchase_days`, else its category's, else the default. The reminder comes `lead_days` before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta

from regulars.capture.model import Event
from regulars.catalogue.model import Item
from regulars.needs.rebuying import expected_gap
from regulars.profiles.model import Profile
from regulars.triggers.agenda import Agenda
from regulars.triggers.config import Repurchase, Triggers
from regulars.triggers.model import Timer, subject_of
from regulars.triggers.reading import Line, lines, order_id

KIND = "repurchase_due"


def usual_days(line: Line, item: Item | None, numbers: Repurchase) -> float:
    """What the item or its category is known to last."""
    told = item.attributes.get("repurchase_days", "") if item else ""
    try:
        days = float(told)
    except ValueError:
        days = 0.0
    if 0 < days < 3660:
        return days
    category = (item.category if item else "") or line.category
    return numbers.category_days.get(category, numbers.default_days)


def plan_order(agenda: Agenda, event: Event, profile: Profile, items: Mapping[str, Item], numbers: Triggers) -> None:
    """An order was paid: each item's reminder moves to its next expected purchase; the `max_items` best stay."""
    bought = {line.item_id: line for line in lines(event)}
    for line in bought.values():
        timer = _timer(agenda.shopper, line, event, profile, items.get(line.item_id), numbers)
        for standing in agenda.of(KIND):
            if line.item_id in standing.facts.get("items", ()) and (timer is None or standing.key != timer.key):
                agenda.drop([standing])
        if timer is not None and timer.due_at > agenda.now and agenda.get(timer.key) is None:
            agenda.put(timer)
    _keep_best(agenda, numbers.repurchase.max_items)


def undo_order(agenda: Agenda, event: Event) -> None:
    """Given back or cancelled: no reminder for what she no longer has; without named products, for the whole order."""
    named = {line.item_id for line in lines(event)}
    order = order_id(event)
    for timer in agenda.of(KIND):
        if timer.facts.get("order_id") == order and (not named or named.intersection(timer.facts.get("items", ()))):
            agenda.drop([timer])


def _timer(shopper: str, line: Line, event: Event, profile: Profile, item: Item | None, settings: Triggers) -> Timer | None:
    numbers = settings.repurchase
    days = sorted({*profile.purchases.get(line.item_id, ()), event.at.date()})
    if len(days) < numbers.min_purchases or (item is not None and not item.active):
        return None
    last = event.at if days[-1] == event.at.date() else datetime.combine(days[-1], time(), UTC)
    gap = expected_gap([day.toordinal() for day in days], usual_days(line, item, numbers), numbers.trusted_gaps)
    due_at = last + timedelta(days=round(max(gap - numbers.lead_days, numbers.min_wait_days)))
    expires_at = due_at + timedelta(hours=numbers.lapse_hours)
    return Timer(
        shopper=shopper,
        kind=KIND,
        subject=subject_of(line.item_id, days[-1].isoformat()),
        due_at=due_at,
        occurred_at=event.at,
        expires_at=expires_at,
        facts={
            "items": [line.item_id],
            "category": (item.category if item else "") or line.category,
            "order_id": order_id(event),
            "times": len(days),
        },
        correlation_id=event.message_id,
        remember_until=expires_at + timedelta(days=settings.remember_days),
    )


def _keep_best(agenda: Agenda, most: int) -> None:
    """Waiting reminders beyond `most` go: the seldomer bought first, then the later due."""
    waiting: Iterable[Timer] = (timer for timer in agenda.of(KIND) if not agenda.fired(timer))
    ranked = sorted(waiting, key=lambda timer: (-timer.facts.get("times", 1), timer.due_at, timer.key))
    agenda.drop(ranked[most:])

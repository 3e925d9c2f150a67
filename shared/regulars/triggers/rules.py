"""Carts, browsing, welcome and order updates; and what an order answers.

A subject names the occurrence and is made of the deed, so that planning it again names it the same: the cart (its id, else
the minute the first item went in), the day of the first view, the order with its new status.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from regulars.capture.model import Event
from regulars.capture.names import ORDER_COMPLETED
from regulars.ids import short_hash
from regulars.triggers.agenda import Agenda
from regulars.triggers.config import Triggers
from regulars.triggers.model import Timer, subject_of
from regulars.triggers.reading import Line, cart_id, lines, order_id

CART, BROWSE, WELCOME, ORDER = "cart_abandoned", "browse_abandoned", "welcome", "order_update"
REPURCHASE = "repurchase_due"
_SEEN = 24  # a short-term memory against repeats of the stream, small enough for the timer to stay one write unit
SINGLE = (CART, BROWSE)
"""Kinds of which a shopper has one waiting at most."""


def is_fresh(event: Event, now: datetime, numbers: Triggers) -> bool:
    """Young enough, and not from the future: only then may it arm what is about the moment."""
    oldest, newest = now - timedelta(hours=numbers.stale_hours), now + timedelta(minutes=numbers.future_minutes)
    return oldest <= event.at <= newest


def is_answered(agenda: Agenda, at: datetime, numbers: Triggers) -> bool:
    """An order that the agenda remembers came after it."""
    paid = numbers.orders.statuses.get(ORDER_COMPLETED)
    return any(
        at <= timer.occurred_at and (timer.kind == REPURCHASE or timer.facts.get("status") == paid)
        for timer in agenda.of(ORDER, REPURCHASE)
    )


def fill_cart(agenda: Agenda, event: Event, numbers: Triggers) -> None:
    """An item went in: the reminder waits from now. A cart that was reminded is not reminded again."""
    cart = _cart(agenda, event)
    if cart is None:
        subject = subject_of(cart_id(event) or f"{event.at:%Y-%m-%dT%H:%M}")
        cart = _timer(agenda, event, CART, subject, numbers, due_at=event.at, lapse_hours=0)
    elif agenda.fired(cart):
        return
    first = min(cart.occurred_at, event.at)
    due_at = min(
        event.at + timedelta(hours=numbers.cart.wait_hours),
        first + timedelta(hours=numbers.cart.latest_hours),
    )
    if _has_seen(cart, event):
        return
    cart = _noted(cart, event)
    for line in lines(event):
        cart = _with_line(cart, line, numbers.items)
    due_at = max(due_at, cart.due_at)
    expires_at = max(due_at, agenda.now) + timedelta(hours=numbers.cart.lapse_hours)
    remember_until = expires_at + timedelta(days=numbers.remember_days)
    agenda.put(replace(cart, due_at=due_at, occurred_at=first, expires_at=expires_at, remember_until=remember_until))


def empty_cart(agenda: Agenda, event: Event, numbers: Triggers) -> None:
    """An item went out; with the last one the cart is forgotten."""
    cart = _cart(agenda, event)
    if cart is None or agenda.fired(cart) or _has_seen(cart, event):
        return
    cart = _noted(cart, event)
    for line in lines(event):
        cart = _without_line(cart, line)
    if _lines(cart) <= 0:
        agenda.drop([cart])
    else:
        agenda.put(cart)


def _cart(agenda: Agenda, event: Event) -> Timer | None:
    """The cart an event is about: the one it names, else the latest."""
    named = cart_id(event)
    if named:
        return agenda.get(f"{CART}#{subject_of(named)}")
    return next(iter(agenda.of(CART)), None)


def _has_seen(cart: Timer, event: Event) -> bool:
    """The stream brought it before: adding it again would double the cart's value."""
    return short_hash(event.message_id, size=4).hex() in cart.notes.get("seen", ())


def _noted(cart: Timer, event: Event) -> Timer:
    seen = [*cart.notes.get("seen", ()), short_hash(event.message_id, size=4).hex()][-_SEEN:]
    return replace(cart, notes={"lines": _lines(cart), "seen": seen})


def _lines(cart: Timer) -> int:
    """How many distinct items are in it, as far as `items` could tell."""
    count: int = cart.notes.get("lines", len(cart.facts.get("items", ())))
    return count


def _with_line(cart: Timer, line: Line, most: int) -> Timer:
    """`items` holds the latest, newest last."""
    items = list(cart.facts.get("items", ()))
    added = line.item_id not in items
    items = [item for item in items if item != line.item_id] + [line.item_id]
    facts = {"items": items[-most:], "cart_value_cents": cart.facts.get("cart_value_cents", 0) + line.value_cents}
    return replace(cart, facts=facts, notes={**cart.notes, "lines": _lines(cart) + added})


def _without_line(cart: Timer, line: Line) -> Timer:
    """What is not in the cart cannot leave it; beyond the `items` kept, the word of the event is taken."""
    items = list(cart.facts.get("items", ()))
    if line.item_id not in items and len(items) >= _lines(cart):
        return cart
    value = max(0, cart.facts.get("cart_value_cents", 0) - line.value_cents)
    facts = {"items": [item for item in items if item != line.item_id], "cart_value_cents": value}
    return replace(cart, facts=facts, notes={**cart.notes, "lines": _lines(cart) - 1})


def note_view(agenda: Agenda, event: Event, numbers: Triggers) -> None:
    """A product was viewed: one reminder a day, which names the first few products of it."""
    viewed = [line.item_id for line in lines(event)]
    timer = agenda.waiting(BROWSE)
    if timer is None:
        subject = event.at.date().isoformat()
        if agenda.get(f"{BROWSE}#{subject}") is None:
            due_at = event.at + timedelta(hours=numbers.browse.wait_hours)
            fresh = _timer(agenda, event, BROWSE, subject, numbers, due_at=due_at, lapse_hours=numbers.browse.lapse_hours)
            agenda.put(replace(fresh, facts={"items": viewed[: numbers.browse.items]}))
        return
    items = list(dict.fromkeys([*timer.facts.get("items", ()), *viewed]))[: numbers.browse.items]
    if items != timer.facts.get("items"):
        agenda.put(replace(timer, facts={"items": items}))


def greet(agenda: Agenda, event: Event, numbers: Triggers) -> None:
    """A new shopper: once in her life."""
    if agenda.get(f"{WELCOME}#once") is None:
        rule = numbers.welcome
        due_at = event.at + timedelta(minutes=rule.delay_minutes)
        timer = _timer(agenda, event, WELCOME, "once", numbers, due_at=due_at, lapse_hours=rule.lapse_hours)
        agenda.put(replace(timer, remember_until=timer.expires_at + timedelta(days=rule.remember_days)))


def tell_order(agenda: Agenda, event: Event, numbers: Triggers) -> None:
    """An order changed: at once, unless the shop left the word empty. Refunds with a `refund_id` are told apart."""
    order, status = order_id(event), numbers.orders.statuses[event.name]
    if not status:
        return
    part = str(event.properties.get("refund_id") or "")
    subject = subject_of(order, status, part) if part else subject_of(order, status)
    if order and agenda.get(f"{ORDER}#{subject}") is None:
        items = list(dict.fromkeys(line.item_id for line in lines(event)))[: numbers.items]
        timer = _timer(agenda, event, ORDER, subject, numbers, due_at=event.at, lapse_hours=numbers.orders.lapse_hours)
        agenda.put(replace(timer, facts={"order_id": order, "status": status, "items": items}))


def answer(agenda: Agenda, event: Event, numbers: Triggers) -> None:
    """An order was paid: what asked for it before is pointless now, wherever it waits."""
    agenda.drop(timer for timer in agenda.of(*numbers.orders.answers) if timer.occurred_at <= event.at)


def _timer(
    agenda: Agenda, event: Event, kind: str, subject: str, numbers: Triggers, *, due_at: datetime, lapse_hours: float
) -> Timer:
    expires_at = max(due_at, agenda.now) + timedelta(hours=lapse_hours)
    return Timer(
        shopper=agenda.shopper,
        kind=kind,
        subject=subject,
        due_at=due_at,
        occurred_at=event.at,
        expires_at=expires_at,
        correlation_id=event.message_id,
        remember_until=expires_at + timedelta(days=numbers.remember_days),
    )

"""Which message an order is credited to, and which recommendation.

One order is credited to one message: the last one the shopper clicked within `clicked_hours` before it; when she clicked
none, the last one she opened; else the last one she received. Ties go to the greater moment id, so that every repeat
decides alike. (Braze credits every message received within three days, so its sums exceed the revenue.) Opens and clicks
by machines are no touches. A touch whose report arrives after the order still earns it while the order is uncredited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from regulars.capture.model import Event
from regulars.clock import from_ms
from regulars.decisions.model import Message, State
from regulars.decisions.ports import Ledger
from regulars.errors import NotFound
from regulars.feedback.config import AttributionConfig
from regulars.feedback.machines import click_marks
from regulars.feedback.ports import Touches
from regulars.feedback.touches import OrderTouch, RecommendationClick, click_in, items_in, order_in
from regulars.ids import message_id, split_message_id
from regulars.metrics.counts import CountKey, Counts

CONVERTED = "converted"
_CLICKED, _OPENED, _RECEIVED = range(3)


@dataclass(frozen=True, slots=True)
class OrderStory:
    """What became of an order: `first` when this event is the one that counts."""

    order: OrderTouch
    first: bool


class Attribution:
    """Ties clicks and orders to what caused them. Every call may be repeated and answers the same."""

    def __init__(self, ledger: Ledger, touches: Touches, config: AttributionConfig) -> None:
        self._ledger = ledger
        self._touches = touches
        self._config = config

    def clicked(self, event: Event) -> RecommendationClick | None:
        """The click on a recommendation that `event` tells of and no earlier event told."""
        click = click_in(event)
        if click is None:
            return None
        expires_at = event.received_at + self._config.recommendation
        return click if self._touches.click(event.shopper, click, expires_at=expires_at) else None

    def ordered(self, event: Event) -> OrderStory | None:
        """The order that `event` tells of, kept and credited."""
        order = order_in(event)
        if order is None:
            return None
        stored = self._touches.order(
            event.shopper,
            replace(order, scene=self._scene(event)),
            expires_at=event.received_at + timedelta(days=self._config.keep_orders_days),
        )
        if stored.event_id != event.message_id:
            return OrderStory(stored, first=False)
        if stored.credited:
            self._mark(stored, stored.credited)
        else:
            self._credit_best(event.shopper, stored)
        return OrderStory(stored, first=True)

    def touched(self, shopper: str, moment_id: str, kind: str, at: datetime) -> None:
        """A touch (`clicked`, `opened`, `read`) was reported: credit it with uncredited orders that followed it."""
        window = timedelta(hours=self._config.clicked_hours if kind == "clicked" else self._config.opened_hours)
        late = [order for order in self._touches.orders(shopper) if not order.credited and at <= order.at <= at + window]
        message = self._ledger.get(shopper, moment_id) if late else None
        if message is None or message.kind in self._config.excluded_kinds:
            return
        for order in late:
            self._credit(shopper, order, message)

    def _scene(self, event: Event) -> str:
        """The scene of the last recommendation, clicked within the window, of an item in the order."""
        items = items_in(event)
        shoppers = {event.shopper, f"anon:{event.anonymous_id}"} if event.anonymous_id else {event.shopper}
        clicks = [
            click
            for shopper in sorted(shoppers)
            for click in self._touches.clicks(shopper)
            if click.item_id in items and event.at - self._config.recommendation <= click.at <= event.at
        ]
        return max(clicks, key=lambda click: (click.at, click.recommendation_id)).scene if clicks else ""

    def _credit_best(self, shopper: str, order: OrderTouch) -> None:
        messages = self._ledger.list(shopper, self._config.lookback_messages)
        chosen = choose(messages, order.at, self._config)
        if chosen is not None:
            self._credit(shopper, order, chosen)

    def _credit(self, shopper: str, order: OrderTouch, message: Message) -> None:
        mine = message_id(shopper, message.moment_id)
        day, group = order.at.date(), f"messages/{message.kind}"
        counts = Counts(
            {
                CountKey(day, group, f"orders/{message.channel}"): 1,
                CountKey(day, group, f"revenue_cents/{message.channel}"): order.value_cents,
            }
        )
        if self._touches.credit(shopper, order.order_id, mine, counts) == mine:
            self._mark(order, mine)

    def _mark(self, order: OrderTouch, credited: str) -> None:
        shopper, moment_id = split_message_id(credited)
        detail = f"{order.order_id} {order.value_cents} {order.currency}".strip()
        try:
            self._ledger.mark(shopper, moment_id, mark=CONVERTED, at=order.at, detail=detail)
        except NotFound:
            return  # erased meanwhile: the counters keep what they had, the story is gone with the shopper


def choose(messages: Sequence[Message], ordered_at: datetime, config: AttributionConfig) -> Message | None:
    """The message to credit with an order at `ordered_at`: best rank, then latest touch, then greater moment id."""
    windows = [timedelta(hours=hours) for hours in (config.clicked_hours, config.opened_hours, config.received_hours)]
    candidates = [
        (-rank, touched_at, message.moment_id, message)
        for message in messages
        if message.kind not in config.excluded_kinds
        for rank, touched_at in _touches_of(message)
        if touched_at <= ordered_at <= touched_at + windows[rank]
    ]
    return max(candidates, key=lambda entry: entry[:3])[3] if candidates else None


def _touches_of(message: Message) -> list[tuple[int, datetime]]:
    """(rank, instant) of each touch; rank 0 clicked, 1 opened or read, 2 received."""
    found = [(_CLICKED, from_ms(at_ms)) for at_ms in click_marks(message.marks)]
    found += [(_OPENED, from_ms(message.marks[mark])) for mark in ("opened", "read") if mark in message.marks]
    received = _received_at(message)
    return [*found, (_RECEIVED, received)] if received else found


def _received_at(message: Message) -> datetime | None:
    """When it arrived: its delivery, else (push, in-app: nobody reports one) when the provider took it."""
    if "delivered" in message.marks:
        return from_ms(message.marks["delivered"])
    if message.state is not State.SENT or "bounced" in message.marks or message.channel == "email":
        return None
    sent = [at_ms for at_ms, word, _ in message.history if word.upper() == State.SENT]
    return from_ms(sent[-1]) if sent else message.decided_at

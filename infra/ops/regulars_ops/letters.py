"""A dead letter explained: what it was, where its log lines are, how its message stands, and what replaying it would do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from regulars.clock import from_ms
from regulars.decisions.model import Message, State
from regulars.decisions.reasons import sentence
from regulars.errors import GiveUp
from regulars.flow import FLOW, Queue
from regulars.messages import EventUnit, Feedback, Moment, QueueMessage, SendOrder, decode

KINDS: Mapping[str, type[QueueMessage]] = {kind.NAME: kind for kind in (EventUnit, Moment, SendOrder, Feedback)}
Look = Callable[[str, str], Message | None]
"""(shopper, moment id) → the ledger entry."""

_OVER = {
    State.SENT: "nothing: it was sent",
    State.UNKNOWN: "nothing: it may have been sent, and is never sent again",
    State.FAILED: "nothing: it failed for good",
    State.LAPSED: "nothing: its time is over",
    State.WITHHELD: "nothing: it was withheld",
}


@dataclass(frozen=True, slots=True)
class Story:
    """`what`: kind, shopper and moment; `died`: tries, time and where to look; `stands`: the ledger's word; `replay`: the
    effect of bringing it back."""

    what: str
    died: str
    stands: str
    replay: str

    def text(self) -> str:
        rows = (("died", self.died), ("stands", self.stands), ("replay", self.replay))
        return "\n".join([self.what, *(f"    {name:7} {value}" for name, value in rows if value)])


def story(letter: Mapping[str, Any], queue: str, stack: str, look: Look, now: datetime) -> Story:
    """`letter`: as SQS gives it, with all attributes. `queue`: the noun of the queue that it came from."""
    died = _died(letter, queue, stack)
    try:
        message = _message(letter["Body"])
    except GiveUp as error:
        if queue == "feedback":  # a provider's own words, in SNS's envelope
            return Story("a provider's report", died, "", "its marks and suppressions are written, each once")
        said = f"{died}; {error.reason}"
        return Story(f"not a message of ours: {letter['Body'][:100]!r}", said, "", "fails again, unless newer code knows it")
    if isinstance(message, SendOrder):
        return _of_order(message, died, look(message.shopper, message.moment_id), now)
    if isinstance(message, Moment):
        return _of_moment(message, died, look(message.shopper, message.id), now)
    what = f"{message.NAME} {message.id} {getattr(message, 'shopper', '')}".rstrip()
    return Story(what, died, "", "applied; what was applied before counts no second time")


def _message(body: str) -> QueueMessage:
    try:
        name = str(json.loads(body)["name"])
    except (ValueError, KeyError, TypeError) as error:
        raise GiveUp("it has no name", code="poison") from error
    if name not in KINDS:
        raise GiveUp(f"nothing is called {name!r}", code="poison")
    return decode(KINDS[name], body)


def _of_order(order: SendOrder, died: str, entry: Message | None, now: datetime) -> Story:
    what = f"{order.NAME} {order.shopper} {order.moment_id} by {order.channel}"
    if entry is None:
        return Story(what, died, "no such message: erased, or past its retention", "given up again; nothing is sent")
    return Story(what, died, _stands(entry), _order_again(order, entry, now))


def _order_again(order: SendOrder, entry: Message, now: datetime) -> str:
    if entry.state in _OVER:
        return _OVER[entry.state]
    if entry.state is State.CLAIMED:
        over = entry.lease_until is None or now >= entry.lease_until
        return "UNKNOWN: the worker that held it died, and it may have been sent" if over else "comes again: it is at work"
    if entry.channel != order.channel:
        return f"nothing: it was decided anew for {entry.channel}"
    if entry.state is State.DEFERRED:
        return "its timer is set, if that was missing; it is decided anew"
    return "lapses: its time is over" if now >= entry.expires_at else "sent once, unless something stands against it by then"


def _of_moment(moment: Moment, died: str, entry: Message | None, now: datetime) -> Story:
    what = f"{moment.NAME} {moment.shopper} {moment.id}"
    late = now >= from_ms(moment.expires_at_ms)
    if entry is None or entry.state is State.DEFERRED:
        again = "decided: it lapses, its time is over" if late else "decided; a message may follow, once"
        return Story(what, died, _stands(entry) if entry else "never decided", again)
    again = "its send order is emitted again; the claim lets one through" if entry.state is State.PLANNED else "nothing"
    return Story(what, died, _stands(entry), again)


def _stands(entry: Message) -> str:
    return f"{entry.state.value}: {sentence(entry.reason)}"


def _died(letter: Mapping[str, Any], queue: str, stack: str) -> str:
    attributes = letter.get("Attributes", {})
    sent = from_ms(int(attributes["SentTimestamp"])).isoformat(timespec="seconds") if "SentTimestamp" in attributes else "?"
    woken = [entry.name for entry in FLOW if Queue(queue) in entry.woken_by]
    logs = ", ".join(f"/{stack}/{name}" for name in woken)
    return f"queued {sent}; its errors: log {logs}, entry {letter.get('MessageId', '?')}"

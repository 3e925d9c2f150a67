"""One change of a table as its stream tells it, in the words of the domain."""

from __future__ import annotations

from dataclasses import dataclass

from regulars.capture.model import Event
from regulars.decisions.model import Message

EVENTS = "events"
MESSAGES = "messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`sequence` names the stream record and is the same at every delivery; `created_at_s` (epoch seconds) too.

    Of the log: the events put. Of the ledger: the message before (None: there was none) and after. `unreadable` says
    what could not be understood.
    """

    stream: str
    sequence: str
    created_at_s: int
    events: tuple[Event, ...] = ()
    old: Message | None = None
    new: Message | None = None
    unreadable: str = ""

"""The port of every queue; whatever emits a message speaks to this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from regulars.messages import QueueMessage


class Queue(Protocol):
    """One queue, at least once, in no promised order."""

    def send(self, messages: Sequence[QueueMessage], delay_seconds: int = 0) -> None:
        """Returns when the queue holds every message, so that a 2xx may follow. `delay_seconds` 0–900.

        Raises TryLater (RateLimited when the queue throttles) when any is not in: the whole call may be repeated, what
        went in already comes out twice and is told apart by its id. Raises GiveUp for a message no queue can hold.
        """

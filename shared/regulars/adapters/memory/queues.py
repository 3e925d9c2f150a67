"""A queue in memory."""

from __future__ import annotations

from collections.abc import Sequence

from regulars.errors import GiveUp, Invalid
from regulars.messages import QueueMessage, encode

MAX_BODY_BYTES = 262_144
"""As SQS; the adapter refuses the same."""


class MemoryQueue:
    """Implements `regulars.queues.Queue`; `sent` holds (message, delay in seconds) in order.

    `failing`: when set, `send` raises it instead of taking anything.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[QueueMessage, int]] = []
        self.failing: Exception | None = None

    def send(self, messages: Sequence[QueueMessage], delay_seconds: int = 0) -> None:
        if not 0 <= delay_seconds <= 900:
            raise Invalid("a queue delays by 0 to 900 seconds", field="delay_seconds")
        for message in messages:
            if len(encode(message).encode()) > MAX_BODY_BYTES:
                raise GiveUp(f"{message.NAME} {message.id} is larger than a queue message may be", code="too_large")
        if self.failing:
            raise self.failing
        self.sent.extend((message, delay_seconds) for message in messages)

    @property
    def messages(self) -> list[QueueMessage]:
        """What was sent, without the delays."""
        return [message for message, _ in self.sent]

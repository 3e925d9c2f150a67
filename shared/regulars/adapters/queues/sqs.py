"""SQS behind `regulars.queues.Queue`."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

from regulars.adapters.aws import client
from regulars.errors import GiveUp, Invalid, Misconfigured, RateLimited, TryLater
from regulars.messages import QueueMessage, encode

MAX_BODY_BYTES = 262_144
"""Of one message and of all messages of one SendMessageBatch."""
MAX_ENTRIES = 10
_TRIES = 3
_THROTTLED = frozenset(("RequestThrottled", "ThrottlingException", "Throttling", "OverLimit", "KmsThrottled"))
_WRONG = frozenset(("QueueDoesNotExist", "NonExistentQueue", "AccessDenied", "AccessDeniedException", "InvalidAddress"))


class SqsQueue:
    """One queue by its URL; the client is opened by the first send."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, messages: Sequence[QueueMessage], delay_seconds: int = 0) -> None:
        """As few SendMessageBatch calls as the limits allow; entries that fail alone are tried again."""
        if not 0 <= delay_seconds <= 900:
            raise Invalid("a queue delays by 0 to 900 seconds", field="delay_seconds")
        for group in _groups([_body(message) for message in messages]):
            entries: list[dict[str, Any]] = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(group)]
            if delay_seconds:
                entries = [{**entry, "DelaySeconds": delay_seconds} for entry in entries]
            self._send_group(entries)

    def _send_group(self, entries: list[dict[str, Any]]) -> None:
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(random.random() * 0.1 * 2**attempt)  # full jitter
            failed = self._send_once(entries)
            if not failed:
                return
            entries = [entry for entry in entries if entry["Id"] in failed]
        if any(_is(code, _THROTTLED) for code in failed.values()):
            raise RateLimited("the queue throttles")
        raise TryLater("the queue did not take every message", code="queue_failed")

    def _send_once(self, entries: list[dict[str, Any]]) -> dict[str, str]:
        """Entry id → error code of those that failed; raises our words when the call failed as a whole."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = client("sqs").send_message_batch(QueueUrl=self._url, Entries=entries)
        except ClientError as error:
            raise _translate(error.response.get("Error", {}).get("Code", "")) from error
        except BotoCoreError as error:
            raise TryLater(f"SQS unreachable: {type(error).__name__}", code="unreachable") from error
        failed = {entry["Id"]: entry.get("Code", "") for entry in answer.get("Failed", ())}
        wrong = [entry.get("Code", "") for entry in answer.get("Failed", ()) if entry.get("SenderFault")]
        if any(not _is(code, _THROTTLED) for code in wrong):
            raise GiveUp(f"SQS refuses a message: {wrong[0]}", code="queue_refused")
        return failed


def _body(message: QueueMessage) -> str:
    # SQS takes every character of XML 1.0; these two are none, and in JSON their escapes mean the same.
    return encode(message).replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def _groups(bodies: Sequence[str]) -> Iterator[list[str]]:
    """At most ten bodies and MAX_BODY_BYTES a group, in order; raises GiveUp for a body no group can hold."""
    group: list[str] = []
    used = 0
    for body in bodies:
        size = len(body.encode())
        if size > MAX_BODY_BYTES:
            raise GiveUp("a message is larger than a queue message may be", code="too_large")
        if group and (len(group) == MAX_ENTRIES or used + size > MAX_BODY_BYTES):
            yield group
            group, used = [], 0
        group.append(body)
        used += size
    if group:
        yield group


def _translate(code: str) -> Exception:
    if _is(code, _THROTTLED):
        return RateLimited("the queue throttles")
    if _is(code, _WRONG):
        return Misconfigured(f"SQS: {code}")
    return TryLater(f"SQS: {code}", code="queue_failed")


def _is(code: str, known: frozenset[str]) -> bool:
    """SQS writes its codes bare or as `AWS.SimpleQueueService.<code>`."""
    return code.rpartition(".")[2] in known

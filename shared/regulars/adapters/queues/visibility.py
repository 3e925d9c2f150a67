"""When an entry of an SQS queue comes again: after a random wait that doubles with every delivery.

Full jitter: a wait drawn from 0 to min(cap, base · 2^n) ("Exponential Backoff And Jitter", AWS Architecture Blog), after
what the error itself asks for. The queue's maxReceiveCount bounds the tries; nothing is ever sent to the queue again.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from regulars.adapters.aws import client

BASE_SECONDS = 60
"""Five deliveries then span about seven minutes on average: a store's bad minutes pass without a dead letter."""
CAP_SECONDS = 900
_MOST_SECONDS = 11 * 3600
"""SQS keeps nothing invisible for more than twelve hours after its receipt."""


def wait_seconds(tries: int, retry_after_seconds: int, chance: float) -> int:
    """After the `tries`-th delivery; `chance` from [0, 1)."""
    longest = min(CAP_SECONDS, BASE_SECONDS * 2 ** (tries - 1))
    return min(retry_after_seconds + int(chance * longest), _MOST_SECONDS)


def comes_later(record: Mapping[str, Any], retry_after_seconds: int) -> bool:
    """Change the visibility of one record of a Lambda event; False when that failed."""
    try:
        sqs = client("sqs")
        account, queue = record["eventSourceARN"].split(":")[4:6]
        tries = int(record["attributes"]["ApproximateReceiveCount"])
        sqs.change_message_visibility(
            QueueUrl=f"{sqs.meta.endpoint_url.rstrip('/')}/{account}/{queue}",
            ReceiptHandle=record["receiptHandle"],
            VisibilityTimeout=wait_seconds(tries, retry_after_seconds, random.random()),
        )
    except Exception:
        return False  # whatever it was: the queue's own time-out brings the entry back, and its failure is reported already
    return True

"""Queue and stream wake-ups: decode, one call per entry, a receipt per entry.

Powertools' BatchProcessor returns only the failed ids (`ReportBatchItemFailures`); a failing neighbour loses nothing, and
poison reaches the dead-letter queue after the queue's bounded tries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from regulars.adapters.queues.visibility import comes_later
from regulars.errors import GiveUp, Misconfigured, TryLater
from regulars.messages import QueueMessage, decode

M = TypeVar("M", bound=QueueMessage)
Handler = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One record of a table's stream: `action` is INSERT, MODIFY or REMOVE; images are plain (int, float, bytes, str …).

    `sequence` and `created_at_s` (epoch seconds) are the same at every delivery.
    """

    table: str
    action: str
    sequence: str
    created_at_s: int
    new: Mapping[str, Any]
    old: Mapping[str, Any]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> StreamRecord:
        """A record of a Lambda stream event."""
        from regulars.adapters.dynamodb.images import plain

        change = raw["dynamodb"]
        return cls(
            table=raw["eventSourceARN"].split(":table/")[1].split("/")[0],
            action=raw["eventName"],
            sequence=change["SequenceNumber"],
            created_at_s=int(change.get("ApproximateCreationDateTime", 0)),
            new=plain(change.get("NewImage") or {}),
            old=plain(change.get("OldImage") or {}),
        )


def queue_handler(kind: type[M], compose: Callable[[], Callable[..., object]], *, counts_tries: bool = False) -> Handler:
    """A Lambda handler for an SQS mapping: each body is a `kind`, handed to what `compose()` returns (composed once); with
    `counts_tries` also how often the queue has delivered it, this time too."""
    service = cache(compose)

    def handle(record: Any) -> None:
        message = decode(kind, record.body)
        if counts_tries:
            service()(message, _tries(record))
        else:
            service()(message)

    def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        return _process("SQS", event, handle, context)

    return handler


def raw_queue_handler(compose: Callable[[], Callable[[str], object]]) -> Handler:
    """As `queue_handler`, for a queue whose bodies come from outside (provider call-backs): the text is handed over."""
    service = cache(compose)

    def handle(record: Any) -> None:
        service()(record.body)

    def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        return _process("SQS", event, handle, context)

    return handler


def stream_handler(compose: Callable[[], Callable[[str, str, dict[str, Any], dict[str, Any]], object]]) -> Handler:
    """A Lambda handler for a DynamoDB stream: the service gets (table name, INSERT|MODIFY|REMOVE, new image, old image).

    Images are plain Python values (numbers as int or float, binaries as bytes). On a failure everything after it comes again.
    """
    service = cache(compose)

    def handle(record: Any) -> None:
        change = StreamRecord.of(record.raw_event)  # Powertools leaves binaries in base64
        service()(change.table, change.action, dict(change.new), dict(change.old))

    def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        return _process("DynamoDBStreams", event, handle, context)

    return handler


def stream_batch_handler(compose: Callable[[], Callable[[Sequence[StreamRecord]], object]]) -> Handler:
    """A Lambda handler for a DynamoDB stream whose service takes the whole batch: all of it is done, or all comes again."""
    service = cache(compose)

    def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        records = [StreamRecord.of(raw) for raw in event["Records"]]
        try:
            service()(records)
        except Exception as error:
            logger().warning("batch failed", extra={"error": type(error).__name__, "code": getattr(error, "code", "")})
            return {"batchItemFailures": [{"itemIdentifier": records[0].sequence}]}
        return {"batchItemFailures": []}

    return handler


def schedule_handler(compose: Callable[[], Callable[[], Mapping[str, Any]]]) -> Handler:
    """A Lambda handler for a schedule: one call; its summary is logged and returned."""
    service = cache(compose)

    def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        summary = service()()
        logger().info("done", extra={"summary": dict(summary)})
        return summary

    return handler


@cache
def logger() -> Any:
    """The function's structured logger (service and level out of POWERTOOLS_*); personal data never goes in."""
    from aws_lambda_powertools import Logger

    return Logger()


def _tries(record: Any) -> int:
    """SQS's own count of this entry's deliveries."""
    return int(record.raw_event.get("attributes", {}).get("ApproximateReceiveCount", 1))


def _entry(record: Any) -> dict[str, Any]:
    """What finds the log lines of a dead letter: SQS keeps an entry's id when it moves it."""
    entry = record.raw_event.get("messageId")
    return {"entry": entry, "tries": _tries(record)} if entry else {}


def _process(kind: str, event: Mapping[str, Any], handle: Callable[[Any], None], context: Any) -> Mapping[str, Any]:
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

    def guarded(record: Any) -> None:
        try:
            handle(record)
        except GiveUp as error:
            logger().error("giving up", extra={"code": error.code, "reason": error.reason, **_entry(record)})
            raise
        except Exception as error:
            # The reason of a Misconfigured names settings only; other reasons may quote a shopper's data and stay out.
            reason = error.reason if isinstance(error, Misconfigured) else ""
            facts = {"error": type(error).__name__, "code": getattr(error, "code", ""), "reason": reason}
            logger().warning("entry failed", extra={**facts, **_entry(record)})
            if isinstance(error, TryLater) and kind == "SQS":
                comes_later(record.raw_event, error.retry_after_seconds)
            raise

    processor = BatchProcessor(event_type=getattr(EventType, kind), raise_on_entire_batch_failure=False)
    return process_partial_response(event=dict(event), record_handler=guarded, processor=processor, context=context)

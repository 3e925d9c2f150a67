"""Collecting: calls come in, each entry is judged alone, what is good is on the queue before the answer says so.

    accepted   on the queue; applied once behind it, however often the client repeats it
    repeated   the same message id with the same content stood earlier in this call
    rejected   quarantined with its reason; its neighbours are not touched

A 2xx is given only after the queue and the quarantine have taken everything. When either cannot, the whole call fails
with TryLater and the client repeats it: the queue's readers drop what they have seen by its message id.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from regulars.capture.config import Collecting
from regulars.capture.form import check_form
from regulars.capture.model import Event
from regulars.capture.names import FEEDS
from regulars.capture.ports import Quarantine, Quarantined, quarantine_id
from regulars.capture.units import units
from regulars.capture.validation import Validator
from regulars.clock import Clock, to_ms
from regulars.errors import Invalid, TooLarge
from regulars.queues import Queue


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one entry: `status` accepted, repeated or rejected; `error` only when rejected."""

    message_id: str
    status: str
    error: Invalid | None = None

    def to_json(self, index: int) -> dict[str, Any]:
        """As the batch answer shows it."""
        shown: dict[str, Any] = {"index": index, "messageId": self.message_id, "status": self.status}
        if self.error:
            reason = {"code": self.error.code, "message": self.error.reason}
            shown["reason"] = {**reason, "field": self.error.field} if self.error.field else reason
        return shown


class Collector:
    """The use cases of collecting. `new_id` makes the message ids that clients left out."""

    def __init__(
        self,
        config: Collecting,
        queue: Queue,
        quarantine: Quarantine,
        clock: Clock,
        new_id: Callable[[], str] = lambda: f"api-{os.urandom(12).hex()}",
    ) -> None:
        self.config = config
        self._queue = queue
        self._quarantine = quarantine
        self._clock = clock
        self._new_id = new_id
        self._validator = Validator(config)

    def collect(self, kind: str, raw: Any, *, feeds: bool = False) -> Receipt:
        """One call of `kind`; raises Invalid when it is rejected (and quarantined). `feeds`: may change the catalogue."""
        if type(raw) is not dict:
            raise Invalid("the body must be a JSON object", code="not_an_object")
        receipt = self._take([{**raw, "type": kind}], source=kind, feeds=feeds)[0]
        if receipt.error:
            raise receipt.error
        return receipt

    def collect_batch(self, body: Any, *, feeds: bool = False) -> list[Receipt]:
        """A receipt per entry, in order; raises Invalid or TooLarge only when the batch as a whole is none."""
        if type(body) is not dict or type(body.get("batch")) is not list:
            raise Invalid("a batch is an object with a list called batch", field="batch", code="invalid_batch")
        entries: list[Any] = body["batch"]
        if not entries:
            raise Invalid("the batch is empty", field="batch", code="empty_batch")
        if len(entries) > self.config.max_batch_entries:
            raise TooLarge(f"more than {self.config.max_batch_entries} entries", field="batch", code="too_many_entries")
        return self._take(self._with_shared(body, entries), source="batch", feeds=feeds)

    def replay(self, records: Sequence[Quarantined]) -> tuple[list[str], dict[str, Invalid]]:
        """Judge quarantined entries anew, as of when they came; what is good now is queued and leaves the quarantine.

        Returns (ids replayed, id → why it still fails). Repeating a replay is harmless: message ids stay the same.
        """
        now = self._clock()
        good: list[tuple[str, Event]] = []
        bad: dict[str, Invalid] = {}
        for record in records:
            try:
                good.append((record.id, self._rejudge(record, now)))
            except Invalid as error:
                bad[record.id] = error
        self._send([event for _, event in good], now)
        replayed = [record_id for record_id, _ in good]
        self._quarantine.delete(replayed)
        return replayed, bad

    def _take(self, entries: Iterable[Any], source: str, feeds: bool) -> list[Receipt]:
        now = self._clock()
        now_ms = to_ms(now)
        seen: dict[str, Any] = {}
        receipts: list[Receipt] = []
        accepted: list[Event] = []
        rejected: list[Quarantined] = []
        for raw in entries:
            message_id = ""
            try:
                self._check_form(raw)
                message_id = self._validator.an_id(raw, "messageId") or self._new_id()
                if message_id in seen:
                    if raw != seen[message_id]:
                        raise Invalid("messageId stood before with other content", field="messageId", code="conflict")
                    receipts.append(Receipt(message_id, "repeated"))
                    continue
                event = self._validator.event(raw, message_id, received_ms=now_ms, now_ms=now_ms)
                if event.name in FEEDS and not feeds:
                    # A write key lies in every app: whoever holds one must not set prices or stock.
                    raise Invalid(f"{event.name} takes an operator key", field="event", code="operator_key_needed")
                accepted.append(event)
                seen[message_id] = raw
                receipts.append(Receipt(message_id, "accepted"))
            except Invalid as error:
                receipts.append(Receipt(message_id, "rejected", error))
                rejected.append(self._record(raw, error, source, now))
        self._send(accepted, now)
        if rejected:
            self._quarantine.put(rejected)
        return receipts

    def _with_shared(self, body: Mapping[str, Any], entries: list[Any]) -> Iterable[Any]:
        """The entries with what the batch says for all of them; an entry's own word wins, in `context` key by key."""
        sent, context = body.get("sentAt"), body.get("context")
        if context is not None:
            # It is copied into every entry: unbounded, a small call would make a huge one.
            limit = self.config.max_shared_context_bytes
            check_form(context, max_bytes=limit, max_depth=self.config.max_depth, noun="the context of a batch")
        for raw in entries:
            if type(raw) is dict and (sent is not None or context):
                raw = {"sentAt": sent, **raw} if sent is not None else dict(raw)
                own = raw.get("context")
                if context and (own is None or type(own) is dict):
                    raw["context"] = {**context, **(own or {})}
            yield raw

    def _check_form(self, raw: Any) -> None:
        check_form(raw, max_bytes=self.config.max_call_bytes, max_depth=self.config.max_depth)

    def _send(self, events: Sequence[Event], now: datetime) -> None:
        if events:
            self._queue.send(units(events, self._new_id(), to_ms(now)))

    def _rejudge(self, record: Quarantined, now: datetime) -> Event:
        if not record.replayable:
            raise Invalid("cut short, or in conflict with what was accepted", code="not_replayable")
        raw = json.loads(record.raw)
        self._check_form(raw)
        message_id = self._validator.an_id(raw, "messageId") or record.id
        return self._validator.event(raw, message_id, received_ms=to_ms(record.received_at), now_ms=to_ms(now))

    def _record(self, raw: Any, error: Invalid, source: str, now: datetime) -> Quarantined:
        try:
            text = json.dumps(raw)  # ASCII with escapes: holds also what no other store does
        except RecursionError:
            text = ""
        limit = self.config.max_call_bytes
        fits = 0 < len(text) <= 8 * limit and not isinstance(error, TooLarge)
        text = text if fits else text[:limit]
        return Quarantined(
            id=quarantine_id(now, text, source),
            code=error.code,
            message=error.reason,
            field=error.field,
            source=source,
            raw=text,
            # The first of two contents stands; replaying the second would only see it dropped behind the queue.
            replayable=fits and error.code != "conflict",
            received_at=now,
            expires_at=now + timedelta(days=self.config.quarantine_days),
        )

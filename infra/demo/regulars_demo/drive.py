"""Drives the sample through the deployed stack: posts calls in time order, runs schedules, waits for quiet queues."""

from __future__ import annotations

import base64
import http.client
import json
import select
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from regulars.adapters.aws import client
from regulars.errors import RegularsError
from regulars_demo.virtual import ClockFile, Run, runs
from regulars_ops.stack import Stack

BATCH_BYTES = 400_000  # below Segment's 500 KB a batch
BATCH_CALLS = 100


class Refused(RegularsError):
    """The API answered something else than 2xx."""

    code = "refused"


@dataclass
class Api:
    """The stack's HTTP API over one kept connection."""

    url: str
    key: str
    connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        """Close the kept connection."""
        if self.connection is not None:
            self.connection.close()

    def call(self, method: str, path: str, body: Any = None, *, content_type: str = "application/json") -> Any:
        """JSON (or bytes) in, JSON out; raises Refused with the API's own words."""
        parts, connection = urlsplit(self.url), self._connected()
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        token = base64.b64encode(f"{self.key}:".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "Content-Type": content_type}
        connection.request(method, parts.path.rstrip("/") + path, body=data, headers=headers)
        reply = connection.getresponse()
        text = reply.read()
        if reply.status >= 300:
            raise Refused(f"{method} {path}: {reply.status} {text[:300].decode('utf-8', 'replace')}")
        return json.loads(text) if text else None

    def _connected(self) -> http.client.HTTPConnection:
        """The kept connection; a new one where the stack has hung up meanwhile: then the socket has its end to read."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=120)
        elif self.connection.sock is not None and select.select([self.connection.sock], [], [], 0)[0]:
            self.connection.close()  # http.client opens it again
        return self.connection


@dataclass
class Tally:
    """What the replay did."""

    calls: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    rejected: list[Any] = field(default_factory=list)


def happened(call: dict[str, Any]) -> datetime:
    """When the deed of a call was done."""
    return datetime.fromisoformat(call["timestamp"])


def in_batches(calls: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Calls cut into batches below Segment's limits, order kept."""
    batches: list[list[dict[str, Any]]] = [[]]
    size = 0
    for call in calls:
        length = len(json.dumps(call))
        if batches[-1] and (size + length > BATCH_BYTES or len(batches[-1]) >= BATCH_CALLS):
            batches.append([])
            size = 0
        batches[-1].append(call)
        size += length
    return [batch for batch in batches if batch]


@dataclass
class Driver:
    """One replay: `step` is how far the clock moves between two looks at the schedules; `slowed` runs some less often."""

    stack: Stack
    api: Api
    clock: ClockFile
    step: timedelta
    slowed: dict[str, timedelta]
    tally: Tally = field(default_factory=Tally)

    def replay(
        self, calls: Sequence[dict[str, Any]], start: datetime, end: datetime, progress: Callable[[datetime, int], None]
    ) -> None:
        """Everything between start and end; `calls` in time order with their `timestamp`."""
        position, at = 0, start
        while at < end:
            until = min(at + self.step, end)
            self.clock.set(until)
            due = []
            while position < len(calls) and happened(calls[position]) <= until:
                due.append(calls[position])
                position += 1
            self.post(due, until)
            moved = sum([self.run(run) for run in runs(at, until, self.step, self.slowed)])
            if due or moved:
                self.settle()
            progress(until, len(due))
            at = until

    def run(self, run: Run) -> int:
        """One scheduled run; how many moments it says it emitted."""
        summary: dict[str, Any] = self.stack.invoke(run.function, {"time": run.at.isoformat()}) or {}
        self.tally.runs[run.function] += 1
        won_back: dict[str, int] = summary.get("win_back", {})
        return int(summary.get("fired", 0)) + sum(won_back.values())

    def post(self, calls: Sequence[dict[str, Any]], sent_at: datetime) -> None:
        """One POST /v1/batch per batch; entries that are rejected are kept in the tally."""
        for batch in in_batches(calls):
            answer = self.api.call("POST", "/v1/batch", {"batch": batch, "sentAt": sent_at.isoformat()})
            self.tally.rejected += [entry for entry in answer.get("results", []) if entry["status"] == "rejected"]
            self.tally.calls.update(call.get("event") or call["type"] for call in batch)

    def settle(self, timeout_seconds: float = 60) -> None:
        """Wait until no queue holds or hides a message; raises Refused when that takes too long."""
        deadline = time.monotonic() + timeout_seconds
        while any(_busy(url) for url in self.stack.queue_urls.values()):
            if time.monotonic() > deadline:
                raise Refused("queues did not become quiet; see `regulars doctor`")
            time.sleep(0.02)


def _busy(url: str) -> bool:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return any(int(attributes[name]) for name in names)

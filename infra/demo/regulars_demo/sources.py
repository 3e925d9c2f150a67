"""What the page and the summary read from the local stack. Reading only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from regulars.adapters.aws import client
from regulars.adapters.dynamodb.inbox import DynamoInbox
from regulars.adapters.dynamodb.messages import DynamoLedger
from regulars.capture.model import Event
from regulars.capture.packing import unpack
from regulars.clock import clock_from, from_ms
from regulars.compose.operation import serve_operator
from regulars.compose.profiles import profile_reader
from regulars.decisions.model import Message, State
from regulars.ids import message_id, split_message_id
from regulars.profiles.model import Profile
from regulars_demo.page import Sent
from regulars_local import outbox
from regulars_local.stack import LocalStack

T = TypeVar("T")
_FRESH_SECONDS = 5.0


@dataclass
class Sources:
    """Over one local stack. Looks at whole tables, as only a demonstration may; keeps what it saw for a few seconds."""

    stack: LocalStack
    _seen: dict[str, tuple[float, Any]] = field(default_factory=dict)

    def shoppers(self) -> list[str]:
        """Everybody with a profile of their own, the ones with most messages first."""
        counts: dict[str, int] = dict.fromkeys(self._keys("profiles", "user:"), 0)
        for message in self.ledger():
            counts[message.shopper] = counts.get(message.shopper, 0) + (message.state is State.SENT)
        return sorted(counts, key=lambda shopper: (-counts[shopper], shopper))

    def ledger(self) -> list[Message]:
        """Every decision."""
        return self._kept(
            "ledger", lambda: [entry for key in self._keys("messages", "") for entry in self._ledger().list(key, 1000)]
        )

    def outbox(self) -> list[Sent]:
        """What left, with the ledger's (virtual) time of sending."""
        return self._kept("outbox", lambda: list(self._outbox()))

    def story(self, shopper: str) -> Mapping[str, Any]:
        """As `regulars explain` tells it."""
        return serve_operator(self.environment("serve_operator")).explain()(shopper)

    def timeline(self, shopper: str) -> Iterator[dict[str, str]]:
        """The shopper's events, newest first."""
        events = [event for key in (shopper, *self.profile(shopper).aliases) for event in self.log(key)]
        for event in sorted(events, key=lambda event: event.at, reverse=True)[:200]:
            yield {"at": f"{event.at:%Y-%m-%d %H:%M}", "name": event.name or event.type, "detail": _detail(event)}

    def log(self, shopper: str) -> Iterator[Event]:
        """The shopper's log."""
        pages = (
            client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self.stack.tables["events"],
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": shopper}},
            )
        )
        for page in pages:
            for item in page["Items"]:
                yield from unpack(item["events"]["B"])

    def profile(self, shopper: str) -> Profile:
        """The shopper now."""
        environment = self.environment("serve_recommendations")
        reader = profile_reader(environment["PROFILES_TABLE"], {})
        return reader.load(shopper, clock_from(environment["CLOCK_SOURCE"])())

    def environment(self, function: str) -> dict[str, str]:
        """The deployed function's own variables."""
        answer = client("lambda").get_function_configuration(FunctionName=self.stack.function(function))
        variables: dict[str, str] = answer["Environment"]["Variables"]
        return variables

    def _outbox(self) -> Iterator[Sent]:
        sent_at = {(entry.shopper, entry.moment_id): _sent_at(entry) for entry in self.ledger()}
        for entry in outbox.sent(self.stack.endpoint_url, Path(self.stack.home) / "sms"):
            key = split_message_id(entry.message_id) if entry.message_id else ("", "")
            yield Sent(
                id=entry.id,
                at=sent_at.get(key) or entry.at,
                channel=entry.channel,
                kind=entry.kind,
                shopper=entry.shopper,
                to=entry.to,
                subject=entry.subject or entry.text[:60],
                text=entry.text,
                html=entry.html,
            )
        inbox = DynamoInbox(self.stack.tables["inbox"])
        for shopper in self._keys("inbox", ""):
            for note in inbox.list(shopper, from_ms(0), 100):  # as of 1970, so that those lapsed since are shown too
                yield Sent(
                    id=message_id(shopper, note.moment_id),
                    at=note.created_at.isoformat(),
                    channel="inapp",
                    kind=note.kind,
                    shopper=shopper,
                    to=shopper,
                    subject=str(note.content.get("title", "")),
                    text=str(note.content.get("body", "")),
                )

    def _keys(self, table: str, prefix: str) -> list[str]:
        def scan() -> list[str]:
            pages = (
                client("dynamodb").get_paginator("scan").paginate(TableName=self.stack.tables[table], ProjectionExpression="pk")
            )
            keys = {item["pk"]["S"] for page in pages for item in page["Items"]}
            return sorted(key for key in keys if key.startswith(("user:", "anon:")))

        return [key for key in self._kept(f"keys {table}", scan) if key.startswith(prefix)]

    def _ledger(self) -> DynamoLedger:
        tables = self.stack.tables
        return DynamoLedger(tables["messages"], tables["contacts"], tables["suppressions"])

    def _kept(self, name: str, load: Callable[[], T]) -> T:
        now = time.monotonic()
        if name not in self._seen or now - self._seen[name][0] > _FRESH_SECONDS:
            self._seen[name] = (now, load())
        kept: T = self._seen[name][1]
        return kept


def _sent_at(message: Message) -> str:
    steps = [at for at, word, _ in message.history if word == State.SENT.value]
    return from_ms(steps[-1]).isoformat() if steps else message.decided_at.isoformat()


def _detail(event: Event) -> str:
    said = event.properties
    if "products" in said:
        return f"{said.get('order_id', '')}: {len(said['products'])} items, {said.get('total', '')} {said.get('currency', '')}"
    return str(said.get("product_id") or said.get("query") or ", ".join(sorted(event.traits)) or "")


def tally(messages: Iterable[Message]) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """(kind → state → count, reason of every message not sent → count)."""
    kinds: dict[str, dict[str, int]] = {}
    reasons: dict[str, int] = {}
    for message in messages:
        states = kinds.setdefault(message.kind, {})
        states[message.state.value] = states.get(message.state.value, 0) + 1
        if message.state is not State.SENT:
            reasons[message.reason] = reasons.get(message.reason, 0) + 1
    return kinds, reasons

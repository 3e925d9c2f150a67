"""Promise: of a batch only what failed comes again, whatever lies in it; poison is a dead letter after bounded tries; and a
dead letter sent again, twice, sends nothing more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from tests.simulation.caps import planned
from tests.simulation.choices import Choices, Seeded
from tests.simulation.faults import Faults
from tests.simulation.kernel import START
from tests.simulation.shop import SimulatedShop
from tests.simulation.tally import Tally
from tests.support.sending import order

from regulars.adapters import lambda_batch
from regulars.errors import TryLater
from regulars.ids import message_id
from regulars.messages import Feedback, SendOrder, encode

MOST_RECEIVES = 5
BATCH = 10
FAULTS = Faults(provider=0.05, refused=0.05, busy=0.05)
"""What the provider does. What the stores do is drawn for each record."""
POISON: tuple[Callable[[str], Any], ...] = (
    lambda good: "",
    lambda good: "not JSON",
    lambda good: good[: len(good) // 2],
    lambda good: "[]",
    lambda good: "null",
    lambda good: good.replace('"v":1', '"v":999'),
    lambda good: good.replace('"name":"', '"name":"somebody.elses.'),
    lambda good: json.dumps({key: value for key, value in json.loads(good).items() if key != "id"}),
    lambda good: "{" * 20_000,
    lambda good: json.dumps({**json.loads(good), "name": None}),
)


@dataclass(slots=True)
class Record:
    """`poison`: no service can ever take it. `fails`: what its last delivery should have come to."""

    id: str
    body: str
    poison: bool = False
    receives: int = 0
    fails: bool = False


class Bench:
    """A queue with its function, batch by batch; the function is the product's handler around the product's service."""

    def __init__(self, choices: Choices, serve: Callable[[Any], object], handler: Callable[[Any], Any]) -> None:
        self._choices, self._serve = choices, serve
        self._records: dict[str, Record] = {}
        self._handler = handler(self._service)
        self._now: dict[str, list[Record]] = {}
        self.waiting: list[Record] = []
        self.dead: list[Record] = []
        self.batches = 0
        self.wrong: list[str] = []

    def put(self, body: str, poison: bool = False) -> None:
        record = Record(f"r{len(self._records)}", body, poison)
        self._records[record.id] = record
        self.waiting.append(record)

    def redrive(self) -> None:
        self.waiting, self.dead = [*self.waiting, *self.dead], []
        for record in self.waiting:
            record.receives = 0

    def drain(self) -> None:
        while self.waiting:
            self._batch()

    def _batch(self) -> None:
        taken: list[Record] = []
        for _ in range(min(len(self.waiting), 1 + self._choices.below(BATCH))):
            taken.append(self.waiting.pop(self._choices.below(len(self.waiting))))
        for record in taken:
            record.receives += 1
            record.fails = record.poison
        self._now = {record.body: [other for other in taken if other.body == record.body] for record in taken}
        self.batches += 1
        answer = self._handler({"Records": [_sqs(record) for record in taken]}, None)
        failed = self._read(answer, taken)
        for record in taken:
            if (record.id in failed) is not record.fails:
                self.wrong.append(f"{record.id} {'is' if record.id in failed else 'is not'} returned: {record.body[:60]!r}")
            if record.id in failed:
                (self.dead if record.receives >= MOST_RECEIVES else self.waiting).append(record)

    def _read(self, answer: Any, taken: Sequence[Record]) -> set[str]:
        """The failed ids, if AWS could read the answer; else the whole batch would come again."""
        valid = (
            isinstance(answer, Mapping)
            and list(answer) == ["batchItemFailures"]
            and isinstance(answer["batchItemFailures"], list)
        )
        failures = answer["batchItemFailures"] if valid else []
        valid = valid and all(
            list(entry) == ["itemIdentifier"] and isinstance(entry["itemIdentifier"], str) for entry in failures
        )
        failed = [entry["itemIdentifier"] for entry in failures] if valid else []
        if not valid or len(set(failed)) < len(failed) or not set(failed) <= {record.id for record in taken}:
            self.wrong.append(f"no valid answer: {answer!r:.200}")
        json.dumps(answer)
        return set(failed)

    def _service(self, message: Any) -> None:
        """The product's service among stores that throttle, break or do not answer; notes what must come again."""
        body = message if isinstance(message, str) else encode(message)
        record = self._now[body].pop(0)  # of a body that is in the batch twice the first comes first
        fault = self._choices.below(25)
        try:
            if fault == 1:
                raise TryLater("throttled")
            if fault == 2:
                raise KeyError("Attributes")
            self._serve(message)
            if fault == 3:
                raise TryLater("no answer in time")
        except Exception:
            record.fails = True
            raise


@contextmanager
def _no_sqs() -> Iterator[None]:
    """Handlers neither log nor change a visibility: the queue is the bench's own."""
    level, later = lambda_batch.logger().level, vars(lambda_batch)["comes_later"]
    lambda_batch.logger().setLevel("CRITICAL")
    vars(lambda_batch)["comes_later"] = lambda record, seconds: True
    try:
        yield
    finally:
        vars(lambda_batch)["comes_later"] = later
        lambda_batch.logger().setLevel(level)


def world(seed: int, *, messages: int = 120) -> Tally:
    """Orders and reports on their queues, every seventh poisoned, every tenth twice."""
    with _no_sqs():
        return _world(seed, messages)


def _world(seed: int, messages: int) -> Tally:
    choices = Seeded(seed)
    shop = SimulatedShop(choices, FAULTS)
    orders = Bench(choices, shop.send, _orders)
    reports = Bench(choices, shop.record, _reports)
    for number in range(messages):
        she = shop.shopper(f"user:{number}", channels=("email",))
        message = planned(she, f"c{number}", f"{she}@email")
        assert shop.ledger.record(message)
        _fuzzed(choices, orders, encode(order(message, START)))
        _fuzzed(choices, reports, encode(_report(she, message.moment_id)))
    _fuzzed(choices, orders, encode(replace(order(planned("user:0", "c0", ""), START), moment_id="welcome#nobody")))
    tally = Tally()
    for bench in (orders, reports):
        bench.drain()
    poison = sum(record.poison for bench in (orders, reports) for record in bench._records.values())
    buried = sum(record.poison for bench in (orders, reports) for record in bench.dead)
    tally.check(buried == poison, seed, "of", poison, "poison records", buried, "are dead letters")
    sent = dict(shop.provider.taken)
    for _ in range(2):
        shop.kernel.now += timedelta(minutes=5)
        orders.redrive()
        orders.drain()
    more = sum(max(0, times - 1) for times in shop.provider.taken.values())
    tally.check(not more, seed, "redriving sent", more, "messages again")
    for bench in (orders, reports):
        tally.check(not bench.wrong, seed, bench.wrong[:3])
        tally.counts["batches"] += bench.batches
        tally.counts["wrong answers"] += len(bench.wrong)
    tally.counts.update({"poison": poison, "dead letters": buried, "sent twice": more, "sent": len(sent)})
    tally.counts["sent by redriving for the first time"] += len(shop.provider.taken) - len(sent)
    return tally


def _fuzzed(choices: Choices, bench: Bench, body: str) -> None:
    if choices.below(7) == 0:
        bench.put(POISON[choices.below(len(POISON))](body), poison=True)
        return
    bench.put(body)
    if choices.below(10) == 0:
        bench.put(body)


def _orders(service: Callable[[Any], object]) -> Callable[..., Any]:
    return lambda_batch.queue_handler(SendOrder, lambda: service)


def _reports(service: Callable[[Any], object]) -> Callable[..., Any]:
    return lambda_batch.raw_queue_handler(lambda: service)


def _report(shopper: str, moment_id: str) -> Feedback:
    at_ms = int(START.timestamp() * 1000)
    return Feedback(
        id=f"f-{moment_id}",
        correlation_id="",
        sent_at_ms=at_ms,
        kind="delivered",
        channel="email",
        at_ms=at_ms,
        message_id=message_id(shopper, moment_id),
    )


def _sqs(record: Record) -> Mapping[str, Any]:
    """A record of a Lambda event, as SQS writes it."""
    return {
        "messageId": record.id,
        "receiptHandle": "h",
        "body": record.body,
        "attributes": {"ApproximateReceiveCount": str(record.receives)},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:1:queue",
        "awsRegion": "eu-west-1",
    }

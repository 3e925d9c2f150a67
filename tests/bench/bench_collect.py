"""Validate, normalise and route: events a second on one core, without I/O; beside two peers on the same events.

    python tests/bench/bench_collect.py [--rounds N]

Ours: a batch of JSON text to queue messages (parse, judge, correct clocks, dedupe keys, one encoded unit per shopper).
Peers: `json.loads`, then a pydantic model (compiled Rust) of the same fields or jsonschema (Python) with that model's
schema, and JSON again; they neither correct clocks nor route nor find repeats. Rounds alternate, the fastest of each
counts. Goal: at least 10,000 events a second.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "shared")]

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # noqa: E402
from pydantic import BaseModel, Field, NonNegativeFloat, PositiveInt  # noqa: E402

from regulars.adapters.memory.quarantine import MemoryQuarantine  # noqa: E402
from regulars.capture.collecting import Collector  # noqa: E402
from regulars.capture.config import Capture  # noqa: E402
from regulars.messages import QueueMessage, encode  # noqa: E402
from regulars.shop import section  # noqa: E402

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)
BATCH, SHOPPERS = 100, 10
GOAL = 10_000


class Product(BaseModel, extra="allow"):
    product_id: str = Field(min_length=1, max_length=256)
    price: NonNegativeFloat | None = None
    quantity: PositiveInt | None = None
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$")


class Call(BaseModel, extra="allow"):
    type: Literal["track"]
    event: str
    messageId: str = Field(max_length=256)
    userId: str = Field(max_length=256)
    timestamp: datetime
    context: dict[str, Any]
    properties: Product


class Sink:
    """A queue that encodes and forgets."""

    def send(self, messages: Sequence[QueueMessage], delay_seconds: int = 0) -> None:
        for message in messages:
            encode(message)


def call(number: int) -> dict[str, Any]:
    """What analytics.js sends for a product page, 0.7 KB."""
    return {
        "type": "track",
        "event": "Product Viewed",
        "userId": f"u{number % SHOPPERS}",
        "messageId": f"ajs-next-1763755{number:06d}-1c2d3e4f",
        "timestamp": f"2026-11-21T19:59:{number % 60:02d}.123Z",
        "context": {
            "library": {"name": "analytics.js", "version": "next-1.81.0"},
            "locale": "en-GB",
            "timezone": "Europe/London",
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
            "page": {"path": "/p/85123A", "url": "https://shop.example/p/85123A", "title": "Heart", "referrer": ""},
        },
        "properties": {
            "product_id": "85123A",
            "name": "White hanging heart",
            "price": 2.55,
            "quantity": 6,
            "currency": "GBP",
            "category": "Home decor",
            "dwell_seconds": 12.5,
            "scroll_depth": 80,
        },
        "integrations": {},
    }


def seconds(work: Callable[[], object], times: int) -> float:
    """CPU time of one event."""
    start = process_time()
    for _ in range(times):
        work()
    return (process_time() - start) / times / BATCH


def main() -> int:
    """Print the two rates; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    body = json.dumps({"batch": [call(n) for n in range(BATCH)], "sentAt": "2026-11-21T20:00:00Z"})
    collector = Collector(section(Capture, "capture").collecting, Sink(), MemoryQuarantine(), lambda: NOW)

    def ours() -> None:
        assert all(receipt.status == "accepted" for receipt in collector.collect_batch(json.loads(body)))

    def pydantic() -> None:
        for raw in json.loads(body)["batch"]:
            Call.model_validate(raw).model_dump_json()

    schema = Draft202012Validator(Call.model_json_schema())

    def jsonschema() -> None:
        for raw in json.loads(body)["batch"]:
            schema.validate(raw)
            json.dumps(raw)

    works = {"regulars": ours, "pydantic": pydantic, "jsonschema": jsonschema}
    best = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, work in works.items():
            best[name] = min(best[name], seconds(work, 20))
    own = best["regulars"]
    for name, each in best.items():
        print(f"{name:10} {1 / each:8,.0f} events/s a core  {best['regulars'] / each:5.2f} × ours")
    return 0 if 1 / own >= GOAL else 1


if __name__ == "__main__":
    raise SystemExit(main())

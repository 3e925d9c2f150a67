"""A collecting API on memory adapters at a fixed hour, and calls that are good unless a test spoils them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tests.support.http_server import invoke

from regulars.access import Keys, hash_key
from regulars.adapters.http import Api
from regulars.adapters.memory.quarantine import MemoryQuarantine
from regulars.adapters.memory.queues import MemoryQueue
from regulars.capture.collecting import Collector
from regulars.capture.config import Capture
from regulars.capture.http import CollectingApi, routes
from regulars.capture.model import Event
from regulars.messages import EventUnit, decode, encode
from regulars.shop import section

NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
KEY, OPERATOR_KEY = "wk_shop_app", "ok_operator"


def basic(key: str) -> dict[str, str]:
    """Headers of a JSON call with this key as the user of Basic credentials."""
    return {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode(), "content-type": "application/json"}


BASIC, OPERATOR = basic(KEY), basic(OPERATOR_KEY)


def viewed(**changes: Any) -> dict[str, Any]:
    """A Product Viewed of shopper u1; a change to None removes the field."""
    call: dict[str, Any] = {
        "type": "track",
        "event": "Product Viewed",
        "userId": "u1",
        "messageId": "m1",
        "timestamp": "2026-11-21T19:59:00Z",
        "properties": {"product_id": "85123A", "price": 2.55, "currency": "GBP"},
    }
    call.update(changes)
    return {key: value for key, value in call.items() if value is not None}


@dataclass
class Shop:
    """The API with what lies behind it."""

    collector: Collector
    queue: MemoryQueue
    quarantine: MemoryQuarantine
    api: Api

    @property
    def units(self) -> list[EventUnit]:
        """What is on the queue, once over the wire and back."""
        return [decode(EventUnit, encode(message)) for message in self.queue.messages]

    @property
    def events(self) -> list[Event]:
        """Every event on the queue, in order."""
        return [Event.from_wire(wire) for unit in self.units for wire in unit.events]

    @property
    def quarantined(self) -> list[str]:
        """The reason codes in today's quarantine."""
        return sorted(record.code for record in self.quarantine.list(NOW.date(), limit=10_000))

    def post(self, kind: str, body: Any, headers: Mapping[str, str] = BASIC) -> tuple[int, Any]:
        """(status, answer) of one call through the whole handler; `body` is bytes or JSON-ready."""
        raw = body if isinstance(body, bytes) else _json(body)
        reply = invoke(self.api.handler, f"POST /v1/{kind}", body=raw, headers=headers)
        return reply["statusCode"], json.loads(reply["body"])

    def batch(self, *entries: Any, **shared: Any) -> list[dict[str, Any]]:
        """The receipts of a batch that is answered 200."""
        status, answer = self.post("batch", {"batch": list(entries), **shared})
        assert status == 200, answer
        results: list[dict[str, Any]] = answer["results"]
        return results


def open_shop(**changes: Any) -> Shop:
    """A fresh API; `changes` are settings of capture.collecting."""
    config = replace(section(Capture, "capture").collecting, **changes)
    queue, quarantine = MemoryQueue(), MemoryQuarantine()
    collector = Collector(config, queue, quarantine, lambda: NOW)
    service = CollectingApi(Keys(hash_key(KEY), "write"), collector, Keys(hash_key(OPERATOR_KEY), "operator"))
    api = Api("collect_events")
    for route, view in routes(lambda: service).items():
        api.route(route, view)
    return Shop(collector, queue, quarantine, api)


def _json(body: Any) -> bytes:
    """UTF-8 as browsers write it; with escapes where a test smuggles in what UTF-8 cannot hold."""
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(body).encode()

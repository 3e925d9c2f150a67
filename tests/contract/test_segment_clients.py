"""The unmodified Segment clients send to the collecting API over a real socket, and everything arrives as meant."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import segment.analytics.client as segment_client
from tests.support.collecting import KEY, NOW, Shop, open_shop
from tests.support.http_server import serving

HERE = Path(__file__).parent
NODE = shutil.which("node")
NODE_CLIENT = HERE / "node_modules" / "@segment" / "analytics-node"
LONG_AGO = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def shop() -> Shop:
    return open_shop()


@pytest.fixture
def host(shop: Shop) -> Iterator[str]:
    routes = {f"{method} {path}": shop.api.handler for path, of in shop.api.chalice.routes.items() for method in of}
    with serving(routes) as url:
        yield url


@pytest.mark.parametrize("gzip", [False, True])
def test_segment_analytics_python(shop: Shop, host: str, gzip: bool) -> None:
    failures: list[Any] = []
    client = segment_client.Client(
        KEY, host=host, gzip=gzip, on_error=lambda error, items: failures.append(error), max_retries=1
    )
    client.track(anonymous_id="a-py", event="Product Viewed", properties={"product_id": "85123A", "price": 2.55})
    client.page(anonymous_id="a-py", name="Home", properties={"path": "/"})
    client.screen(anonymous_id="a-py", name="Start")
    client.alias("a-py", "u-py")
    client.identify("u-py", {"email": "ada@example.com", "consent": {"email": True}})
    client.group("u-py", "members")
    client.track("u-py", "Not A Name Anybody Declared")
    client.track(
        "u-py",
        "Order Completed",
        {"order_id": "o-py", "total": 15.3, "products": [{"product_id": "85123A", "quantity": 6, "price": 2.55}]},
        timestamp=LONG_AGO,
    )
    client.shutdown()
    assert not failures
    everything_arrived(shop, "py")


@pytest.mark.node
@pytest.mark.skipif(NODE is None, reason="NODE.JS IS NOT INSTALLED: @segment/analytics-node was NOT tested")
@pytest.mark.skipif(
    not NODE_CLIENT.exists(), reason="RUN `npm install` IN tests/contract: @segment/analytics-node was NOT tested"
)
def test_segment_analytics_node(shop: Shop, host: str) -> None:
    assert NODE is not None
    done = subprocess.run([NODE, "send.mjs", host, KEY], cwd=HERE, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == {"failures": []}
    everything_arrived(shop, "node")


def test_a_wrong_write_key_reaches_the_clients_error_handler(shop: Shop, host: str) -> None:
    failures: list[Any] = []
    client = segment_client.Client("wrong", host=host, on_error=lambda error, items: failures.append(error), max_retries=1)
    client.track("u-py", "Product Viewed", {"product_id": "p"})
    client.shutdown()
    assert [error.status for error in failures] == [401]
    assert not shop.queue.sent


def everything_arrived(shop: Shop, client: str) -> None:
    """Seven good calls on the queue in order, one in quarantine."""
    assert shop.quarantined == ["unknown_event"]
    events = shop.events
    by_shopper = {unit.shopper for unit in shop.units}
    assert by_shopper == {f"anon:a-{client}", f"user:u-{client}"}
    anonymous = [event.type for event in events if event.shopper.startswith("anon:")]
    known = [event.type for event in events if event.shopper.startswith("user:")]
    assert anonymous == ["track", "page", "screen"]
    assert known == ["alias", "identify", "group", "track"]
    alias = next(event for event in events if event.type == "alias")
    assert (alias.previous_id, alias.user_id) == (f"a-{client}", f"u-{client}")
    order = events[-1]
    assert (order.name, order.properties["order_id"]) == ("Order Completed", f"o-{client}")
    # The API's clock stands still at NOW and the client's does not: what it sent seconds after the deed is corrected.
    for event in events[:-1]:
        assert abs((event.at - NOW).total_seconds()) < 15
    assert len({event.message_id for event in events}) == 7
    # A deed of years ago, sent now, stays years ago by as much as the two clocks differ.
    assert order.at < NOW.replace(year=2025)

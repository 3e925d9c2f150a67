"""The demonstration's client of the HTTP API."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from regulars_demo.drive import Api


class _Impatient(BaseHTTPRequestHandler):
    """Keeps a connection, but hangs up when nothing comes for a while."""

    protocol_version = "HTTP/1.1"
    timeout = 0.05

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Impatient) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_stack_that_has_hung_up_meanwhile_is_called_again(url: str) -> None:
    with closing(Api(url, "k")) as api:
        for _ in range(3):
            assert api.call("POST", "/v1/track", {}) == {}
            time.sleep(0.2)
        kept = api.connection
        assert [api.call("POST", "/v1/track", {}) for _ in range(2)] == [{}, {}]
        assert api.connection is kept

"""A server that answers what a test tells it to, and two clients of it: ours and botocore's."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.config import Config
from botocore.session import get_session

from regulars.adapters.aws_http import Client

ENVIRON = {
    "AWS_LAMBDA_FUNCTION_NAME": "collect_events",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "AWS_REGION": "eu-west-1",
}
GET = {"TableName": "t", "Key": {"pk": {"S": "a"}}}


class Script:
    """A server that answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes] | bytes | None] = []
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        script = self

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {key.lower(): value for key, value in self.headers.items()}
                script.asked.append((self.command, self.path, headers, json.loads(raw) if raw else None))
                answer = script.answers.pop(0) if script.answers else (200, b"{}")
                if answer is None:
                    self.close_connection = True
                    return
                if isinstance(answer, bytes):  # the whole answer as it goes over the wire, and then no more
                    self.wfile.write(answer)
                    self.close_connection = True
                    return
                self.send_response(answer[0])
                self.send_header("Content-Length", str(len(answer[1])))
                self.end_headers()
                self.wfile.write(answer[1])

            do_GET = do_POST = _answer

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def script() -> Iterator[Script]:
    made = Script()
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


Both = Callable[[str], tuple[Any, Any]]


@pytest.fixture
def both(script: Script, monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    """`both(service)`: our client and botocore's, at the script."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    made: list[Any] = []

    def make(service: str) -> tuple[Any, Any]:
        session = get_session()
        session.set_credentials(ENVIRON["AWS_ACCESS_KEY_ID"], ENVIRON["AWS_SECRET_ACCESS_KEY"])
        full = session.create_client(
            service,
            region_name="eu-west-1",
            endpoint_url=script.url,
            config=Config(retries={"mode": "standard", "total_max_attempts": 4}, s3={"addressing_style": "path"}),
        )
        made.extend((Client(service, {**ENVIRON, "AWS_ENDPOINT_URL": script.url}, lambda: full), full))
        return made[-2], made[-1]

    yield make
    for client in made:
        client.close()

"""As much of AWS on 127.0.0.1 as a first call needs: every queue takes, every table and bucket is empty."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_NO_SUCH_KEY = b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>"


class _Stub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        content = json.dumps(_answer(operation, body)).encode()
        self._reply(200, content, {"Content-Type": "application/x-amz-json-1.0"})

    def do_GET(self) -> None:
        self._reply(404, _NO_SUCH_KEY, {"Content-Type": "application/xml"})

    def _reply(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


def _answer(operation: str, body: dict[str, Any]) -> dict[str, Any]:
    if operation == "SendMessageBatch":
        entries = body["Entries"]
        taken = [
            {"Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": md5(entry["MessageBody"].encode()).hexdigest()}
            for entry in entries
        ]
        return {"Successful": taken, "Failed": []}
    if operation == "BatchGetItem":
        return {"Responses": {}, "UnprocessedKeys": {}}
    if operation in ("Query", "Scan"):
        return {"Items": [], "Count": 0, "ScannedCount": 0}
    if operation == "GetSecretValue":
        return {"ARN": "arn", "Name": "signing", "SecretString": "0" * 64}
    return {}


@contextmanager
def stub_aws() -> Iterator[str]:
    """Yields the endpoint's URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()

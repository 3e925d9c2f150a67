"""A small HTTP server on 127.0.0.1 that wakes Lambda handlers as an HTTP API with payload format 2.0 does.

with serving({"POST /v1/track": handler, …}) as url: …
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Handler = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]
_TEXTS = ("application/json", "application/x-www-form-urlencoded", "application/javascript", "text/")


class Context:
    """As much of a Lambda context as our handlers look at."""

    function_name = "local"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:local"
    memory_limit_in_mb = 512
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 10_000


def payload_event(
    method: str, target: str, headers: Mapping[str, str], body: bytes, route_key: str, params: Mapping[str, str]
) -> dict[str, Any]:
    """The wake-up event of AWS's "Working with AWS Lambda proxy integrations for HTTP APIs", format 2.0."""
    parts = urlsplit(target)
    lowered = {key.lower(): value for key, value in headers.items()}
    is_text = lowered.get("content-type", "").startswith(_TEXTS) and not lowered.get("content-encoding") and _is_utf8(body)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": unquote(parts.path),
        "rawQueryString": parts.query,
        "headers": lowered,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "127.0.0.1",
            "requestId": "local",
            "routeKey": route_key,
            "stage": "$default",
            "http": {"method": method, "path": unquote(parts.path), "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
        },
        "isBase64Encoded": bool(body) and not is_text,
    }
    if parts.query:
        event["queryStringParameters"] = {
            key: ",".join(values) for key, values in parse_qs(parts.query, keep_blank_values=True).items()
        }
    if params:
        event["pathParameters"] = dict(params)
    if body:
        event["body"] = body.decode() if is_text else base64.b64encode(body).decode()
    return event


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def match(routes: Mapping[str, Any], method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """The route key of `METHOD /path` and its path parameters; literal segments win over `{names}`."""
    found: list[tuple[int, str, dict[str, str]]] = []
    given = path.strip("/").split("/")
    for route in routes:
        verb, _, pattern = route.partition(" ")
        wanted = pattern.strip("/").split("/")
        if verb != method or len(wanted) != len(given):
            continue
        params = {w[1:-1]: unquote(g) for w, g in zip(wanted, given, strict=True) if w.startswith("{")}
        if all(w.startswith("{") or w == g for w, g in zip(wanted, given, strict=True)):
            found.append((len(params), route, params))
    return min(found)[1:] if found else None


def invoke(
    handler: Handler, route: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None, target: str = ""
) -> Mapping[str, Any]:
    """One call straight to `handler`, without a socket. `target` (path and query) is needed for routes with `{names}`."""
    method, _, pattern = route.partition(" ")
    target = target or pattern
    matched = match({route: handler}, method, urlsplit(target).path)
    assert matched is not None, f"{target} does not fit {route}"
    return handler(payload_event(method, target, headers or {}, body, route, matched[1]), Context())


@contextmanager
def serving(routes: Mapping[str, Handler]) -> Iterator[str]:
    """Serve `routes` until the block ends; yields the base URL."""

    class Waker(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _wake(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            matched = match(routes, self.command, urlsplit(self.path).path)
            if matched is None:
                self._answer(404, {"content-type": "application/json"}, b'{"message":"Not Found"}')
                return
            route, params = matched
            event = payload_event(self.command, self.path, dict(self.headers.items()), body, route, params)
            reply = routes[route](event, Context())
            text = reply.get("body") or ""
            content = base64.b64decode(text) if reply.get("isBase64Encoded") else text.encode()
            headers = dict(reply.get("headers") or {})
            for key, values in (reply.get("multiValueHeaders") or {}).items():
                headers[key] = ", ".join(values)
            self._answer(int(reply["statusCode"]), headers, content)

        def _answer(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
            self.send_response(status)
            for key, value in headers.items():
                if key.lower() != "content-length":
                    self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _wake

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Waker)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

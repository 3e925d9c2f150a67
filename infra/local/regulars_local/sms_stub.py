"""What reaches a telephone, on one machine: End User Messaging SMS v2 (MiniStack has none) and SNS push (MiniStack's keeps
nothing of it). Speaks just enough of both protocols for an unmodified SDK, and keeps every message as a JSON line.

    python -m regulars_local.sms_stub --port 4599 --directory .local/sms

`sms.jsonl` and `push.jsonl` in the directory: one object a message, oldest first. As AWS: a number that is none is
refused, an endpoint whose name ends in `disabled` is a disabled one.
"""

from __future__ import annotations

import argparse
import json
import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

HOST = "127.0.0.1"
_JSON = "application/x-amz-json-1.0"
_NUMBER_DIGITS = range(2, 20)
Answer = tuple[int, str, str]


class Kept:
    """Appends to the files of the directory; one line is one write, so a reader never sees half a message."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        directory.mkdir(parents=True, exist_ok=True)

    def add(self, name: str, message: Mapping[str, Any]) -> str:
        """Keep the message; its new id."""
        identity = str(uuid.uuid4())
        entry = {"id": identity, "at": datetime.now(UTC).isoformat(), **message}
        line = json.dumps(entry, ensure_ascii=False) + "\n"
        with self._lock, (self._directory / f"{name}.jsonl").open("a", encoding="utf-8") as file:
            file.write(line)
        return identity


def answer(kept: Kept, target: str, body: bytes) -> Answer:
    """(status, content type, body) for a call: `target` is the X-Amz-Target header, "" for SNS's query protocol."""
    if target == "PinpointSMSVoiceV2.SendTextMessage":
        return _send_text(kept, json.loads(body))
    query = {key: values[0] for key, values in parse_qs(body.decode()).items()}
    if query.get("Action") == "Publish" and query.get("TargetArn"):
        return _publish(kept, query)
    return _refused_text("UnknownOperationException", f"{target or query.get('Action', '')} is not spoken here")


def _send_text(kept: Kept, request: Mapping[str, Any]) -> Answer:
    number = str(request.get("DestinationPhoneNumber", ""))
    digits = number.removeprefix("+")
    if not digits.isdecimal() or len(digits) not in _NUMBER_DIGITS:
        fields = [{"Name": "DestinationPhoneNumber", "Message": "not a phone number"}]
        return _refused_text("ValidationException", "invalid number", Reason="FIELD_VALIDATION_FAILED", Fields=fields)
    message = {
        "to": number,
        "from": request.get("OriginationIdentity", ""),
        "text": request.get("MessageBody", ""),
        "type": request.get("MessageType", ""),
        "message_id": (request.get("Context") or {}).get("message_id", ""),
    }
    return 200, _JSON, json.dumps({"MessageId": kept.add("sms", message)})


def _refused_text(code: str, message: str, **more: Any) -> Answer:
    return 400, _JSON, json.dumps({"__type": code, "Message": message, **more})


def _publish(kept: Kept, query: Mapping[str, str]) -> Answer:
    endpoint = query["TargetArn"]
    if endpoint.endswith("disabled"):
        return _refused_push("EndpointDisabled", "Endpoint is disabled")
    if ":endpoint/" not in endpoint:
        return _refused_push("InvalidParameter", "Invalid parameter: TargetArn")
    platforms = json.loads(query["Message"]) if query.get("MessageStructure") == "json" else {}
    fcm = json.loads(platforms.get("GCM", "{}")).get("fcmV1Message", {}).get("message", {})
    shown, data = fcm.get("notification", {}), fcm.get("data", {})
    message = {
        "to": endpoint,
        "title": shown.get("title", ""),
        "body": shown.get("body", platforms.get("default", query.get("Message", ""))),
        "image_url": shown.get("image", ""),
        "url": data.get("url", ""),
        "message_id": data.get("message_id", ""),
        "platforms": platforms,
    }
    identity = kept.add("push", message)
    result = f"<PublishResult><MessageId>{identity}</MessageId></PublishResult>"
    return 200, "text/xml", f'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{result}</PublishResponse>'


def _refused_push(code: str, message: str) -> Answer:
    error = f"<Error><Type>Sender</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    return 400, "text/xml", f'<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{error}</ErrorResponse>'


def server(directory: Path, port: int) -> ThreadingHTTPServer:
    """The stub on 127.0.0.1 (port 0: any free one); the caller runs and closes it."""
    kept = Kept(directory)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, kind, text = answer(kept, self.headers.get("X-Amz-Target", ""), body)
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            return

    return ThreadingHTTPServer((HOST, port), Handler)


def main(arguments: list[str] | None = None) -> None:
    """Run until stopped."""
    parser = argparse.ArgumentParser(prog="sms_stub", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    wanted = parser.parse_args(arguments)
    with server(wanted.directory, wanted.port) as running:
        running.serve_forever()


if __name__ == "__main__":
    main()

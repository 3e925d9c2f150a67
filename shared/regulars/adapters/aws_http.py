"""The few AWS calls of the API functions over plain HTTPS, so that a cold start does not load botocore.

Importing botocore and making its clients takes more time than all the rest of a first call. DynamoDB, SQS and Secrets
Manager speak JSON with a target header, S3 hands out objects by GET; signing is Signature Version 4 (AWS: "Create a
signed AWS API request"). `Client` has botocore's method names, arguments, answers and `ClientError`; an operation not
listed in `_PROTOCOLS`, and every client outside Lambda, is botocore's own (`regulars.adapters.aws.client`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import random
import select
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlsplit

TRIES = 4
_CONNECT_SECONDS, _READ_SECONDS = 2, 10
_LINE, _LINES = 65536, 100
"""Bytes of a line, and lines, of a head: those of http.client."""
_JSON_1_0 = "application/x-amz-json-1.0"
_JSON_1_1 = "application/x-amz-json-1.1"
# service → (prefix of the target header, content type, operations)
_PROTOCOLS: Mapping[str, tuple[str, str, frozenset[str]]] = {
    "dynamodb": (
        "DynamoDB_20120810",
        _JSON_1_0,
        frozenset(
            "GetItem PutItem UpdateItem DeleteItem Query Scan BatchGetItem BatchWriteItem TransactWriteItems".split()  # noqa: SIM905
        ),
    ),
    "sqs": ("AmazonSQS", _JSON_1_0, frozenset(("SendMessageBatch",))),
    "secretsmanager": ("secretsmanager", _JSON_1_1, frozenset(("GetSecretValue",))),
    "s3": ("", "", frozenset(("GetObject",))),
}
_THROTTLES = ("Throttling", "ProvisionedThroughput", "RequestLimitExceeded", "TransactionInProgress", "SlowDown")
_NO_MARKS = str.maketrans("", "", "-:")
_UNUSUAL = ("AWS_CA_BUNDLE", "HTTPS_PROXY", "https_proxy", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT")


def serves(service: str, environ: Mapping[str, str]) -> bool:
    """Whether `Client` may stand in: inside Lambda, with credentials and region in the environment and nothing special."""
    here = all(
        environ.get(name) for name in ("AWS_LAMBDA_FUNCTION_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
    )
    return here and service in _PROTOCOLS and not any(environ.get(name) for name in _UNUSUAL)


class Client:
    """One service. `full` makes botocore's client for what is not served here."""

    def __init__(self, service: str, environ: Mapping[str, str], full: Callable[[], Any]) -> None:
        self._service, self._full = service, full
        self._prefix, self._type, self._operations = _PROTOCOLS[service]
        self._signer = Signer(service, environ)
        self._endpoint = urlsplit(_endpoint(service, environ))
        self._local = threading.local()

    def __getattr__(self, name: str) -> Any:
        operation = "".join(part.title() for part in name.split("_"))
        if operation not in self._operations:
            return getattr(self._full(), name)
        if self._service == "s3":
            return self._get_object
        return lambda **arguments: self._call(operation, arguments)

    def close(self) -> None:
        """Hang up; the next call connects anew."""
        connection: HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems":
            arguments = {"ClientRequestToken": os.urandom(16).hex(), **arguments}  # as botocore: tries may overlap
        body = _ENCODER.encode(arguments).encode()
        headers = {"content-type": self._type, "x-amz-target": f"{self._prefix}.{operation}"}
        content, _ = self._send("POST", "/", headers, body, operation)
        decoder = _DECODER if b'"B' in content else _PLAIN  # a look for bytes costs a call for each map of an answer
        answer: dict[str, Any] = decoder.decode(content.decode()) if content else {}
        return answer

    def _get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        path = "/" + quote(f"{Bucket}/{Key}", safe="/~")
        content, headers = self._send("GET", path, {"x-amz-content-sha256": hashlib.sha256(b"").hexdigest()}, b"", "GetObject")
        return {"Body": BytesIO(content), "ETag": headers.get("etag", ""), "ContentType": headers.get("content-type", "")}

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, operation: str
    ) -> tuple[bytes, Mapping[str, str]]:
        """The answer of a status below 400; raises botocore's ClientError, or EndpointConnectionError, after the last try."""
        for attempt in range(1, TRIES + 1):
            try:
                status, content, answered = self._once(method, path, headers, body)
            except (OSError, HTTPException) as error:
                self.close()
                if attempt == TRIES:
                    from botocore.exceptions import EndpointConnectionError

                    raise EndpointConnectionError(endpoint_url=self._endpoint.geturl(), error=error) from error
            else:
                if status < 400:
                    return content, answered
                failure = _failure(status, content)
                code = failure["Error"]["Code"]
                if attempt == TRIES or not (status >= 500 or code.startswith(_THROTTLES)):
                    from botocore.exceptions import ClientError

                    raise ClientError(failure, operation)
            time.sleep(random.random() * 0.05 * 2**attempt)  # full jitter
        raise AssertionError("unreachable")

    def _once(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes, Mapping[str, str]]:
        connection = self._connection()
        signed = self._signer.signed(method, self._endpoint.netloc, path, headers, body)
        connection.sock.sendall(_request(method, path, signed, body))
        status, answered, content, kept = _answer(connection.sock, method)
        if not kept:
            self.close()
        return status, content, answered

    def _connection(self) -> HTTPConnection:
        connection: HTTPConnection | None = getattr(self._local, "connection", None)
        # While Lambda sleeps the other side hangs up; then the socket has an end-of-file to read.
        if connection is None or connection.sock is None or select.select([connection.sock], [], [], 0)[0]:
            self.close()
            kind = HTTPSConnection if self._endpoint.scheme == "https" else HTTPConnection
            connection = self._local.connection = kind(self._endpoint.netloc, timeout=_CONNECT_SECONDS)
            connection.connect()
            connection.sock.settimeout(_READ_SECONDS)
        return connection


def _request(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """As `http.client` would send it, in one piece; raises ValueError for a line break where none may be."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    lines += ["accept-encoding: identity", f"content-length: {len(body)}"]
    head = "\n".join(lines)
    if head.count("\n") != len(lines) - 1 or "\r" in head:
        raise ValueError("a line break in a header")
    return head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body


def _answer(sock: Any, method: str) -> tuple[int, dict[str, str], bytes, bool]:
    """(status, headers, body, whether the connection may be used again). An answer of a told length, as nearly all are, is read
    here: `http.client` parses headers with `email`, at half of what a whole call takes. Any other is left to it."""
    with sock.makefile("rb") as file:
        head = [file.readline(_LINE + 1)]
        while head[-1] not in (b"\r\n", b"\n", b""):
            head.append(file.readline(_LINE + 1))
            if len(head) > _LINES or len(head[-1]) > _LINE:
                raise HTTPException("the head of an answer is too long")
        pairs = [line.partition(":") for line in b"".join(head[1:-1]).decode("latin-1").split("\n")]
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        words = head[0].split(None, 2)
        length = headers.get("content-length", "")
        plain = len(words) > 1 and words[0] == b"HTTP/1.1" and words[1].isdigit() and int(words[1]) >= 200
        if plain and length.isdecimal() and "transfer-encoding" not in headers:
            body = file.read(int(length))
            if len(body) < int(length):
                raise IncompleteRead(body, int(length) - len(body))
            return int(words[1]), headers, body, headers.get("connection", "").lower() != "close"
        response = HTTPResponse(_Head(head), method=method)  # type: ignore[arg-type] # all it asks of a socket
        response.begin()
        response.fp = file
        return response.status, headers, response.read(), not response.will_close


class _Head:
    """In place of a socket: what was read already."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines

    def makefile(self, *_: Any) -> BytesIO:
        return BytesIO(b"".join(self._lines))


class Signer:
    """Signature Version 4 with the credentials of the environment."""

    def __init__(
        self, service: str, environ: Mapping[str, str], now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._service, self._region, self._now = service, environ["AWS_REGION"], now
        self._id, self._secret = environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"]
        self._token = environ.get("AWS_SESSION_TOKEN", "")
        self._day, self._keyed = "", hmac.new(b"", digestmod="sha256")

    def signed(self, method: str, host: str, path: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """`headers` with date, token and authorization; `path` as it goes over the wire, without a query."""
        stamp = f"{self._now().isoformat(timespec='seconds').translate(_NO_MARKS)[:15]}Z"
        whole = {**headers, "host": host, "x-amz-date": stamp}
        if self._token:
            whole["x-amz-security-token"] = self._token
        names = sorted(whole)
        listed = ";".join(names)
        lines = "".join(f"{name}:{whole[name].strip()}\n" for name in names)
        request = f"{method}\n{path}\n\n{lines}\n{listed}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{stamp[:8]}/{self._region}/{self._service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        if self._day != stamp[:8]:
            self._day, self._keyed = stamp[:8], self._key(stamp[:8])
        signing = self._keyed.copy()
        signing.update(text.encode())
        whole["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self._id}/{scope}, SignedHeaders={listed}, Signature={signing.hexdigest()}"
        )
        return whole

    def _key(self, day: str) -> hmac.HMAC:
        """Ready to be copied: that takes half of what a new one does."""
        key = f"AWS4{self._secret}".encode()
        for part in (day, self._region, self._service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.new(key, digestmod="sha256")


def _endpoint(service: str, environ: Mapping[str, str]) -> str:
    region = environ["AWS_REGION"]
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    own = environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or environ.get("AWS_ENDPOINT_URL")
    return (own or f"https://{service}.{region}.{suffix}").rstrip("/")


def _failure(status: int, content: bytes) -> dict[str, Any]:
    """The body of an error as botocore shows it, whether it came as JSON or as S3's XML."""
    try:
        body: dict[str, Any] = json.loads(content, object_hook=_decode_bytes)
        code = str(body.pop("__type", "")).rpartition("#")[2]
        message = str(body.get("message") or body.get("Message") or "")
    except (ValueError, AttributeError):
        text = content.decode("utf-8", "replace")
        body, code = {}, text.partition("<Code>")[2].partition("</Code>")[0]
        message = text.partition("<Message>")[2].partition("</Message>")[0]
    return {**body, "Error": {"Code": code or str(status), "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}


def _encode_bytes(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return b64encode(value).decode("ascii")
    raise TypeError(f"no JSON form for {type(value).__name__}")


def _decode_bytes(found: dict[str, Any]) -> dict[str, Any]:
    """DynamoDB's binaries back to bytes. A map attribute named B holds an object, not text, and is left alone."""
    if len(found) == 1 and ("B" in found or "BS" in found):
        if isinstance(found.get("B"), str):
            return {"B": b64decode(found["B"])}
        if isinstance(found.get("BS"), list):
            return {"BS": [b64decode(entry) for entry in found["BS"]]}
    return found


_DECODER, _PLAIN = json.JSONDecoder(object_hook=_decode_bytes), json.JSONDecoder()
_ENCODER = json.JSONEncoder(check_circular=False, default=_encode_bytes)

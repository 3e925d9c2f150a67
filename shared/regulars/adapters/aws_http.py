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
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Callable, Mapping
from functools import lru_cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from io import BufferedReader, BytesIO, RawIOBase
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import orjson

TRIES = 4
_CONNECT_SECONDS, _READ_SECONDS = 2, 10
_BLOCK, _LINES = 65536, 100
"""Bytes of the first read of an answer; lines of a head, as in http.client."""
_FORMS = 128
"""Forms of requests that are kept: an operation has one, an object of S3 each its own."""
_ASKED_AGAIN, _ANSWERS, _LARGE = "BatchGetItem", 4, 1 << 20
"""Every call asks for what is sold out and which rules hold, and is told the same for minutes, the items in one order or
another. A comparison of the bytes takes a tenth of decoding them. Answers of more bytes than `_LARGE` are not kept."""
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
_Headers = tuple[tuple[str, str], ...]
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
        served = self._get_object if self._service == "s3" else lambda **arguments: self._call(operation, arguments)
        self.__dict__[name] = served  # found without coming here the next time
        return served

    def close(self) -> None:
        """Hang up; the next call connects anew."""
        connection: HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems":
            arguments = {"ClientRequestToken": os.urandom(16).hex(), **arguments}  # as botocore: tries may overlap
        headers = (("content-type", self._type), ("x-amz-target", f"{self._prefix}.{operation}"))
        content, _ = self._send("POST", "/", headers, _encoded(arguments), operation)
        decoded = _decoded_again if operation == _ASKED_AGAIN and len(content) <= _LARGE else _decoded
        answer: dict[str, Any] = decoded(content) if content else {}
        return answer

    def _get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        path = "/" + quote(f"{Bucket}/{Key}", safe="/~")
        headers = (("x-amz-content-sha256", hashlib.sha256(b"").hexdigest()),)
        content, head = self._send("GET", path, headers, b"", "GetObject")
        etag, kind = (_field(head, name).decode("latin-1") for name in (b"etag", b"content-type"))
        return {"Body": BytesIO(content), "ETag": etag, "ContentType": kind}

    def _send(self, method: str, path: str, headers: _Headers, body: bytes, operation: str) -> tuple[bytes, bytes]:
        """Body and head of an answer of a status below 400; raises botocore's ClientError, or EndpointConnectionError, after
        the last try."""
        for attempt in range(1, TRIES + 1):
            try:
                status, content, head = self._once(method, path, headers, body)
            except (OSError, HTTPException) as error:
                self.close()
                if attempt == TRIES:
                    from botocore.exceptions import EndpointConnectionError

                    raise EndpointConnectionError(endpoint_url=self._endpoint.geturl(), error=error) from error
            else:
                if status < 400:
                    return content, head
                failure = _failure(status, content)
                code = failure["Error"]["Code"]
                if attempt == TRIES or not (status >= 500 or code.startswith(_THROTTLES)):
                    from botocore.exceptions import ClientError

                    raise ClientError(failure, operation)
            time.sleep(random.random() * 0.05 * 2**attempt)  # full jitter
        raise AssertionError("unreachable")

    def _once(self, method: str, path: str, headers: _Headers, body: bytes) -> tuple[int, bytes, bytes]:
        connection = self._connection()
        connection.sock.sendall(self._signer.request(method, self._endpoint.netloc, path, headers, body))
        status, head, content, kept = _answer(connection.sock, method)
        if not kept:
            self.close()
        return status, content, head

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


def _answer(sock: Any, method: str) -> tuple[int, bytes, bytes, bool]:
    """(status, head, body, whether the connection may be used again). An answer of a told length whose head comes in one piece,
    as nearly all are, is read here: `http.client` parses headers with `email`, at half of what a whole call takes. Any other
    is left to it."""
    with sock.makefile("rb") as file:
        begun = file.read1(_BLOCK)
        head, blank, body = begun.partition(b"\r\n\r\n")
        lowered = head.lower()
        length, status = _field(lowered, b"content-length"), head[9:12]
        plain = blank and head.startswith(b"HTTP/1.1 ") and status.isdigit() and status >= b"200"
        if plain and length.isdigit() and b"transfer-encoding" not in lowered and head.count(b"\n") < _LINES:
            missing = int(length) - len(body)
            if missing > 0:
                body += file.read(missing)
                if len(body) < int(length):
                    raise IncompleteRead(body, int(length) - len(body))
            kept = missing >= 0 and _field(lowered, b"connection") != b"close"
            return int(status), head, body[: int(length)], kept
        response = HTTPResponse(_Begun(begun, file), method=method)  # type: ignore[arg-type] # all it asks of a socket
        response.begin()
        return response.status, head, response.read(), not response.will_close


def _field(head: bytes, name: bytes) -> bytes:
    """The value of a header, the last of several; empty without one."""
    _, found, rest = head.lower().rpartition(b"\n%s:" % name)
    return head[len(head) - len(rest) :].partition(b"\n")[0].strip() if found else b""


class _Begun(RawIOBase):
    """In place of a socket: what was read of it already, then the rest."""

    def __init__(self, begun: bytes, file: Any) -> None:
        self._begun, self._file = BytesIO(begun), file

    def makefile(self, *_: Any) -> BufferedReader:
        return BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._begun.readinto(buffer) or int(self._file.readinto1(buffer))


class _Form(NamedTuple):
    """What all requests of one method, path and headers share, before and after the instant: as it is sent, and as it is
    signed."""

    sent: tuple[str, str]
    signed: tuple[str, str]
    names: str


class Signer:
    """Requests with Signature Version 4, by the credentials of the environment."""

    def __init__(self, service: str, environ: Mapping[str, str], now: Callable[[], float] = time.time) -> None:
        self._service, self._region, self._now = service, environ["AWS_REGION"], now
        self._id, self._secret = environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"]
        self._token = environ.get("AWS_SESSION_TOKEN", "")
        self._form, self._keyed = lru_cache(_FORMS)(self._form_of), lru_cache(1)(self._key)

    def request(self, method: str, host: str, path: str, headers: _Headers, body: bytes) -> bytes:
        """The signed request as it goes over the wire, in one piece; `path` without a query. Raises ValueError for a line break
        where none may be."""
        stamp = _stamp(int(self._now()))
        day = stamp[:8]
        form = self._form(method, host, path, headers)
        request = f"{form.signed[0]}{stamp}{form.signed[1]}{hashlib.sha256(body).hexdigest()}"
        scope = f"{day}/{self._region}/{self._service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signing = self._keyed(day).copy()
        signing.update(text.encode())
        head = (
            f"{form.sent[0]}{stamp}{form.sent[1]}content-length: {len(body)}\r\nauthorization: AWS4-HMAC-SHA256 "
            f"Credential={self._id}/{scope}, SignedHeaders={form.names}, Signature={signing.hexdigest()}\r\n\r\n"
        )
        return head.encode("latin-1") + body

    def _form_of(self, method: str, host: str, path: str, headers: _Headers) -> _Form:
        whole = {**dict(headers), "host": host, "x-amz-date": ""}
        if self._token:
            whole["x-amz-security-token"] = self._token
        start = f"{method} {path} HTTP/1.1"
        if any(mark in text for text in (start, *whole, *whole.values()) for mark in "\r\n"):
            raise ValueError("a line break in a header")
        order = sorted(whole)
        place, names = order.index("x-amz-date"), ";".join(order)
        sent = [f"{name}: {whole[name]}\r\n" for name in order]
        signed = [f"{name}:{whole[name].strip()}\n" for name in order]
        return _Form(
            sent=(
                f"{start}\r\n{''.join(sent[:place])}x-amz-date: ",
                f"\r\n{''.join(sent[place + 1 :])}accept-encoding: identity\r\n",
            ),
            signed=(
                f"{method}\n{path}\n\n{''.join(signed[:place])}x-amz-date:",
                f"\n{''.join(signed[place + 1 :])}\n{names}\n",
            ),
            names=names,
        )

    def _key(self, day: str) -> hmac.HMAC:
        """Ready to be copied: that takes half of what a new one does."""
        key = f"AWS4{self._secret}".encode()
        for part in (day, self._region, self._service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.new(key, digestmod="sha256")


@lru_cache(1)
def _stamp(second: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))


def _endpoint(service: str, environ: Mapping[str, str]) -> str:
    region = environ["AWS_REGION"]
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    own = environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or environ.get("AWS_ENDPOINT_URL")
    return (own or f"https://{service}.{region}.{suffix}").rstrip("/")


def _failure(status: int, content: bytes) -> dict[str, Any]:
    """The body of an error as botocore shows it, whether it came as JSON or as S3's XML."""
    try:
        body: dict[str, Any] = _decoded(content)
        code = str(body.pop("__type", "")).rpartition("#")[2]
        message = str(body.get("message") or body.get("Message") or "")
    except (ValueError, AttributeError):
        text = content.decode("utf-8", "replace")
        body, code = {}, text.partition("<Code>")[2].partition("</Code>")[0]
        message = text.partition("<Message>")[2].partition("</Message>")[0]
    return {**body, "Error": {"Code": code or str(status), "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}


def _encoded(arguments: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(arguments, default=_encode_bytes)
    except TypeError:  # half a surrogate pair, a number of more than 64 bits: `json` has a form for them
        return _ENCODER.encode(arguments).encode()


def _encode_bytes(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return b64encode(value).decode("ascii")
    raise TypeError(f"no JSON form for {type(value).__name__}")


def _decoded(content: bytes) -> Any:
    """What an answer says, with DynamoDB's binaries as bytes; raises ValueError for what is no JSON."""
    try:
        found = orjson.loads(content)
    except ValueError:  # half a surrogate pair: `json` takes it
        found = json.loads(content)
    if b'"B' in content and type(found) is dict:
        _restore_bytes(found)
    return found


_decoded_again = lru_cache(_ANSWERS)(_decoded)
"""What came before, byte for byte, is the same object, which nobody may change."""


def _restore_bytes(found: dict[str, Any]) -> None:
    """In place, however deep. A map attribute named B holds an object, not text, and is left alone."""
    for name, value in found.items():
        kind = type(value)
        if kind is dict:
            if type(value.get("S") or value.get("N")) is not str:  # texts and numbers are most of what there is
                _restore_bytes(value)
        elif kind is str:
            if name == "B" and len(found) == 1:
                found[name] = a2b_base64(value)
        elif kind is list and name == "BS" and len(found) == 1:
            found[name] = list(map(a2b_base64, value))
        elif kind is list and value and type(value[0]) is dict:  # others are sets, of thousands of ids perhaps
            for entry in value:
                _restore_bytes(entry)


_ENCODER = json.JSONEncoder(check_circular=False, default=_encode_bytes)

"""Shapes of answers that HTTP allows, and some it does not, as `aws_http` reads them: RFC 9112."""

from __future__ import annotations

from io import BufferedReader, BytesIO, RawIOBase
from typing import Any

import pytest
from tests.support.scripted_server import GET, Both, Script

from regulars.adapters import aws_http

BODY = b'{"Item":{"pk":{"S":"a"}}}'
LENGTH = f"Content-Length: {len(BODY)}\r\n".encode()
CHUNKED = (
    b"Transfer-Encoding: chunked\r\n\r\n7\r\n" + BODY[:7] + f"\r\n{len(BODY) - 7:x}\r\n".encode() + BODY[7:] + b"\r\n0\r\n\r\n"
)
RAW = {
    "told length": b"HTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n" + BODY,
    "spelling and spaces": b"HTTP/1.1 200\r\ncontent-LENGTH:" + str(len(BODY)).encode() + b"  \r\n\r\n" + BODY,
    "chunked": b"HTTP/1.1 200 OK\r\n" + CHUNKED,
    "chunked and a length": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" + CHUNKED,
    "until the end": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY,
    "older HTTP": b"HTTP/1.0 200 OK\r\n" + LENGTH + b"\r\n" + BODY,
    "bare line ends": b"HTTP/1.1 200 OK\n" + LENGTH.replace(b"\r", b"") + b"\n" + BODY,
    "more than was told": b"HTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n" + BODY + b"HTTP/1.1 500 No\r\n\r\n",
    "continued": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n" + BODY,
    "closing": b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + LENGTH + b"\r\n" + BODY,
}


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW)
def test_every_shape_of_answer_is_read_as_botocore_reads_it(script: Script, both: Both, raw: bytes) -> None:
    for client in both("dynamodb"):
        script.answers = [raw]
        assert client.get_item(**GET)["Item"] == {"pk": {"S": "a"}}
        assert client.get_item(**GET).get("Item") is None  # and the next one is not the rest of it
        assert len(script.asked) == 2
        script.asked.clear()


class Drops(RawIOBase):
    """A socket whose bytes come `size` at a time."""

    def __init__(self, raw: bytes, size: int) -> None:
        self._raw, self._size = BytesIO(raw), size

    def makefile(self, *_: Any) -> BufferedReader:
        return BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._raw.readinto(memoryview(buffer)[: self._size])


@pytest.mark.parametrize("size", [1, 7, 60])
@pytest.mark.parametrize("raw", RAW.values(), ids=RAW)
def test_answers_may_come_in_pieces(raw: bytes, size: int) -> None:
    status, _, body, _ = aws_http._answer(Drops(raw, size), "POST")
    assert (status, body) == (200, BODY)


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 120 + LENGTH + b"\r\n" + BODY,
        b"nonsense\r\n\r\n",
    ],
    ids=["cut short", "endless line", "endless head", "no HTTP"],
)
def test_a_broken_answer_is_asked_for_again(script: Script, both: Both, raw: bytes) -> None:
    ours, _ = both("dynamodb")
    script.answers = [raw, (200, BODY)]
    assert ours.get_item(**GET)["Item"] == {"pk": {"S": "a"}}
    assert len(script.asked) == 2

"""Keys are known by their hash, and a wrong one says why."""

from __future__ import annotations

import base64

import pytest

from regulars.access import Keys, hash_key
from regulars.errors import Misconfigured, Unauthorised
from regulars.web import Request

KEYS = Keys(f"{hash_key('first')}, {hash_key('second').upper()}", "write")


def request(authorization: str = "") -> Request:
    return Request("POST", "/v1/track", {}, {}, {"authorization": authorization} if authorization else {}, b"")


def basic(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize("authorization", [basic(b"first:"), basic(b"second"), basic(b"first:password"), "Bearer first"])
def test_a_known_key_passes(authorization: str) -> None:
    KEYS.check(request(authorization))


def test_a_key_in_the_body_passes_when_no_header_speaks() -> None:
    KEYS.check(request(), "second")


@pytest.mark.parametrize(
    ("authorization", "from_body", "code"),
    [
        ("", None, "missing_key"),
        ("", "", "missing_key"),
        ("", 7, "missing_key"),
        ("", "third", "invalid_key"),
        ("", hash_key("first"), "invalid_key"),
        ("", "\ud800", "invalid_key"),
        (basic(b"third:"), "first", "invalid_key"),
        ("Bearer third", "first", "invalid_key"),
        ("Basic %%%", None, "missing_key"),
        ("Basic " + base64.b64encode(b"\xff:").decode(), None, "missing_key"),
        ("Digest first", None, "missing_key"),
    ],
)
def test_anything_else_is_unauthorised_with_its_reason(authorization: str, from_body: object, code: str) -> None:
    with pytest.raises(Unauthorised) as caught:
        KEYS.check(request(authorization), from_body)
    assert caught.value.code == code


def test_no_keys_let_nobody_in() -> None:
    assert not Keys("", "operator").knows("")


@pytest.mark.parametrize("hashes", ["secret-key-itself", "a" * 63, "g" * 64])
def test_what_is_no_hash_is_a_wrong_setting(hashes: str) -> None:
    with pytest.raises(Misconfigured):
        Keys(hashes, "write")

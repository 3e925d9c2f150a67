"""Lengths of SMS (3GPP TS 23.038) and prices."""

from __future__ import annotations

import pytest

from regulars.channels.content import is_web_address
from regulars.channels.money import money
from regulars.channels.sms import parts, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("中" * 70, 1),
        ("中" * 71, 2),
        ("中" * 134, 2),
        ("中" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("", 1),
    ],
)
def test_parts(text: str, expected: int) -> None:
    assert parts(text) == expected


def test_typographic_signs_become_cheap_ones() -> None:
    assert plain("“It’s” – 3…") == '"It\'s" - 3...'


@pytest.mark.parametrize(
    ("cents", "currency", "expected"),
    [
        (1250, "GBP", "£12.50"),
        (5, "USD", "$0.05"),
        (123456789, "CNY", "¥1,234,567.89"),
        (150000, "JPY", "¥1,500"),
        (1250, "SEK", "12.50 SEK"),
        (1250, "", "12.50"),
        (0, "GBP", ""),
        (-5, "GBP", ""),
    ],
)
def test_money(cents: int, currency: str, expected: str) -> None:
    assert money(cents, currency) == expected


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "//evil.example",
        "/relative",
        "https://",
        "https://user@evil.example/",
        "https://shop.example\\@evil.example",
        "https://shop.example/\r\nSet-Cookie: a=b",
        "https://shop.example/ x",
        "data:text/html,x",
        "ftp://shop.example/",
        "https://[broken",
        "",
    ],
)
def test_only_plain_web_addresses_are_destinations(url: str) -> None:
    assert not is_web_address(url)


def test_a_shops_page_is_a_destination() -> None:
    assert is_web_address("https://shop.example/items/1?a=b&c=%20#d")

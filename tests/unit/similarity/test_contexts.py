"""Kinds of device and parts of the day, as builders and readers name them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from regulars.clock import zone_named
from regulars.similarity.contexts import device_kind, device_of, part_of_day

_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"


@pytest.mark.parametrize(
    ("context", "kind"),
    [
        ({"device": {"type": "ios"}}, "mobile"),
        ({"device": {"type": "PC"}}, "desktop"),
        ({"device": {"type": "mini_program"}}, "mini-program"),
        ({"device": {"type": "小程序"}}, "mini-program"),
        ({"device": {"type": "Call Centre"}}, "call-centre"),
        ({"device": {"type": "toaster"}}, ""),
        ({"userAgent": _IPHONE}, "mobile"),
        ({"userAgent": _IPHONE.replace("iPhone", "iPad")}, "tablet"),
        ({"userAgent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"}, "tablet"),
        ({"userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}, "desktop"),
        ({"userAgent": _IPHONE + " MicroMessenger/8.0 miniProgram/wx1"}, "mini-program"),
        ({"device": {"type": "toaster"}, "userAgent": _IPHONE}, "mobile"),
        ({"userAgent": "analytics-python/2.3"}, ""),
        ({"device": "phone", "userAgent": 7}, ""),
        ({}, ""),
    ],
)
def test_kinds_of_device(context: dict[str, Any], kind: str) -> None:
    assert device_of(context) == kind


def test_words_for_devices() -> None:
    assert device_kind("Android") == "mobile"
    assert device_kind("") == ""


@pytest.mark.parametrize(
    ("hour", "zone", "part"),
    [
        (4, "UTC", "workday-night"),
        (4, "Asia/Shanghai", "workday-afternoon"),
        (23, "UTC", "workday-evening"),
        (23, "Asia/Shanghai", "weekend-morning"),
    ],
)
def test_parts_of_the_local_day(hour: int, zone: str, part: str) -> None:
    friday = datetime(2026, 8, 7, hour, tzinfo=UTC)
    told = zone_named(zone)
    assert told is not None
    assert part_of_day(friday, told) == part

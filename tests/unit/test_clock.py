"""The one clock: zones by their names."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from regulars.clock import zone_named


@pytest.mark.parametrize("name", ["", "Mars/Base", "America", "../etc/passwd", "/abs", "a\x00b", "Ü", "x" * 5000])
def test_what_is_no_zone_is_none(name: str) -> None:
    assert zone_named(name) is None


def test_zones_kept_at_hand_are_bounded() -> None:
    assert zone_named.cache_info().maxsize == 1024


def test_a_zone_by_its_name() -> None:
    assert zone_named("Asia/Shanghai") == ZoneInfo("Asia/Shanghai")

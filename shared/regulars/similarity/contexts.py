"""The contexts in which popularity is counted apart: kind of device, and part of the local day.

Builders and readers share these words, so no numpy here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

DEVICE_KINDS = ("desktop", "mobile", "tablet", "mini-program", "store", "call-centre")
_SPELLINGS = {
    "pc": "desktop", "web": "desktop", "macos": "desktop", "windows": "desktop", "linux": "desktop",
    "ios": "mobile", "android": "mobile", "phone": "mobile", "app": "mobile", "h5": "mobile", "wap": "mobile",
    "ipad": "tablet", "ipados": "tablet",
    "miniprogram": "mini-program", "mini program": "mini-program", "wechat": "mini-program", "小程序": "mini-program",
    "pos": "store", "kiosk": "store", "门店": "store",
    "call center": "call-centre", "callcenter": "call-centre", "phone order": "call-centre",
}  # fmt: skip
_PARTS = ((6, "night"), (12, "morning"), (18, "afternoon"), (24, "evening"))


def device_kind(text: str) -> str:
    """One of `DEVICE_KINDS` for what an app calls its device (`ios`, `PC`, `小程序`), "" for what is none."""
    word = " ".join(text.casefold().replace("_", " ").split())
    hyphened = word.replace(" ", "-")
    return hyphened if hyphened in DEVICE_KINDS else _SPELLINGS.get(word, "")


def device_of(context: Mapping[str, Any]) -> str:
    """The kind of an event's `context.device.type`, else of its `context.userAgent`; "" when neither says.

    A browser on a phone has `Mobi` in its user agent, one on a tablet `Tablet` or `iPad`, or `Android` without `Mobi`
    (MDN, "Browser detection using the user agent"). iPads that ask for desktop sites count as desktops.
    """
    device, agent = context.get("device"), context.get("userAgent")
    told = device.get("type") if isinstance(device, Mapping) else None
    if isinstance(told, str) and (kind := device_kind(told)):
        return kind
    if not isinstance(agent, str) or "Mozilla/" not in agent:
        return ""
    if "MicroMessenger" in agent and "miniProgram" in agent:
        return "mini-program"
    if "iPad" in agent or "Tablet" in agent or ("Android" in agent and "Mobi" not in agent):
        return "tablet"
    return "mobile" if "Mobi" in agent else "desktop"


def part_of_day(at: datetime, zone: tzinfo) -> str:
    """`workday-morning`, `weekend-night`, …: four parts of six hours from midnight; the night belongs to the day it starts."""
    local = at.astimezone(zone)
    part = next(name for until, name in _PARTS if local.hour < until)
    return f"{'weekend' if local.weekday() >= 5 else 'workday'}-{part}"

"""The fields of a rule or list, each checked by its path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

from regulars.capture.currencies import CURRENCIES
from regulars.clock import zone_named
from regulars.errors import Invalid
from regulars.recommendations.model import RULED
from regulars.recommendations.reasons import LANGUAGES
from regulars.recommendations.ruling import WEEKDAYS, PriceBand, When
from regulars.recommendations.segments import spelled

_MAX_NAMES = 1000
_MAX_CENTS = 10**13


def wrong(path: str, reason: str) -> Invalid:
    """The error that names the path."""
    return Invalid(f"{path}: {reason}", field=path, code="bad_rules")


def check_keys(entry: Any, known: frozenset[str], path: str) -> Mapping[str, Any]:
    """The entry, an object of known keys only."""
    if not isinstance(entry, Mapping):
        raise wrong(path, "expected an object")
    for key in entry:
        if key not in known:
            raise wrong(f"{path}.{key}", f"unknown key; known: {', '.join(sorted(known))}")
    return entry


def an_id(value: Any, path: str) -> str:
    """Text of at most 100 characters."""
    if not isinstance(value, str) or not value.strip() or len(value) > 100:
        raise wrong(path, "needs an id of at most 100 characters")
    return value


def names(entry: Mapping[str, Any], key: str, path: str) -> tuple[str, ...]:
    """A list of texts; none when absent."""
    value = entry.get(key, [])
    if not isinstance(value, list) or len(value) > _MAX_NAMES:
        raise wrong(f"{path}.{key}", f"expected a list of at most {_MAX_NAMES} names")
    for place, name in enumerate(value):
        if not isinstance(name, str) or not name.strip():
            hint = " (put it in quotes)" if isinstance(name, int | float) else ""
            raise wrong(f"{path}.{key}[{place}]", f"expected a name, got {name!r}"[:120] + hint)
    return tuple(value)


def among(found: Iterable[Any], known: tuple[str, ...], path: str) -> frozenset[str]:
    """The names, each one of the known."""
    entries = tuple(found)
    for place, name in enumerate(entries):
        if name not in known:
            raise wrong(f"{path}[{place}]" if len(entries) > 1 else path, f"{name!r} is none of {', '.join(known)}"[:200])
    return frozenset(entries)


def integer(entry: Mapping[str, Any], key: str, path: str, default: int, least: int, most: int) -> int:
    """A whole number within bounds."""
    if key not in entry:
        return default
    value = entry[key]
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise wrong(f"{path}.{key}", f"expected a whole number from {least} to {most}, got {value!r}"[:120])
    return value


def number(entry: Mapping[str, Any], key: str, path: str, default: float) -> float:
    """A finite number."""
    value = entry.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise wrong(f"{path}.{key}", f"expected a number above 0 and up to 1000, got {value!r}"[:120])
    return float(value)


def price_band(entry: Mapping[str, Any], path: str) -> PriceBand | None:
    """`price_cents: {from, to}` with its `currency`; None when absent."""
    if "price_cents" not in entry:
        if "currency" in entry:
            raise wrong(f"{path}.currency", "has no meaning without price_cents")
        return None
    here = f"{path}.price_cents"
    band = check_keys(entry["price_cents"], frozenset(("from", "to")), here)
    if not band:
        raise wrong(here, "says neither `from` nor `to`")
    low = integer(band, "from", here, 0, 0, _MAX_CENTS)
    high = integer(band, "to", here, 0, 1, _MAX_CENTS) if "to" in band else None
    if high is not None and high <= low:
        raise wrong(f"{here}.to", "is not above `from`")
    currency = entry.get("currency")
    if currency not in CURRENCIES:
        raise wrong(f"{path}.currency", f"a price band needs its currency, an ISO 4217 code; got {currency!r}"[:120])
    return PriceBand(currency=str(currency), low=low, high=high)


def attributes(entry: Mapping[str, Any], path: str) -> Mapping[str, frozenset[str]]:
    """Attribute → the values that match, case-folded."""
    if "attributes" not in entry:
        return {}
    here, value = f"{path}.attributes", entry["attributes"]
    if not isinstance(value, Mapping) or not value:
        raise wrong(here, "expected an object of attribute names and values")
    found = {}
    for name, wanted in value.items():
        values = wanted if isinstance(wanted, list) else [wanted]
        if not values or any(not isinstance(text, str) or not text.strip() for text in values):
            raise wrong(f"{here}.{name}", f"expected a text or a list of texts, got {wanted!r}"[:120])
        found[str(name)] = frozenset(text.casefold() for text in values)
    return found


def titles(entry: Mapping[str, Any], path: str) -> Mapping[str, str]:
    """Language → title; a bare text is the English one."""
    value, here = entry.get("title"), f"{path}.title"
    if isinstance(value, str) and value.strip() and len(value) <= 200:
        return {"en": value}
    if not isinstance(value, Mapping) or not value:
        raise wrong(here, f"expected a text of at most 200 characters, or one per language ({', '.join(LANGUAGES)})")
    for language, text in value.items():
        if language not in LANGUAGES:
            raise wrong(f"{here}.{language}", f"unknown language; known: {', '.join(LANGUAGES)}")
        if not isinstance(text, str) or not text.strip() or len(text) > 200:
            raise wrong(f"{here}.{language}", "expected a text of at most 200 characters")
    return dict(value)


def when(entry: Mapping[str, Any], path: str) -> When:
    """The conditions that rules and lists share."""
    zone = _zone(entry, path)
    starts, ends = _instant(entry, "from", path, zone), _instant(entry, "until", path, zone)
    if starts and ends and ends <= starts:
        raise wrong(f"{path}.until", "is not after `from`")
    days = names(entry, "weekdays", path)
    for place, name in enumerate(days):
        if name not in WEEKDAYS:
            raise wrong(f"{path}.weekdays[{place}]", f"{name!r} is none of {', '.join(WEEKDAYS)}"[:120])
    hours = _hours(entry, path)
    scenes = names(entry, "scenes", path)
    for place, name in enumerate(scenes):
        if name not in RULED:
            raise wrong(f"{path}.scenes[{place}]", f"{name!r} is none of {', '.join(RULED)}"[:200])
    return When(
        scenes=frozenset(scenes),
        segments=spelled(names(entry, "segments", path), f"{path}.segments"),
        not_segments=spelled(names(entry, "not_segments", path), f"{path}.not_segments"),
        starts=starts,
        ends=ends,
        weekdays=frozenset(WEEKDAYS.index(name) for name in days),
        hours=hours,
        zone=zone if days or hours else None,
        queries=names(entry, "queries", path),
    )


def _zone(entry: Mapping[str, Any], path: str) -> ZoneInfo:
    name = entry.get("time_zone", "UTC")
    zone = zone_named(name) if isinstance(name, str) else None
    if zone is None:
        raise wrong(f"{path}.time_zone", f"{name!r} is no IANA time zone"[:120])
    return zone


def _instant(entry: Mapping[str, Any], key: str, path: str, zone: ZoneInfo) -> datetime | None:
    value = entry.get(key)
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=zone).astimezone(UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise wrong(f"{path}.{key}", f"{value!r} is not an ISO 8601 date or time"[:120]) from error


def _hours(entry: Mapping[str, Any], path: str) -> tuple[time, time] | None:
    if "hours" not in entry:
        return None
    here = f"{path}.hours"
    window = check_keys(entry["hours"], frozenset(("from", "to")), here)
    begins, ends = (_clock(window.get(key), f"{here}.{key}") for key in ("from", "to"))
    if begins == ends:
        raise wrong(here, "`from` and `to` are the same")
    return begins, ends


def _clock(value: Any, path: str) -> time:
    """`18:00`. Unquoted, YAML 1.1 reads that as sixty times eighteen: the minutes of the day, which are taken too."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return time(value // 60, value % 60)
    try:
        at = time.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise wrong(path, f'{value!r} is not a time of day as "18:00"'[:120]) from error
    if at.tzinfo is not None:
        raise wrong(path, "names no offset; `time_zone` does")
    return at

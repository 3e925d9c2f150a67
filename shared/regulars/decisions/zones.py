"""Where a shopper's clock stands, and wall time ↔ instants.

A shopper's own IANA zone, if it exists; else every zone of her country (told by name, code or telephone number); else the
shop's. With several zones a message must be allowed in each of them: what is not known is taken at its worst.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from regulars.channels.model import Contact
from regulars.decisions.config import Place
from regulars.triggers.local_time import instant, zone_named


def zones_of(contact: Contact, place: Place) -> tuple[ZoneInfo, ...]:
    """The zones that the shopper may be in; never empty."""
    own = zone_named(contact.time_zone)
    if own:
        return (own,)
    return country_zones().get(country_of(contact, place), ()) or (ZoneInfo(place.time_zone),)


def country_of(contact: Contact, place: Place) -> str:
    """ISO 3166 code out of the contact's country (code or English name), else her telephone number, else the shop's."""
    said = contact.country.strip()
    if len(said) == 2:
        return said.upper() if said.upper() in country_zones() else place.country_names.get(said.lower(), place.country)
    if said:
        known = place.country_names.get(said.lower()) or country_names().get(said.lower())
        if known:
            return known
    number = contact.addresses.get("sms", "")
    prefixes = sorted((prefix for prefix in place.phone_prefixes if number.startswith(prefix)), key=len)
    return place.phone_prefixes[prefixes[-1]] if prefixes else place.country


@cache
def country_zones() -> Mapping[str, tuple[ZoneInfo, ...]]:
    """Zones by country, the most populous first, out of the time zone database's zone.tab."""
    found: dict[str, tuple[ZoneInfo, ...]] = {}
    for code, _, name in _rows("zone.tab", 3):
        known = zone_named(name)
        if known:
            found[code] = (*found.get(code, ()), known)
    return found


@cache
def country_names() -> Mapping[str, str]:
    """Country code by lower-case English name, out of the time zone database's iso3166.tab."""
    return {name.lower(): code for code, name in _rows("iso3166.tab", 2)}


def _rows(table: str, columns: int) -> list[list[str]]:
    text = resources.files("tzdata").joinpath("zoneinfo", table).read_text("utf-8")
    return [line.split("\t")[:columns] for line in text.splitlines() if line and not line.startswith("#")]


def opening(day: date, hour: float, place: ZoneInfo) -> datetime:
    """The UTC instant of wall time `hour` (0 ≤ hour < 24) on `day` in `place`."""
    hours, minutes = divmod(round(hour * 60), 60)
    return instant(day, hours, minutes, place)


def wall_hour(at: datetime, place: ZoneInfo) -> float:
    """Hours since midnight that the clock on the wall shows in `place`."""
    local = at.astimezone(place)
    return local.hour + local.minute / 60 + (local.second + local.microsecond / 1e6) / 3600

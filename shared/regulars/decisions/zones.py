"""Where a shopper's clock stands, and wall time ↔ instants.

A shopper's own IANA zone, if it exists; else every zone of her country (told by name, code or telephone number); else the
shop's. With several zones a message must be allowed in each of them: what is not known is taken at its worst.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo

from regulars import packaged
from regulars.channels.model import Contact
from regulars.clock import zone_named
from regulars.decisions.config import Place
from regulars.triggers.local_time import instant


def zones_of(contact: Contact, place: Place) -> tuple[ZoneInfo, ...]:
    """The zones that the shopper may be in; empty when nothing is known of her and the shop names no zone of its own."""
    own = zone_named(contact.time_zone)
    if own:
        return (own,)
    shops = zone_named(place.time_zone)
    return country_zones().get(country_of(contact, place), ()) or ((shops,) if shops else ())


def shop_zone(place: Place) -> ZoneInfo:
    """The shop's clock; UTC while it has said none."""
    return zone_named(place.time_zone) or ZoneInfo("UTC")


def clock_of(contact: Contact, place: Place) -> ZoneInfo:
    """The clock to show times on: of the zone she most likely lives in, UTC when nothing tells."""
    return next(iter(zones_of(contact, place)), ZoneInfo("UTC"))


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
    text = packaged.text("tzdata", f"zoneinfo/{table}")
    return [line.split("\t")[:columns] for line in text.splitlines() if line and not line.startswith("#")]


def openings(day: date, hour: float, place: ZoneInfo) -> tuple[datetime, ...]:
    """The UTC instants of wall time `hour` (0 ≤ hour < 24) on `day` in `place`: one, two where the clocks go back over it."""
    hours, minutes = divmod(round(hour * 60), 60)
    first = instant(day, hours, minutes, place)
    wall = datetime.combine(day, time(hours, minutes))
    again = wall.replace(tzinfo=place, fold=1).astimezone(UTC)
    repeated = again > first and again.astimezone(place).replace(tzinfo=None) == wall
    return (first, again) if repeated else (first,)


def wall_hour(local: datetime) -> float:
    """Hours since midnight that the clock on the wall shows."""
    return local.hour + local.minute / 60 + (local.second + local.microsecond / 1e6) / 3600

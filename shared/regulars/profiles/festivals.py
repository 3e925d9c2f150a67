"""Dates of festivals: fixed, by weekday, or of the Chinese lunar calendar (through the `borax` library, 1900–2100)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache

from regulars.errors import Invalid

_SHAPES = ({"month", "day"}, {"lunar_month", "lunar_day"}, {"month", "weekday", "nth"})


def check(festivals: Mapping[str, Mapping[str, int]]) -> None:
    """Raises Invalid with the path of a festival that has no known shape or no date this year."""
    for name, shape in festivals.items():
        path = f"profiles.festivals.{name}"
        if set(shape) not in _SHAPES:
            raise Invalid(f"{path}: must have month and day, lunar_month and lunar_day, or month, weekday and nth", field=path)
        try:
            _in_year(tuple(sorted(shape.items())), 2024)
        except (ValueError, OverflowError) as error:
            raise Invalid(f"{path}: {error}", field=path) from error


def days_until(shape: Mapping[str, int], today: date) -> int:
    """Days from `today` to the nearest occurrence: 0 on the day, negative after it, within about half a year."""
    key = tuple(sorted(shape.items()))
    dates = [_in_year(key, year) for year in (today.year - 1, today.year, today.year + 1)]
    nearest = min(dates, key=lambda day: (abs((day - today).days), day))
    return (nearest - today).days


def date_in(shape: Mapping[str, int], year: int) -> date:
    """The day on which it falls that (calendar or lunar) year: a lunar year's last months lie in the next calendar year."""
    return _in_year(tuple(sorted(shape.items())), year)


@lru_cache(maxsize=512)
def _in_year(shape: tuple[tuple[str, int], ...], year: int) -> date:
    parts = dict(shape)
    if "lunar_month" in parts:
        return _lunar(year, parts["lunar_month"], parts["lunar_day"])
    if "nth" in parts:
        first = date(year, parts["month"], 1)
        ahead = (parts["weekday"] - first.isoweekday()) % 7
        found = first + timedelta(days=ahead + 7 * (parts["nth"] - 1))
        if found.month != parts["month"]:
            raise ValueError(f"no such weekday in month {parts['month']} of {year}")
        return found
    day = 28 if (parts["month"], parts["day"]) == (2, 29) and year % 4 else parts["day"]
    return date(year, parts["month"], day)


def _lunar(year: int, month: int, day: int) -> date:
    from borax.calendars.lunardate import LunarDate

    found: date = LunarDate(year, month, day).to_solar_date()
    return found

"""One row of an import: which changes it asks for, or why it cannot be taken.

Absent fields keep what is known of the item, so that a file with only ids and prices is a price update; an empty cell or
null clears. A new item needs a title and a price. Money is decimal text or a JSON number in currency units (`price`), or
whole cents (`price_cents`); it is rounded half up to cents without passing through a float.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from regulars.capture.currencies import CURRENCIES
from regulars.catalogue.config import CatalogueSettings
from regulars.catalogue.rows import BadRow
from regulars.errors import Invalid

MAX_ID_CHARS = 200
"""Keeps every key that carries an item id under DynamoDB's 2,048 bytes."""
_MAX_CENTS = 10**13
_ALIASES = {
    "id": "item_id",
    "product_id": "item_id",
    "sku": "item_id",
    "name": "title",
    "image": "image_url",
    "imageUrl": "image_url",
    "itemId": "item_id",
    "listPrice": "list_price",
    "listedAt": "listed_at",
    "color": "colour",
}
_ATTRIBUTES = ("model", "colour", "size", "material", "style", "occasion", "gender", "min_age", "rating")


@dataclass(frozen=True, slots=True)
class Violation:
    """Why a row was refused: `code` is stable, `message` is for people."""

    row: int
    field: str
    code: str
    message: str


def normalise_category(text: str, aliases: Mapping[str, str] | None = None) -> str:
    """The standard form: NFKC, case-folded, single spaces, levels parted by `/` (`>`, `|`, `›`, `»` are read as `/`)."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    levels = (re.sub(r"\s+", " ", level).strip() for level in re.split(r"[/>|›»]", folded))
    standard = "/".join(level for level in levels if level)
    return (aliases or {}).get(standard, standard)


def validate(
    row: int, record: Mapping[str, Any] | BadRow, settings: CatalogueSettings
) -> tuple[dict[str, Any], list[Violation], set[str]]:
    """(changes by Item field, violations, names of fields nobody knows); changes are usable only without violations."""
    if isinstance(record, BadRow):
        return {}, [Violation(row, "", record.code, record.message)], set()
    changes: dict[str, Any] = {}
    attributes: dict[str, str] = {}
    wrong: list[Violation] = []
    unknown: set[str] = set()
    for raw_name, value in record.items():
        name = _ALIASES.get(raw_name, raw_name)
        try:
            if name in _FIELDS:
                field, parse = _FIELDS[name]
                changes[field] = parse(value, settings)
            elif name == "attributes":
                attributes.update(_attributes(value, settings))
            elif name in _ATTRIBUTES or name.startswith("attributes."):
                attributes[name.removeprefix("attributes.")] = _text(value)
            else:
                unknown.add(raw_name)
        except Invalid as error:
            wrong.append(Violation(row, raw_name, error.code, error.reason))
    if not changes.get("item_id") and not any(_ALIASES.get(entry.field, entry.field) == "item_id" for entry in wrong):
        wrong.append(Violation(row, "item_id", "missing", "an item needs an id"))
    if attributes:
        changes["attributes"] = {key: text for key, text in attributes.items() if text}
    return changes, wrong, unknown


def check_new(row: int, changes: Mapping[str, Any]) -> list[Violation]:
    """What a row lacks to found an item that is not known yet."""
    return [
        Violation(row, name, "missing", f"a new item needs a {name}")
        for name, field in (("title", "title"), ("price", "price_cents"))
        if not changes.get(field) and changes.get(field) != 0
    ]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | list | dict):
        raise Invalid(f"expected text, got {type(value).__name__}", code="not_text")
    text = unicodedata.normalize("NFC", str(value)).strip()
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\t\n\r" for char in text):
        raise Invalid("has control characters", code="control_characters")
    return text


def _item_id(value: Any, settings: CatalogueSettings) -> str:
    text = _text(value)
    if not text:
        raise Invalid("an item needs an id", code="missing")
    if len(text) > MAX_ID_CHARS:
        raise Invalid(f"longer than {MAX_ID_CHARS} characters", code="too_long")
    return text


def _title(value: Any, settings: CatalogueSettings) -> str:
    text = _text(value)
    if not text:
        raise Invalid("must not be empty", code="missing")
    if len(text) > settings.max_title_chars:
        raise Invalid(f"longer than {settings.max_title_chars} characters", code="too_long")
    return text


def _category(value: Any, settings: CatalogueSettings) -> str:
    text = normalise_category(_text(value), settings.category_aliases)
    if len(text) > MAX_ID_CHARS:
        raise Invalid(f"longer than {MAX_ID_CHARS} characters", code="too_long")
    return text


def _brand(value: Any, settings: CatalogueSettings) -> str:
    return _text(value)[:MAX_ID_CHARS]


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise Invalid(f"expected a number, got {value!r}"[:120], code="not_a_number")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise Invalid(f"expected a number, got {value!r}"[:120], code="not_a_number") from error
    if not number.is_finite():
        raise Invalid(f"expected a finite number, got {value!r}", code="not_a_number")
    return number


def _price(value: Any, settings: CatalogueSettings) -> int:
    return _cents(_number(value) * 100)


def _price_in_cents(value: Any, settings: CatalogueSettings) -> int:
    number = _number(value)
    if number != number.to_integral_value():
        raise Invalid("cents must be whole", code="not_whole")
    return _cents(number)


def _cents(number: Decimal) -> int:
    if number < 0:
        raise Invalid("must not be negative", code="negative")
    if number > _MAX_CENTS:
        raise Invalid("is not a plausible price", code="too_large")
    return int(number.quantize(Decimal(1), ROUND_HALF_UP))


def _optional(parse: Callable[[Any, CatalogueSettings], int]) -> Callable[[Any, CatalogueSettings], int]:
    """As `parse`, 0 for an empty cell: no list price means no discount."""
    return lambda value, settings: 0 if value is None or value == "" else parse(value, settings)


def _currency(value: Any, settings: CatalogueSettings) -> str:
    text = _text(value).upper() or settings.currency
    if text not in CURRENCIES:
        raise Invalid(f"{text!r} is not an ISO 4217 code", code="unknown_currency")
    return text


def _stock(value: Any, settings: CatalogueSettings) -> int | None:
    if value is None or value == "":
        return None
    number = _number(value)
    if number != number.to_integral_value():
        raise Invalid("stock must be whole", code="not_whole")
    if number < 0:
        raise Invalid("must not be negative", code="negative")
    if number > _MAX_CENTS:
        raise Invalid("is not a plausible stock", code="too_large")
    return int(number)


def _url(value: Any, settings: CatalogueSettings) -> str:
    text = _text(value)
    if not text:
        return ""
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise Invalid(f"not a URL: {error}", code="bad_url") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or len(text) > 2000 or re.search(r"\s", text):
        raise Invalid("must be an absolute http(s) address of at most 2000 characters", code="bad_url")
    return text


def _instant(value: Any, settings: CatalogueSettings) -> datetime | None:
    text = _text(value)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{text!r} is not an ISO 8601 date or time"[:120], code="bad_time") from error
    if not 1900 <= at.year <= 9000:
        raise Invalid(f"{text!r} is not a plausible time", code="bad_time")
    if type(at) is date or at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return at.astimezone(UTC)


def _flag(value: Any, settings: CatalogueSettings) -> bool:
    word = str(value).strip().lower()
    if word in ("true", "1", "yes", "y", ""):
        return True
    if word in ("false", "0", "no", "n"):
        return False
    raise Invalid(f"expected true or false, got {value!r}"[:120], code="not_a_flag")


def _attributes(value: Any, settings: CatalogueSettings) -> dict[str, str]:
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise Invalid("attributes must be a JSON object", code="not_an_object") from error
    if not isinstance(value, Mapping):
        raise Invalid("attributes must be an object", code="not_an_object")
    if len(value) > settings.max_attributes:
        raise Invalid(f"more than {settings.max_attributes} attributes", code="too_many")
    return {_ALIASES.get(str(key), str(key))[:100]: _text(entry)[:500] for key, entry in value.items()}


_FIELDS: Mapping[str, tuple[str, Callable[[Any, CatalogueSettings], Any]]] = {
    "item_id": ("item_id", _item_id),
    "title": ("title", _title),
    "category": ("category", _category),
    "brand": ("brand", _brand),
    "price": ("price_cents", _price),
    "price_cents": ("price_cents", _price_in_cents),
    "list_price": ("list_price_cents", _optional(_price)),
    "list_price_cents": ("list_price_cents", _optional(_price_in_cents)),
    "currency": ("currency", _currency),
    "stock": ("stock", _stock),
    "url": ("url", _url),
    "image_url": ("image_url", _url),
    "listed_at": ("listed_at", _instant),
    "active": ("active", _flag),
}

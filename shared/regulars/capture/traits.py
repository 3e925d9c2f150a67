"""What the traits of an `identify` must look like where a mistake would hurt: addresses, birthday and consent.

Consent is taken as true and false only: the text "false" is true to a careless reader, and a message sent on it cannot
be called back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from regulars.errors import Invalid

_TEXTS = ("phone", "name", "firstName", "lastName", "language", "locale", "timezone", "country")


def check_traits(traits: Mapping[str, Any]) -> None:
    """Raises Invalid(invalid_trait | invalid_consent) with the place."""
    for key in _TEXTS:
        if key in traits and not isinstance(traits[key], str | None):
            raise _wrong(key, "must be text")
    email = traits.get("email")
    if email is not None and not _looks_like_email(email):
        raise _wrong("email", "is not an e-mail address")
    birthday = traits.get("birthday")
    if birthday is not None and not _is_date(birthday):
        raise _wrong("birthday", "is not an ISO-8601 date")
    consent = traits.get("consent")
    if consent is not None and not _is_consent(consent):
        raise Invalid("consent must map channels to true or false", field="traits.consent", code="invalid_consent")


def _looks_like_email(value: Any) -> bool:
    if not isinstance(value, str) or len(value) > 254 or not value.isprintable() or " " in value:
        return False
    local, at, domain = value.rpartition("@")
    return bool(local and at and "." in domain and not domain.startswith(".")) and "@" not in local


def _is_date(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        date.fromisoformat(value[:10])
    except ValueError:
        return False
    return True


def _is_consent(value: Any) -> bool:
    return isinstance(value, dict) and all(type(entry) is bool for entry in value.values())


def _wrong(key: str, reason: str) -> Invalid:
    return Invalid(f"{key} {reason}", field=f"traits.{key}", code="invalid_trait")

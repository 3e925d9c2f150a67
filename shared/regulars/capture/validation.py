"""One call of Segment's protocol, judged: a valid `Event`, or `Invalid` with the code and place of its first fault.

Pure. Ids given as whole numbers become text, as Segment's own libraries send both; `timestamp` and `originalTimestamp`
mean the same; `integrations`, `version` and what else the protocol carries for others is left behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regulars.capture.config import Collecting
from regulars.capture.model import Event
from regulars.capture.names import COMMERCE, Vocabulary
from regulars.capture.properties import commerce_properties
from regulars.capture.times import check_age, corrected_ms
from regulars.capture.traits import check_traits
from regulars.clock import from_ms
from regulars.errors import Invalid

TYPES = frozenset(("track", "identify", "page", "screen", "alias", "group"))


class Validator:
    """Judges calls by a shop's limits and vocabulary."""

    def __init__(self, config: Collecting) -> None:
        self._config = config
        self._vocabulary = Vocabulary(config.custom_events)
        self._placeholders = frozenset(entry.casefold() for entry in config.placeholder_ids)

    def event(self, raw: Mapping[str, Any], message_id: str, *, received_ms: int, now_ms: int) -> Event:
        """The event in `raw`. `received_ms` corrects the clock and `now_ms` is when it enters the log; they differ on a
        replay. Raises Invalid."""
        kind = raw.get("type")
        if type(kind) is not str or kind not in TYPES:
            raise Invalid("type is none of track, identify, page, screen, alias, group", field="type", code="unknown_type")
        user_id = self.an_id(raw, "userId")
        anonymous_id = self.an_id(raw, "anonymousId")
        if not user_id and not anonymous_id:
            raise Invalid("neither userId nor anonymousId is given", field="userId", code="missing_id")
        at_ms = self._time(raw, received_ms, now_ms)
        properties = self._an_object(raw, "properties")
        traits = self._an_object(raw, "traits")
        context = self._an_object(raw, "context")
        name = ""
        if kind == "track":
            name, properties = self._track(raw, properties)
        elif kind == "identify":
            check_traits(traits)
        elif kind in ("page", "screen"):
            properties = _page(raw, properties)
        return Event(
            message_id=message_id,
            type=kind,
            name=name,
            shopper=f"user:{user_id}" if user_id else f"anon:{anonymous_id}",
            user_id=user_id,
            anonymous_id=anonymous_id,
            at=from_ms(at_ms),
            received_at=from_ms(now_ms),
            properties=properties,
            traits=traits,
            context=context,
            previous_id=self._previous(raw, user_id) if kind == "alias" else "",
            group_id=self._required(raw, "groupId") if kind == "group" else "",
        )

    def an_id(self, raw: Mapping[str, Any], key: str) -> str:
        """The id under `key` as text, "" when absent or empty; raises Invalid for what cannot be one."""
        value = raw.get(key)
        if value is None or value == "":
            return ""
        if type(value) is int:
            value = str(value)
        if type(value) is not str:
            raise Invalid(f"{key} must be text", field=key, code="invalid_id")
        # Control characters separate the parts of our keys; a shopper must not be able to write them.
        if len(value) > self._config.max_id_characters or not value.isprintable() or not value.strip():
            raise Invalid(f"{key} is blank, too long or holds control characters", field=key, code="invalid_id")
        if value.casefold() in self._placeholders:
            raise Invalid(f"{key} is a placeholder, not an id", field=key, code="placeholder_id")
        return value

    def _time(self, raw: Mapping[str, Any], received_ms: int, now_ms: int) -> int:
        original = raw.get("originalTimestamp")
        at_ms = corrected_ms(raw.get("timestamp") if original is None else original, raw.get("sentAt"), received_ms)
        config = self._config
        check_age(at_ms, now_ms, max_future_seconds=config.max_future_seconds, max_age_days=config.max_age_days)
        return at_ms

    def _track(self, raw: Mapping[str, Any], properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        given = raw.get("event")
        if type(given) is not str or not given.strip():
            raise Invalid("event, the name of what happened, is missing", field="event", code="missing_event")
        name = self._vocabulary.canonical(given)
        if not name:
            near = self._vocabulary.nearest(given)
            hint = f"; did you mean {near!r}?" if near else "; declare it under capture.collecting.custom_events"
            raise Invalid(f"unknown event {given[:100]!r}{hint}", field="event", code="unknown_event")
        return name, commerce_properties(name, properties) if name in COMMERCE else properties

    def _an_object(self, raw: Mapping[str, Any], key: str) -> dict[str, Any]:
        value = raw.get(key)
        if value is None:
            return {}
        if type(value) is not dict:
            raise Invalid(f"{key} must be an object", field=key, code=f"invalid_{key}")
        return value

    def _required(self, raw: Mapping[str, Any], key: str) -> str:
        value = self.an_id(raw, key)
        if not value:
            raise Invalid(f"{key} is missing", field=key, code="missing_id")
        return value

    def _previous(self, raw: Mapping[str, Any], user_id: str) -> str:
        if not user_id:
            raise Invalid("alias needs a userId", field="userId", code="missing_id")
        previous = self._required(raw, "previousId")
        if previous == user_id:
            raise Invalid("previousId and userId are the same", field="previousId", code="invalid_id")
        return previous


def _page(raw: Mapping[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    """Name and category of a page or screen stand beside its properties; they are kept among them."""
    for key in ("name", "category"):
        value = raw.get(key)
        if value is None:
            continue
        if type(value) is not str:
            raise Invalid(f"{key} must be text", field=key, code=f"invalid_{key}")
        properties = {**properties, key: value}
    return properties

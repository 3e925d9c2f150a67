"""The operator's rules document: read, checked, stored. It takes effect within `common_seconds`, without a build."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regulars.clock import Clock
from regulars.errors import Invalid
from regulars.recommendations.ports import RuleStore
from regulars.recommendations.rules import parse
from regulars.shop import parse_yaml

_MAX_BYTES = 200_000
"""Half of what one DynamoDB item holds."""


class Rulebook:
    """GET and PUT of /v1/rules."""

    def __init__(self, store: RuleStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def read(self) -> dict[str, Any]:
        """The document; `{"rules": []}` before the first."""
        return dict(self._store.rules() or {"rules": []})

    def replace(self, body: bytes) -> dict[str, Any]:
        """Check and store a YAML or JSON document (JSON is YAML); raises Invalid with the path of what does not fit."""
        if len(body) > _MAX_BYTES:
            raise Invalid(f"more than {_MAX_BYTES} bytes", code="too_large")
        try:
            document = parse_yaml(body.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise Invalid("not valid UTF-8", code="invalid_utf8") from error
        plain = _plain(document)
        if isinstance(plain, Mapping):
            plain = {key: value for key, value in plain.items() if key != "updated_at"}
        rules = parse(plain)
        stored = {"rules": plain["rules"], "updated_at": self._clock().isoformat()}
        self._store.put_rules(stored)
        return {"rules": len(rules), "updated_at": stored["updated_at"]}


def _plain(value: Any) -> Any:
    """YAML's dates as ISO text; keys as text."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value.isoformat() if hasattr(value, "isoformat") else value

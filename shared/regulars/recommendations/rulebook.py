"""The operator's rules document: read, checked, stored. It takes effect without a build: a document of up to one or two hundred
rules at once, a larger one within `common_seconds` (see `adapters.dynamodb.sources`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from regulars.clock import Clock
from regulars.errors import Invalid
from regulars.recommendations.ports import RuleStore
from regulars.recommendations.rules import parse
from regulars.recommendations.ruling import PIN, Rule, Rules, When
from regulars.shop import parse_yaml

_MAX_BYTES = 200_000
"""Half of what one DynamoDB item holds."""
_SHOWN_WARNINGS = 100
Known = Callable[[Collection[str]], Collection[str]]
"""Which of these item ids the catalogue knows."""


class Rulebook:
    """GET and PUT of /v1/rules. Without `known` nobody is asked whether the items exist."""

    def __init__(self, store: RuleStore, clock: Clock, known: Known | None = None) -> None:
        self._store = store
        self._clock = clock
        self._known = known

    def read(self) -> dict[str, Any]:
        """The document as it was put, and when; `{"rules": []}` before the first."""
        return dict(self._store.rules() or {"rules": []})

    def replace(self, body: bytes) -> dict[str, Any]:
        """Check and store a YAML or JSON document (JSON is YAML); raises Invalid with the path of what does not fit.

        What fits but can have no effect as it stands is stored too, and told in `warnings`.
        """
        if len(body) > _MAX_BYTES:
            raise Invalid(f"more than {_MAX_BYTES} bytes", code="too_large")
        plain = _document(body)
        if isinstance(plain, Mapping):
            plain = {key: value for key, value in plain.items() if key != "updated_at"}
        rules, now = parse(plain), self._clock()
        self._store.put_rules({**plain, "updated_at": now.isoformat()})
        told = {"rules": len(rules.rules), "lists": len(rules.lists), "updated_at": now.isoformat()}
        warnings = list(self._warnings(rules, now))
        if warnings:
            told |= {"warnings": warnings[:_SHOWN_WARNINGS], "warnings_total": len(warnings)}
        return told

    def _warnings(self, rules: Rules, now: datetime) -> Iterator[dict[str, str]]:
        parts: list[tuple[str, tuple[str, ...], When]] = []
        parts += [(f"rules[{n}]", rule.items, rule.when) for n, rule in enumerate(rules.rules)]
        parts += [(f"lists[{n}]", entry.items, entry.when) for n, entry in enumerate(rules.lists)]
        if self._known is not None:
            wanted = {item_id for _, items, _ in parts for item_id in items}
            known = self._known(wanted) if wanted else ()
            for path, items, _ in parts:
                for place, item_id in enumerate(items):
                    if item_id not in known:
                        yield _warning(f"{path}.items[{place}]", "unknown_item", f"the catalogue has no item {item_id!r}"[:200])
        for path, _, when in parts:
            if when.ends is not None and when.ends <= now:
                yield _warning(f"{path}.until", "ended", f"ended on {when.ends.isoformat()}")
        yield from _crowded(rules.rules)


def _crowded(rules: tuple[Rule, ...]) -> Iterator[dict[str, str]]:
    """Pins that may meet at one place: the later one follows, which its author may not expect."""
    taken: list[tuple[Rule, range]] = []
    for number, rule in enumerate(rules):
        if rule.action != PIN:
            continue
        places = range(rule.position, rule.position + len(rule.items))
        for earlier, others in taken:
            overlap = max(places.start, others.start) < min(places.stop, others.stop)
            if overlap and earlier.slot == rule.slot and _may_meet(earlier.when, rule.when):
                reason = f"may meet {earlier.rule_id!r} at one place; the earlier of the two has it"
                yield _warning(f"rules[{number}].position", "same_place", reason)
                break
        taken.append((rule, places))


def _may_meet(one: When, other: When) -> bool:
    """Whether both can hold in one call, as far as scenes and dates say."""
    if one.scenes and other.scenes and one.scenes.isdisjoint(other.scenes):
        return False
    if one.ends is not None and other.starts is not None and one.ends <= other.starts:
        return False
    return not (other.ends is not None and one.starts is not None and other.ends <= one.starts)


def _warning(path: str, code: str, message: str) -> dict[str, str]:
    return {"path": path, "code": code, "message": f"{path}: {message}"}


def _document(body: bytes) -> Any:
    """The JSON or YAML in the body. JSON goes first: YAML 1.1 does not know its escapes of characters beyond U+FFFF."""
    try:
        text = body.decode("utf-8")
        try:
            plain = json.loads(text)
        except ValueError:
            plain = _plain(parse_yaml(text))
        json.dumps(plain, ensure_ascii=False).encode("utf-8")
    except UnicodeError as error:
        raise Invalid("not valid UTF-8, or half of a surrogate pair in it", code="invalid_utf8") from error
    except (RecursionError, TypeError) as error:
        raise Invalid("nested too deeply, or no plain text, numbers, lists and objects", code="bad_rules") from error
    return plain


def _plain(value: Any) -> Any:
    """YAML's dates as ISO text; keys as text."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value.isoformat() if hasattr(value, "isoformat") else value

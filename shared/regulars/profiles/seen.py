"""Which events were applied, and by which delivery: what makes each count once.

An entry is 12 bytes: hash of the message id (6), of the content (3), of the delivery that applied it (3). Entries lie in
one blob per week of receipt; the current week and the four before cover 28 days. A wrong match of the 6 bytes has a
chance of 4e-12 for a shopper with a thousand entries.

- *fresh*: unknown, to be applied.
- *own*: this very delivery applied it before and may have died before the log was written: only what follows is repeated.
- *repeated*: another delivery brought it; dropped and counted.
- *conflicting*: as repeated, with other content; the first stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regulars.ids import short_hash

WEEK_MS = 7 * 24 * 3600 * 1000
WEEKS_KEPT = 5
_ID, _CONTENT, _DELIVERY = 6, 3, 3
_ENTRY = _ID + _CONTENT + _DELIVERY
_CONTENT_KEYS = ("type", "name", "user_id", "properties", "traits", "previous_id", "group_id")

Seen = Mapping[int, bytes]
Wire = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The places of a unit's events, by verdict."""

    fresh: tuple[int, ...]
    own: tuple[int, ...]
    repeated: tuple[int, ...]
    conflicting: tuple[int, ...]


def delivery_hash(unit_id: str, received_ms: int) -> bytes:
    """Tells deliveries apart: the same call repeated by its client makes the same unit id at another time."""
    return short_hash(unit_id, str(received_ms), size=_DELIVERY)


def entry(wire: Wire, delivery: bytes) -> bytes:
    """The 12 bytes of one event. Times are not content: a retry is clock-corrected afresh."""
    content = json.dumps([wire.get(key) for key in _CONTENT_KEYS], sort_keys=True, separators=(",", ":"), default=str)
    return short_hash(wire["id"], size=_ID) + short_hash(content, size=_CONTENT) + delivery


def judge(seen: Seen, entries: Sequence[bytes]) -> Verdicts:
    """The verdict on each of `entries`; of two entries with one message id the first counts."""
    known = {part[:_ID]: part[_ID:] for blob in seen.values() for part in _parts(blob)}
    verdicts: dict[str, list[int]] = {"fresh": [], "own": [], "repeated": [], "conflicting": []}
    within: set[bytes] = set()
    for place, new in enumerate(entries):
        key = new[:_ID]
        old = known.get(key)
        if old is None:
            word = "fresh"
        elif old[:_CONTENT] != new[_ID : _ID + _CONTENT]:
            word = "conflicting"
        else:
            word = "own" if old[_CONTENT:] == new[_ID + _CONTENT :] and key not in within else "repeated"
        known.setdefault(key, new[_ID:])
        within.add(key)
        verdicts[word].append(place)
    return Verdicts(**{word: tuple(places) for word, places in verdicts.items()})


def remember(seen: Seen, entries: Iterable[bytes], received_ms: int, per_week: int) -> dict[int, bytes]:
    """`seen` with `entries` under their week, blobs out of reach dropped, each blob cut to its newest `per_week`."""
    week = received_ms // WEEK_MS
    joined = dict(seen)
    joined[week] = (joined.get(week, b"") + b"".join(entries))[-per_week * _ENTRY :]
    return _recent(joined)


def join(ours: Seen, theirs: Seen, per_week: int) -> dict[int, bytes]:
    """Both memories in one."""
    joined: dict[int, bytes] = {}
    for week in ours.keys() | theirs.keys():
        parts = dict.fromkeys([*_parts(theirs.get(week, b"")), *_parts(ours.get(week, b""))])
        joined[week] = b"".join(parts)[-per_week * _ENTRY :]
    return _recent(joined)


def _recent(seen: Seen) -> dict[int, bytes]:
    newest = max(seen, default=0)
    return {week: blob for week, blob in seen.items() if week > newest - WEEKS_KEPT and blob}


def _parts(blob: bytes) -> Iterable[bytes]:
    return (blob[start : start + _ENTRY] for start in range(0, len(blob), _ENTRY))

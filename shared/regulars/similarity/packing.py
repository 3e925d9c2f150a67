"""A list of (item id, score), best first, in few bytes: a hundred neighbours take about 1.3 KB.

Layout, little-endian: version byte 1 · float32 highest score · uint16 count · count × uint16 score as a share of the
highest · the ids as UTF-8 joined by U+001F, which capture and import refuse in ids.

All lists of one item lie in one row, and a row that is read costs half a read unit per 4 KB begun (eventually consistent;
"Read/write capacity mode", DynamoDB developer guide): `fit` cuts them to `room_for` the item, in the build and in the
evaluator alike, so that what is measured is what is served.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import inf
from sys import byteorder

from regulars.errors import GiveUp
from regulars.similarity.model import Scored

_HEAD = struct.Struct("<BfH")
HEAD = _HEAD.size
"""Bytes before the shares."""
_VERSION = 1
FULL = 65535
_MAX = 65535
SEPARATOR = "\x1f"
ROW_BYTES = 4096
LIST_BYTES = _HEAD.size - 1
"""What a list takes beside its ids, separators and shares; the last id has no separator."""
_KEY_BYTES = 128
"""Upper bound of what a row holds beside the item's id and the lists: names of attributes, the rest of the key, the gap."""


def pack(scored: Iterable[tuple[str, float]]) -> bytes:
    """The packed list; ids that hold the separator and scores that are not positive are left out."""
    pairs = [(item_id, score) for item_id, score in scored if score > 0 and SEPARATOR not in item_id][:_MAX]
    highest = max((score for _, score in pairs), default=0.0)
    shares = [round(score / highest * FULL) for _, score in pairs]
    ids = SEPARATOR.join(item_id for item_id, _ in pairs)
    return _HEAD.pack(_VERSION, highest, len(pairs)) + struct.pack(f"<{len(pairs)}H", *shares) + ids.encode()


def room_for(item_id: str) -> int:
    """Bytes that the packed lists of an item may take, so that its row is read for half a unit."""
    return ROW_BYTES - _KEY_BYTES - len(item_id.encode())


def fit(relations: Mapping[str, Scored], max_bytes: int) -> dict[str, Scored]:
    """The lists, each cut to the same share of its length where together they would take more than `max_bytes` packed.

    The share is the largest that fits; lists keep their best. Nothing fits in less than a head: then all are empty.
    """
    sizes = {name: _sizes(scored) for name, scored in relations.items()}
    if sum(size[-1] for size in sizes.values()) <= max_bytes:
        return dict(relations)
    longest = max(len(scored) for scored in relations.values())
    low, high = 0, longest
    while high - low > 1:  # shares of the longest list: low fits, high does not
        middle = (low + high) // 2
        taken = sum(size[len(relations[name]) * middle // longest] for name, size in sizes.items())
        low, high = (middle, high) if taken <= max_bytes else (low, middle)
    return {name: scored[: len(scored) * low // longest] for name, scored in relations.items()}


def _sizes(scored: Scored) -> list[int]:
    """Bytes of the packed list by how many of it are kept, from none (0 bytes: an empty list is not stored)."""
    each = (len(item_id.encode()) + 3 for item_id, _ in scored)  # id, separator, share; the last id has no separator
    return [0, *(LIST_BYTES + size for size in accumulate(each))]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A list by columns: the score of `ids[n]` is `shares[n] * scale`. Making no pairs, it costs a fifth of `unpack`."""

    ids: Sequence[str]
    shares: Sequence[float]
    scale: float = 1.0

    def __iter__(self) -> Iterator[tuple[str, float]]:
        return ((item_id, share * self.scale) for item_id, share in zip(self.ids, self.shares, strict=False))

    @classmethod
    def of(cls, scored: Scored) -> Ranked:
        """The same list by columns."""
        return cls([item_id for item_id, _ in scored], [score for _, score in scored])


def unpack(packed: bytes) -> Scored:
    """Inverse of `pack`, scores to five digits; raises GiveUp(broken_model) for other bytes."""
    return tuple(columns(packed))


def columns(packed: bytes) -> Ranked:
    """As `unpack`, by columns."""
    try:
        version, highest, count = _HEAD.unpack_from(packed)
        ends = _HEAD.size + 2 * count
        shares = array("H", packed[_HEAD.size : ends])
        ids = packed[ends:].decode().split(SEPARATOR)
    except (struct.error, ValueError) as error:
        raise GiveUp(f"not a packed list: {error}", code="broken_model") from error
    if version != _VERSION or len(shares) != count or (len(ids) != count and count) or not 0 <= highest < inf:
        raise GiveUp("not a packed list of this version", code="broken_model")
    if byteorder == "big":
        shares.byteswap()
    return Ranked(ids if count else [], shares, highest / FULL)

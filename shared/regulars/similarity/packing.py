"""A list of (item id, score), best first, in few bytes: a hundred neighbours take about 1.3 KB.

Layout, little-endian: version byte 1 · float32 highest score · uint16 count · count × uint16 score as a share of the
highest · the ids as UTF-8 joined by U+001F, which capture and import refuse in ids.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from regulars.errors import GiveUp
from regulars.similarity.model import Scored

_HEAD = struct.Struct("<BfH")
_VERSION = 1
_FULL = 65535
_MAX = 65535
_SEPARATOR = "\x1f"


def pack(scored: Iterable[tuple[str, float]]) -> bytes:
    """The packed list; ids that hold the separator and scores that are not positive are left out."""
    pairs = [(item_id, score) for item_id, score in scored if score > 0 and _SEPARATOR not in item_id][:_MAX]
    highest = max((score for _, score in pairs), default=0.0)
    shares = [round(score / highest * _FULL) for _, score in pairs]
    ids = _SEPARATOR.join(item_id for item_id, _ in pairs)
    return _HEAD.pack(_VERSION, highest, len(pairs)) + struct.pack(f"<{len(pairs)}H", *shares) + ids.encode()


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
        shares = struct.unpack_from(f"<{count}H", packed, _HEAD.size)
        ids = packed[_HEAD.size + 2 * count :].decode().split(_SEPARATOR)
    except (struct.error, UnicodeDecodeError) as error:
        raise GiveUp(f"not a packed list: {error}", code="broken_model") from error
    if version != _VERSION or (len(ids) != count and count):
        raise GiveUp("not a packed list of this version", code="broken_model")
    return Ranked(ids if count else [], shares, highest / _FULL)

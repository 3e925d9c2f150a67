"""Packed lists added up by the loops of packed.c, without numpy: what serving needs of the formula in `recipe`.

One `Sums` is one question. Ids are numbered in order of first sight; a text is made only of the best. What the numbers mean is
said by `regulars.recommendations.adding`.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from typing import Any

from regulars.errors import GiveUp
from regulars.similarity import library
from regulars.similarity.packing import SEPARATOR

TOTALS = -1
"""In place of a voice: what all voices give together."""
_POINTER, _TEXT, _COUNT, _FACTOR = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64, ctypes.c_double
_ARGUMENTS: Mapping[str, tuple[Any, ...]] = {
    "packed_bytes": (_COUNT, _COUNT, _COUNT),
    "packed_open": (_POINTER, *[_COUNT] * 3, _TEXT, _COUNT, _COUNT, _TEXT, *[_POINTER] * 3, _COUNT),
    "packed_entries": (_TEXT, _POINTER, _COUNT),
    "packed_say": (_POINTER, _TEXT, _COUNT, _POINTER, _FACTOR, _COUNT, _COUNT),
    "packed_total": (_POINTER, _POINTER),
    "packed_best": (_POINTER, _COUNT, _COUNT, _POINTER, _POINTER),
    "packed_leaders": (_POINTER, _COUNT, _POINTER, _POINTER, _POINTER),
    "packed_spell": (_POINTER, _POINTER, _COUNT, _POINTER),
    "packed_loudest": (_POINTER, _TEXT, _POINTER, _POINTER, _POINTER, _COUNT, _POINTER, _COUNT, _POINTER, _POINTER),
}
_SPARE: list[Any] = []
_SPARE_KEPT = 2
_COUNTING = ("packed_bytes", "packed_entries", "packed_best", "packed_leaders", "packed_spell")


@cache
def loops() -> Any:
    """The library with its types told; None where it was not compiled for this machine."""
    found = library.library()
    for name, arguments in _ARGUMENTS.items() if found is not None else ():
        function = getattr(found, name)
        function.argtypes, function.restype = arguments, _COUNT if name in _COUNTING else None
    return found


@dataclass(frozen=True, slots=True)
class Ids:
    """Ids as the loops read them."""

    text: bytes
    count: int

    @classmethod
    def of(cls, ids: Iterable[str]) -> Ids:
        """In the same order, without those that hold the separator: no list can name them."""
        names = list(ids)
        text = SEPARATOR.join(names)
        if names and text.count(SEPARATOR) != len(names) - 1:
            names = [name for name in names if SEPARATOR not in name]
            text = SEPARATOR.join(names)
        return cls(text.encode("utf-8", "surrogatepass"), len(names))


@dataclass(frozen=True, slots=True)
class Spoken:
    """Scores of items as the loops read them."""

    ids: Ids
    values: array[float]

    @classmethod
    def of(cls, scores: Mapping[str, float]) -> Spoken:
        """In the same order; as `Ids.of`."""
        ids = Ids.of(scores)
        if ids.count < len(scores):
            return cls(ids, array("d", (score for item_id, score in scores.items() if SEPARATOR not in item_id)))
        return cls(ids, array("d", scores.values()))


class Lists:
    """Packed lists: whose neighbours each holds, what that item weighs, and the number of the voice it speaks in."""

    def __init__(self) -> None:
        self.packed: list[bytes] = []
        self.whose: list[str] = []
        self.weights, self.voices = array("d"), array("q")

    def add(self, voice: int, packed: Sequence[bytes], whose: Iterable[str], weights: Iterable[float]) -> None:
        """All lists of one voice."""
        self.packed += packed
        self.whose += whose
        self.weights.extend(weights)
        self.voices.extend([voice] * len(packed))


class Sums:
    """What the lists add up to, by voice and in all."""

    def __init__(self, lists: Lists, voices: int, shut: Ids, further: int) -> None:
        """`shut` are never found; `further`: how many ids will be said at most. Raises GiveUp(broken_model)."""
        self._loops, self._lists, self._voices, self._held = loops(), lists, voices, [shut]
        count = len(lists.packed)
        self._whole, self._lengths = b"".join(lists.packed), array("q", map(len, lists.packed))
        entries = self._loops.packed_entries(self._whole, _at(self._lengths), count)
        if entries < 0:
            raise GiveUp(f"not a packed list: {lists.packed[-1 - entries][:20]!r}", code="broken_model")
        self.names = entries + further + shut.count
        self._memory = _memory(self._loops.packed_bytes(self.names, entries, voices))
        self._sums = ctypes.addressof(self._memory)
        self._loops.packed_open(
            *(self._sums, self.names, entries, voices),
            *(shut.text, len(shut.text), shut.count),
            *(self._whole, _at(self._lengths), _at(lists.weights), _at(lists.voices), count),
        )

    def __del__(self) -> None:
        if len(_SPARE) < _SPARE_KEPT and hasattr(self, "_memory"):
            _SPARE.append(self._memory)

    def say(self, spoken: Spoken, weight: float = 1.0, voice: int = TOTALS) -> None:
        """Scores that are no list's, in a voice or straight to the totals."""
        ids = spoken.ids
        self._held.append(ids)
        self._loops.packed_say(self._sums, ids.text, len(ids.text), _at(spoken.values), weight, ids.count, voice)

    def total(self, factors: Sequence[float]) -> None:
        """Every voice times its factor joins the totals; one of 0 is not heard."""
        told = array("d", factors)  # has to outlive the call
        self._loops.packed_total(self._sums, _at(told))

    def best(self, voice: int, keep: int) -> tuple[array[int], list[str], array[float]]:
        """(numbers, ids, scores) of the highest `keep` that are not shut, ties in order of first sight."""
        keep = min(keep, self.names)
        numbers, scores = array("q", bytes(8 * keep)), array("d", bytes(8 * keep))
        count = self._loops.packed_best(self._sums, voice, keep, _at(numbers), _at(scores))
        return numbers[:count], self._spelled(numbers, count), scores[:count]

    def leaders(self, keep: int) -> list[tuple[list[str], list[float]]]:
        """By voice, the ids and scores of its best."""
        keep, voices = min(keep, self.names), self._voices
        numbers, scores = array("q", bytes(8 * keep * voices)), array("d", bytes(8 * keep * voices))
        counts = array("q", bytes(8 * voices))
        found = self._loops.packed_leaders(self._sums, keep, _at(numbers), _at(scores), _at(counts))
        ids, values, ends = self._spelled(numbers, found), scores.tolist(), [0, *accumulate(counts)]
        return [(ids[begin:end], values[begin:end]) for begin, end in pairwise(ends)]

    def _spelled(self, numbers: array[int], count: int) -> list[str]:
        if not count:
            return []
        text = ctypes.create_string_buffer(max(1, self._loops.packed_spell(self._sums, _at(numbers), count, None)))
        size = self._loops.packed_spell(self._sums, _at(numbers), count, text)
        return text.raw[:size].decode("utf-8", "surrogatepass").split(SEPARATOR)

    def loudest(self, asked: Mapping[str, int]) -> list[dict[str, tuple[str, float]]]:
        """By voice: of the ids (asked for by number) → which item's list speaks loudest for it, and how loud."""
        ids, numbers = list(asked), array("q", asked.values())
        size = len(numbers) * self._voices
        found, strength = array("q", bytes(8 * size)), array("d", bytes(8 * size))
        lists = self._lists
        self._loops.packed_loudest(
            self._sums,
            self._whole,
            _at(self._lengths),
            _at(lists.weights),
            _at(lists.voices),
            len(lists.packed),
            _at(numbers),
            len(numbers),
            _at(found),
            _at(strength),
        )
        said = []
        for voice in range(self._voices):
            places = zip(ids, found[voice :: self._voices], strength[voice :: self._voices], strict=True)
            said.append({item_id: (lists.whose[one], loud) for item_id, one, loud in places if one >= 0})
        return said


def _memory(size: int) -> Any:
    """Scratch of at least so many bytes: that of an earlier question where it will do. Asking the system for some hundred
    kilobytes, and touching each page of them for the first time, takes as long as half of the sums."""
    try:
        spare = _SPARE.pop()
    except IndexError:
        return (ctypes.c_int64 * (size // 8 + 1))()
    return spare if ctypes.sizeof(spare) >= size else (ctypes.c_int64 * (size // 8 + 1))()


def _at(numbers: array[Any]) -> int:
    return numbers.buffer_info()[0]

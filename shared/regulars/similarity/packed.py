"""Packed lists added up by the loops of packed.c, without numpy: what serving needs of the formula in `recipe`.

A list is `numbered` once, when it is read: its ids become numbers, the same for all lists of this process, and an entry takes
six bytes instead of some fourteen. One `Sums` is one question over such lists; a text is made only of the best. What the
sums mean is said by `regulars.recommendations.adding`. Numbers are never given back: what that takes is bounded by the ids of
the models this process has read, some 90 to 170 bytes each.
"""

from __future__ import annotations

import ctypes
import struct
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from typing import Any

from regulars.similarity import library
from regulars.similarity.packing import FULL, HEAD, SEPARATOR, Ranked

TOTALS = -1
"""In place of a voice: what all voices give together."""
_POINTER, _TEXT, _COUNT, _FACTOR = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64, ctypes.c_double
_ARGUMENTS: Mapping[str, tuple[Any, ...]] = {
    "packed_number": (_TEXT, _POINTER, _COUNT, _POINTER, _POINTER),
    "packed_know": (_TEXT, _COUNT, _COUNT, _POINTER),
    "packed_ids": (_TEXT, _COUNT, _POINTER),
    "packed_bytes": (_COUNT, _COUNT, _COUNT, _COUNT),
    "packed_open": (_POINTER, *[_COUNT] * 4, _TEXT, _COUNT, _COUNT, _TEXT, *[_POINTER] * 3, _COUNT),
    "packed_say": (_POINTER, _TEXT, _COUNT, _POINTER, _FACTOR, _COUNT, _COUNT),
    "packed_say_known": (_POINTER, _POINTER, _POINTER, _FACTOR, _COUNT, _COUNT),
    "packed_total": (_POINTER, _POINTER),
    "packed_best": (_POINTER, _COUNT, _COUNT, _POINTER, _POINTER),
    "packed_leaders": (_POINTER, _COUNT, _POINTER, _POINTER, _POINTER),
    "packed_spell": (_POINTER, _POINTER, _COUNT, _POINTER),
    "packed_loudest": (_POINTER, _TEXT, _POINTER, _POINTER, _POINTER, _COUNT, _POINTER, _COUNT, _POINTER, _POINTER),
}
_ENTRY = 6
_SPARE: list[Any] = []
_SPARE_KEPT = 3
_COUNTING = ("packed_number", "packed_know", "packed_ids", "packed_bytes", "packed_best", "packed_leaders", "packed_spell")


@cache
def loops() -> Any:
    """The library with its types told; None where it was not compiled for this machine. It is called with Python's lock held:
    the numbers of ids are everybody's."""
    compiled = library.library()
    if compiled is None:
        return None
    found = ctypes.PyDLL(compiled._name, handle=compiled._handle)
    for name, arguments in _ARGUMENTS.items():
        function = getattr(found, name)
        function.argtypes, function.restype = arguments, _COUNT if name in _COUNTING else None
    return found


class Numbered(bytes):
    """A packed list whose ids are numbers of this process: head, shares, and 32 bits an id."""

    __slots__ = ()

    @property
    def entries(self) -> int:
        """How many ids it names."""
        return (len(self) - HEAD) // _ENTRY

    def columns(self) -> Ranked:
        """As `packing.columns` of what it was."""
        count, numbers = self.entries, self[HEAD + 2 * self.entries :]
        text = ctypes.create_string_buffer(max(1, loops().packed_ids(numbers, count, None)))
        size = loops().packed_ids(numbers, count, text)
        ids = text.raw[:size].decode().split(SEPARATOR) if count else []
        (highest,) = struct.unpack_from("<f", self, 1)
        return Ranked(ids, array("H", self[HEAD : HEAD + 2 * count]), highest / FULL)


def numbered(lists: Sequence[bytes]) -> list[bytes]:
    """Each as `Numbered`, in order; one that is no packed list, or all of them without the loops, as it was. Raises
    MemoryError."""
    compiled = loops()
    if compiled is None or not lists:
        return list(lists)
    whole, lengths = b"".join(lists), array("q", map(len, lists))
    made, sizes = _memory(3 * len(whole)), array("q", bytes(8 * len(lists)))
    if compiled.packed_number(whole, _at(lengths), len(lists), made, _at(sizes)) < 0:
        raise MemoryError("no memory for the ids of neighbours")
    ends, content = accumulate(max(size, 0) for size in sizes), memoryview(made).cast("B")
    found = [
        Numbered(content[end - size : end]) if size >= 0 else packed
        for packed, size, end in zip(lists, sizes, ends, strict=True)
    ]
    content.release()
    _spare(made)
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
    """Scores of items as the loops read them; with `numbers` the loops need not read the ids."""

    ids: Ids
    values: array[float]
    numbers: array[int] | None = None

    @classmethod
    def of(cls, scores: Mapping[str, float]) -> Spoken:
        """In the same order; as `Ids.of`."""
        ids = Ids.of(scores)
        if ids.count < len(scores):
            return cls(ids, array("d", (score for item_id, score in scores.items() if SEPARATOR not in item_id)))
        return cls(ids, array("d", scores.values()))

    def numbered(self) -> Spoken:
        """The same for many questions: its ids have numbers from now on, as those of lists. Raises MemoryError."""
        numbers = array("I", bytes(4 * self.ids.count))
        if loops().packed_know(self.ids.text, len(self.ids.text), self.ids.count, _at(numbers)) < 0:
            raise MemoryError("no memory for the ids of items")
        return Spoken(self.ids, self.values, numbers)


def numbered_rows(rows: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Mapping[str, Any] | None]:
    """Rows by name, all their lists `numbered` at once; what is no list stays."""
    lists = [value for row in rows.values() if row for value in row.values() if type(value) is bytes]
    made = iter(numbered(lists))
    return {
        name: row and {key: next(made) if type(value) is bytes else value for key, value in row.items()}
        for name, row in rows.items()
    }


class Lists:
    """Numbered lists: whose neighbours each holds, what that item weighs, and the number of the voice it speaks in."""

    def __init__(self) -> None:
        self.packed: list[Numbered] = []
        self.whose: list[str] = []
        self.weights, self.voices = array("d"), array("q")

    def add(self, voice: int, packed: Sequence[Numbered], whose: Iterable[str], weights: Iterable[float]) -> None:
        """All lists of one voice."""
        self.packed += packed
        self.whose += whose
        self.weights.extend(weights)
        self.voices.extend([voice] * len(packed))


class Sums:
    """What the lists add up to, by voice and in all."""

    def __init__(self, lists: Lists, voices: int, shut: Ids, further: int) -> None:
        """`shut` are never found; `further`: how many ids will be said at most."""
        self._loops, self._lists, self._voices, self._held = loops(), lists, voices, [shut]
        count = len(lists.packed)
        self._whole, self._lengths = b"".join(lists.packed), array("q", map(len, lists.packed))
        entries, others = (len(self._whole) - HEAD * count) // _ENTRY, further + shut.count
        self.names = entries + others
        self._memory = _memory(self._loops.packed_bytes(self.names, others, entries, voices))
        self._sums = ctypes.addressof(self._memory)
        self._loops.packed_open(
            *(self._sums, self.names, others, entries, voices),
            *(shut.text, len(shut.text), shut.count),
            *(self._whole, _at(self._lengths), _at(lists.weights), _at(lists.voices), count),
        )

    def __del__(self) -> None:
        if hasattr(self, "_memory"):
            _spare(self._memory)

    def say(self, spoken: Spoken, weight: float = 1.0, voice: int = TOTALS) -> None:
        """Scores that are no list's, in a voice or straight to the totals; what is `numbered` was so when it began."""
        ids, numbers = spoken.ids, spoken.numbers
        if numbers is not None:
            self._loops.packed_say_known(self._sums, _at(numbers), _at(spoken.values), weight, ids.count, voice)
            return
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


def _spare(memory: Any) -> None:
    if len(_SPARE) < _SPARE_KEPT:
        _SPARE.append(memory)


def _at(numbers: array[Any]) -> int:
    return numbers.buffer_info()[0]

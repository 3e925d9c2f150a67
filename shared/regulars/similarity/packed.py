"""Packed lists added up by the loops of packed.c, without numpy: what serving needs of the formula in `recipe`.

The lists of an item are numbered once, when its row is read: their ids become numbers, the same for all lists of this process,
and an entry takes six bytes instead of some fourteen. One `Sums` is one question over such rows; a text is made only of the
best. What the sums mean is said by `regulars.recommendations.adding`. Numbers are never given back: what that takes is bounded
by the ids of the models this process has read, some 90 to 170 bytes each.
"""

from __future__ import annotations

import ctypes
import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate, pairwise
from typing import Any

from regulars.errors import GiveUp
from regulars.similarity import library
from regulars.similarity.model import RELATIONS
from regulars.similarity.packing import FULL, HEAD, SEPARATOR, Ranked

TOTALS = -1
"""In place of a voice: what all voices give together."""
_POINTER, _TEXT, _COUNT, _FACTOR = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64, ctypes.c_double
_ARGUMENTS: Mapping[str, tuple[Any, ...]] = {
    "packed_number": (_TEXT, _POINTER, _COUNT, _POINTER, _POINTER),
    "packed_know": (_TEXT, _COUNT, _COUNT, _POINTER),
    "packed_ids": (_TEXT, _COUNT, _POINTER),
    "packed_bytes": (_POINTER, _TEXT, _COUNT, _COUNT, _POINTER),
    "packed_open": (_POINTER, _POINTER, _TEXT, *[_COUNT] * 3, _TEXT, _COUNT, _COUNT),
    "packed_say": (_POINTER, _TEXT, _COUNT, _POINTER, _FACTOR, _COUNT, _COUNT),
    "packed_say_known": (_POINTER, _POINTER, _POINTER, _FACTOR, _COUNT, _COUNT),
    "packed_total": (_POINTER, _POINTER),
    "packed_best": (_POINTER, _COUNT, _COUNT, _POINTER, _POINTER),
    "packed_leaders": (_POINTER, _COUNT, _POINTER, _POINTER, _POINTER),
    "packed_spell": (_POINTER, _POINTER, _COUNT, _POINTER, _COUNT),
    "packed_loudest": (_POINTER, _POINTER, _TEXT, _POINTER, _COUNT, _POINTER, _POINTER),
}
_ENTRY = 6
_USUAL_ID = 40
"""Bytes of an id and its separator that most take at most."""
_PLACES = {relation: place for place, relation in enumerate(RELATIONS)}
_SIZES = struct.Struct(f"={len(RELATIONS)}i")
_NONE, _DAMAGED = 0, -1
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


class NumberedRow(Mapping[str, Numbered | None]):
    """Relation → an item's list, None for a damaged one. `lists` is what the loops read: of every relation the bytes of its
    list as 32 bits (0: none, -1: damaged), then the lists. A call looks at twenty rows, and at a few lists of each."""

    __slots__ = ("gap_days", "lists")

    def __init__(self, lists: bytes, gap_days: float | None) -> None:
        self.lists, self.gap_days = lists, gap_days

    def __getitem__(self, relation: str) -> Numbered | None:
        """Raises KeyError for a relation of which the row has no list."""
        place, sizes = _PLACES[relation], _SIZES.unpack_from(self.lists)
        if sizes[place] == _NONE:
            raise KeyError(relation)
        begin = _SIZES.size + sum(size for size in sizes[:place] if size > 0)
        return None if sizes[place] == _DAMAGED else Numbered(self.lists[begin : begin + sizes[place]])

    def __contains__(self, relation: object) -> bool:
        return relation in _PLACES and _SIZES.unpack_from(self.lists)[_PLACES[str(relation)]] != _NONE

    def __iter__(self) -> Iterator[str]:
        return (relation for relation, size in zip(RELATIONS, _SIZES.unpack_from(self.lists), strict=True) if size)

    def __len__(self) -> int:
        return sum(1 for _ in self)


Raw = Mapping[str, Any]
"""A row as it is stored: relation → packed list, and `gap_days`."""


def numbered_rows(rows: Mapping[str, Raw | None]) -> dict[str, Raw | None]:
    """Rows by name, each as `NumberedRow`; without the loops as it was. Raises MemoryError."""
    made = dict(rows)
    if loops() is None:
        return made
    stored = {name: (row, [_told(row, relation) for relation in RELATIONS]) for name, row in rows.items() if row is not None}
    content, sizes = _numbered([value for _, lists in stored.values() for value in lists if isinstance(value, bytes)])
    begin = 0
    for name, (row, lists) in stored.items():
        taken = [next(sizes) if isinstance(value, bytes) else value for value in lists]
        end = begin + sum(size for size in taken if size > 0)
        made[name] = NumberedRow(_SIZES.pack(*taken) + content[begin:end], row.get("gap_days"))
        begin = end
    return made


def _told(row: Raw, relation: str) -> bytes | int:
    """The packed list, else what stands in place of its size."""
    if relation not in row:
        return _NONE
    told = row[relation]
    return told if isinstance(told, bytes) else _DAMAGED


def _numbered(lists: Sequence[bytes]) -> tuple[bytes, Iterator[int]]:
    """(the sound ones numbered, one after the other, bytes of each in order, -1 for a damaged one)."""
    whole, lengths = b"".join(lists), array("q", map(len, lists))
    made, sizes = _memory(3 * len(whole)), array("q", bytes(8 * len(lists)))
    if loops().packed_number(whole, _at(lengths), len(lists), made, _at(sizes)) < 0:
        raise MemoryError("no memory for the ids of neighbours")
    content = ctypes.string_at(made, sum(size for size in sizes if size > 0))
    _spare(made)
    return content, iter(sizes)


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


class KnownIds:
    """A table of distinct ids that have numbers from the first question on. Raises MemoryError when it is first asked."""

    def __init__(self, ids: Sequence[str], rows: Mapping[str, int]) -> None:
        """`rows`: where in `ids` each is."""
        self.ids, self.rows = ids, rows

    @cached_property
    def numbers(self) -> array[int] | None:
        """By row; None without the loops, or where they could not tell ids apart."""
        ids = Ids.of(self.ids)
        return _known(ids) if loops() is not None and ids.count == len(self.ids) else None


class RowScores(Mapping[str, float]):
    """Scores by row of a table of ids: nobody need make, look for or read hundreds of texts that lie far apart."""

    __slots__ = ("_by_row", "_table")

    def __init__(self, table: KnownIds, by_row: Mapping[int, float]) -> None:
        self._table, self._by_row = table, by_row

    def __getitem__(self, item_id: str) -> float:
        return self._by_row[self._table.rows[item_id]]

    def __iter__(self) -> Iterator[str]:
        return (self._table.ids[row] for row in self._by_row)

    def __len__(self) -> int:
        return len(self._by_row)

    def spoken(self) -> Spoken | None:
        """As `Spoken.of` of these; None where the ids have no numbers."""
        numbers = self._table.numbers
        if numbers is None:
            return None
        values = array("d", self._by_row.values())
        return Spoken(Ids(b"", len(values)), values, array("I", [numbers[row] for row in self._by_row]))


@dataclass(frozen=True, slots=True)
class Spoken:
    """Scores of items as the loops read them; with `numbers` nobody reads more of the ids than how many they are."""

    ids: Ids
    values: array[float]
    numbers: array[int] | None = None

    @classmethod
    def of(cls, scores: Mapping[str, float]) -> Spoken:
        """In the same order; as `Ids.of`."""
        if isinstance(scores, RowScores) and (spoken := scores.spoken()) is not None:
            return spoken
        ids = Ids.of(scores)
        if ids.count < len(scores):
            return cls(ids, array("d", (score for item_id, score in scores.items() if SEPARATOR not in item_id)))
        return cls(ids, array("d", scores.values()))

    def numbered(self) -> Spoken:
        """The same for many questions: its ids have numbers from now on, as those of lists. Raises MemoryError."""
        return Spoken(self.ids, self.values, _known(self.ids))


def _known(ids: Ids) -> array[int]:
    """Their numbers from now on, as those of lists."""
    numbers = array("I", bytes(4 * ids.count))
    if loops().packed_know(ids.text, len(ids.text), ids.count, _at(numbers)) < 0:
        raise MemoryError("no memory for the ids of items")
    return numbers


class Lists:
    """Whose rows are looked at, and which of their relations are heard: in what voice, and what each row weighs there."""

    def __init__(self, rows: Sequence[NumberedRow], whose: Sequence[str]) -> None:
        self.rows, self.whose = b"".join([row.lists for row in rows]), whose
        self._lengths = array("q", [len(row.lists) for row in rows])
        self._relations, self._voices, self._weights = array("q"), array("q"), array("d")

    def add(self, voice: int, relation: str, weights: Sequence[float]) -> None:
        """One more; `weights` by row. A name that is no relation's has no lists."""
        if relation in _PLACES:
            self._relations.append(_PLACES[relation])
            self._voices.append(voice)
            self._weights.extend(weights)

    def heard(self, number: int) -> str:
        """Which relation was added as this one."""
        return RELATIONS[self._relations[number]]

    def asked(self) -> array[int]:
        """What the loops are told of it; good until the next `add`, and as long as this object is kept."""
        counts = (len(self.whose), len(RELATIONS), len(self._relations))
        places = (_at(self._lengths), _at(self._relations), _at(self._voices), _at(self._weights))
        return array("q", (*counts, *places))


class Sums:
    """What the lists add up to, by voice and in all."""

    def __init__(self, lists: Lists, voices: int, shut: Ids, further: int) -> None:
        """`shut` are never found; `further`: how many ids will be said at most. Raises GiveUp(broken_model) for a list that is
        damaged."""
        self._loops, self._lists, self._voices, self._held = loops(), lists, voices, [shut]
        self._asked, others, entries = lists.asked(), further + shut.count, array("q", (0,))
        size = self._loops.packed_bytes(_at(self._asked), lists.rows, others, voices, _at(entries))
        if size < 0:
            raise GiveUp(f"{lists.heard(-1 - size)} is no packed list", code="broken_model")
        self.names = entries[0] + others
        self._memory = _memory(size)
        self._sums = ctypes.addressof(self._memory)
        self._loops.packed_open(
            *(self._sums, _at(self._asked), lists.rows, entries[0], others, voices),
            *(shut.text, len(shut.text), shut.count),
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
        room = _USUAL_ID * count
        text = ctypes.create_string_buffer(room)
        size = self._loops.packed_spell(self._sums, _at(numbers), count, text, room)
        if size > room:
            text = ctypes.create_string_buffer(size)
            self._loops.packed_spell(self._sums, _at(numbers), count, text, size)
        return text.raw[:size].decode("utf-8", "surrogatepass").split(SEPARATOR)

    def loudest(self, asked: Mapping[str, int], factors: Mapping[int, float]) -> dict[str, tuple[float, int, str]]:
        """Of the ids (asked for by number) that a list of these voices names → how loud the loudest is, its strength times the
        factor of its voice; which voice; and which item's list. Of equals the first voice, and there the first item."""
        numbers, whose, voices = array("q", asked.values()), self._lists.whose, self._voices
        size = len(numbers) * voices
        found, strength = array("q", bytes(8 * size)), array("d", bytes(8 * size))
        self._loops.packed_loudest(
            *(self._sums, _at(self._asked), self._lists.rows),
            *(_at(numbers), len(numbers), _at(found), _at(strength)),
        )
        said: dict[str, tuple[float, int, str]] = {}
        for place, item_id in enumerate(asked):
            begin, best, of = place * voices, 0.0, -1
            for voice, factor in factors.items():
                loud = factor * strength[begin + voice]
                if loud > best:
                    best, of = loud, voice
            if of >= 0:
                said[item_id] = (best, of, whose[found[begin + of]])
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

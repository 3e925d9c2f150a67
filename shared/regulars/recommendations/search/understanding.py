"""The words of a question → what must be found.

A need is met by an item that has all words of any of its ways; an answer meets every need. A word that the shop does not have
becomes the known word it begins (the last one, as it may be half typed), else the known word one slip of the finger away
(insertion, deletion, substitution, transposition: Damerau, CACM 7, 1964), else it is let go, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from heapq import nlargest

from regulars.catalogue.words import Piece, folded, pieces_of, stem
from regulars.recommendations.search.config import SearchSettings
from regulars.recommendations.search.index import Index

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
Way = tuple[tuple[str, ...], float]
"""Words that an item needs together, and what finding them is worth beside finding the words as they were typed."""


@dataclass(frozen=True, slots=True)
class Need:
    """`said` is what the shopper wrote for it; `beginning` the unfinished last word, "" for others."""

    said: str
    ways: tuple[Way, ...]
    beginning: str = ""


@dataclass(frozen=True, slots=True)
class Understood:
    """`corrected`: as typed → as searched. `unknown`: words the shop does not have. `skipped`: too many words."""

    needs: tuple[Need, ...] = ()
    corrected: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def understand(text: str, index: Index, settings: SearchSettings) -> Understood:
    """What the text asks of this shop's index."""
    synonyms = _synonyms(settings.synonyms)
    pieces = pieces_of(synonyms.parted(folded(text)))
    stops = frozenset(settings.stop_words)
    wanted = [piece for piece in pieces if piece.said not in stops] or pieces
    skipped = tuple(piece.said for piece in wanted[settings.max_words :])
    wanted = wanted[: settings.max_words]
    needs: list[Need] = []
    corrected: dict[str, str] = {}
    unknown: list[str] = []
    last = wanted[-1] if wanted else None
    for piece, ways in _spans(wanted, synonyms, index, settings):
        known = tuple(way for way in ways if all(index.frequency(word) for word in way[0]))
        if known:
            needs.append(Need(piece.said, known, piece.surface if piece is last else ""))
            continue
        need = _begun(piece, index, settings) if piece is last else None
        if need is None:
            need, correction = _nearest(piece, index, settings)
            corrected |= correction
        if need is None:
            unknown.append(piece.said)
        else:
            needs.append(need)
    return Understood(tuple(needs), corrected, tuple(unknown), skipped)


def widened(needs: Sequence[Need], index: Index, settings: SearchSettings) -> tuple[Need, ...]:
    """The needs with the last word also as the beginning of longer ones."""
    return tuple(
        replace(need, ways=(*need.ways, *_continuations(need.beginning, index, settings))) if need.beginning else need
        for need in needs
    )


def _spans(
    pieces: Sequence[Piece], synonyms: Synonyms, index: Index, settings: SearchSettings
) -> Iterator[tuple[Piece, tuple[Way, ...]]]:
    """Each piece with its ways; a phrase of synonyms, or two words the shop writes as one, count as one piece."""
    place = 0
    while place < len(pieces):
        length, others = synonyms.at(pieces, place)
        if length:
            said = " ".join(piece.said for piece in pieces[place : place + length])
            phrase = tuple(word for piece in pieces[place : place + length] for word in piece.ways[0])
            own = pieces[place].ways if length == 1 else (phrase,)
            ways = (*((way, 1.0) for way in own), *((words, settings.synonym_weight) for words in others))
            yield replace(pieces[place], said=said) if length > 1 else pieces[place], ways
            place += length
            continue
        piece = pieces[place]
        following = pieces[place + 1] if place + 1 < len(pieces) else None
        if following and piece.surface and following.surface and index.frequency(stem(piece.surface + following.surface)):
            both = (*piece.ways[0], *following.ways[0])
            said = f"{piece.said} {following.said}"
            yield replace(following, said=said), ((both, 1.0), ((stem(piece.surface + following.surface),), 1.0))
            place += 2
            continue
        yield piece, tuple((way, 1.0) for way in piece.ways)
        place += 1


def _begun(piece: Piece, index: Index, settings: SearchSettings) -> Need | None:
    ways = _continuations(piece.surface, index, settings)
    return Need(piece.said, ways) if ways else None


def _continuations(beginning: str, index: Index, settings: SearchSettings) -> tuple[Way, ...]:
    """The most frequent known words that begin so."""
    rules = settings.beginnings
    if len(beginning) < rules.min_letters:
        return ()
    found = nlargest(rules.most, index.beginning_with(beginning), key=index.frequency)
    return tuple(((word,), rules.weight) for word in found if word != stem(beginning))


def _nearest(piece: Piece, index: Index, settings: SearchSettings) -> tuple[Need | None, Mapping[str, str]]:
    """The most frequent known word one edit away, with what it stands for; else a looser way of a code."""
    if piece.loose and all(index.frequency(word) for word in piece.loose):
        return Need(piece.said, ((piece.loose, 1.0),)), {}
    typed = piece.surface
    if len(typed) < settings.typo_min_letters or not typed.isalpha():
        return None, {}
    near = {word for edited in edits(typed) if index.frequency(word := stem(edited))}
    if not near:
        return None, {}
    # People slip least at the first letter (Yannakoudakis and Fawthrop 1983): it decides before frequency does.
    chosen = max(near, key=lambda word: (word[:1] == typed[:1], index.frequency(word), word))
    return Need(piece.said, (((chosen,), 1.0),)), {piece.said: index.forms.get(chosen, chosen)}


def edits(word: str) -> Iterator[str]:
    """Every text one insertion, deletion, substitution or transposition of neighbours away."""
    for place in range(len(word) + 1):
        head, tail = word[:place], word[place:]
        for letter in _LETTERS:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]


class Synonyms:
    """Groups of phrases that mean the same. A phrase is known by its words; Chinese ones also inside a longer run."""

    def __init__(self, groups: Iterable[Iterable[str]]) -> None:
        self._others: dict[tuple[str, ...], tuple[tuple[str, ...], ...]] = {}
        self._longest = 0
        self._runs: list[str] = []
        for group in groups:
            phrases = {phrase: _words(phrase) for phrase in group}
            for phrase, words in phrases.items():
                if not words:
                    continue
                others = tuple(other for other in phrases.values() if other and other != words)
                self._others[words] = (*self._others.get(words, ()), *others)
                self._longest = max(self._longest, len(words))
                run = folded(phrase).strip()
                if run and not run.isascii() and " " not in run and len(run) > 1:
                    self._runs.append(run)
        self._runs.sort(key=len, reverse=True)

    def parted(self, text: str) -> str:
        """The folded text with spaces around the Chinese phrases in it: 红色手机 → 红色 手机."""
        parts = [text]
        for run in self._runs if not text.isascii() else ():
            parts = [piece for part in parts for piece in (_parted(part, run) if part not in self._runs else [part])]
        return " ".join(parts)

    def at(self, pieces: Sequence[Piece], place: int) -> tuple[int, tuple[tuple[str, ...], ...]]:
        """(pieces of the longest phrase that begins here, the other phrases' words); (0, ()) for none."""
        words: tuple[str, ...] = ()
        found: tuple[int, tuple[tuple[str, ...], ...]] = (0, ())
        for length, piece in enumerate(pieces[place : place + self._longest], 1):
            words += piece.ways[0]
            if words in self._others:
                found = length, self._others[words]
        return found


def _parted(text: str, run: str) -> list[str]:
    pieces: list[str] = []
    for number, part in enumerate(text.split(run)):
        pieces += ([run] if number else []) + ([part] if part else [])
    return pieces


def _words(phrase: str) -> tuple[str, ...]:
    return tuple(word for piece in pieces_of(phrase) for word in piece.ways[0])


@lru_cache(maxsize=4)
def _synonyms(groups: tuple[tuple[str, ...], ...]) -> Synonyms:
    return Synonyms(groups)

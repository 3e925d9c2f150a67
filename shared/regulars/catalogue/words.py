"""Text → words, in Chinese and English: the same for search (items and questions), for likeness of titles and for declared
interests.

Text is brought to NFKC (full width becomes half width), case-folded, and loses the accents of Latin, Greek and Cyrillic
letters. Runs of Chinese, Japanese or Korean become overlapping pairs and, for questions of one character, single characters
(the way of Lucene's CJKAnalyzer); 的 parts a run, as it stands between words. Other words are runs of letters and digits.
A compound (`T-Shirt`) and a word of letters and digits (`iPhone15`) are indexed whole and in parts, codes (`85123A`) are kept.

Plurals are folded by the S-stemmer (Harman, "How effective is suffixing?", JASIS 42, 1991) with two additions: sibilants lose
`es` (dresses, boxes, watches), and `ie` ends like `y` (cookies, cookie). Stronger stemming joins what shoppers keep apart
(dress and dressing, iron and ironing).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

_CJK = "\u3005\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U000323af"
_ALNUM = rf"(?:(?![{_CJK}])[^\W_])"
_WORD = rf"(?:\d+\.\d+{_ALNUM}*|{_ALNUM}+)"
_PIECES = rf"(?P<cjk>[{_CJK}]+)|{_WORD}(?:[-'.&]{_WORD})*"
_ASCII_PIECES = r"(?:\d+\.\d+[a-z0-9]*|[a-z0-9]+)(?:[-'.&](?:\d+\.\d+[a-z0-9]*|[a-z0-9]+))*"
_BEGINNINGS = rf"[{_CJK}]|{_WORD}"
_PARTS = _WORD
_CHANGES = r"[\d.]+|[^\W\d_]+"
_ACCENTS = "[\u0300-\u036f]"
_compiled = cache(re.compile)
"""Compiled when first needed: most answers ask for no words, and compiling takes a cold start longer than reading a table."""
_QUOTES = str.maketrans("’‘`´ʼ＇", "''''''")
_BETWEEN = "的"
_MIN_PART = 2
"""Letters a part of a mixed word needs to be a word of its own: the A of 85123A is none."""


def folded(text: str) -> str:
    """The text in the one spelling that is compared."""
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKC", text.translate(_QUOTES)).casefold()
    return unicodedata.normalize("NFC", _compiled(_ACCENTS).sub("", unicodedata.normalize("NFD", plain)))


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The word without its plural."""
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y" if len(word) > 4 else word[:-1]
    if word.endswith("ie") and len(word) > 4:
        return word[:-2] + "y"
    if word.endswith("s") and not word.endswith(("us", "ss")):
        return word[:-1]
    return word


@dataclass(frozen=True, slots=True)
class Piece:
    """One run of a question: `said` as folded; `ways` are sets of words of which one must be found whole.

    `surface` is the single unstemmed word that may be the beginning or a misspelling of another, "" where there is none.
    `loose` stands in where no way is known: 85123 for 85123A.
    """

    said: str
    ways: tuple[tuple[str, ...], ...]
    surface: str = ""
    loose: tuple[str, ...] = ()


def words(text: str) -> tuple[str, ...]:
    """The distinct words of a name, in order of first sight, each in one spelling: the pairs of Chinese text, the parts of a
    compound. What makes two titles alike; nothing for text without letters or digits."""
    found: dict[str, None] = {}
    for run, is_cjk in _runs(folded(text)):
        found.update(dict.fromkeys(pairs(run) if is_cjk else map(stem, _parts(run))))
    return tuple(found)


words_of_name = lru_cache(maxsize=20_000)(words)
"""As `words`, remembered: names of categories, brands and best sellers are asked for again and again."""


def words_of(text: str) -> list[tuple[str, str]]:
    """(word, the form it came from) of an item's text, repeats included, in every spelling it is searched by."""
    found: list[tuple[str, str]] = []
    for run, is_cjk in _runs(folded(text)):
        if is_cjk:
            found += [(pair, pair) for pair in pairs(run)]
            if len(run) > 1:
                found += [(character, character) for character in run]
        else:
            found += _spellings(run)
    return found


def pieces_of(text: str) -> list[Piece]:
    """The runs of a question, in order. A run of several characters comes as the pairs that cover it (see `cover`)."""
    pieces: list[Piece] = []
    for run, is_cjk in _runs(folded(text)):
        pieces += cover(run) if is_cjk else [_piece(run)]
    return pieces


def cover(run: str) -> list[Piece]:
    """Every character must be covered by a pair that the item has, not every pair: 苹果手机 finds an item with 苹果 and 手机
    apart, for 果手 is no word."""
    found = pairs(run)
    if len(found) <= 2:
        return [Piece(pair, ((pair,),)) for pair in found]
    inner = [Piece(run[n], ((found[n - 1],), (found[n],))) for n in range(2, len(found) - 1)]
    return [Piece(found[0], ((found[0],),)), *inner, Piece(found[-1], ((found[-1],),))]


def words_starting(text: str) -> list[int]:
    """Where the words of a folded text begin; in Chinese, Japanese and Korean every character may begin one."""
    return [match.start() for match in _compiled(_BEGINNINGS).finditer(text)]


def pairs(run: str) -> list[str]:
    """Overlapping pairs; a single character is itself."""
    return [run[n : n + 2] for n in range(len(run) - 1)] or [run]


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    if text.isascii():
        for match in _compiled(_ASCII_PIECES).finditer(text):
            yield match[0], False
        return
    for match in _compiled(_PIECES).finditer(text):
        if match["cjk"] is None:
            yield match[0], False
            continue
        for run in match[0].split(_BETWEEN) if match[0] != _BETWEEN else (_BETWEEN,):
            if run:
                yield run, True


@lru_cache(maxsize=50_000)
def _spellings(run: str) -> tuple[tuple[str, str], ...]:
    """What a run is indexed as."""
    piece = _piece(run)
    forms = {stem(form): form for form in (*_parts(run), piece.surface) if form}
    found = dict.fromkeys(word for way in (*piece.ways, piece.loose) for word in way)
    return tuple((word, forms.get(word, word)) for word in found)


@lru_cache(maxsize=10_000)
def _piece(run: str) -> Piece:
    parts = _parts(run)
    whole = "".join(parts)
    if len(parts) > 1:
        together = tuple(dict.fromkeys(map(stem, parts)))
        return Piece(run, ((stem(whole),), together))
    changes = _compiled(_CHANGES).findall(whole)
    if len(changes) == 2:
        long = tuple(stem(part) for part in changes if len(part) >= _MIN_PART)
        if len(long) == len(changes):
            return Piece(run, ((whole,), long), whole)
        return Piece(run, ((whole,),), whole, long)
    return Piece(run, ((stem(whole),),), whole)


def _parts(run: str) -> list[str]:
    """The words of a compound; `'s` goes, other apostrophes join (don't → dont)."""
    if run.isalnum():
        return [run]
    run = re.sub(r"'s(?![^\W_])", "", run).replace("'", "")
    return _compiled(_PARTS).findall(run)

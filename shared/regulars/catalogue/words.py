"""Words of names, in Chinese and English: what makes two titles alike, and what a declared interest is matched by.

Text is NFKC-normalised and case-folded. A run of Chinese, Japanese or Korean characters gives its overlapping pairs (a lone
character itself), the usual way to index text that is written without spaces (Manning, Raghavan and Schütze, Introduction to
Information Retrieval, 2008, section 2.2.1). A run of other letters and digits is one word, without the plain English plural.
Emoji and punctuation are no words.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
_RUN = re.compile(f"([{_IDEOGRAPHS}]+)|([^\\W_{_IDEOGRAPHS}]+)")


def words(text: str) -> tuple[str, ...]:
    """The distinct words of the text, in order of first sight; nothing for text without letters or digits."""
    found: dict[str, None] = {}
    for characters, word in _RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if word:
            found[_singular(word)] = None
        elif len(characters) == 1:
            found[characters] = None
        else:
            for start in range(len(characters) - 1):
                found[characters[start : start + 2]] = None
    return tuple(found)


words_of_name = lru_cache(maxsize=20_000)(words)
"""As `words`, remembered: names of categories, brands and best sellers are asked for again and again."""


def _singular(word: str) -> str:
    """`mugs` and `mug` are one word; `glass` and `gps` stay as they are."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word

"""What a beginning may become: texts sorted by how they begin, and by how each of their words begins."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import nsmallest

from regulars.catalogue.words import folded, words_starting

QUERY, CATEGORY, BRAND, TITLE = "query", "category", "brand", "title"
KINDS = (QUERY, CATEGORY, BRAND, TITLE)
_STARTS = 8
"""Words (or Chinese characters) of one text at which a beginning may fall."""
_WIDE = 20_000
"""Keys of one beginning that are looked at; only a single letter has more."""


@dataclass(frozen=True, slots=True)
class Text:
    """A completion: `weight` from 0 to 1 orders; `ref` is an item id (title) or the category itself."""

    text: str
    kind: str
    weight: float
    ref: str = ""


@dataclass(slots=True)
class Completions:
    """`keys` in code order, each with the number of its text in `owners`; `inner` is a byte: 1 where the key is not the
    text's own beginning."""

    texts: list[Text] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    owners: array[int] = field(default_factory=lambda: array("I"))
    inner: array[int] = field(default_factory=lambda: array("B"))

    def beginning_with(self, prefix: str, count: int, inner_factor: float) -> list[Text]:
        """The best texts of which a word begins so; what begins so itself first among equals. "" begins all."""
        start = bisect_left(self.keys, prefix)
        end = bisect_left(self.keys, prefix + "\U0010ffff", start) if prefix else len(self.keys)
        best: dict[int, float] = {}
        for place in range(start, min(end, start + _WIDE)):
            owner = self.owners[place]
            score = self.texts[owner].weight * (inner_factor if self.inner[place] else 1.0)
            if score > best.get(owner, 0.0):
                best[owner] = score
        chosen = nsmallest(count, best.items(), key=lambda pair: (-pair[1], self.texts[pair[0]].text))
        return [self.texts[owner] for owner, _ in chosen]


def completions(texts: Iterable[Text]) -> Completions:
    """Texts made ready; of two that are spelt alike the heavier stands."""
    heaviest: dict[str, Text] = {}
    for text in texts:
        key = " ".join(folded(text.text).split())
        if key and (key not in heaviest or text.weight > heaviest[key].weight):
            heaviest[key] = text
    keyed = []
    for owner, key in enumerate(heaviest):
        starts = words_starting(key)[:_STARTS]
        keyed += [(key[start:], owner, int(start > 0)) for start in dict.fromkeys((0, *starts))]
    keyed.sort()
    return Completions(
        list(heaviest.values()),
        [key for key, _, _ in keyed],
        array("I", (owner for _, owner, _ in keyed)),
        array("B", (inner for _, _, inner in keyed)),
    )

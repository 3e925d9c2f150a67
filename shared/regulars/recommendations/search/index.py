"""Words → items, as flat columns: what one search reads is a few slices of them.

Items are numbered. A posting is (number, impact): the word's share of the item's BM25F score, without the word's rarity, in
255 steps (impacts computed beforehand: Anh and Moffat, SIGIR 2006; Lù, "BM25S", 2024), so that a search only adds. At
100,000 items with ten words each the whole is some thirty megabytes, half of it ids and words.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import log

from regulars.profiles.model import tag_value
from regulars.recommendations.search.completions import Completions

Postings = Mapping[str, tuple["array[int]", "array[int]"]]
"""Word → item numbers, ascending, and impacts."""
STEPS = 255


def _numbers(code: str) -> array[int]:
    return array(code)


@dataclass(slots=True)
class Columns:
    """A few facts of every item by number: `heat` and `rating` in 255 steps, `price` in cents, `listed` in milliseconds
    (0: unknown); `category` and `brand` count into the lists of `Index`."""

    heat: array[int] = field(default_factory=lambda: _numbers("B"))
    rating: array[int] = field(default_factory=lambda: _numbers("B"))
    price: array[int] = field(default_factory=lambda: _numbers("q"))
    listed: array[int] = field(default_factory=lambda: _numbers("q"))
    category: array[int] = field(default_factory=lambda: _numbers("I"))
    brand: array[int] = field(default_factory=lambda: _numbers("I"))


@dataclass(kw_only=True)
class Index:
    """See the module. `version` "" is an index of nothing. `forms` gives a word as it is written where its stem is no word;
    `averages` are words per field, for items that are added."""

    version: str = ""
    snapshot: str = ""
    ids: list[str] = field(default_factory=list)
    terms: list[str] = field(default_factory=list)
    starts: array[int] = field(default_factory=lambda: array("I", [0]))
    docs: array[int] = field(default_factory=lambda: _numbers("I"))
    impacts: array[int] = field(default_factory=lambda: _numbers("B"))
    columns: Columns = field(default_factory=Columns)
    categories: list[str] = field(default_factory=list)
    brands: list[str] = field(default_factory=list)
    forms: Mapping[str, str] = field(default_factory=dict)
    averages: Mapping[str, float] = field(default_factory=dict)
    completions: Completions = field(default_factory=Completions)
    left_out: int = 0
    """Items of the catalogue that are neither in what was published nor were added."""
    _priors: tuple[tuple[float, float], list[float]] | None = field(default=None, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.ids)

    def span(self, term: str) -> tuple[int, int]:
        """Where the word's postings lie; (0, 0) for an unknown word."""
        place = bisect_left(self.terms, term)
        if place == len(self.terms) or self.terms[place] != term:
            return 0, 0
        return self.starts[place], self.starts[place + 1]

    def frequency(self, term: str) -> int:
        """How many items have the word."""
        start, end = self.span(term)
        return end - start

    def rarity(self, term: str) -> float:
        """ln(1 + (N − n + ½) / (n + ½)): BM25's inverse document frequency as Lucene has it, never negative."""
        n = self.frequency(term)
        return log(1 + (len(self.ids) - n + 0.5) / (n + 0.5))

    def beginning_with(self, prefix: str) -> Iterator[str]:
        """Known words that begin so, in code order."""
        for place in range(bisect_left(self.terms, prefix), len(self.terms)):
            if not self.terms[place].startswith(prefix):
                return
            yield self.terms[place]

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Item id → number."""
        return {item_id: number for number, item_id in enumerate(self.ids)}

    def priors(self, heat: float, rating: float) -> list[float]:
        """By number: what heat and rating add at these weights."""
        if self._priors is None or self._priors[0] != (heat, rating):
            hot = [heat * step / STEPS for step in range(STEPS + 1)]
            rated = [rating * step / STEPS for step in range(STEPS + 1)]
            pairs = zip(self.columns.heat, self.columns.rating, strict=True)
            self._priors = ((heat, rating), [hot[warm] + rated[good] for warm, good in pairs])
        return self._priors[1]

    @cached_property
    def category_codes(self) -> Mapping[str, list[int]]:
        """Category as a tag spells it → codes."""
        return _spelled(self.categories)

    @cached_property
    def brand_codes(self) -> Mapping[str, list[int]]:
        """Brand as a tag spells it → codes."""
        return _spelled(self.brands)

    @cached_property
    def hottest(self) -> list[int]:
        """All numbers, hottest first, then newest."""
        heat, listed = self.columns.heat, self.columns.listed
        return sorted(range(len(self.ids)), key=lambda number: (-heat[number], -listed[number], number))


def _spelled(names: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for code, name in enumerate(names):
        if name:
            found.setdefault(tag_value(name), []).append(code)
    return found


def assemble(postings: Postings) -> tuple[list[str], array[int], array[int], array[int]]:
    """(terms, starts, docs, impacts) of postings."""
    terms = sorted(postings)
    starts, docs, impacts = array("I", [0]), array("I"), array("B")
    for term in terms:
        numbers, shares = postings[term]
        docs.extend(numbers)
        impacts.extend(shares)
        starts.append(len(docs))
    return terms, starts, docs, impacts


def merged(index: Index, added: Postings) -> tuple[list[str], array[int], array[int], array[int]]:
    """As `assemble`, of the index's postings and of further ones whose numbers follow."""
    terms = sorted({*index.terms, *added})
    starts, docs, impacts = array("I", [0]), array("I"), array("B")
    old = iter(zip(index.terms, index.starts, index.starts[1:], strict=False))
    known = next(old, None)
    for term in terms:
        if known is not None and known[0] == term:
            docs.extend(index.docs[known[1] : known[2]])
            impacts.extend(index.impacts[known[1] : known[2]])
            known = next(old, None)
        if term in added:
            docs.extend(added[term][0])
            impacts.extend(added[term][1])
        starts.append(len(docs))
    return terms, starts, docs, impacts


def codes(names: Iterable[str], known: list[str]) -> array[int]:
    """Each name's place in `known`, which grows by those that are new."""
    places = {name: place for place, name in enumerate(known)}
    found = array("I")
    for name in names:
        if name not in places:
            places[name] = len(known)
            known.append(name)
        found.append(places[name])
    return found

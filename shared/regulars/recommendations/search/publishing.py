"""Hourly, with popularity: the search index of the catalogue, with heat and what a beginning may become."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import log1p
from typing import Any

from regulars.capture.model import Event
from regulars.catalogue.model import Item
from regulars.catalogue.snapshot import Snapshot
from regulars.clock import to_ms
from regulars.recommendations.search.completions import BRAND, CATEGORY, QUERY, TITLE, Completions, Text, completions
from regulars.recommendations.search.config import SearchSettings
from regulars.recommendations.search.index import Index
from regulars.recommendations.search.indexing import build
from regulars.recommendations.search.matching import matches
from regulars.recommendations.search.reading import publish
from regulars.recommendations.search.searched import Searched
from regulars.recommendations.search.understanding import understand
from regulars.storage import Storage


@dataclass(slots=True)
class PublishSearch:
    """Implements `regulars.similarity.ports.SearchBuild`: first `watching` the events, then `publish`."""

    storage: Storage
    settings: SearchSettings
    _searched: Searched | None = field(default=None, init=False)

    def watching(self, events: Iterable[Event], now: datetime) -> Iterator[Event]:
        """The events, unchanged, while searches are counted."""
        self._searched = Searched(self.settings.suggestions, now)
        return self._searched.watching(events)

    def publish(self, snapshot: Snapshot, heat: Mapping[str, float], now: datetime) -> Mapping[str, Any]:
        """Build and store; `heat` is each item's share of the highest popularity. Returns what the build's summary says."""
        items = list(snapshot.values())
        version = f"{to_ms(now):013d}-{len(items)}"
        index = build(items, heat, self.settings, version, snapshot.version)
        queries = self._searched.queries() if self._searched else []
        useful = [(text, count) for text, count in queries if _finds(text, index, self.settings)]
        index.completions = _completions(useful, items, heat, self.settings)
        size = publish(self.storage, index)
        return {
            "search_version": version,
            "search_words": len(index.terms),
            "search_bytes": size,
            "search_queries": len(useful),
            "search_queries_not_counted": self._searched.overflowed if self._searched else 0,
        }


def _finds(text: str, index: Index, settings: SearchSettings) -> bool:
    """Whether all words of the query are found together: nobody is sent to an empty page."""
    understood = understand(text, index, settings)
    return not understood.unknown and not understood.corrected and bool(matches(understood.needs, index))


def _completions(
    queries: Sequence[tuple[str, int]], items: Sequence[Item], heat: Mapping[str, float], settings: SearchSettings
) -> Completions:
    """Queries by shoppers, categories and brands by items, titles by heat; each kind's share on its logarithm."""
    kinds, live = settings.suggestions.kinds, [item for item in items if item.active]
    hottest = sorted(live, key=lambda item: (-heat.get(item.item_id, 0.0), item.item_id))[: settings.suggestions.titles]
    texts = [
        *_texts(QUERY, ((text, "", count) for text, count in queries), kinds),
        *_texts(CATEGORY, _shelves(live), kinds),
        *_texts(BRAND, ((brand, brand, count) for brand, count in _counted(item.brand for item in live)), kinds),
        *_texts(TITLE, ((item.title, item.item_id, 1000 * heat.get(item.item_id, 0.0)) for item in hottest), kinds),
    ]
    return completions(texts)


def _texts(kind: str, found: Iterable[tuple[str, str, float]], kinds: Mapping[str, float]) -> list[Text]:
    listed = list(found)
    most = max((log1p(count) for _, _, count in listed), default=0.0) or 1.0
    weight = kinds.get(kind, 0.0)
    return [Text(text, kind, weight * (0.5 + 0.5 * log1p(count) / most), ref) for text, ref, count in listed if weight > 0]


def _shelves(items: Iterable[Item]) -> Iterator[tuple[str, str, float]]:
    """(name, category, items) of every category: named by its last level."""
    for category, count in _counted(item.category for item in items):
        yield category.rpartition("/")[2], category, count


def _counted(names: Iterable[str]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for name in names:
        if name:
            counts[name] = counts.get(name, 0) + 1
    return list(counts.items())

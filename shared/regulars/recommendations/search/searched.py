"""What shoppers searched, as far as it may be shown to others.

A query is shown only when at least `min_shoppers` different shoppers searched it (k-anonymity for query logs: Adar, WWW 2007
workshop on query log analysis), and never when it looks like an address or a number that points to a person. Anonymous
shoppers who joined a user are that user: one person's devices do not make a crowd.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from regulars.capture import names
from regulars.capture.model import Event
from regulars.catalogue.words import folded
from regulars.recommendations.search.config import Suggestions

_PERSONAL = re.compile(r"@|\d{7,}|(?:\d[\s().+-]*){9,}")
"""E-mail addresses; account, order, telephone and identity numbers."""


class Searched:
    """Counts while events pass; `queries` tells."""

    def __init__(self, settings: Suggestions, now: datetime) -> None:
        self._settings = settings
        self._since = now - timedelta(days=settings.days)
        self._hidden = frozenset(_spelled(text) for text in settings.hidden)
        self._by_query: dict[str, set[str]] = {}
        self._joined: dict[str, str] = {}
        self.overflowed = 0

    def watching(self, events: Iterable[Event]) -> Iterator[Event]:
        """The events, unchanged."""
        for event in events:
            if event.user_id:
                for anonymous in (event.anonymous_id, event.previous_id):
                    if anonymous:
                        self._joined[f"anon:{anonymous}"] = f"user:{event.user_id}"
            if event.name == names.PRODUCTS_SEARCHED and event.type == "track" and event.at >= self._since:
                self._count(event)
            yield event

    def _count(self, event: Event) -> None:
        query = event.properties.get("query")
        text = _spelled(query) if isinstance(query, str) else ""
        if not text or len(text) > self._settings.max_chars or _PERSONAL.search(text) or text in self._hidden:
            return
        if text not in self._by_query and len(self._by_query) >= self._settings.max_counted:
            self.overflowed += 1
            return
        self._by_query.setdefault(text, set()).add(event.shopper)

    def queries(self) -> list[tuple[str, int]]:
        """(query, different shoppers) of what enough shoppers searched, most first."""
        counted = ((text, len({self._joined.get(shopper, shopper) for shopper in who})) for text, who in self._by_query.items())
        shown = [(text, count) for text, count in counted if count >= self._settings.min_shoppers]
        shown.sort(key=lambda pair: (-pair[1], pair[0]))
        return shown[: self._settings.queries]


def _spelled(text: str) -> str:
    """Printable, folded, single spaces."""
    printable = "".join(character for character in text if unicodedata.category(character)[0] != "C" or character.isspace())
    return " ".join(folded(printable).split())

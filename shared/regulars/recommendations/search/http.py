"""The views: search and suggestions. What they need is imported in the first call, so that other scenes start without it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from unicodedata import category as kind_of

from regulars.access import Keys
from regulars.errors import Invalid
from regulars.recommendations.http import parse_ask
from regulars.recommendations.model import SCENES
from regulars.recommendations.spelling import to_text
from regulars.web import Reply, Request, View, whole_number

if TYPE_CHECKING:
    from regulars.recommendations.config import RecommendationSettings
    from regulars.recommendations.search.completions import Text
    from regulars.recommendations.search.model import Question
    from regulars.recommendations.search.service import Search
    from regulars.recommendations.search.suggesting import Suggest

_PRICE = re.compile(r"(\d{1,11})(?:\.(\d{1,2}))?", re.ASCII)
_MAX_BRAND_CHARS = 200


@dataclass(frozen=True, slots=True)
class SearchApi:
    """Who may search, and who answers."""

    keys: Keys
    search: Search
    suggest: Suggest

    def answer(self, request: Request) -> Reply:
        """One search; Basic or Bearer write key."""
        self.keys.check(request)
        question = parse_question(request.query, self.search.settings)
        return Reply(200, to_text(self.search(question), question.ask))

    def complete(self, request: Request) -> dict[str, Any]:
        """One beginning; Basic or Bearer write key."""
        self.keys.check(request)
        settings = self.search.settings.search
        text = _text(request.query, settings.max_query_chars)
        limit = whole_number(request.query, "limit", settings.suggestions.default_limit, 1, settings.suggestions.max_limit)
        found, completed = self.suggest(text, limit)
        body: dict[str, Any] = {"query": text, "suggestions": [_suggestion(entry) for entry in found]}
        if found and completed != " ".join(text.casefold().split()):
            body["completed"] = completed
        if not found:
            body["reason"] = "nothing_begins_so"
        return body


def search_routes(api: Callable[[], SearchApi]) -> dict[str, View]:
    """Route → view; `api` is called inside the first request."""
    return {
        "GET /v1/search": lambda request: api().answer(request),
        "GET /v1/suggestions": lambda request: api().complete(request),
    }


def parse_question(query: Mapping[str, str], settings: RecommendationSettings) -> Question:
    """The question in a query string; raises Invalid for a bad parameter, naming it."""
    from regulars.recommendations.search.model import RELEVANCE, SCENE, SORTS, Question

    text = _text(query, settings.search.max_query_chars)
    if not text:
        raise Invalid("q must hold what to search for", field="q", code="missing_query")
    ask = parse_ask(SCENES[0], query, settings.max_limit)
    low, high = _price(query, "priceFrom"), _price(query, "priceTo")
    if low is not None and high is not None and low > high:
        raise Invalid("priceFrom is above priceTo", field="priceFrom", code="invalid_price")
    sort = query.get("sort", "") or RELEVANCE
    if sort not in SORTS:
        raise Invalid(f"sort must be one of {', '.join(SORTS)}", field="sort", code="invalid_sort")
    brand = " ".join(query.get("brand", "").split())
    if len(brand) > _MAX_BRAND_CHARS:
        raise Invalid(f"brand is longer than {_MAX_BRAND_CHARS} characters", field="brand", code="invalid_brand")
    return Question(
        ask=replace(ask, scene=SCENE),
        text=text,
        offset=whole_number(query, "offset", 0, 0, settings.search.max_offset),
        brand=brand,
        price_from=low,
        price_to=high,
        sort=sort,
    )


def _text(query: Mapping[str, str], most: int) -> str:
    text = " ".join(query.get("q", "").split())
    if len(text) > most:
        raise Invalid(f"q is longer than {most} characters", field="q", code="query_too_long")
    if any(kind_of(character) in ("Cc", "Cs") for character in text):
        raise Invalid("q holds control characters", field="q", code="invalid_query")
    return text


def _price(query: Mapping[str, str], name: str) -> int | None:
    """Cents of a price in currency units."""
    text = query.get(name, "")
    if not text:
        return None
    match = _PRICE.fullmatch(text)
    if match is None:
        raise Invalid(f"{name} must be a price such as 12 or 12.50", field=name, code="invalid_price")
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))


def _suggestion(text: Text) -> dict[str, Any]:
    body: dict[str, Any] = {"text": text.text, "kind": text.kind}
    if text.kind == "title":
        body["itemId"] = text.ref
    elif text.kind in ("category", "brand"):
        body[text.kind] = text.ref
    return body

"""An answer as JSON, in the API's spelling.

What an answer says of an item is the same in every answer but for its position, score and reason: that part is put into words
once for each item, and the text of an answer is joined of such parts. `to_text` says what `to_json` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any

from regulars.catalogue.model import Item
from regulars.recommendations.blending import REPEAT
from regulars.recommendations.model import Answer, Ask, Placed
from regulars.recommendations.service import discount_percent
from regulars.similarity.model import RELATIONS, SEQUENCE
from regulars.web import JSON

_TOLD: dict[int, tuple[Item, str]] = {}
_TOLD_KEPT = 30_000
"""Items whose text is kept, of some 400 bytes."""


def to_text(answer: Answer, ask: Ask) -> str:
    """The JSON document."""
    if ask.explain:
        return JSON.encode(to_json(answer, ask))
    items = f'"items":[{",".join(map(_item_text, answer.items))}]'
    banner = f',"banner":{_item_text(answer.banner)}' if answer.banner else ""
    return f"{JSON.encode(_head(answer))[:-1]},{items}{banner}}}"


def to_json(answer: Answer, ask: Ask) -> dict[str, Any]:
    """JSON-ready; empty words are left out. With `explain` every item says how it came to its place."""
    body = _head(answer)
    body["items"] = [_item(placed, ask.explain) for placed in answer.items]
    if answer.banner:
        body["banner"] = _item(answer.banner, ask.explain)
    if ask.explain:
        body["removed"] = dict(answer.removed)
    return body


def given_by(placed: Placed) -> str:
    """What gave the item its place: `rule:<id>`, else the largest part of its score, else what proposed it, else its reason."""
    if placed.rule:
        return f"rule:{placed.rule}"
    if placed.score > 0 and placed.parts and placed.source in ("", REPEAT, "popularity", SEQUENCE, *RELATIONS):
        return max(placed.parts, key=lambda name: placed.parts[name])
    return placed.source or placed.reason.code


def _head(answer: Answer) -> dict[str, Any]:
    """All but the items."""
    body: dict[str, Any] = {
        "recommendationId": answer.recommendation_id,
        "scene": answer.scene,
        "modelVersion": answer.model_version or None,
        "arm": answer.arm,
        "generatedAt": answer.generated_at.isoformat(),
        "language": answer.language,
        **answer.extras,
    }
    if answer.reason:
        body["reason"] = answer.reason
    return body


def _item(placed: Placed, explain: bool) -> dict[str, Any]:
    reason = placed.reason
    body: dict[str, Any] = {
        **_always(placed.item),
        "position": placed.position,
        "score": placed.score,
        "reason": {"code": reason.code, "text": reason.text, "because": list(reason.because)},
    }
    if explain:
        body["explain"] = {
            "by": given_by(placed),
            "rule": placed.rule or None,
            "rules": [dict(effect) for effect in placed.trace],
            "source": placed.source or None,
            "parts": dict(placed.parts),
            "details": dict(placed.details),
        }
    return body


def _item_text(placed: Placed) -> str:
    reason = placed.reason
    because = ",".join(map(encode_basestring, reason.because))
    return (
        f'{{{_always_text(placed.item)},"position":{placed.position},"score":{placed.score!r},"reason":{{"code":"{reason.code}",'
        f'"text":{encode_basestring(reason.text)},"because":[{because}]}}}}'
    )


def _always(item: Item) -> Mapping[str, Any]:
    """What every answer says of an item."""
    body: dict[str, Any] = {
        "itemId": item.item_id,
        "title": item.title,
        "price": item.price_cents / 100,
        "priceCents": item.price_cents,
        "currency": item.currency,
        "url": item.url,
        "imageUrl": item.image_url,
        "category": item.category,
        "brand": item.brand,
    }
    if discount := discount_percent(item):
        body |= {"listPriceCents": item.list_price_cents, "discountPercent": discount}
    return body


def _always_text(item: Item) -> str:
    """Its members, without braces; kept while the item is the same object, which a catalogue snapshot sees to."""
    known = _TOLD.get(id(item))
    if known is None or known[0] is not item:
        if len(_TOLD) >= _TOLD_KEPT:
            _TOLD.clear()
        known = _TOLD[id(item)] = (item, JSON.encode(_always(item))[1:-1])
    return known[1]

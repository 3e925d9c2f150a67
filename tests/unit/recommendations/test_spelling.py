"""The text of an answer says what its JSON document says."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.support.window import NOW

from regulars.catalogue.model import Item
from regulars.recommendations.model import Answer, Ask, Placed, Reason
from regulars.recommendations.spelling import to_json, to_text
from regulars.web import JSON

words = st.text(max_size=12)
cents = st.integers(0, 10**9)
texts_of_item = dict.fromkeys(("item_id", "title", "category", "brand", "currency", "url", "image_url"), words)
items = st.builds(Item, price_cents=cents, list_price_cents=cents, **texts_of_item)
placed = st.builds(
    Placed,
    item=items,
    position=st.integers(0, 100),
    score=st.floats(allow_nan=False, allow_infinity=False),
    reason=st.builds(Reason, st.sampled_from(["popular", "because_viewed"]), words, st.lists(words, max_size=2).map(tuple)),
    rule=words,
)
answers = st.builds(
    Answer,
    generated_at=st.just(NOW),
    items=st.lists(placed, max_size=4).map(tuple),
    extras=st.dictionaries(st.sampled_from(["threshold", "query"]), words),
    banner=st.none() | placed,
    **dict.fromkeys(("recommendation_id", "scene", "model_version", "arm", "language", "reason"), words),
)


@given(answers, st.booleans())
def test_text_and_document_are_one(answer: Answer, explain: bool) -> None:
    ask = Ask(scene="home", explain=explain)
    assert json.loads(to_text(answer, ask)) == json.loads(JSON.encode(to_json(answer, ask)))
    assert json.loads(to_text(answer, ask)) == json.loads(to_text(answer, ask)), "the second time it is known"


def test_an_item_that_changed_is_told_anew() -> None:
    shown = Placed(
        item=Item(item_id="mug", title="Mug", price_cents=500), position=1, score=1.0, reason=Reason("popular", "Popular")
    )
    answer = Answer(
        recommendation_id="r", scene="home", model_version="1", arm="model", generated_at=NOW, items=(shown,), language="en"
    )
    ask = Ask(scene="home")
    assert json.loads(to_text(answer, ask))["items"][0]["priceCents"] == 500
    cheaper = replace(
        answer, items=(replace(shown, item=Item(item_id="mug", title="Mug", price_cents=400, list_price_cents=500)),)
    )
    assert json.loads(to_text(cheaper, ask))["items"][0]["discountPercent"] == 20

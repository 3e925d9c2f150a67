"""The four protocols on logs small enough to read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.interactions import interactions

from regulars.errors import Invalid
from regulars.similarity.interactions import CART, PURCHASE, VIEW, Interactions
from regulars.similarity.protocols import (
    DAY_MS,
    LAST_ONE,
    NEXT_BASKET,
    SESSION_PREFIX,
    TIME_NEW,
    Queries,
    Split,
    SplitSettings,
    split,
    validation,
)


def questions(data: Interactions, queries: Queries) -> dict[tuple[str, int], tuple[list[str], list[str]]]:
    """(label, steps) → (history, targets), in ids."""
    found = {}
    for number, label in enumerate(queries.labels.tolist()):
        history = queries.items[queries.starts[number] : queries.starts[number + 1]]
        targets = queries.targets[queries.target_starts[number] : queries.target_starts[number + 1]]
        named = [[data.item_ids[item] for item in part.tolist()] for part in (history, targets)]
        found[data.shopper_ids[label] if label < len(data.shopper_ids) else str(label), int(queries.steps[number])] = (
            named[0],
            named[1],
        )
    return found


def candidates(data: Interactions, made: Split) -> set[str]:
    return {data.item_ids[number] for number in np.flatnonzero(made.candidates)}


def test_last_one_asks_for_the_last_of_those_with_enough() -> None:
    data = interactions([("ann", item, day) for day, item in enumerate("abcde")] + [("bob", "a", 0), ("bob", "e", 1)])
    made = split(data, LAST_ONE, SplitSettings())
    assert questions(data, made.queries) == {("ann", 4): (["a", "b", "c", "d"], ["e"])}
    assert made.queries.excludes
    assert len(made.learn) == len(data) - 1
    validated = validation(made, LAST_ONE, SplitSettings())
    assert questions(data, validated.queries) == {("ann", 3): (["a", "b", "c"], ["d"])}


def test_time_new_asks_the_known_for_what_is_new_to_them() -> None:
    rows = [(name, item, 0) for name in ("ann", "bob", "cid") for item in ("a", "b")]
    rows += [("cid", "rare", 1), ("ann", "c", 1), ("bob", "c", 2)]
    rows += [("ann", "a", 10), ("cid", "c", 11), ("cid", "rare", 11), ("new", "c", 12)]
    made = split(interactions(rows), TIME_NEW, SplitSettings(cut_ms=5 * DAY_MS, min_buyers=2))
    data = interactions(rows)
    assert questions(data, made.queries) == {("cid", 3): (["a", "b", "rare"], ["c"])}
    assert candidates(data, made) == {"a", "b", "c"}
    assert made.learn.at.max() < 5 * DAY_MS


def test_time_new_answers_are_purchases_where_there_are_any() -> None:
    rows = [("ann", "a", 0.0, -1, PURCHASE), ("ann", "b", 9.0, -1, VIEW), ("ann", "c", 9.0, -1, PURCHASE)]
    rows += [("bob", item, 0.0, -1, PURCHASE) for item in "abc"]
    data = interactions(rows)
    made = split(data, TIME_NEW, SplitSettings(cut_ms=5 * DAY_MS, min_buyers=1))
    assert questions(data, made.queries) == {("ann", 1): (["a"], ["c"])}


def test_every_prefix_asks_for_the_next_item_not_yet_seen() -> None:
    early = [("s0", item, 0.001 * place, 0, VIEW) for place, item in enumerate("ab")]
    late = [("s1", item, 1 + 0.001 * place, 1, VIEW) for place, item in enumerate("aabac")]
    data = interactions(early + late)
    made = split(data, SESSION_PREFIX, SplitSettings(cut_ms=DAY_MS))
    assert questions(data, made.queries) == {
        ("s1", 1): (["a"], ["b"]),
        ("s1", 2): (["a", "a"], ["b"]),
        ("s1", 3): (["a", "a", "b"], ["c"]),
        ("s1", 4): (["a", "a", "b", "a"], ["c"]),
    }
    assert len(made.learn) == 2


def test_next_basket_is_the_first_after_the_cut_and_repeats_count() -> None:
    rows = [("ann", item, float(day)) for day in (0, 5, 10, 40) for item in ("milk", "tea")]
    rows += [("ann", "jam", 50.0), ("bob", "milk", 0.0), ("bob", "milk", 41.0)]
    data = interactions(rows)
    data = replace(data, group=data.at // DAY_MS)
    made = split(data, NEXT_BASKET, SplitSettings(cut_ms=30 * DAY_MS, min_buyers=1, min_baskets=3))
    assert questions(data, made.queries) == {("ann", 6): (["milk", "tea"] * 3, ["milk", "tea"])}
    assert not made.queries.excludes
    late = split(data, NEXT_BASKET, SplitSettings(cut_ms=11 * DAY_MS, min_buyers=1, min_baskets=3, within_days=30))
    assert questions(data, late.queries)["ann", 6][1] == ["milk", "tea"]
    with pytest.raises(Invalid):
        split(data, NEXT_BASKET, SplitSettings(cut_ms=11 * DAY_MS, min_buyers=1, min_baskets=3, within_days=20))


def test_without_dates_the_last_basket_is_asked_for() -> None:
    data = interactions([("ann", item, float(step)) for step, item in enumerate("abaab")])
    data = replace(data, group=data.at // DAY_MS)
    asked = SplitSettings(min_buyers=1, min_baskets=3)
    made = split(data, NEXT_BASKET, asked)
    assert questions(data, made.queries) == {("ann", 4): (["a", "b", "a", "a"], ["b"])}
    assert questions(data, validation(made, NEXT_BASKET, asked).queries) == {("ann", 3): (["a", "b", "a"], ["a"])}


@pytest.mark.parametrize(
    ("protocol", "reason"),
    [(TIME_NEW, "same instant"), (SESSION_PREFIX, "same instant"), (LAST_ONE, "no shopper has 5 events")],
)
def test_a_log_of_one_instant_is_refused_in_words(protocol: str, reason: str) -> None:
    data = interactions([("ann", "a", 1.0, 0, CART), ("bob", "b", 1.0, 1, CART)])
    with pytest.raises(Invalid, match=reason):
        split(data, protocol, SplitSettings(share=0.5))


def test_an_empty_log_and_an_unknown_protocol_are_refused() -> None:
    data = interactions([("ann", "a", 1.0)])
    with pytest.raises(Invalid, match="no events"):
        split(data.where(data.at < 0), LAST_ONE, SplitSettings())
    with pytest.raises(Invalid, match="last-one, time-new, session-prefix, next-basket"):
        split(data, "next", SplitSettings())

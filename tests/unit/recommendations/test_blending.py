"""The formula of a recipe in plain Python is the formula in arrays."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.profiles.model import Profile
from regulars.recommendations.blending import Question, best, causes, loudest, near, rank
from regulars.recommendations.history import again, recent
from regulars.recommendations.ports import Row
from regulars.similarity import scoring, scoring_uncompiled
from regulars.similarity.interactions import KINDS as INTERACTION_KINDS
from regulars.similarity.interactions import PURCHASE
from regulars.similarity.kernel import TopK
from regulars.similarity.packing import Ranked, columns, pack
from regulars.similarity.protocols import Queries
from regulars.similarity.recipe import Part, Recipe

NOW = datetime(2026, 8, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)
N_ITEMS = 60
KINDS = {"view": 1.0}
NAMES = [f"item {number:02d} 茶" for number in range(N_ITEMS)]


def lists(dice: random.Random) -> dict[str, list[list[tuple[int, float]]]]:
    """Relation → item → its neighbours, of random lengths, some empty."""
    made = {}
    for name in ("similar", "together", "next", "linear"):
        made[name] = [
            sorted(
                ((other, dice.random() + 0.01) for other in dice.sample(range(N_ITEMS), dice.randrange(12))),
                key=lambda p: -p[1],
            )
            for _ in range(N_ITEMS)
        ]
    return made


def in_arrays(neighbours: list[list[tuple[int, float]]]) -> TopK:
    starts = np.concatenate(([0], np.cumsum([len(entries) for entries in neighbours])))
    flat = [pair for entries in neighbours for pair in entries]
    items = np.array([item for item, _ in flat], dtype=np.int64)
    return TopK(starts.astype(np.int64), items, np.array([score for _, score in flat]))


def in_rows(made: Mapping[str, list[list[tuple[int, float]]]]) -> dict[str, Row]:
    return {
        NAMES[item]: Row(
            {name: Ranked.of(tuple((NAMES[other], score) for other, score in entries[item])) for name, entries in made.items()}
        )
        for item in range(N_ITEMS)
    }


PART = st.builds(
    Part,
    weight=st.just(0.0) | st.floats(0.01, 2),
    rank_power=st.sampled_from([0.0, 0.7, 1.5]),
    half_life_days=st.sampled_from([0.0, 3.0, 60.0]),
)
RECIPES = st.builds(
    Recipe,
    protocol=st.just("time-new"),
    history_items=st.integers(1, 12),
    parts=st.dictionaries(st.sampled_from(["similar", "together", "next", "linear"]), PART, max_size=4),
    popularity=st.fixed_dictionaries({"week": st.just(0.0) | st.floats(0.01, 1), "trend": st.sampled_from([0.0, 0.4])}),
    repeat=st.one_of(st.none(), PART),
    habit_power=st.sampled_from([0.0, 0.4]),
    habit_weight=st.sampled_from([0.0, 0.3]),
    repeats=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(RECIPES, st.integers(0, 10**6))
def test_both_forms_of_the_formula_give_the_same_scores(recipe: Recipe, seed: int) -> None:
    dice = random.Random(seed)
    made = lists(dice)
    popularity = {name: {item: dice.random() for item in dice.sample(range(N_ITEMS), 9)} for name in ("week", "trend")}
    candidates = np.array([dice.random() < 0.8 for _ in range(N_ITEMS)])
    # Purchases at noon of days, which is all a profile knows of them.
    days = {item: [dice.randrange(1, 40) for _ in range(dice.randrange(1, 4))] for item in dice.sample(range(N_ITEMS), 8)}
    at = sorted((NOW - ago * DAY, item) for item, agos in days.items() for ago in set(agos))
    queries = Queries(
        labels=np.array([0]),
        steps=np.array([0]),
        starts=np.array([0, len(at)]),
        items=np.array([item for _, item in at], dtype=np.int64),
        at=np.array([int(instant.timestamp() * 1000) for instant, _ in at], dtype=np.int64),
        target_starts=np.array([0, 0]),
        targets=np.array([], dtype=np.int64),
        kinds=np.full(len(at), PURCHASE, dtype=np.int64),
        now=np.array([int(NOW.timestamp() * 1000)], dtype=np.int64),
        excludes=not recipe.repeats,
    )
    habit = {item: 0.5 + dice.random() for item in dice.sample(range(N_ITEMS), 30)}
    model = scoring.Model(
        {name: in_arrays(entries) for name, entries in made.items()},
        {
            name: (np.array(sorted(shares)), np.array([shares[item] for item in sorted(shares)]))
            for name, shares in popularity.items()
        },
        np.array([habit.get(item, 1.0) for item in range(N_ITEMS)]),
        N_ITEMS,
    )
    asked = scoring.Asked.of(queries, candidates, recipe.history_items, np.ones(len(INTERACTION_KINDS)))
    (items,), (scores,) = scoring_uncompiled.answers(asked, recipe, model, N_ITEMS)

    purchases = {NAMES[item]: tuple(sorted({(NOW - ago * DAY).date() for ago in agos})) for item, agos in days.items()}
    profile = Profile(shopper="user:1", as_of=NOW, purchases=purchases)
    habits = {NAMES[item]: value for item, value in habit.items()}
    bought_again = (
        again(purchases, recipe.repeat, NOW.date(), habits, recipe.habit_power, recipe.habit_weight) if recipe.repeat else {}
    )
    question = Question(
        deeds=recent(profile, {"purchase": 1.0}, recipe.history_items),
        rows=in_rows(made),
        recipe=recipe,
        popularity={name: {NAMES[item]: share for item, share in shares.items()} for name, shares in popularity.items()},
        again=bought_again,
        hidden=frozenset() if recipe.repeats else frozenset(purchases),
        may_show=lambda item_id: bool(candidates[NAMES.index(item_id)]),
    )
    found = rank(question)
    wanted = {NAMES[item]: score for item, score in zip(items.tolist(), scores.tolist(), strict=True) if score > 0}
    assert {item: score for item, score in found.scores.items() if score > 0} == pytest.approx(wanted, rel=1e-9)
    for item_id, score in found.scores.items():
        parts = [voice.factor * voice.scores.get(item_id, 0.0) for voice in (*found.near, *found.popular)]
        assert math.fsum(parts) == pytest.approx(score, rel=1e-9)


def test_what_may_not_be_shown_neither_counts_nor_is_shown() -> None:
    rows = {"seed": Row({"similar": Ranked.of((("gone", 1.0), ("hidden", 0.9), ("b", 0.5), ("c", 0.25)))})}
    recipe = Recipe(parts={"similar": Part(weight=1.0)})
    profile = Profile(shopper="user:1", as_of=NOW, item_seen_at={"seed": NOW})
    deeds = recent(profile, KINDS, 20)
    question = Question(deeds=deeds, rows=rows, recipe=recipe, hidden={"hidden"}, may_show=lambda item_id: item_id != "gone")
    assert rank(question).scores == {"b": 1.0, "c": 0.5}


def test_many_that_are_gone_do_not_crowd_out_what_is_there() -> None:
    entries = (*((f"gone-{n}", 1.0 - n / 1000) for n in range(90)), ("there", 0.01))
    rows = {"seed": Row({"similar": Ranked.of(entries)})}
    profile = Profile(shopper="user:1", as_of=NOW, item_seen_at={"seed": NOW})
    recipe = Recipe(parts={"similar": Part(weight=1.0)})
    deeds = recent(profile, KINDS, 9)
    question = Question(deeds=deeds, rows=rows, recipe=recipe, may_show=lambda item: item == "there", count=5)
    assert rank(question).scores == {"there": 1.0}


@given(st.dictionaries(st.text(max_size=4), st.sampled_from([0.5, 1.0]) | st.floats(0, 9), max_size=400), st.integers(1, 20))
def test_the_best_are_the_best(scores: dict[str, float], count: int) -> None:
    whole = sorted(scores.items(), key=lambda pair: pair[1], reverse=True)[:count]
    assert list(best(scores, count).items()) == whole or len(scores) <= count


def test_the_loudest_seed_is_the_cause() -> None:
    rows = {
        "a": Row({"similar": columns(pack((("x", 1.0), ("y", 0.1))))}),
        "b": Row({"similar": columns(pack((("y", 1.0),))), "next": Ranked.of((("z", 1.0),))}),
    }
    seeds = [("a", 1.0), ("b", 0.5), ("unknown", 9.0)]
    assert causes(seeds, rows, ("similar", "next"), {"x", "y", "z", "nobody"}) == {"x": "a", "y": "b", "z": "b"}
    seed, strength = loudest(seeds, rows, "similar", {"y"})["y"]
    assert (seed, strength) == ("b", pytest.approx(0.5, rel=1e-4))  # type: ignore[comparison-overlap]
    assert near(seeds, rows, {"similar": 1.0, "next": 0.5}, {"x"}) == pytest.approx({"y": 1.0, "z": 0.5})


def test_history_is_ranked_by_instant_and_ages_from_the_newest() -> None:
    profile = Profile(
        shopper="user:1",
        as_of=NOW,
        item_seen_at={"b": NOW, "a": NOW, "c": NOW - DAY, "d": NOW - 4 * DAY},
        cart={"c": NOW - 2 * DAY},
        purchases={"d": (date(2026, 8, 1), date(2026, 8, 4))},
    )
    kinds = {"view": 0.3, "cart": 0.8, "purchase": 1.0}
    deeds = recent(profile, kinds, 20)
    assert [(deed.item_id, deed.rank, deed.age_days, deed.kind, deed.strength) for deed in deeds] == [
        ("a", 0, 0.0, "view", 0.3),
        ("b", 0, 0.0, "view", 0.3),
        ("c", 1, 1.0, "cart", 0.8),
        ("d", 1, 1.0, "purchase", 1.0),
    ]
    assert [deed.item_id for deed in recent(profile, kinds, 1)] == ["a"]
    assert recent(Profile(shopper="user:2", as_of=NOW), kinds, 20) == []


touched = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 5).map(lambda hours: NOW - hours * DAY / 4))


@given(
    touched,
    touched,
    touched,
    st.dictionaries(st.sampled_from("abcdefgh"), st.lists(st.integers(0, 3).map(lambda days: (NOW - days * DAY).date()))),
    st.dictionaries(st.sampled_from(("view", "wishlist", "cart", "purchase")), st.sampled_from((0.3, 0.5, 1.0))),
    st.integers(1, 9),
)
def test_a_deed_is_the_strongest_of_an_item_at_its_last_instant(
    views: dict[str, datetime],
    wishes: dict[str, datetime],
    cart: dict[str, datetime],
    bought: dict[str, list[date]],
    kinds: dict[str, float],
    count: int,
) -> None:
    purchases = {item_id: tuple(sorted(days)) for item_id, days in bought.items()}
    profile = Profile(shopper="user:1", as_of=NOW, item_seen_at=views, wishlist=wishes, cart=cart, purchases=purchases)
    noons = {item_id: datetime(day.year, day.month, day.day, 12, tzinfo=UTC) for item_id, (*_, day) in _some(purchases)}
    done = [
        (at, item_id, kind)
        for kind, of in (("view", views), ("wishlist", wishes), ("cart", cart), ("purchase", noons))
        for item_id, at in of.items()
    ]
    last = {item_id: at for at, item_id, _ in sorted(done)}
    order = sorted(last, key=lambda item_id: (-last[item_id].timestamp(), item_id))[:count]
    instants = sorted({last[item_id] for item_id in order}, reverse=True)
    deeds = recent(profile, kinds, count)
    assert [deed.item_id for deed in deeds] == order
    for deed in deeds:
        of = [kind for _, item_id, kind in done if item_id == deed.item_id]
        assert deed.kind == max(of, key=lambda kind: kinds.get(kind, 0.0))
        assert (deed.strength, deed.at) == (kinds.get(deed.kind, 0.0), last[deed.item_id])
        assert (deed.rank, deed.age_days) == (instants.index(deed.at), (instants[0] - deed.at) / DAY)


def _some(purchases: dict[str, tuple[date, ...]]) -> list[tuple[str, tuple[date, ...]]]:
    return [(item_id, days) for item_id, days in purchases.items() if days]


def test_repetition_counts_every_day_and_fades() -> None:
    part = Part(weight=1.0, rank_power=1.0, half_life_days=10.0)
    days = {"milk": (date(2026, 7, 26), date(2026, 8, 5)), "tea": (date(2026, 7, 26),), "ahead": (date(2026, 8, 9),)}
    found = again(days, part, date(2026, 8, 5))
    assert found["ahead"] == 1.0
    assert found["milk"] == pytest.approx(1 / 2 + 0.5 / 3)
    assert found["tea"] == pytest.approx(0.5 / 3)
    lifted = again(days, part, date(2026, 8, 5), {"tea": 4.0}, power=0.5, weight=0.2)
    assert lifted["tea"] == pytest.approx(2 * (0.2 * 4 + 0.5 / 3))
    assert lifted["milk"] == pytest.approx(0.2 + found["milk"])

"""New items get a bounded, steady share of places, among those they suit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.support.window import DAY, NOW, Window, item, profile, settings, similarity_settings

from regulars.catalogue.model import Item
from regulars.catalogue.snapshot import load
from regulars.profiles.model import Profile
from regulars.recommendations.exploring import SOURCE, with_exploration
from regulars.recommendations.model import Ask, Candidate
from regulars.recommendations.ports import Row
from regulars.recommendations.situation import Situation
from regulars.similarity.content import content_neighbours
from regulars.similarity.model import CONTENT, ON_TRIAL, Popularity
from regulars.similarity.packing import Ranked

OLD = tuple(item(f"old-{n}", "mugs") for n in range(40))
NEW = tuple(item(f"new-{n}", "mugs", listed_at=NOW - DAY) for n in range(12))
ELSEWHERE = item("new-lamp", "lamps", listed_at=NOW - DAY)
SHELF = (*OLD, *NEW, ELSEWHERE)
LISTED = [Candidate(entry.item_id, 1.0 - n / 100, "popular") for n, entry in enumerate(OLD)]


def situation(
    shopper: str = "user:1",
    beliefs: Mapping[str, tuple[float, float]] | None = None,
    shelf: Iterable[Item] = SHELF,
    known: Profile | None = None,
    rows: Mapping[str, Row] | None = None,
    now: Any = NOW,
    scene: str = "home",
    **exploration: Any,
) -> Situation:
    believed = {entry.item_id: (1.0, 19.0) for entry in NEW} if beliefs is None else beliefs
    trials = Popularity(
        ON_TRIAL,
        tuple((name, alpha) for name, (alpha, _) in believed.items()),
        tuple((name, beta) for name, (_, beta) in believed.items()),
    )
    changed = replace(settings(), exploration=replace(settings().exploration, **exploration))
    ask = Ask(scene=scene, shopper=shopper, item_id="old-39" if scene == "product" else "")
    snapshot = load(Window(shelf).storage)
    return Situation(ask, known or Profile(shopper=shopper, as_of=now), snapshot, changed, now, rows or {}, {ON_TRIAL: trials})


def placed(about: Situation, limit: int = 10, claim: Any = lambda item: True) -> list[Candidate]:
    return with_exploration(LISTED[:limit], about, claim)


def explored(candidates: Iterable[Candidate]) -> list[str]:
    return [entry.item_id for entry in candidates if entry.source == SOURCE]


def test_the_share_of_places_is_what_the_settings_say() -> None:
    spent = places = 0
    for number in range(600):
        answer = placed(situation(f"user:{number}", known=profile(item_seen_at={"old-1": NOW})))
        assert len(answer) == len({entry.item_id for entry in answer}) == 10
        spent += len(explored(answer))
        places += 10
        assert len(explored(answer)) <= 1
        assert not explored(answer[:3])
    assert 0.04 < spent / places < 0.06


@pytest.mark.parametrize(("limit", "most"), [(3, 0), (4, 1), (10, 1), (19, 1), (20, 2), (40, 4)])
def test_at_most_one_of_ten_places_whatever_the_share(limit: int, most: int) -> None:
    counts = {len(explored(placed(situation(f"user:{n}", share=1.0), limit))) for n in range(30)}
    assert counts == {most}


def test_an_answer_is_steady_for_a_day_and_differs_between_shoppers() -> None:
    first = [explored(placed(situation(f"user:{n}", share=1.0))) for n in range(40)]
    assert first == [explored(placed(situation(f"user:{n}", share=1.0, now=NOW + DAY / 4))) for n in range(40)]
    assert first != [explored(placed(situation(f"user:{n}", share=1.0, now=NOW + DAY))) for n in range(40)]
    assert len({names[0] for names in first}) > 5


def test_what_did_well_is_shown_more_and_what_failed_less() -> None:
    beliefs = {"new-0": (10.0, 90.0), "new-1": (1.0, 19.0), "new-2": (1.0, 299.0)}
    seen = Counter(explored(placed(situation(f"user:{n}", beliefs, share=1.0)))[0] for n in range(300))
    assert seen["new-0"] > 200
    assert seen["new-1"] > 5 * seen["new-2"]
    assert seen["new-1"] > 10


def test_only_what_suits_her() -> None:
    beliefs = {"new-lamp": (50.0, 1.0), "new-3": (1.0, 19.0)}
    she = profile(item_seen_at={"old-1": NOW})
    assert explored(placed(situation(beliefs=beliefs, known=she, share=1.0))) == ["new-3"]
    tagged = profile(tags={"preference/category/lamps": 2.0})
    assert explored(placed(situation(beliefs=beliefs, known=tagged, share=1.0))) == ["new-lamp"]
    assert explored(placed(situation(beliefs=beliefs, share=1.0))) == ["new-lamp"], "a stranger may see anything"


def test_a_look_alike_of_what_she_touched_comes_first_and_says_so() -> None:
    rows = {"old-1": Row({CONTENT: Ranked(["new-lamp"], [0.9])})}
    she = profile(item_seen_at={"old-1": NOW})
    about = situation(beliefs={"new-lamp": (1.0, 19.0), "new-3": (1.0, 19.0)}, known=she, rows=rows, share=1.0)
    codes = {entry.item_id: (entry.code, entry.because) for entry in placed(about) if entry.source == SOURCE}
    assert codes in ({"new-lamp": ("new_like", ("old-1",))}, {"new-3": ("new_in_category", ())})
    many = Counter(explored(placed(replace(about, ask=replace(about.ask, shopper=f"user:{n}"))))[0] for n in range(100))
    assert many["new-lamp"] > 2 * many["new-3"]


def test_the_closest_of_several_look_alikes_is_named() -> None:
    rows = {
        "old-1": Row({CONTENT: Ranked(["old-3", "new-lamp", "new-3"], [90, 80, 20], 0.01)}),
        "old-2": Row({CONTENT: Ranked(["new-3", "new-lamp"], [70, 60], 0.01)}),
        "old-3": Row({}),
    }
    about = situation(beliefs={"new-lamp": (1.0, 19.0), "new-3": (1.0, 19.0)}, rows=rows, share=1.0)
    shown = [placed(replace(about, ask=replace(about.ask, shopper=f"user:{n}"))) for n in range(60)]
    found = {(entry.item_id, entry.code, entry.because) for answer in shown for entry in answer if entry.source == SOURCE}
    assert found == {("new-lamp", "new_like", ("old-1",)), ("new-3", "new_like", ("old-2",))}


def test_new_items_that_came_by_themselves_count() -> None:
    by_itself = [*LISTED[:9], Candidate("new-5", 0.5, "similar_to")]
    assert with_exploration(by_itself, situation(share=1.0), lambda item: True) == by_itself


def test_limits_are_asked_and_pay() -> None:
    assert placed(situation(share=1.0), claim=lambda item: False) == LISTED[:10]
    claimed: list[str] = []

    def claim(entry: Item) -> bool:
        claimed.append(entry.item_id)
        return True

    placed(situation(share=1.0), 40, claim=claim)
    assert len(claimed) == 4


def test_sold_out_items_other_scenes_and_no_trials_change_nothing() -> None:
    gone = [*OLD, *(replace(entry, stock=0) for entry in NEW)]
    assert placed(situation(shelf=gone, share=1.0)) == LISTED[:10]
    assert placed(situation(scene="cart", share=1.0)) == LISTED[:10]
    assert placed(situation(share=0.0)) == LISTED[:10]
    assert placed(replace(situation(share=1.0), popularity={})) == LISTED[:10]
    assert explored(placed(situation(scene="product", share=1.0)))


def test_an_answer_explores_and_rules_stand_above_it() -> None:
    window = Window((*OLD, *NEW), settings=replace(settings(), exploration=replace(settings().exploration, share=1.0)))
    selling = tuple((entry.item_id, 1.0 - n / 100) for n, entry in enumerate(OLD[:30]))
    window.models.put_popularity([Popularity("all", selling, selling, NOW)])
    beliefs = tuple((entry.item_id, 1.0) for entry in NEW)
    window.models.put_popularity([Popularity(ON_TRIAL, beliefs, beliefs, NOW)])
    placed = window.ask("home", limit=10, shopper="user:9").items
    assert [entry.source for entry in placed if entry.item.item_id.startswith("new-")] == [SOURCE]
    assert all(entry.item.item_id.startswith("old-") for entry in placed[:3])
    window.rules({"id": "pin", "action": "pin", "items": ["old-39"], "position": 5})
    assert window.ids("home", limit=10, shopper="user:9")[4] == "old-39"
    for action in ("ban", "bury"):
        window.rules({"id": "no", "action": action, "items": [entry.item_id for entry in NEW]})
        assert all(item_id.startswith("old-") for item_id in window.ids("home", limit=10, shopper="user:9"))


def test_a_new_item_reaches_the_audience_of_its_look_alike_within_one_build() -> None:
    newcomer = item("enamel-mug-blue", "mugs", title="Blue enamel mug", listed_at=NOW)
    known = item("enamel-mug-red", "mugs", title="Red enamel mug")
    window = Window((*OLD, known, newcomer))
    known_ids = [entry.item_id for entry in (*OLD, known)]
    catalogue = load(window.storage)
    content = content_neighbours(catalogue, known_ids, np.full(len(known_ids), 100), similarity_settings().content)
    ids = content.item_ids
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for number, item_id in enumerate(ids):
        others, scores = content.neighbours.of(number)
        rows[item_id] = {CONTENT: dict(zip((ids[other] for other in others.tolist()), scores.tolist(), strict=True))}
    window.learns(rows)
    window.sells("all", old_1=1.0)
    window.knows(profile(item_seen_at={"enamel-mug-red": NOW}))
    first = window.ask("home", limit=5).items[:2]
    assert "enamel-mug-blue" in [entry.item.item_id for entry in first]
    assert next(entry for entry in first if entry.item.item_id == "enamel-mug-blue").reason.because == ("enamel-mug-red",)
    window.knows(profile(item_seen_at={"shampoo": NOW}))
    assert all(not entry.reason.because for entry in window.ask("home", limit=5).items)

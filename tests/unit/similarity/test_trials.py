"""What a build learns of contexts and of new items while the events pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.shoppers import event, order
from tests.support.window import DAY, NOW, item, settings, similarity_settings

from regulars.adapters.memory.catalogue import MemoryCatalogue
from regulars.adapters.memory.models import MemoryModels
from regulars.adapters.memory.storage import MemoryStorage
from regulars.capture.model import Event
from regulars.recommendations.search.publishing import PublishSearch
from regulars.similarity.model import ON_TRIAL, Popularity
from regulars.similarity.popularity import new_arrivals
from regulars.similarity.service import BuildPopularity
from regulars.similarity.trials import LIST_SEEN, Watching, on_trial

SETTINGS = similarity_settings().popularity
MORNING = NOW - timedelta(hours=4)
SHELF = {
    entry.item_id: entry
    for entry in (
        item("mug-new", "mugs", listed_at=NOW - 3 * DAY),
        item("mug-other", "mugs", listed_at=NOW - 4 * DAY),
        item("lamp-new", "lamps", listed_at=NOW - 2 * DAY),
        item("lamp-other", "lamps", listed_at=NOW - 5 * DAY),
        item("lamp-old", "lamps"),
    )
}


def look(item_id: str, shopper: str = "user:1", **context: Any) -> Event:
    return replace(event("Product Viewed", MORNING, shopper=shopper, properties={"product_id": item_id}), context=context)


def lists(*item_ids: str, times: int = 1) -> list[Event]:
    products = [{"product_id": item_id} for item_id in item_ids]
    return [event(LIST_SEEN, MORNING + n * timedelta(seconds=1), properties={"products": products}) for n in range(times)]


def watched(*events: Event) -> Watching:
    watching = Watching(SETTINGS, NOW)
    assert list(watching(events)) == list(events)
    return watching


def trials(watching: Watching, **changes: Any) -> Popularity:
    arrivals = new_arrivals(SHELF.values(), SETTINGS, NOW)
    return on_trial(arrivals, SHELF, watching, replace(SETTINGS.trials, **changes), NOW)


def rate(row: Popularity, item_id: str) -> float:
    alpha, beta = dict(row.trend)[item_id], dict(row.week)[item_id]
    return alpha / (alpha + beta)


def test_popularity_by_device_and_part_of_the_day() -> None:
    watching = watched(
        look("a", device={"type": "ios"}),
        look("a", device={"type": "android"}),
        look("b", device={"type": "ios"}),
        look("b", timezone="Asia/Shanghai"),
    )
    rows = {row.scope: row for row in watching.contexts(60)}
    assert set(rows) == {"device:mobile", "daypart:workday-morning", "daypart:workday-afternoon"}
    assert rows["device:mobile"].trend == (("a", 1.0), ("b", 0.5))
    assert rows["daypart:workday-afternoon"].trend == (("b", 1.0),)
    deeds = rows["device:mobile"].deeds
    assert deeds == pytest.approx(3 * SETTINGS.kinds["view"], rel=0.05)


def test_contexts_keep_only_the_best_and_weigh_what_was_done() -> None:
    watching = watched(look("a"), look("a"), order("o", MORNING, items=["b"], shopper="user:2"))
    (row,) = watching.contexts(1)
    assert [item_id for item_id, _ in row.trend] == ["b"]


def test_nobody_has_seen_them_so_all_are_believed_alike() -> None:
    row = trials(watched())
    assert row.scope == ON_TRIAL
    assert [item_id for item_id, _ in row.trend] == ["lamp-new", "mug-new", "mug-other", "lamp-other"]
    assert rate(row, "mug-new") == rate(row, "lamp-new") == pytest.approx(SETTINGS.trials.prior_rate)
    assert dict(row.trend)["mug-new"] + dict(row.week)["mug-new"] == pytest.approx(SETTINGS.trials.prior_shown)


def test_showings_and_looks_become_belief() -> None:
    row = trials(watched(*lists("mug-new", "lamp-new", times=40), *[look("lamp-new", f"user:{n}") for n in range(10)]))
    assert rate(row, "lamp-new") > 3 * rate(row, "mug-new")
    assert rate(row, "mug-other") < rate(row, "lamp-new")
    alpha, beta = dict(row.trend)["lamp-new"], dict(row.week)["lamp-new"]
    assert alpha + beta == pytest.approx(SETTINGS.trials.prior_shown + 40)


def test_an_unseen_item_is_believed_by_its_category() -> None:
    row = trials(watched(*lists("mug-other", "lamp-new", times=100), *[look("mug-other", f"user:{n}") for n in range(25)]))
    assert rate(row, "mug-new") > 4 * rate(row, "lamp-other")
    assert rate(row, "mug-new") == pytest.approx(25 / 100, rel=0.2)


def test_without_lists_a_look_is_the_showing_and_wanting_the_answer() -> None:
    looks = [look(item_id, f"user:{n}") for n in range(20) for item_id in ("mug-new", "lamp-new")]
    row = trials(watched(*looks, *[order(f"o{n}", MORNING, items=["lamp-new"], shopper=f"user:{n}") for n in range(5)]))
    assert rate(row, "lamp-new") > rate(row, "mug-new")


def test_who_has_been_seen_enough_is_no_longer_on_trial() -> None:
    seen = watched(*lists("mug-new", times=30))
    assert "mug-new" not in dict(trials(seen, enough_shown=30).trend)
    assert "mug-new" in dict(trials(seen, enough_shown=31).trend)
    bought = watched(*[order(f"o{n}", MORNING, items=["mug-new"], shopper=f"user:{n}") for n in range(6)])
    assert "mug-new" not in dict(trials(bought, enough_deeds=6).trend)
    assert len(trials(bought, keep=1).trend) == 1


@pytest.mark.parametrize("products", [None, "mug", [None, 7, {}, {"product_id": ""}]])
def test_lists_without_items_say_nothing(products: Any) -> None:
    assert not watched(event(LIST_SEEN, MORNING, properties={"products": products})).shown


def test_the_build_publishes_contexts_and_trials() -> None:
    models, storage = MemoryModels(), MemoryStorage()
    events = [look("mug-new", device={"type": "ios"}), *lists("mug-new", "mug-other", times=3)]
    build = BuildPopularity(
        archive=lambda since: iter(events),
        models=models,
        catalogue=MemoryCatalogue(SHELF.values()),
        storage=storage,
        settings=similarity_settings(),
        clock=lambda: NOW,
        log=lambda message, facts: None,
        search=PublishSearch(storage, settings().search),
    )
    build()
    rows = {row.scope: row for row in models.popularity(["all", "device:mobile", "daypart:workday-morning", ON_TRIAL])}
    assert rows["device:mobile"].trend == rows["daypart:workday-morning"].trend == (("mug-new", 1.0),)
    assert rows["all"].deeds == pytest.approx(SETTINGS.kinds["view"], rel=0.05)
    assert rate(rows[ON_TRIAL], "mug-new") > rate(rows[ON_TRIAL], "mug-other")

"""The builds: from events to published neighbours and popularity."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.shoppers import event, identify, order
from tests.support.window import DAY, NOW, SHELF, item, similarity_settings
from tests.support.window import settings as recommendation_settings

from regulars.adapters.memory.catalogue import MemoryCatalogue
from regulars.adapters.memory.models import MemoryModels
from regulars.adapters.memory.storage import MemoryStorage
from regulars.capture.model import Event
from regulars.catalogue.snapshot import load
from regulars.errors import Conflict, GiveUp
from regulars.recommendations.search.packing import unpack
from regulars.recommendations.search.publishing import PublishSearch
from regulars.recommendations.search.reading import BODY_KEY
from regulars.similarity.config import SimilaritySettings
from regulars.similarity.interactions import from_events
from regulars.similarity.model import Neighbours, Popularity
from regulars.similarity.service import BuildPopularity, BuildSimilarity

HOUR = timedelta(hours=1)


class Builder:
    """Both builds over events in memory."""

    def __init__(self, *events: Event, settings: SimilaritySettings | None = None) -> None:
        self.events = list(events)
        self.models, self.storage = MemoryModels(), MemoryStorage()
        self.catalogue = MemoryCatalogue(SHELF)
        self.settings = settings or similarity_settings()
        self.now = NOW
        self.told: list[tuple[str, Mapping[str, Any]]] = []

    def archive(self, since: datetime) -> Iterator[Event]:
        return (entry for entry in self.events if entry.received_at >= since)

    def similarity(self) -> dict[str, Any]:
        build = BuildSimilarity(self.archive, self.models, self.storage, self.settings, lambda: self.now, self._log)
        return build()

    def popularity(self) -> dict[str, Any]:
        search = PublishSearch(self.storage, recommendation_settings().search)
        build = BuildPopularity(
            self.archive, self.models, self.catalogue, self.storage, self.settings, lambda: self.now, self._log, search
        )
        return build()

    def _log(self, message: str, facts: Mapping[str, Any]) -> None:
        self.told.append((message, facts))

    def row(self, item_id: str) -> Neighbours:
        pointer = self.models.pointer()
        assert pointer is not None
        (row,) = self.models.neighbours(pointer.version, [item_id])
        return row

    def near(self, item_id: str, relation: str) -> list[str]:
        return [other for other, _ in self.row(item_id).relations.get(relation, ())]

    def scope(self, name: str) -> Popularity:
        (row,) = self.models.popularity([name])
        return row


def view(shopper: str, item_id: str, at: datetime) -> Event:
    return event("Product Viewed", at, shopper=shopper, properties={"product_id": item_id})


def bought(shopper: str, at: datetime, *items: str) -> Event:
    return order(f"{shopper}-{at.isoformat()}", at, items=items, shopper=shopper)


def phone_buyers(count: int = 6) -> Iterable[Event]:
    """They look at two phones, and buy one with a case; film follows later. Others buy care alone."""
    for number in range(count):
        she, at = f"user:{number}", NOW - 10 * DAY + number * HOUR
        yield view(she, "phone", at)
        yield view(she, "rival", at + timedelta(minutes=3))
        yield bought(she, at + HOUR, "phone", "case")
        yield bought(she, at + 30 * HOUR, "film")
        yield bought(f"user:other{number}", at, "shampoo", "conditioner")


def test_relations_say_what_they_are_named_for() -> None:
    builder = Builder(*phone_buyers())
    builder.similarity()
    assert "rival" in builder.near("phone", "similar")
    assert builder.near("phone", "together")[0] == "case"
    assert "rival" not in builder.near("phone", "together")
    assert "film" in builder.near("case", "next")
    assert "case" not in builder.near("film", "next")
    assert builder.near("shampoo", "together") == ["conditioner"]


def test_old_company_weighs_less_than_new() -> None:
    old = [bought(f"user:{n}", NOW - 400 * DAY, "phone", "film") for n in range(3)]
    new = [bought(f"user:9{n}", NOW - 5 * DAY, "phone", "case") for n in range(3)]
    builder = Builder(*old, *new)
    builder.similarity()
    assert builder.near("phone", "together")[0] == "case"


def test_the_median_time_to_buy_again_is_kept() -> None:
    days = (90, 60, 31)
    builder = Builder(*(bought("user:1", NOW - age * DAY, "shampoo", "conditioner") for age in days))
    builder.similarity()
    assert builder.row("shampoo").gap_days == pytest.approx(29.5)


def test_an_empty_log_publishes_an_empty_model_and_says_so() -> None:
    builder = Builder()
    summary = builder.similarity()
    pointer = builder.models.pointer()
    assert pointer is not None
    assert (summary["rows"], pointer.counts["items"]) == (0, 0)
    assert "no interactions" in builder.told[0][0]


@pytest.mark.parametrize(
    "events",
    [
        [view("user:1", "phone", NOW)],
        [bought("user:1", NOW, "phone")],
        [view(f"user:{n}", "phone", NOW) for n in range(3)],
        [view("user:1", name, NOW) for name in ("phone", "case", "film")],
        [bought("user:1", NOW + 9 * DAY, "phone", "case"), bought("user:2", NOW + 9 * DAY, "phone", "case")],
    ],
    ids=["one view", "one purchase", "one item", "all at one instant", "ahead of the clock"],
)
def test_tiny_and_odd_logs_build(events: list[Event]) -> None:
    builder = Builder(*events)
    assert builder.similarity()["interactions"] == len({(e.shopper, repr(e.properties)) for e in events}) * (
        len(events[0].properties.get("products", [0]))
    )


def test_what_was_chosen_is_written_beside() -> None:
    builder = Builder(*phone_buyers())
    version = builder.similarity()["version"]
    report = json.loads(builder.storage.objects[f"builds/similarity/{version}.json"])
    assert report["params"]["relations"]["similar"]["half_life_days"] == similarity_settings().relations.similar.half_life_days
    assert report["counts"]["interactions"] == 42


def test_the_version_before_stays_and_older_ones_go() -> None:
    builder = Builder(*phone_buyers())
    versions = []
    for _ in range(3):
        versions.append(builder.similarity()["version"])
        builder.now += DAY
    pointer = builder.models.pointer()
    assert pointer is not None
    assert (pointer.version, pointer.previous) == (versions[2], versions[1])
    assert builder.similarity()["swept"] > 0
    assert not list(builder.models.neighbours(versions[0], ["phone"]))
    assert list(builder.models.neighbours(versions[2], ["phone"]))


def test_a_repeat_at_the_same_instant_keeps_the_way_back() -> None:
    builder = Builder(*phone_buyers())
    first = builder.similarity()["version"]
    builder.now += DAY
    builder.similarity()
    assert builder.similarity()["previous"] == first


def test_two_builds_at_once_one_flips() -> None:
    builder = Builder(*phone_buyers())
    builder.similarity()
    seen = builder.models.pointer()
    builder.now += DAY
    builder.similarity()
    assert seen is not None
    with pytest.raises(Conflict):
        builder.models.flip(replace(seen, version="9"), seen)


def test_too_much_for_one_function_is_said() -> None:
    settings = similarity_settings()
    small = replace(settings, build=replace(settings.build, max_interactions=3))
    with pytest.raises(GiveUp, match="max_interactions is 3") as caught:
        Builder(*phone_buyers(), settings=small).similarity()
    assert caught.value.code == "does_not_fit"


def test_an_event_that_comes_twice_counts_once() -> None:
    events = [bought("user:1", NOW, "phone", "case")]
    assert len(from_events(events * 3, 100)) == 2


def test_anonymous_looks_join_the_user() -> None:
    look = view("anon:x", "phone", NOW)
    joins = event("", NOW, type="alias", shopper="user:1", previous_id="x", properties={})
    data = from_events([look, joins, bought("user:1", NOW, "case")], 100)
    assert data.shopper_ids == ("user:1",)
    assert set(data.shopper.tolist()) == {0}


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_archive_does_not_matter(dice: Any) -> None:
    events = list(phone_buyers(3))
    one = Builder(*events)
    dice.shuffle(events)
    other = Builder(*events)
    one.similarity()
    other.similarity()
    for name in ("phone", "case", "film", "rival"):
        ours = {relation: dict(scored) for relation, scored in one.row(name).relations.items()}
        theirs = {relation: dict(scored) for relation, scored in other.row(name).relations.items()}
        assert ours == theirs


def test_popularity_everywhere_by_category_and_by_region() -> None:
    builder = Builder(
        identify({"country": "gb"}, shopper="user:1", at=NOW - DAY),
        *(bought("user:1", NOW - DAY, "case") for _ in range(1)),
        bought("user:2", NOW - 2 * DAY, "phone", "film"),
        bought("user:3", NOW - 2 * DAY, "phone"),
        bought("user:4", NOW - 60 * DAY, "charger"),
    )
    summary = builder.popularity()
    everywhere = builder.scope("all")
    assert everywhere.week[0] == ("phone", 1.0)
    assert "charger" not in dict(everywhere.week)
    assert dict(everywhere.trend)["charger"] < 0.1
    assert [name for name, _ in builder.scope("region:GB").week] == ["case"]
    assert [name for name, _ in builder.scope("category:phones").week] == ["phone"]
    assert summary["items"] == len(SHELF)


def test_one_reseller_does_not_make_a_hit() -> None:
    many = [bought("user:1", NOW - n * HOUR, "film") for n in range(1, 9)]
    builder = Builder(*many, bought("user:2", NOW - HOUR, "phone"), bought("user:3", NOW - HOUR, "phone"))
    builder.popularity()
    assert builder.scope("all").week[0][0] == "phone"


def test_new_arrivals_and_the_snapshot_are_refreshed() -> None:
    builder = Builder()
    builder.catalogue.put([item("hidden", stock=0, listed_at=NOW - DAY), item("fresh", listed_at=NOW - DAY)])
    builder.popularity()
    assert [name for name, _ in builder.scope("new").trend] == ["fresh", "novelty"]
    assert "fresh" in load(builder.storage)


def test_a_full_basket_says_less_than_a_small_one() -> None:
    crowd = tuple(f"thing-{number}" for number in range(40))
    small = [bought(f"user:{n}", NOW - DAY, "phone", "case") for n in range(2)]
    full = [bought(f"user:9{n}", NOW - DAY, "phone", "film", *crowd) for n in range(2)]
    builder = Builder(*small, *full)
    builder.similarity()
    near = dict(builder.row("phone").relations["together"])
    assert near["case"] > 2 * near["film"]


def test_the_search_index_is_refreshed_with_heat() -> None:
    builder = Builder(*(view(f"user:{n}", item_id, NOW - DAY) for n, item_id in enumerate(["phone", "phone", "case"])))
    assert builder.popularity()["search_words"] > 0
    index = unpack(builder.storage.get(BODY_KEY) or b"")
    heat = {item_id: index.columns.heat[number] for item_id, number in index.numbers.items()}
    assert heat["phone"] == 255
    assert heat["case"] == round(255 * 0.5**0.5)
    assert heat["rival"] == 0

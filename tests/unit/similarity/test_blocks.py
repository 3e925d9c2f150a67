"""A log cut into slices of shoppers and blocks of items gives the neighbours of the whole, to the last bit."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.support.logs import random_log

from regulars.capture.model import Event
from regulars.clock import to_ms
from regulars.shop import section
from regulars.similarity.blocks import Shipment, assembled, scales_of, shipments
from regulars.similarity.config import SimilaritySettings
from regulars.similarity.interactions import Gathering, Interactions, deeds, from_events, joins
from regulars.similarity.model import Neighbours
from regulars.similarity.relations import build_relations
from regulars.similarity.service import model_rows
from regulars.similarity.slices import Facts, joined, plan, sampled

NOW = datetime(2026, 8, 5, 12, tzinfo=UTC)
SETTINGS = section(SimilaritySettings, "similarity")


def sliced(events: Sequence[Event], count: int) -> list[Interactions]:
    """The log by ranges of shoppers, each gathered alone."""
    whole = from_events(events, 10**9)
    bounds = np.array_split(np.arange(len(whole.shopper_ids)), count)
    owner = {whole.shopper_ids[number]: place for place, part in enumerate(bounds) for number in part.tolist()}
    latest: dict[str, tuple[int, str]] = {}
    for anonymous, join in (pair for event in events for pair in joins(event)):
        latest[anonymous] = max(join, latest.get(anonymous, join))
    gatherings = [Gathering(10**9) for _ in range(count)]
    for event in events:
        shopper = latest[event.shopper][1] if event.shopper in latest else event.shopper
        for item_id, kind, order_id in deeds(event):
            gatherings[owner[shopper]].deed(shopper, item_id, kind, to_ms(event.at), order_id)
    return [gathering.interactions() for gathering in gatherings]


def in_blocks(slices: Sequence[Interactions], blocks: int, settings: SimilaritySettings) -> dict[str, Neighbours]:
    """What Spark does, in one process, with shipments arriving in any order."""
    counted = [Facts.of(data, settings.popularity, to_ms(NOW)) for data in slices]
    facts = sum(counted[1:], counted[0])
    whole = plan(facts, blocks, settings, to_ms(NOW))
    arrived: list[list[Shipment]] = [[] for _ in range(blocks)]
    for number, data in enumerate(slices):
        for block, shipment in shipments(number, data, whole):
            arrived[block].append(shipment)
    for shipped in arrived:
        random.Random(1).shuffle(shipped)
    made = [assembled(number, shipped, whole) for number, shipped in enumerate(arrived)]
    scaled = scales_of((block.masses() for block in made), whole)
    found = {}
    for block in made:
        found |= {row.item_id: row for row in model_rows(block.bought, block.neighbours(scaled, settings))}
    return found


def on_one_machine(events: Sequence[Event], settings: SimilaritySettings) -> dict[str, Neighbours]:
    data = from_events(events, 10**9)
    return {row.item_id: row for row in model_rows(data, build_relations(data, settings, NOW))}


@pytest.mark.parametrize(("seed", "count", "blocks"), [(1, 1, 1), (2, 3, 4), (3, 7, 5), (4, 5, 60)])
def test_pieces_give_the_neighbours_of_the_whole(seed: int, count: int, blocks: int) -> None:
    events = random_log(seed, NOW)
    wanted = on_one_machine(events, SETTINGS)
    assert len(wanted) > 30
    assert in_blocks(sliced(events, count), blocks, SETTINGS) == wanted


def test_views_alone_are_history_only_while_nobody_buys_anywhere() -> None:
    """`next` looks at views where the whole log has no purchase: a slice cannot know that alone."""
    views = [event for event in random_log(5, NOW) if event.name == "Product Viewed"]
    assert in_blocks(sliced(views, 4), 3, SETTINGS) == on_one_machine(views, SETTINGS)
    assert any(row.relations.get("next") for row in on_one_machine(views, SETTINGS).values())


def test_a_shopper_who_wants_everything_is_cut_alike() -> None:
    short = replace(SETTINGS, build=replace(SETTINGS.build, max_items_per_shopper=6))
    events = random_log(6, NOW)
    assert in_blocks(sliced(events, 4), 4, short) == on_one_machine(events, short)
    assert on_one_machine(events, short) != on_one_machine(events, SETTINGS)


def test_slices_joined_are_what_one_machine_reads() -> None:
    events = random_log(7, NOW)
    whole, again = from_events(events, 10**9), joined(sliced(events, 5))
    assert (again.shopper_ids, again.item_ids) == (whole.shopper_ids, whole.item_ids)
    for name in ("shopper", "item", "kind", "at", "group"):
        assert getattr(again, name).tolist() == getattr(whole, name).tolist(), name


def test_a_sample_is_of_whole_shoppers_and_the_same_each_time() -> None:
    data = from_events(random_log(8, NOW, shoppers=400), 10**9)
    some = sampled(data, 0.3)
    assert 0.2 * len(data.shopper_ids) < len(some.shopper_ids) < 0.4 * len(data.shopper_ids)
    assert set(some.shopper_ids) <= set(sampled(data, 0.5).shopper_ids)
    for number, text in enumerate(some.shopper_ids):
        before = data.where(data.shopper == data.shopper_ids.index(text))
        assert some.where(some.shopper == number).item.tolist() == before.item.tolist()
    assert sampled(data, 1.0) is data


def test_load_is_spread() -> None:
    facts = Facts({f"i{n}": (1000 // (n + 1), 0, 0, 0, 0) for n in range(200)}, 5000, 9, 9)
    block_of = plan(facts, 4, SETTINGS, 0).block_of
    counts, *_ = facts.columns()
    loads = np.bincount(block_of, counts, 4)
    assert loads.max() < 1.05 * loads.mean()

"""Shares of a log: the interactions of a range of shoppers, in order of their ids; and the plan that all shares follow."""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from regulars.similarity.config import PopularitySettings, SimilaritySettings
from regulars.similarity.fitting import habit_counts
from regulars.similarity.interactions import PURCHASE, Floats, Interactions, Ints
from regulars.similarity.linear import Products, products
from regulars.similarity.relations import ROWED, kind_weights, support


@dataclass(frozen=True, slots=True)
class Facts:
    """What is counted of a slice, or of several. `counts`: item id → (interactions, and `fitting.habit_counts`)."""

    counts: Mapping[str, tuple[int, int, int, int, int]]
    interactions: int
    shoppers: int
    purchases: int

    @classmethod
    def of(cls, data: Interactions, settings: PopularitySettings, now_ms: int) -> Facts:
        """Of one slice."""
        columns = (support(data).tolist(), *(column.tolist() for column in habit_counts(data, settings, now_ms)))
        counts = dict(zip(data.item_ids, zip(*columns, strict=True), strict=True))
        return cls(counts, len(data), len(data.shopper_ids), int((data.kind == PURCHASE).sum()))

    def __add__(self, other: Facts) -> Facts:
        merged = dict(self.counts)
        for item_id, more in other.counts.items():
            known = merged.get(item_id, (0, 0, 0, 0, 0))
            merged[item_id] = (
                known[0] + more[0],
                known[1] + more[1],
                known[2] + more[2],
                known[3] + more[3],
                known[4] + more[4],
            )
        return Facts(
            merged,
            self.interactions + other.interactions,
            self.shoppers + other.shoppers,
            self.purchases + other.purchases,
        )

    @property
    def item_ids(self) -> tuple[str, ...]:
        """All items, in order: their places are their numbers, as on one machine."""
        return tuple(sorted(self.counts))

    def columns(self) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """`counts` by item number."""
        rows = np.array([self.counts[item_id] for item_id in self.item_ids], dtype=np.int64).reshape(-1, 5)
        return rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3], rows[:, 4]


@dataclass(frozen=True, slots=True)
class Plan:
    """What every slice and block must know: item number (in order of ids, as on one machine) → id and block."""

    item_ids: tuple[str, ...]
    block_of: Ints
    settings: SimilaritySettings
    now_ms: int
    purchases: bool
    support: Ints
    names: tuple[str, ...]
    """The relations made of rows that are wanted."""

    @property
    def enough(self) -> Floats:
        """1 for items with at least `min_interactions`, else 0."""
        return (self.support >= self.settings.build.min_interactions).astype(np.float64)


def plan(facts: Facts, blocks: int, settings: SimilaritySettings, now_ms: int, names: tuple[str, ...] = ROWED) -> Plan:
    """Numbers the items and gives each, best known first, to the block that has least to do."""
    item_ids = facts.item_ids
    counts, *_ = facts.columns()
    block_of = np.zeros(len(item_ids), dtype=np.int64)
    loads = [(0, block) for block in range(blocks)]
    for number in np.argsort(-counts, kind="stable").tolist():
        load, block = loads[0]
        block_of[number] = block
        heapq.heapreplace(loads, (load + int(counts[number]), block))
    return Plan(item_ids, block_of, settings, now_ms, facts.purchases > 0, counts, names)


def renumbered(data: Interactions, item_ids: tuple[str, ...]) -> Interactions:
    """The slice with the items' numbers in the whole; order is kept, since both are numbered by sorted id."""
    place = {item_id: number for number, item_id in enumerate(item_ids)}
    numbers = np.array([place[item_id] for item_id in data.item_ids], dtype=np.int64)
    item = numbers[data.item] if len(data) else data.item
    return Interactions(data.shopper, item, data.kind, data.at, data.group, data.shopper_ids, item_ids, data.countries)


def joined(slices: Sequence[Interactions]) -> Interactions:
    """Slices, in order of their shoppers, as one: what one machine reads of the same log."""
    item_ids = tuple(sorted({item_id for data in slices for item_id in data.item_ids}))
    whole = [renumbered(data, item_ids) for data in slices]
    shoppers = list(accumulate((len(data.shopper_ids) for data in whole), initial=0))
    groups = list(accumulate((int(data.group.max(initial=-1)) + 1 for data in whole), initial=0))
    none = np.empty(0, dtype=np.int64)
    return Interactions(
        np.concatenate([none, *(data.shopper + first for data, first in zip(whole, shoppers, strict=False))]),
        np.concatenate([none, *(data.item for data in whole)]),
        np.concatenate([none, *(data.kind for data in whole)]),
        np.concatenate([none, *(data.at for data in whole)]),
        np.concatenate(
            [none, *(np.where(data.group < 0, -1, data.group + first) for data, first in zip(whole, groups, strict=False))]
        ),
        tuple(text for data in whole for text in data.shopper_ids),
        item_ids,
        {text: country for data in whole for text, country in data.countries.items()},
    )


def sampled(data: Interactions, share: float) -> Interactions:
    """Whole shoppers, about `share` of them: those whose id hashes below it, the same ones in every build."""
    chosen = np.array([zlib.crc32(text.encode()) < share * 2**32 for text in data.shopper_ids], dtype=bool)
    if chosen.all():
        return data
    kept = data.where(chosen[data.shopper]) if len(data) else data
    numbers = np.cumsum(chosen) - 1
    ids = tuple(text for text, choose in zip(data.shopper_ids, chosen.tolist(), strict=True) if choose)
    return Interactions(numbers[kept.shopper], kept.item, kept.kind, kept.at, kept.group, ids, data.item_ids, data.countries)


def linear_products(slices: Iterable[Interactions], items: Ints, whole: Plan) -> Products | None:
    """What the slices add to the linear relation's matrices; None without slices."""
    settings, found = whole.settings, None
    kinds, linear = kind_weights(settings.kinds), settings.relations.linear
    for data in slices:
        here = renumbered(data, whole.item_ids)
        more = products(here, items, linear, kinds, settings.build, whole.now_ms, whole.purchases)
        found = more if found is None else found + more
    return found

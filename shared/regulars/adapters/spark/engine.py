"""Slices and blocks carried about by Spark.

    objects of the archive → deeds by shopper → anonymous ones under their user → slices in order of shoppers
    slices → facts → plan → shipments → blocks → popularity of every item → neighbours of each block's items

Only RDDs of plain objects, so it needs no more of a worker than Python, numpy and this package; works alike on Spark 3.5
and 4. What it computes is in `regulars.similarity.slices` and `blocks`. This module imports no Spark: whoever has a session
hands it in.
"""

from __future__ import annotations

import heapq
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from regulars.capture import archive
from regulars.clock import to_ms
from regulars.similarity import blocks
from regulars.similarity import slices as shares
from regulars.similarity.blocks import Block, Shipment
from regulars.similarity.config import SimilaritySettings
from regulars.similarity.interactions import Gathering, Interactions, deeds, joins
from regulars.similarity.kernel import TopK
from regulars.similarity.linear import Products, solvable, solve
from regulars.similarity.slices import Facts, Plan
from regulars.storage import Storage

if TYPE_CHECKING:
    from pyspark import RDD, SparkContext, StorageLevel

Deed = tuple[str, int, int, str]
"""(item id, kind, epoch ms, order id)."""
Known = tuple[str, Any]
"""What one object says of a shopper: ("deeds", list of Deed) or ("join", (epoch ms, user))."""
_NO_LIMIT = 2**62
_MATRICES = 16
"""Matrices of `max_items`² numbers that are sent at most for the linear relation: slices are added up to so many first."""
_NAMES = 1000
"""Names a partition tells for finding ranges of about equally many shoppers."""


@dataclass(frozen=True, slots=True)
class Engine:
    """`open_storage` is called on every worker; `level` says where Spark keeps what is read twice."""

    context: SparkContext
    open_storage: Callable[[], Storage]
    level: StorageLevel
    slices: int
    blocks: int

    def slices_of(self, since: datetime) -> RDD[Interactions]:
        """The interactions received since, each slice a range of shoppers in order, each shopper in one slice; kept."""
        keys = [key for key, _ in archive.objects(self.open_storage(), since)]
        spread = self.context.parallelize(keys, max(1, min(len(keys), 4 * self.slices)))
        read = _Read(self.open_storage, to_ms(since))
        by_shopper = spread.mapPartitions(read).partitionBy(self.slices, _crc).mapPartitions(_under_users)
        names = sorted(by_shopper.mapPartitions(_some_names).collect())
        range_of = _Range(tuple(names[len(names) * number // self.slices] for number in range(1, self.slices) if names))
        in_order = by_shopper.repartitionAndSortWithinPartitions(self.slices, range_of)
        return in_order.mapPartitions(_gathered).persist(self.level)

    def facts(self, slices: RDD[Interactions], settings: SimilaritySettings, now: datetime) -> Facts:
        """Of the whole log."""
        counted = partial(Facts.of, settings=settings.popularity, now_ms=to_ms(now))
        found: Facts = slices.map(counted).treeReduce(_added)
        return found

    def sample(self, slices: RDD[Interactions], share: float) -> Interactions:
        """About `share` of the shoppers, on the driver."""
        return shares.joined(slices.map(_Sampled(share)).collect())

    def plan(self, facts: Facts, settings: SimilaritySettings, now: datetime, names: tuple[str, ...]) -> Plan:
        """Who does what for the named relations."""
        return shares.plan(facts, self.blocks, settings, to_ms(now), names)

    def blocks_of(self, slices: RDD[Interactions], plan: Plan) -> RDD[Block]:
        """One block a partition, by number; kept."""
        shared = self.context.broadcast(plan)
        sent = slices.mapPartitionsWithIndex(_Ship(shared)).partitionBy(self.blocks, int)
        return sent.mapPartitionsWithIndex(_Assemble(shared)).persist(self.level)

    def linear(self, slices: RDD[Interactions], plan: Plan) -> TopK | None:
        """The relation `linear`: matrices added up where the slices are, solved on the driver. Their sums run in another
        order than on one machine, so scores agree to rounding. None where the log does not allow it."""
        weighting, limits = plan.settings.relations.linear, plan.settings.build
        items = solvable(plan.support, weighting, limits)
        if items is None:
            return None
        work = _Multiply(self.context.broadcast(plan), items)
        made: Products = slices.coalesce(min(self.slices, _MATRICES)).mapPartitions(work).treeReduce(_added)
        return solve(made, plan.support, weighting)

    def scales(self, made: RDD[Block], plan: Plan) -> Mapping[str, Any]:
        """As `blocks.scales_of`."""
        return blocks.scales_of(made.map(Block.masses).collect(), plan)

    def each(self, made: RDD[Block], work: Callable[[Block], Any]) -> list[Any]:
        """What `work` answers for every block, done where the block is."""
        answers: list[Any] = made.map(work).collect()
        return answers


def _crc(text: str) -> int:
    """Where a shopper goes; Python's own hash differs from process to process."""
    return zlib.crc32(text.encode())


def _some_names(by_shopper: Iterable[tuple[str, list[Deed]]]) -> list[str]:
    """The shoppers with the lowest hashes: as good as drawn by lot, and the same ones each time."""
    return heapq.nsmallest(_NAMES, (shopper for shopper, _ in by_shopper), key=_crc)


@dataclass(frozen=True)
class _Range:
    """Shopper → slice: the first holds names below `bounds[0]`, the last those from the last bound on."""

    bounds: tuple[str, ...]

    def __call__(self, shopper: str) -> int:
        return bisect_right(self.bounds, shopper)


def _added(one: Any, other: Any) -> Any:
    return one + other


@dataclass(frozen=True)
class _Multiply:
    plan: Any  # a broadcast Plan
    items: Any

    def __call__(self, slices: Iterable[Interactions]) -> Iterator[Products]:
        made = shares.linear_products(slices, self.items, self.plan.value)
        if made is not None:
            yield made


@dataclass(frozen=True)
class _Read:
    """Objects of the archive → what they say, by shopper."""

    open_storage: Callable[[], Storage]
    since_ms: int

    def __call__(self, keys: Iterable[str]) -> Iterator[tuple[str, Known]]:
        storage = self.open_storage()
        for key in keys:
            found: dict[str, list[Deed]] = {}
            for event in archive.unpacked(storage.get(key) or b""):
                if to_ms(event.received_at) < self.since_ms:
                    continue
                for anonymous, join in joins(event):
                    yield anonymous, ("join", join)
                done = [(item_id, kind, to_ms(event.at), order_id) for item_id, kind, order_id in deeds(event)]
                if done:
                    found.setdefault(event.shopper, []).extend(done)
            for shopper, done in found.items():
                yield shopper, ("deeds", done)


def _under_users(known: Iterable[tuple[str, Known]]) -> Iterator[tuple[str, list[Deed]]]:
    """All that is known of a shopper is in one partition here: deeds go on under the user whom the shopper joined last."""
    done: dict[str, list[Deed]] = {}
    joined: dict[str, tuple[int, str]] = {}
    for shopper, (what, told) in known:
        if what == "join":
            joined[shopper] = max(told, joined.get(shopper, told))
        else:
            done.setdefault(shopper, []).extend(told)
    for shopper, all_done in done.items():
        yield joined[shopper][1] if shopper in joined else shopper, all_done


def _gathered(by_shopper: Iterable[tuple[str, list[Deed]]]) -> Iterator[Interactions]:
    gathering = Gathering(_NO_LIMIT)
    for shopper, done in by_shopper:
        for deed in done:
            gathering.deed(shopper, *deed)
    yield gathering.interactions()


@dataclass(frozen=True)
class _Sampled:
    share: float

    def __call__(self, data: Interactions) -> Interactions:
        return shares.sampled(data, self.share)


@dataclass(frozen=True)
class _Ship:
    plan: Any  # a broadcast Plan

    def __call__(self, number: int, slices: Iterable[Interactions]) -> Iterator[tuple[int, Shipment]]:
        for data in slices:
            yield from blocks.shipments(number, data, self.plan.value)


@dataclass(frozen=True)
class _Assemble:
    plan: Any  # a broadcast Plan

    def __call__(self, number: int, arrived: Iterable[tuple[int, Shipment]]) -> Iterator[Block]:
        yield blocks.assembled(number, (shipment for _, shipment in arrived), self.plan.value)

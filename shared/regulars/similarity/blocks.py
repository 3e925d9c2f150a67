"""The same neighbours from a log that is cut into pieces: what one machine after the other can do, in plain arrays.

    slice   the interactions of a range of shoppers (in order of their ids; `slices`): weighted rows are made here, as on
            one machine, because no row spans two shoppers
    block   a share of the items. It gets every row that names one of them, from all slices, and hands those rows, in the
            order they have on one machine, to the same kernel: sums run over the same numbers in the same order

A row of n items is sent at most n times, and at most once a block; `max_items_per_shopper` bounds n. A block needs the
memory of the rows that name its items, so the load of the best-known items is spread over the blocks.

Nothing here knows what carries slices and blocks about: `regulars.adapters.spark` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from regulars.similarity.config import SimilaritySettings
from regulars.similarity.interactions import PURCHASE, Floats, Interactions, Ints
from regulars.similarity.kernel import Rows, TopK, stack, top_neighbours
from regulars.similarity.model import Neighbours, Scored
from regulars.similarity.relations import mass, scales, weighted_parts, weightings
from regulars.similarity.slices import Plan, renumbered

Mask = NDArray[np.bool_]
Masses = tuple[Ints, Mapping[str, tuple[Floats, Floats]]]
Pieces = Sequence[tuple[Rows, Rows]]
"""(left, right) rows, part by part; the same object twice where the relation is symmetric."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """What one slice has for one block. `bought`: (shopper within the slice, item, instant) of the block's purchases."""

    slice: int
    pieces: Mapping[str, Pieces]
    bought: tuple[Ints, Ints, Ints]


def shipments(number: int, data: Interactions, plan: Plan) -> Iterator[tuple[int, Shipment]]:
    """(block, shipment) of slice `number` for every block that has an item in it."""
    data = renumbered(data, plan.item_ids)
    parts = {
        relation: [(one, one if right is left else other) for one, other in zip(left, right, strict=True)]
        for relation, (left, right) in weighted_parts(data, plan.settings, plan.now_ms, plan.purchases, plan.names).items()
    }
    routes = {relation: [_Route.of(one, other, plan.block_of) for one, other in pairs] for relation, pairs in parts.items()}
    bought = data.where(data.kind == PURCHASE)
    bought_for = plan.block_of[bought.item]
    for block in np.unique(plan.block_of[data.item]).tolist():
        pieces = {
            relation: [_taken(pair, route.rows(block)) for pair, route in zip(pairs, routes[relation], strict=True)]
            for relation, pairs in parts.items()
        }
        mine = bought_for == block
        yield block, Shipment(number, pieces, (bought.shopper[mine], bought.item[mine], bought.at[mine]))


@dataclass(frozen=True, slots=True)
class _Route:
    """Which rows name an item of which block: rows `row[begin:end]` for the block at that place of `blocks`."""

    blocks: Ints
    bounds: Ints
    row: Ints

    @classmethod
    def of(cls, left: Rows, right: Rows, block_of: Ints) -> _Route:
        count = max(left.count, 1)
        named = [block_of[left.columns] * count + left.row_of_entry()]
        if right is not left:
            named.append(block_of[right.columns] * count + right.row_of_entry())
        pairs = np.unique(np.concatenate(named))
        blocks, first = np.unique(pairs // count, return_index=True)
        return cls(blocks, np.append(first, len(pairs)), pairs % count)

    def rows(self, block: int) -> Ints:
        place = int(np.searchsorted(self.blocks, block))
        if place == len(self.blocks) or self.blocks[place] != block:
            return self.row[:0]
        return self.row[self.bounds[place] : self.bounds[place + 1]]


def _taken(pair: tuple[Rows, Rows], rows: Ints) -> tuple[Rows, Rows]:
    left = _only(pair[0], rows)
    return left, left if pair[1] is pair[0] else _only(pair[1], rows)


def _only(whole: Rows, rows: Ints) -> Rows:
    """The named rows of a matrix, in that order."""
    lengths = whole.lengths()[rows]
    starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    entries = np.arange(starts[-1]) + np.repeat(whole.starts[rows] - starts[:-1], lengths)
    return Rows(starts, whole.columns[entries], whole.values[entries])


@dataclass(frozen=True, slots=True)
class Block:
    """All rows that name one of the block's items, with columns numbered within the block: `items` are their numbers in the
    whole, ascending, and `own` says which are the block's."""

    number: int
    items: Ints
    own: Mask
    rows: Mapping[str, tuple[Rows, Rows]]
    bought: Interactions

    def masses(self) -> Masses:
        """(own items, relation → their popularity as left and as right columns)."""
        size = len(self.items)
        found = {
            relation: (mass(left, size)[self.own], mass(right, size)[self.own]) for relation, (left, right) in self.rows.items()
        }
        return self.items[self.own], found

    def neighbours(self, scaled: Mapping[str, tuple[Floats, Floats]], settings: SimilaritySettings) -> dict[str, TopK]:
        """The neighbours of the own items; `scaled` as from `scales_of`."""
        weighting = weightings(settings)
        return {
            relation: top_neighbours(
                _own_columns(left, self.own),
                right,
                scaled[relation][0][self.items] * self.own,
                scaled[relation][1][self.items],
                weighting[relation].keep,
                threads=1,
            )
            for relation, (left, right) in self.rows.items()
        }


def scales_of(masses: Iterable[Masses], whole: Plan) -> dict[str, tuple[Floats, Floats]]:
    """Relation → (source, target) scale by item number, out of what all blocks say of their own items."""
    sums = {relation: np.zeros((2, len(whole.item_ids))) for relation in whole.names}
    for own, weighed in masses:
        for relation, sides in weighed.items():
            sums[relation][:, own] = sides
    weighting = weightings(whole.settings)
    return {relation: scales(left, right, weighting[relation], whole.enough) for relation, (left, right) in sums.items()}


def with_more(
    rows: Iterable[Neighbours], numbers: Iterable[int], more: Mapping[str, TopK], item_ids: Sequence[str]
) -> Iterator[Neighbours]:
    """The rows of the numbered items with what other relations have of them, made elsewhere and numbered as the whole."""
    made = {row.item_id: row for row in rows}
    for number in numbers:
        named: dict[str, Scored] = {}
        for relation, top in more.items():
            items, scores = top.of(number)
            if len(items):
                ids = (item_ids[other] for other in items.tolist())
                named[relation] = tuple(zip(ids, scores.tolist(), strict=True))
        row = made.get(item_ids[number])
        if named:
            yield Neighbours(item_ids[number], {**(row.relations if row else {}), **named}, row.gap_days if row else None)
        elif row:
            yield row


def assembled(number: int, arrived: Iterable[Shipment], plan: Plan) -> Block:
    """The block out of its shipments, whatever order they came in."""
    slices = sorted(arrived, key=lambda shipment: shipment.slice)
    rows: dict[str, tuple[Rows, Rows]] = {}
    for relation in slices[0].pieces if slices else ():
        pieces = [pair for part in zip(*(shipment.pieces[relation] for shipment in slices), strict=True) for pair in part]
        left = stack([one for one, _ in pieces])
        rows[relation] = (left, left if all(one is other for one, other in pieces) else stack([other for _, other in pieces]))
    named = [side.columns for pair in rows.values() for side in pair]
    items = np.unique(np.concatenate([np.flatnonzero(plan.block_of == number), *named]))
    local = {
        relation: (one := _renumbered_rows(left, items), one if right is left else _renumbered_rows(right, items))
        for relation, (left, right) in rows.items()
    }
    return Block(number, items, plan.block_of[items] == number, local, _purchases(slices, items, plan.item_ids))


def _renumbered_rows(rows: Rows, items: Ints) -> Rows:
    return Rows(rows.starts, np.searchsorted(items, rows.columns).astype(rows.columns.dtype), rows.values)


def _own_columns(rows: Rows, own: Mask) -> Rows:
    """The same rows with the entries of own items only."""
    mine = own[rows.columns]
    starts = np.concatenate(([0], np.cumsum(mine)))[rows.starts].astype(rows.starts.dtype)
    return Rows(starts, rows.columns[mine], rows.values[mine])


def _purchases(slices: Sequence[Shipment], items: Ints, item_ids: tuple[str, ...]) -> Interactions:
    """The block's purchases as interactions whose items are numbered within the block; shoppers of two slices differ."""
    none = np.empty(0, dtype=np.int64)
    firsts = accumulate((int(one.bought[0].max(initial=-1)) + 1 for one in slices), initial=0)
    shopper = np.concatenate([none, *(one.bought[0] + first for one, first in zip(slices, firsts, strict=False))])
    item = np.searchsorted(items, np.concatenate([none, *(one.bought[1] for one in slices)]))
    at = np.concatenate([none, *(one.bought[2] for one in slices)])
    kind = np.full(len(item), PURCHASE, dtype=np.int64)
    ids = tuple(item_ids[number] for number in items.tolist())
    return Interactions(shopper, item, kind, at, np.full(len(item), -1, dtype=np.int64), (), ids)

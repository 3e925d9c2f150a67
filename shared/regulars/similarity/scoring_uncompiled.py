"""The formula in numpy alone, chunk by chunk: what `scoring.answers` falls back on, and what its loops in C are held to.

A chunk touches few of the items, so its block is dense over those columns only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.similarity.interactions import Floats, Ints
from regulars.similarity.kernel import TopK
from regulars.similarity.recipe import Part, Recipe
from regulars.similarity.scoring import Asked, Model, Voices

CHUNK = 32
"""Questions scored at once."""
Heard = list[tuple[Voices, float]]


@dataclass(frozen=True, slots=True)
class Block:
    """One chunk: the items it touches (`columns`, ascending), which cells must stay empty, and `Asked.heard`."""

    asked: Asked
    low: int
    high: int
    columns: Ints
    hidden: NDArray[np.bool_]
    heard: Heard

    def shape(self) -> tuple[int, int]:
        return self.high - self.low, len(self.columns)

    def filled(self, question: Ints, items: Ints, values: Floats) -> Floats:
        """Sums by cell, without what is hidden, each row divided by its highest."""
        rows, width = self.shape()
        cells = question * width + np.searchsorted(self.columns, items)
        scores = np.bincount(cells, values, rows * width).reshape(rows, width)
        scores[self.hidden] = 0.0
        highest = scores.max(axis=1, keepdims=True, initial=0.0)
        return np.asarray(np.divide(scores, highest, out=np.zeros((rows, width)), where=highest > 0), dtype=np.float64)


def block_of(asked: Asked, recipe: Recipe, model: Model, heard: Heard, low: int, high: int) -> Block:
    """The block of questions low to high under any weights of the recipe's parts."""
    _, items, _ = asked.history.chunk(low, high, recipe.history_items)
    touched = np.zeros(model.n_items, dtype=bool)
    for name in recipe.parts:
        if name in model.relations:
            relation = model.relations[name]
            entries, _ = _entries(relation, np.unique(items))
            touched[relation.items[entries]] = True
    for popular, _ in model.popularity.values():
        touched[popular] = True
    for voice, _ in heard:
        touched[voice.items[voice.starts[low] : voice.starts[high]]] = True
    touched &= asked.candidates
    columns = np.flatnonzero(touched)
    hidden = np.zeros((high - low, len(columns)), dtype=bool)
    if asked.queries.excludes and len(columns):
        queries = asked.queries
        places = slice(queries.starts[low], queries.starts[high])
        question = np.repeat(np.arange(high - low), np.diff(queries.starts[low : high + 1]))
        there = touched[queries.items[places]]
        hidden[question[there], np.searchsorted(columns, queries.items[places][there])] = True
    return Block(asked, low, high, columns, hidden, heard)


def _entries(relation: TopK, items: Ints) -> tuple[Ints, Ints]:
    """(entry numbers of the rows of `items`, length of each row)."""
    sizes = relation.starts[items + 1] - relation.starts[items]
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(relation.starts[items] - (ends - sizes), sizes), sizes


def near(block: Block, part: Part, relation: TopK, longest: int) -> Floats:
    """What a relation says of the block's cells, normalised."""
    question, items, places = block.asked.history.chunk(block.low, block.high, longest)
    entries, sizes = _entries(relation, items)
    others = relation.items[entries]
    values = relation.scores[entries] * np.repeat(block.asked.history.faded(part)[places], sizes)
    shown = block.asked.candidates[others]
    return block.filled(np.repeat(question, sizes)[shown], others[shown], values[shown])


def said(block: Block, voice: Voices) -> Floats:
    """What is said of the questions themselves, normalised."""
    places = slice(voice.starts[block.low], voice.starts[block.high])
    question = np.repeat(np.arange(block.high - block.low), np.diff(voice.starts[block.low : block.high + 1]))
    items, values = voice.items[places], voice.values[places]
    shown = block.asked.candidates[items]
    return block.filled(question[shown], items[shown], values[shown])


def popular(block: Block, items: Ints, scores: Floats) -> Floats:
    """A popularity list over the block's columns: one row for all questions."""
    dense = np.zeros(len(block.columns))
    shown = block.asked.candidates[items]
    dense[np.searchsorted(block.columns, items[shown])] = scores[shown]
    return dense


def blend(block: Block, recipe: Recipe, model: Model) -> Floats:
    """Scores of the block's cells; what is hidden is 0."""
    total = np.zeros(block.shape())
    for name, part in recipe.parts.items():
        if part.weight > 0 and name in model.relations:
            total += part.weight * near(block, part, model.relations[name], recipe.history_items)
    for voice, weight in block.heard:
        total += weight * said(block, voice)
    for name, weight in recipe.popularity.items():
        if weight > 0 and name in model.popularity:
            total += weight * popular(block, *model.popularity[name])
    total[block.hidden] = 0.0
    return total


def best(block: Block, scores: Floats, count: int) -> tuple[Ints, Floats]:
    """(items, scores) of the `count` highest of each question, best first, ties to the lower item; −1 and 0 for nothing."""
    rows, width = scores.shape
    lists, values = np.full((rows, count), -1, dtype=np.int64), np.zeros((rows, count))
    if not width:
        return lists, values
    taken = min(count, width)
    least = np.partition(scores, width - taken, axis=1)[:, width - taken]
    # One by one where scores tie at the edge: argpartition would pick any of them.
    for row in range(rows):
        places = np.flatnonzero((scores[row] >= least[row]) & (scores[row] > 0))
        places = places[np.argsort(-scores[row][places], kind="stable")[:taken]]
        lists[row, : len(places)] = block.columns[places]
        values[row, : len(places)] = scores[row][places]
    return lists, values


def answers(asked: Asked, recipe: Recipe, model: Model, count: int) -> tuple[Ints, Floats]:
    """As `scoring.answers`."""
    lists = np.full((len(asked.queries), count), -1, dtype=np.int64)
    values = np.zeros((len(asked.queries), count))
    heard = asked.heard(recipe, model.habit)
    for low in range(0, len(asked.queries), CHUNK):
        high = min(len(asked.queries), low + CHUNK)
        block = block_of(asked, recipe, model, heard, low, high)
        lists[low:high], values[low:high] = best(block, blend(block, recipe, model), count)
    return lists, values

"""The formula of `regulars.similarity.recipe` in arrays, for thousands of questions at once.

Histories are made ready once (`Asked`); every recipe that is tried then costs the neighbours it meets, whatever the size
of the catalogue: some 20 microseconds a question in the loops of scoring.c.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from regulars.similarity.interactions import PURCHASE, Floats, Ints
from regulars.similarity.kernel import TopK
from regulars.similarity.protocols import DAY_MS, Mask, Queries
from regulars.similarity.recipe import Part, Recipe


@dataclass(frozen=True, slots=True)
class History:
    """Per question, newest first, `items[starts[q]:starts[q+1]]`; `rank` dense by instant, `age` in days, `strength` by
    kind."""

    starts: Ints
    items: Ints
    rank: Ints
    age: Floats
    strength: Floats

    def faded(self, part: Part) -> Floats:
        """What each entry weighs in a part."""
        return self.strength * fades(part, self.rank, self.age)

    def chunk(self, low: int, high: int, longest: int) -> tuple[Ints, Ints, Ints]:
        """(question number from 0, item, entry number) of questions low to high, at most `longest` entries each."""
        lengths = np.minimum(np.diff(self.starts[low : high + 1]), longest)
        ends = np.cumsum(lengths)
        places = np.arange(int(ends[-1])) + np.repeat(self.starts[low:high] - (ends - lengths), lengths)
        question = np.repeat(np.arange(high - low), lengths)
        return question, self.items[places], places


def history_of(queries: Queries, longest: int, kinds: Floats) -> History:
    """Distinct items of each question, the newest `longest`; equal instants in item order. Age from the newest. `kinds`: what
    each kind says; the strongest thing done with an item counts."""
    question = np.repeat(np.arange(len(queries)), np.diff(queries.starts))
    order = np.lexsort((-queries.at, queries.items, question))
    once = _first_of(question[order], queries.items[order])
    strongest = np.maximum.reduceat(kinds[queries.kinds[order]], np.flatnonzero(once)) if len(order) else np.zeros(0)
    order = order[once]
    again = np.lexsort((queries.items[order], -queries.at[order], question[order]))
    order, strongest = order[again], strongest[again]
    question, items, at = question[order], queries.items[order], queries.at[order]
    begins, lengths = _runs(question)
    rank = _dense_rank(question, at, begins, lengths)
    age = (np.repeat(at[begins], lengths) - at) / DAY_MS
    kept = np.arange(len(question)) - np.repeat(begins, lengths) < longest
    starts = np.searchsorted(question[kept], np.arange(len(queries) + 1))
    return History(starts, items[kept], rank[kept], age[kept], strongest[kept])


def baskets_of(queries: Queries) -> History:
    """Every day on which each item was bought (not distinct items); rank dense by day, age from the question's instant."""
    bought = queries.kinds == PURCHASE
    question = np.repeat(np.arange(len(queries)), np.diff(queries.starts))[bought]
    items, day = queries.items[bought], queries.at[bought] // DAY_MS
    order = np.lexsort((items, -day, question))
    question, items, day = question[order], items[order], day[order]
    once = _first_of(question, items, day)
    question, items, day = question[once], items[once], day[once]
    begins, lengths = _runs(question)
    rank = _dense_rank(question, day, begins, lengths)
    age = np.maximum(queries.now[question] // DAY_MS - day, 0).astype(np.float64)
    starts = np.searchsorted(question, np.arange(len(queries) + 1))
    return History(starts, items, rank, age, np.ones(len(items)))


def _newest_of(baskets: History) -> Floats:
    """1 where an item stands for the first time in its question."""
    question = np.repeat(np.arange(len(baskets.starts) - 1), np.diff(baskets.starts))
    order = np.lexsort((baskets.items, question))  # stable: of an item's days the newest comes first
    newest = np.zeros(len(order))
    newest[order[_first_of(question[order], baskets.items[order])]] = 1.0
    return newest


def _first_of(*columns: Ints) -> Mask:
    """Whether any column differs from the entry before."""
    changed = np.ones(len(columns[0]), dtype=bool)
    if len(changed):
        changed[1:] = False
    for column in columns:
        changed[1:] |= column[1:] != column[:-1]
    return changed


def _runs(column: Ints) -> tuple[Ints, Ints]:
    begins = np.flatnonzero(_first_of(column))
    return begins, np.diff(np.append(begins, len(column)))


def _dense_rank(question: Ints, instant: Ints, begins: Ints, lengths: Ints) -> Ints:
    steps = np.cumsum(_first_of(question, instant))
    ranks: Ints = steps - np.repeat(steps[begins], lengths)
    return ranks


def fades(part: Part, rank: Ints, age: Floats) -> Floats:
    """`Part.fade`, in arrays."""
    weights = np.asarray((1.0 + rank) ** -part.rank_power, dtype=np.float64)
    if part.half_life_days > 0:
        weights = np.asarray(weights * 0.5 ** (age / part.half_life_days), dtype=np.float64)
    return weights


@dataclass(frozen=True, slots=True)
class Model:
    """What scores are made of besides the recipe: relations by name, popularity by name ("week", "trend") as (items, scores),
    and what an item's habit multiplies its repeats by (1 for most)."""

    relations: Mapping[str, TopK]
    popularity: Mapping[str, tuple[Ints, Floats]]
    habit: Floats
    n_items: int


@dataclass(frozen=True, slots=True)
class Voices:
    """What a model that is no relation says of each question: `items[starts[q]:starts[q+1]]` with positive `values`."""

    starts: Ints
    items: Ints
    values: Floats


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions made ready. `newest`: 1 for the newest day of an item in `baskets`, 0 for its other days. `voices`: by the name
    of their part in a recipe, which gives them a weight and no fading."""

    queries: Queries
    candidates: Mask
    history: History
    baskets: History
    newest: Floats
    voices: Mapping[str, Voices] = field(default_factory=dict)

    @classmethod
    def of(cls, queries: Queries, candidates: Mask, longest: int, kinds: Floats) -> Asked:
        """`longest`: the most items of a history that any recipe will ask for; `kinds`: what each kind says."""
        baskets = baskets_of(queries)
        return cls(queries, candidates, history_of(queries, longest, kinds), baskets, _newest_of(baskets))

    def heard(self, recipe: Recipe, habit: Floats) -> list[tuple[Voices, float]]:
        """The question's own lists that a recipe listens to, with their weights: its voices, then its repeats."""
        made = [
            (self.voices[name], part.weight) for name, part in recipe.parts.items() if name in self.voices and part.weight > 0
        ]
        if recipe.repeats and recipe.repeat and recipe.repeat.weight > 0:
            usual = habit[self.baskets.items]
            values = (self.baskets.faded(recipe.repeat) + recipe.habit_weight * self.newest * usual) * usual**recipe.habit_power
            made.append((Voices(self.baskets.starts, self.baskets.items, values), recipe.repeat.weight))
        return made


def answers(asked: Asked, recipe: Recipe, model: Model, count: int) -> tuple[Ints, Floats]:
    """(items, scores), questions × `count`, best first, ties to the lower item; −1 and 0 where there is nothing."""
    from regulars.similarity import scoring_compiled, scoring_uncompiled

    if scoring_compiled.available():
        return scoring_compiled.answers(asked, recipe, model, count)
    return scoring_uncompiled.answers(asked, recipe, model, count)

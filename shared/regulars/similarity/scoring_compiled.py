"""`scoring.answers` by the loops of scoring.c, questions shared out among the processors."""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.similarity import compiled
from regulars.similarity.interactions import Floats, Ints
from regulars.similarity.recipe import Recipe
from regulars.similarity.scoring import Asked, Model

_FEW = 200
"""Questions below which threads cost more than they bring."""


_NOTHING = np.empty(0)


class _Part(ctypes.Structure):
    """As in scoring.c."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("fade", "starts", "items", "scores")),
        ("weight", ctypes.c_double),
    )


class _Voice(ctypes.Structure):
    """As in scoring.c."""

    _fields_ = (*((name, ctypes.c_void_p) for name in ("starts", "items", "values")), ("weight", ctypes.c_double))


class _Questions(ctypes.Structure):
    """As in scoring.c. The arrays must outlive it: it holds their addresses."""

    _fields_ = (
        ("items", ctypes.c_int64),
        ("parts", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("part", "starts", "history")),
        ("voices", ctypes.c_int64),
        ("voice", ctypes.c_void_p),
        ("popular", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("popular_items", "popular_scores", "candidate", "hidden_starts", "hidden")),
        ("longest", ctypes.c_int64),
        ("keep", ctypes.c_int64),
    )


def available() -> bool:
    """Whether the library is there."""
    return compiled.library() is not None


def answers(asked: Asked, recipe: Recipe, model: Model, count: int) -> tuple[Ints, Floats]:
    """As `scoring.answers`."""
    library = compiled.library()
    assert library is not None
    held: list[NDArray[Any]] = []
    questions = _questions(asked, recipe, model, count, held)
    lists, values = np.empty((len(asked.queries), count), dtype=np.int64), np.empty((len(asked.queries), count))

    def work(first: int, last: int) -> None:
        sums, places = np.zeros(2 * model.n_items), np.zeros(2 * model.n_items, dtype=np.int64)
        closed = np.zeros(model.n_items, dtype=np.uint8)
        whole = (ctypes.byref(questions), ctypes.c_int64(first), ctypes.c_int64(last))
        library.answer_questions(*whole, *[_address(array) for array in (sums, places, closed, lists, values)])

    threads = compiled.processors() if len(asked.queries) >= _FEW else 1
    cuts = [len(asked.queries) * thread // threads for thread in range(threads + 1)]
    if threads == 1:
        work(0, len(asked.queries))
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, cuts[:-1], cuts[1:]))
    return lists, values


def _questions(asked: Asked, recipe: Recipe, model: Model, count: int, held: list[NDArray[Any]]) -> _Questions:
    """`held` keeps what is pointed to."""

    def at(array: NDArray[Any], kind: type[Any]) -> ctypes.c_void_p:
        held.append(np.ascontiguousarray(array, dtype=kind))
        return _address(held[-1])

    heard = {name: part for name, part in recipe.parts.items() if part.weight > 0 and name in model.relations}
    named = [(part, model.relations[name]) for name, part in heard.items()]
    parts = (_Part * max(1, len(named)))()
    for number, (part, relation) in enumerate(named):
        fade = at(asked.history.faded(part), np.float64)
        starts, items = at(relation.starts, np.int64), at(relation.items, np.int64)
        parts[number] = _Part(fade, starts, items, at(relation.scores, np.float64), part.weight)
    listened = asked.heard(recipe, model.habit)
    voices = (_Voice * max(1, len(listened)))()
    for number, (voice, weight) in enumerate(listened):
        starts, items = at(voice.starts, np.int64), at(voice.items, np.int64)
        voices[number] = _Voice(starts, items, at(voice.values, np.float64), weight)
    popular = [(model.popularity[name], weight) for name, weight in recipe.popularity.items() if weight > 0]
    made = _Questions(
        items=model.n_items,
        parts=len(named),
        part=ctypes.cast(parts, ctypes.c_void_p),
        starts=at(asked.history.starts, np.int64),
        history=at(asked.history.items, np.int64),
        voices=len(listened),
        voice=ctypes.cast(voices, ctypes.c_void_p),
        popular=sum(len(items) for (items, _), _ in popular),
        popular_items=at(np.concatenate([_NOTHING, *(items for (items, _), _ in popular)]), np.int64),
        popular_scores=at(np.concatenate([_NOTHING, *(scores * weight for (_, scores), weight in popular)]), np.float64),
        candidate=at(asked.candidates, np.uint8),
        longest=recipe.history_items,
        keep=count,
    )
    if asked.queries.excludes:
        made.hidden_starts, made.hidden = at(asked.queries.starts, np.int64), at(asked.queries.items, np.int64)
    return made


def _address(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)

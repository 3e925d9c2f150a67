"""Where the decisions of a run come from. 0 and False are the dull answers, so that a failing run shrinks to few faults."""

from __future__ import annotations

from random import Random
from typing import Any, Protocol

from hypothesis import strategies as st


class Choices(Protocol):
    def below(self, count: int) -> int:
        """One of 0 … count - 1."""

    def chance(self, rate: float) -> bool:
        """True in about `rate` of the cases; never for a rate of 0."""

    def jump(self, rate: float) -> int:
        """How many dull answers follow until the next True of `chance(rate)`; one draw instead of one a step."""


class Seeded:
    """The same seed, the same run."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._draw = self._random.random

    def below(self, count: int) -> int:
        return int(self._draw() * count)

    def chance(self, rate: float) -> bool:
        return self._draw() < rate

    def jump(self, rate: float) -> int:
        return int(self._random.expovariate(rate)) if rate > 0 else 1 << 60


class Drawn:
    """hypothesis draws: a failure is shrunk to the few choices that matter.

    `most` bounds the interesting answers, so that hypothesis looks for deep faults and not for many.
    """

    def __init__(self, data: Any, most: int = 12) -> None:
        self._data = data
        self._left = most

    def below(self, count: int) -> int:
        return 0 if count == 1 else int(self._data.draw(st.integers(0, count - 1)))

    def chance(self, rate: float) -> bool:
        if rate <= 0 or self._left <= 0:
            return False
        said = bool(self._data.draw(st.booleans()))
        self._left -= said
        return said

    def jump(self, rate: float) -> int:
        if rate <= 0 or self._left <= 0:
            return 1 << 60
        self._left -= 1
        return int(self._data.draw(st.integers(0, 200)))

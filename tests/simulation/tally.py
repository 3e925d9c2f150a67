"""What a simulation counted, and what it found broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

_SHOWN = 20


@dataclass
class Tally:
    """`counts` add up over worlds; `most` are maxima. `broken`: each broken promise, with the seed that shows it again."""

    counts: Counter[str] = field(default_factory=Counter)
    most: dict[str, float] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.counts.update(other.counts)
        for name, value in other.most.items():
            self.at_most(name, value)
        self.broken += other.broken[: _SHOWN - len(self.broken)]

    def at_most(self, name: str, value: float) -> None:
        self.most[name] = max(self.most.get(name, value), value)

    def check(self, holds: bool, seed: object, *words: object) -> None:
        """Note it when it does not hold."""
        if not holds:
            self.broken.append(f"seed {seed}: " + " ".join(map(str, words)))


def gathered(world: Callable[[int], Tally], seeds: Iterable[int]) -> Tally:
    """The tallies of these worlds in one."""
    total = Tally()
    for seed in seeds:
        total.add(world(seed))
    return total

"""The formula of `blending.rank` by the loops of `regulars.similarity.packed`, over rows whose ids are numbers.

The same numbers as in plain Python, to the last bit, at a tenth of the time (a property test holds them together): ids are not
unpacked, and only of the best is a text made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import compress, islice

from regulars.recommendations.history import Fading
from regulars.recommendations.ports import Row
from regulars.recommendations.sums import REPEAT, SLACK, Loud, Question, Ranking, Scores, Seeds, Voice
from regulars.similarity import packed
from regulars.similarity.packed import TOTALS, Ids, Lists, Spoken, Sums

_LEADERS = 10
"""Best items of a voice that are looked at when its best may not be shown, before all are."""
_SPOKEN: dict[int, tuple[Mapping[str, float], Spoken]] = {}
_SPOKEN_KEPT = 100


def can_add(rows: Mapping[str, Row]) -> bool:
    """Whether the loops are there, and the rows with lists for them."""
    return packed.loops() is not None and all(row.packed is not None for row in rows.values())


@dataclass(slots=True)
class _Voices:
    """Those that may be heard: names, weights, seeds; and what those say that have no lists."""

    lists: Lists
    names: list[str] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    seeds: list[Seeds] = field(default_factory=list)
    spoken: dict[int, Mapping[str, float]] = field(default_factory=dict)

    def add(self, name: str, weight: float, seeds: Seeds) -> int:
        """One more voice; its number."""
        self.names.append(name)
        self.weights.append(weight)
        self.seeds.append(seeds)
        return len(self.names) - 1


def rank(question: Question) -> Ranking:
    """As `blending.rank`."""
    asked, recipe, may_show = _voices(question), question.recipe, question.may_show
    said = {number: Spoken.of(scores) for number, scores in asked.spoken.items()}
    popular = [
        Voice(name, weight, question.popularity.get(name, {})) for name, weight in recipe.popularity.items() if weight > 0
    ]
    sold = [_read_once(voice.scores) for voice in popular]
    further = sum(spoken.ids.count for spoken in (*said.values(), *sold))
    sums = Sums(asked.lists, len(asked.names), Ids.of(question.hidden), further)
    for number, spoken_scores in said.items():
        sums.say(spoken_scores, voice=number)
    highest = _highest(sums, may_show)
    factors = [weight / high if high > 0 else 0.0 for weight, high in zip(asked.weights, highest, strict=True)]
    sums.total(factors)
    for voice, spoken in zip(popular, sold, strict=True):
        sums.say(spoken, voice.factor)
    scores, numbers = _shown(sums, question.count, may_show, question.may_show_all)
    heard = {voice: factor for voice, factor in enumerate(factors) if factor > 0}
    near = tuple(
        Voice(asked.names[n], factor, asked.spoken.get(n) or _Said(sums, n), asked.seeds[n]) for n, factor in heard.items()
    )
    return Ranking(scores, near, tuple(popular), partial(_loudest, sums, numbers, asked.names, heard))


def _voices(question: Question) -> _Voices:
    deeds, rows, recipe, spoken = question.deeds, question.rows, question.recipe, question.spoken
    known = [
        (place, deed.item_id, row.packed)
        for place, deed in enumerate(deeds)
        if (row := rows.get(deed.item_id)) is not None and row.packed is not None
    ]
    asked, fading = _Voices(Lists([row for _, _, row in known], [item_id for _, item_id, _ in known])), Fading(deeds)
    for name, part in recipe.parts.items():
        if part.weight <= 0:
            continue
        if name in spoken:
            asked.spoken[asked.add(name, part.weight, [])] = spoken[name]
            continue
        seeds = fading.weighted(part)
        asked.lists.add(asked.add(name, part.weight, seeds), name, [seeds[place][1] for place, _, _ in known])
    if recipe.repeats and recipe.repeat and recipe.repeat.weight > 0:
        asked.spoken[asked.add(REPEAT, recipe.repeat.weight, [])] = question.again
    return asked


def _highest(sums: Sums, may_show: Callable[[str], bool]) -> list[float]:
    """By voice, of the scores of the items that may be shown, 0 without any."""
    found = []
    for voice, (ids, scores) in enumerate(sums.leaders(1)):
        if not ids:
            found.append(0.0)
        else:
            found.append(scores[0] if may_show(ids[0]) else _high(sums, voice, may_show))
    return found


def _high(sums: Sums, voice: int, may_show: Callable[[str], bool]) -> float:
    """Where the best of a voice may not be shown."""
    for keep in (_LEADERS, sums.names):
        _, ids, scores = sums.best(voice, keep)
        for item_id, score in zip(ids, scores, strict=True):
            if may_show(item_id):
                return score
        if len(ids) < keep:
            break
    return 0.0


def _shown(
    sums: Sums, count: int, may_show: Callable[[str], bool], may_show_all: Callable[[Collection[str]], bool]
) -> tuple[Scores, Callable[[], dict[str, int]]]:
    """The best that may be shown; and how they are numbered, for whoever asks."""
    names, ids, values = sums.best(TOTALS, count)
    if may_show_all(ids):
        return dict(zip(ids, values, strict=True)), lambda: dict(zip(ids, names, strict=True))
    names, ids, values = sums.best(TOTALS, count + SLACK)
    kept = [may_show(item_id) for item_id in ids]
    if sum(kept) < count and len(ids) >= count + SLACK:
        names, ids, values = sums.best(TOTALS, sums.names)
        kept = [may_show(item_id) for item_id in ids]
    scores = dict(islice(zip(compress(ids, kept), compress(values, kept), strict=True), count))
    return scores, lambda: dict(zip(ids, names, strict=True))


def _read_once(scores: Mapping[str, float]) -> Spoken:
    """Popularity is the same object for everybody while it is the same."""
    known = _SPOKEN.get(id(scores))
    if known is None or known[0] is not scores:
        if len(_SPOKEN) >= _SPOKEN_KEPT:
            _SPOKEN.clear()
        known = _SPOKEN[id(scores)] = (scores, Spoken.of(scores).numbered())
    return known[1]


def _loudest(
    sums: Sums, numbers: Callable[[], dict[str, int]], names: Sequence[str], heard: Mapping[int, float], among: Collection[str]
) -> dict[str, Loud]:
    """`Ranking.loudest`."""
    if not among:
        return {}
    known = numbers()
    said = sums.loudest({item_id: known[item_id] for item_id in among if item_id in known}, heard)
    return {item_id: (loud, names[voice], seed) for item_id, (loud, voice, seed) in said.items()}


class _Said(Mapping[str, float]):
    """What a voice says of every item, put into words only when it is asked (`explain=true`)."""

    def __init__(self, sums: Sums, voice: int) -> None:
        self._sums, self._voice = sums, voice

    @cached_property
    def _scores(self) -> Scores:
        _, ids, scores = self._sums.best(self._voice, self._sums.names)
        return dict(zip(ids, scores, strict=True))

    def __getitem__(self, item_id: str) -> float:
        return self._scores[item_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._scores)

    def __len__(self) -> int:
        return len(self._scores)

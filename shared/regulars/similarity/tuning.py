"""The search: which weightings and which blend would have answered the newest slice of this shop's data best?

Coordinate ascent over short lists of values, from the shop's settings: first each relation alone, with how the history
fades; then the weights of the blend; then the fading again inside the blend. A change is taken when it raises the mean
NDCG@10 and NDCG@20 of the validation questions by `least_gain`. Bounded: at most `rounds` passes over the lists, at most
`questions` questions, at most `max_interactions` interactions (a larger log is searched on a hashed share of its shoppers).
Same log, same settings, same result: there is no clock and no chance in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.errors import Invalid
from regulars.similarity.config import LinearWeighting, SimilaritySettings
from regulars.similarity.fitting import FITTED, TREND, WEEK, fit, relation_of
from regulars.similarity.interactions import PURCHASE, VIEW
from regulars.similarity.kernel import TopK
from regulars.similarity.linear import Products, products, solvable, solve
from regulars.similarity.metrics import distinct_targets, hits_of, ndcg
from regulars.similarity.model import LINEAR, NEXT, SIMILAR
from regulars.similarity.moves import (
    HABIT_POWERS,
    HALF_LIVES,
    RANK_POWERS,
    SEARCHED,
    WEIGHTS,
    faded_as,
    names,
    silent,
    weight_of,
    with_habit,
    with_weight,
)
from regulars.similarity.protocols import NEXT_BASKET, SESSION_PREFIX, Queries, Split
from regulars.similarity.recipe import Part, Recipe
from regulars.similarity.relations import kind_weights, support
from regulars.similarity.scoring import Asked, Voices, answers

Tell = Callable[[str], None]
Ask = Callable[[Queries, NDArray[np.bool_]], Voices]
"""What a model that is no relation says of questions, given which items may be shown."""
_LOUD = 0.3
"""Weight below which a part has to show that it is missed."""
_GOOD = 0.8
"""Share of the best relation's figure from which a relation starts with a say."""
_NONE: Mapping[str, Ask] = {}
_LONG = 6
"""Lists of more values are first crossed by leaps."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was chosen: settings with the chosen weightings, the recipe, its validation figure, and every step taken."""

    settings: SimilaritySettings
    recipe: Recipe
    figure: float
    alone: Mapping[str, float] = field(default_factory=dict)
    questions: int = 0

    def report(self) -> dict[str, Any]:
        """For people and for the pointer. Without a search there is no recipe: the operator's own settings are served."""
        return {
            **({"recipe": self.recipe.to_wire()} if self.questions else {}),
            "relations": asdict(self.settings.relations),
            "validation": {"ndcg": self.figure, "questions": self.questions, "alone": dict(self.alone)},
        }


def tune(
    split: Split, settings: SimilaritySettings, protocol: str, tell: Tell = lambda _: None, voices: Mapping[str, Ask] = _NONE
) -> Tuned:
    """The best found; `split` is the validation split by the protocol. `voices`: further parts that may join the blend, by
    name; they may have learned from nothing that the split asks for. Raises Invalid when it asks too few questions for a choice
    to mean anything."""
    if len(split.queries) < settings.tuning.least_questions:
        reason = f"{len(split.queries)} questions to choose by, tuning.least_questions is {settings.tuning.least_questions}"
        raise Invalid(reason, code="too_few_questions")
    search = _Search(split, settings, protocol, tell)
    for name in FITTED:
        search.alone(name)
    for name, ask in voices.items():
        search.joined_by(name, ask)
    recipe = search.blended()
    tuned = search.settings
    known = settings.relations.linear
    linear = replace(tuned.relations.linear, max_items=known.max_items, min_share=known.min_share)
    tuned = replace(tuned, relations=replace(tuned.relations, linear=linear))
    return Tuned(tuned, recipe, search.figure, search.figures, len(search.asked.queries))


def unsearched(settings: SimilaritySettings, protocol: str) -> Tuned:
    """The settings' own numbers and an even blend, for a log in which nothing can be validated."""
    repeats = protocol == NEXT_BASKET
    recipe = Recipe(
        protocol=protocol,
        history_items=sorted(settings.tuning.history_items)[0],
        parts={SIMILAR: Part(weight=1.0), NEXT: Part(weight=0.5)},
        popularity={WEEK: 0.3},
        repeat=Part(weight=1.0, rank_power=0.0, half_life_days=HALF_LIVES[2]) if repeats else None,
        repeats=repeats,
        kinds=dict(settings.kinds),
    )
    return Tuned(settings, recipe, 0.0)


class _Search:
    """What is known so far: settings, and per relation its fading, its figure and its model."""

    def __init__(self, split: Split, settings: SimilaritySettings, protocol: str, tell: Tell) -> None:
        self.split, self.protocol, self.tell = split, protocol, tell
        self.limits = settings.tuning
        # The linear relation is searched on fewer items: solving takes the cube of their number.
        linear, few = settings.relations.linear, min(self.limits.max_items, settings.relations.linear.max_items)
        fits = solvable(support(split.learn), linear, settings.build) is not None
        smaller = replace(linear, max_items=few, min_share=0.0 if fits else linear.min_share)
        self.settings = replace(settings, relations=replace(settings.relations, linear=smaller))
        queries = split.queries
        if len(queries) > self.limits.questions:
            chosen = np.random.default_rng(0).choice(len(queries), self.limits.questions, replace=False)
            queries = queries.take(np.sort(chosen))
        self.longest = max(self.limits.history_items)
        self.asked = Asked.of(queries, split.candidates, self.longest, kind_weights(settings.kinds))
        self.targets = distinct_targets(queries, len(split.candidates))
        self.history_items = sorted(self.limits.history_items)[len(self.limits.history_items) // 2]
        base = fit(split.learn, self.settings, split.cut_ms, ())
        self.model = base
        self.parts: dict[str, Part] = {}
        self.figures: dict[str, float] = {}
        self.figure = 0.0
        self.sums: tuple[LinearWeighting, Products] | None = None

    # --- one relation alone

    def alone(self, name: str) -> None:
        """Find the relation's own numbers and fading; it is left out where the log does not allow it."""
        made = self._made(name, self.settings)
        if made is None or not len(made.items):
            return
        self._keep(name, made)
        part, figure = self._faded(name, Part(weight=1.0), self._solo(name, Part(weight=1.0)))
        for _ in range(self.limits.rounds):
            before = figure
            for field_name, values in SEARCHED[name].items():
                for value in values:
                    tried = self._weighted(name, field_name, value)
                    if tried is None:
                        continue
                    found = self._made(name, tried)
                    if found is None or not len(found.items):
                        continue
                    kept = self.model
                    self._keep(name, found)
                    reached = self._solo(name, part)
                    if reached > figure * (1 + self.limits.least_gain):
                        self.settings, figure = tried, reached
                    else:
                        self.model = kept
            part, figure = self._faded(name, part, figure)
            if figure <= before * (1 + self.limits.least_gain):
                break
        self.parts[name], self.figures[name] = part, round(figure, 5)
        self.tell(f"{name}: {figure:.4f}")

    def joined_by(self, name: str, ask: Ask) -> None:
        """One more part, which has nothing to be searched but its weight."""
        said = ask(self.asked.queries, self.split.candidates)
        self.asked = replace(self.asked, voices={**self.asked.voices, name: said})
        figure = self._solo(name, Part(weight=1.0))
        self.parts[name], self.figures[name] = Part(weight=1.0), round(figure, 5)
        self.tell(f"{name}: {figure:.4f}")

    def _made(self, name: str, settings: SimilaritySettings) -> TopK | None:
        """The relation under these settings; sums of the linear one are kept while only its penalty changes."""
        learn, weighting = self.split.learn, settings.relations.linear
        if name != LINEAR:
            return relation_of(learn, settings, self.split.cut_ms, name)
        heard = support(learn)
        items = solvable(heard, weighting, settings.build)
        if items is None:
            return None
        key = replace(weighting, penalty=0.0, popularity_power=0.0, keep=0)
        if self.sums is None or self.sums[0] != key:
            kinds = kind_weights(settings.kinds)
            bought = bool((learn.kind == PURCHASE).any())
            self.sums = (key, products(learn, items, weighting, kinds, settings.build, self.split.cut_ms, bought))
        return solve(self.sums[1], heard, weighting)

    def _keep(self, name: str, made: Any) -> None:
        self.model = replace(self.model, relations={**self.model.relations, name: made})

    def _weighted(self, name: str, field_name: str, value: Any) -> SimilaritySettings | None:
        weighting = getattr(self.settings.relations, name)
        if getattr(weighting, field_name) == value or not self._matters(name, field_name):
            return None
        changed = replace(weighting, **{field_name: value})
        return replace(self.settings, relations=replace(self.settings.relations, **{name: changed}))

    def _matters(self, name: str, field_name: str) -> bool:
        viewed = self.split.learn.kind == VIEW
        if field_name == "views":
            return bool(viewed.any() and not viewed.all())
        if field_name == "session_weight":
            return bool(viewed.any()) and self.protocol != SESSION_PREFIX
        return not (name == LINEAR and field_name == "kind" and self.protocol == NEXT_BASKET)

    def _faded(self, name: str, part: Part, figure: float) -> tuple[Part, float]:
        """The relation's best fading: ranks, then days, then ranks again."""
        for key, values in (("rank_power", RANK_POWERS), ("half_life_days", HALF_LIVES), ("rank_power", RANK_POWERS)):
            for value in values:
                tried = replace(part, **{key: value})
                if tried == part:
                    continue
                reached = self._solo(name, tried)
                if reached > figure * (1 + self.limits.least_gain):
                    part, figure = tried, reached
        return part, figure

    def _solo(self, name: str, part: Part) -> float:
        recipe = Recipe(history_items=self.history_items, parts={name: replace(part, weight=1.0)})
        return self._judged(recipe)

    def _judged(self, recipe: Recipe) -> float:
        """Mean of NDCG@10 and NDCG@20 over the questions."""
        lists, _ = answers(self.asked, recipe, self.model, 20)
        hits = hits_of(lists, self.asked.queries, len(self.split.candidates))
        return float((ndcg(hits, self.targets, 10) + ndcg(hits, self.targets, 20)).mean() / 2)

    # --- the blend

    def blended(self) -> Recipe:
        """The best weights found, then the fading of each part inside the blend, then how long a history counts."""
        repeats = self.protocol == NEXT_BASKET
        recipe = Recipe(
            protocol=self.protocol,
            history_items=self.history_items,
            parts=dict(self.parts),
            popularity={WEEK: 0.0, TREND: 0.0},
            repeat=Part(weight=1.0, rank_power=0.0, half_life_days=HALF_LIVES[2]) if repeats else None,
            repeats=repeats,
            kinds=dict(self.settings.kinds),
        )
        recipe = self._start(recipe)
        for _ in range(self.limits.rounds):
            before = self.figure
            recipe = self._refaded(self._reweighted(recipe))
            if self.figure <= before * (1 + self.limits.least_gain):
                break
        for longest in self.limits.history_items:
            # A longer history costs reads: it has to pay for them.
            least = 3 * self.limits.least_gain if longest > recipe.history_items else -self.limits.least_gain
            recipe = self._better(recipe, replace(recipe, history_items=longest), least)
        recipe = self._reweighted(self._pruned(recipe))
        self.tell(f"blend: {self.figure:.4f}")
        return replace(recipe, parts={name: part for name, part in recipe.parts.items() if part.weight > 0})

    def _better(self, known: Recipe, tried: Recipe, least: float | None = None) -> Recipe:
        """The tried recipe if it is better by `least`, else the known one."""
        if tried == known:
            return known
        figure = self._judged(tried)
        if figure <= self.figure * (1 + (self.limits.least_gain if least is None else least)):
            return known
        self.figure = figure
        return tried

    def _start(self, recipe: Recipe) -> Recipe:
        """The best of: all good relations with equal say, the best single part, popularity alone. Equal say comes first: of
        two starts that are about as good, the one that hears more voices holds better on days to come."""
        nobody = silent(recipe)
        least = _GOOD * max(self.figures.values(), default=0.0)
        chorus = nobody
        for name, figure in self.figures.items():
            chorus = with_weight(chorus, 1.0 if figure >= least else 0.0, name)
        starts = [chorus, *(with_weight(nobody, 1.0, name) for name in names(recipe))]
        figures = [self._judged(start) for start in starts]
        figures[0] *= 1 + 5 * self.limits.least_gain
        first = int(np.argmax(figures))
        self.figure = self._judged(starts[first])
        return starts[first]

    def _reweighted(self, recipe: Recipe) -> Recipe:
        for name in names(recipe):
            if name in self.asked.voices:  # of another kind than the rest: its best weight may lie beyond worse ones
                for weight in WEIGHTS:
                    recipe = self._better(recipe, with_weight(recipe, weight, name))
                continue
            recipe = self._climbed(recipe, WEIGHTS, weight_of(recipe, name), partial(with_weight, name=name))
        return recipe

    def _climbed(self, recipe: Recipe, values: Sequence[float], now: float, changed: Callable[..., Recipe]) -> Recipe:
        """From the value that stands, up as long as it helps, else down; out of silence by a leap."""
        place = min(range(len(values)), key=lambda number: abs(values[number] - now))
        leaps = (1, 3) if now == 0 and len(values) > _LONG else (1,)
        for step in (*leaps, *(-leap for leap in leaps)):
            here = place
            while 0 <= here + step < len(values):
                better = self._better(recipe, changed(recipe, values[here + step]))
                if better == recipe:
                    break
                recipe, here, step = better, here + step, (1 if step > 0 else -1)
            if here != place:
                return recipe
        return recipe

    def _pruned(self, recipe: Recipe) -> Recipe:
        """Without the parts that bring nothing: the quietest first, each goes when its silence costs less than a gain that
        would have been taken. What is left has room to speak up."""
        for name in sorted(names(recipe), key=lambda name: weight_of(recipe, name)):
            if 0 < weight_of(recipe, name) < _LOUD:
                recipe = self._better(recipe, with_weight(recipe, 0.0, name), -self.limits.least_gain)
        return recipe

    def _refaded(self, recipe: Recipe) -> Recipe:
        """Fading inside the blend, of the parts that have a say."""
        for name in (*recipe.parts, "repeat"):
            if weight_of(recipe, name) > 0 and name not in self.asked.voices:
                for key, values in (("rank_power", RANK_POWERS), ("half_life_days", HALF_LIVES)):
                    part = recipe.repeat if name == "repeat" else recipe.parts[name]
                    recipe = self._climbed(recipe, values, getattr(part, key), partial(faded_as, name=name, key=key))
        if recipe.repeat and recipe.repeat.weight > 0:
            recipe = self._climbed(recipe, HABIT_POWERS, recipe.habit_power, with_habit)
        return recipe

"""The search: which weightings and which blend would have answered the newest slice of this shop's data best?

Coordinate ascent over short lists of values, from the shop's settings: first each relation alone on the newest slice, with how
the history fades; then the weights of the blend; then the fading again inside the blend, on all slices (`panel`). A change is
taken when it raises the mean NDCG@10 and NDCG@20 of the validation questions by `least_gain`; a part joins what stands, and of
two strengths of the repeats the stronger is taken, only where the gain exceeds its standard error (the one-standard-error rule
of Breiman et al., Classification and Regression Trees, 1984). Bounded: at most `rounds` passes over the lists, at most
`questions` questions a slice, at most `max_interactions` interactions (a larger log is searched on a hashed share of its
shoppers). Same log, same settings, same result: there is no clock and no chance in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from regulars.errors import Invalid
from regulars.similarity.config import LinearWeighting, SimilaritySettings, Weighting
from regulars.similarity.fitting import FITTED, TREND, WEEK, stepped
from regulars.similarity.interactions import PURCHASE, VIEW, Floats
from regulars.similarity.kernel import TopK
from regulars.similarity.linear import Products, products, solvable, solve
from regulars.similarity.model import LINEAR, NEXT, SIMILAR
from regulars.similarity.moves import (
    HABITS,
    HALF_LIVES,
    RANK_POWERS,
    REPEAT_FADING,
    SEARCHED,
    WEIGHTS,
    faded_as,
    names,
    nearest,
    silent,
    weight_of,
    with_habit,
    with_weight,
)
from regulars.similarity.panel import Ask, Slice, certain, figures_of, questions_of
from regulars.similarity.protocols import NEXT_BASKET, SESSION_PREFIX, Split
from regulars.similarity.recipe import Part, Recipe
from regulars.similarity.relations import kind_weights, rows_of, scaled_neighbours, support
from regulars.similarity.rows import Rows

Tell = Callable[[str], None]
_LOUD = 0.3
"""Weight below which a part has to show that it is missed."""
_GOOD = 0.8
"""Share of the best relation's figure from which a relation starts with a say."""
_NONE: Mapping[str, Ask] = {}
_DIVIDING: Mapping[str, Any] = {"keep": 0, "popularity_power": 0.0, "source_power": 0.0, "shrink": 0.0}
"""Numbers of a weighting that its rows do not depend on."""
_LONG = 6
"""Lists of more values are first crossed by leaps."""
_EARLIER = 0.5
"""Share of the newest slice's log that an earlier slice must have to learn from."""


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
    split: Split,
    settings: SimilaritySettings,
    protocol: str,
    tell: Tell = lambda _: None,
    voices: Mapping[str, Ask] = _NONE,
    earlier: Sequence[Split] = (),
) -> Tuned:
    """The best found; `split` is the validation split by the protocol, `earlier` others before it, newest first. `voices`:
    further parts that may join the blend, by name; they may have learned from nothing that the splits ask for. Raises Invalid
    when it asks too few questions for a choice to mean anything."""
    if len(split.queries) < settings.tuning.least_questions:
        reason = f"{len(split.queries)} questions to choose by, tuning.least_questions is {settings.tuning.least_questions}"
        raise Invalid(reason, code="too_few_questions")
    search = _Search(split, settings, protocol, tell)
    for name in FITTED:
        search.alone(name)
    search.widened(earlier)
    for name, ask in voices.items():
        search.joined_by(name, ask)
    recipe = search.blended()
    tuned = search.settings
    known = settings.relations.linear
    linear = replace(tuned.relations.linear, max_items=known.max_items, min_share=known.min_share)
    tuned = replace(tuned, relations=replace(tuned.relations, linear=linear))
    return Tuned(tuned, recipe, search.figure, search.figures, questions_of(search.slices))


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
        self.newest = Slice.of(split, self.settings)
        self.slices = [self.newest]
        self.history_items = sorted(self.limits.history_items)[len(self.limits.history_items) // 2]
        self.parts: dict[str, Part] = {}
        self.figures: dict[str, float] = {}
        self.standing: Floats = np.zeros(questions_of(self.slices))
        self.sums: tuple[LinearWeighting, Products] | None = None
        self.rows: tuple[Weighting, tuple[Rows, Rows]] | None = None
        self.tried: set[tuple[object, Part]] = set()

    @property
    def figure(self) -> float:
        """The mean figure of the recipe that stands."""
        return float(self.standing.mean())

    # --- one relation alone

    def alone(self, name: str) -> None:
        """Find the relation's own numbers and fading; it is left out where the log does not allow it."""
        made = self._made(name, self.settings)
        if made is None or not len(made.items):
            return
        self.newest.keep(name, made)
        part, figure = self._faded(name, Part(weight=1.0), self._solo(name, Part(weight=1.0)))
        for _ in range(self.limits.rounds):
            before = figure
            for field_name, values in SEARCHED[name].items():
                for value in values:
                    figure = self._with(name, field_name, value, part, figure)
            part, figure = self._faded(name, part, figure)
            if figure <= before * (1 + self.limits.least_gain):
                break
        self.parts[name], self.figures[name] = part, round(figure, 5)
        self.tell(f"{name}: {figure:.4f}")

    def _with(self, name: str, field_name: str, value: Any, part: Part, figure: float) -> float:
        """The relation with another value of one number, which is kept where it is better; the figure that then stands."""
        tried = self._weighted(name, field_name, value)
        if tried is None or (getattr(tried.relations, name), part) in self.tried:
            return figure
        self.tried.add((getattr(tried.relations, name), part))
        found = self._made(name, tried)
        if found is None or not len(found.items):
            return figure
        kept = self.newest.model
        self.newest.keep(name, found)
        reached = self._solo(name, part)
        if reached > figure * (1 + self.limits.least_gain):
            self.settings = tried
            return reached
        self.newest.model = kept
        return figure

    def widened(self, earlier: Sequence[Split]) -> None:
        """Earlier slices join the judges, each with the relations as they were found."""
        least = _EARLIER * len(self.split.learn)
        for split in earlier:
            if len(split.queries) >= self.limits.least_questions and len(split.learn) >= least:
                self.slices.append(Slice.of(split, self.settings, tuple(self.parts)))
                self.tell(f"slice {len(self.slices)}: {len(split.queries)} questions")

    def joined_by(self, name: str, ask: Ask) -> None:
        """One more part, which has nothing to be searched but its weight."""
        for one in self.slices:
            one.join(name, ask)
        figure = self._solo(name, Part(weight=1.0))
        self.parts[name], self.figures[name] = Part(weight=1.0), round(figure, 5)
        self.tell(f"{name}: {figure:.4f}")

    def _made(self, name: str, settings: SimilaritySettings) -> TopK | None:
        """The relation under these settings; sums of the linear one are kept while only its penalty changes, rows of the
        others while only what they are divided by does."""
        learn, weighting = self.split.learn, settings.relations.linear
        if name != LINEAR:
            changed: Weighting = replace(getattr(settings.relations, name), **_DIVIDING)
            data = stepped(learn, settings, name)
            if self.rows is None or self.rows[0] != changed:
                self.rows = None  # before the next are made: both at once may not fit
                self.rows = (changed, rows_of(data, settings, self.split.cut_ms, name))
            return scaled_neighbours(data, settings, self.rows[1], name)
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
        return float(self.newest.figures(recipe).mean())

    def _judged(self, recipe: Recipe) -> Floats:
        """The figure of each question of every slice."""
        return figures_of(self.slices, recipe)

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
        """The tried recipe if it is better by `least`, else the known one; where it gives a say to a part that had none, the
        gain must exceed its standard error too."""
        if tried == known:
            return known
        reached = self._judged(tried)
        gains = reached - self.standing
        needed = self.figure * (self.limits.least_gain if least is None else least)
        if any(weight_of(known, name) == 0 < weight_of(tried, name) for name in names(tried)):
            needed = max(needed, certain(gains))
        if gains.mean() <= needed:
            return known
        self.standing = reached
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
        if recipe.repeat:
            starts.append(with_weight(with_weight(nobody, 1.0, "repeat"), WEIGHTS[2], WEEK))
        judged = [self._judged(start) for start in starts]
        figures = [float(figures.mean()) for figures in judged]
        figures[0] *= 1 + 5 * self.limits.least_gain
        first = int(np.argmax(figures))
        self.standing = judged[first]
        return starts[first]

    def _reweighted(self, recipe: Recipe) -> Recipe:
        for name in names(recipe):
            if name in self.newest.asked.voices:  # of another kind than the rest: its best weight may lie beyond worse ones
                for weight in WEIGHTS:
                    recipe = self._better(recipe, with_weight(recipe, weight, name))
                continue
            recipe = self._climbed(recipe, WEIGHTS, weight_of(recipe, name), partial(with_weight, name=name))
        return recipe

    def _climbed(self, recipe: Recipe, values: Sequence[float], now: float, changed: Callable[..., Recipe]) -> Recipe:
        """From the value that stands, up as long as it helps, else down; out of silence by a leap."""
        place = nearest(values, now)
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
        for name, part in recipe.parts.items():
            if part.weight > 0 and name not in self.newest.asked.voices:
                for key, values in (("rank_power", RANK_POWERS), ("half_life_days", HALF_LIVES)):
                    now = getattr(recipe.parts[name], key)
                    recipe = self._climbed(recipe, values, now, partial(faded_as, name=name, key=key))
        if recipe.repeat and recipe.repeat.weight > 0:
            for key, strengths in REPEAT_FADING.items():
                recipe = self._weakest(recipe, [faded_as(recipe, value, "repeat", key) for value in strengths])
            recipe = self._weakest(recipe, [with_habit(recipe, power, weight) for power, weight in HABITS])
        return recipe

    def _weakest(self, recipe: Recipe, rising: Sequence[Recipe]) -> Recipe:
        """Of recipes in rising strength the first that is as good as the best, but for a standard error of the difference."""
        judged = [self._judged(tried) for tried in rising]
        best = max(judged, key=lambda figures: float(figures.mean()))
        for tried, figures in zip(rising, judged, strict=True):
            if (best - figures).mean() <= certain(best - figures):
                self.standing = figures
                return tried
        return recipe

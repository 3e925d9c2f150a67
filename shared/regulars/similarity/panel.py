"""Past slices of a log and their questions: what the search asks of every recipe it tries.

Each slice is a split by the protocol, with a model that learned from nothing behind its cut. The newest is the slice at hand;
earlier ones only make the choice steadier. A figure is the mean of NDCG@10 and NDCG@20, question by question, over all slices:
two recipes are compared on the same questions, so that what matters is by how much their difference exceeds chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regulars.similarity.config import SimilaritySettings
from regulars.similarity.fitting import fit, relation_of
from regulars.similarity.interactions import Floats, Ints
from regulars.similarity.kernel import TopK
from regulars.similarity.metrics import distinct_targets, hits_of, ndcg
from regulars.similarity.protocols import Queries, Split
from regulars.similarity.recipe import Recipe
from regulars.similarity.relations import kind_weights
from regulars.similarity.scoring import Asked, Model, Voices, answers

Ask = Callable[[Queries, NDArray[np.bool_]], Voices]
"""What a model that is no relation says of questions, given which items may be shown."""
_PLACES = 20


@dataclass(slots=True)
class Slice:
    """A split, its questions made ready, and the model that answers them."""

    split: Split
    asked: Asked
    targets: Ints
    model: Model

    @classmethod
    def of(cls, split: Split, settings: SimilaritySettings, relations: Iterable[str] = ()) -> Slice:
        """With the named relations fitted; at most `tuning.questions` questions."""
        queries, most = split.queries, settings.tuning.questions
        if len(queries) > most:
            queries = queries.take(np.sort(np.random.default_rng(0).choice(len(queries), most, replace=False)))
        longest = max(settings.tuning.history_items)
        asked = Asked.of(queries, split.candidates, longest, kind_weights(settings.kinds))
        made = cls(split, asked, distinct_targets(queries, len(split.candidates)), fit(split.learn, settings, split.cut_ms, ()))
        for name in relations:
            found = relation_of(split.learn, settings, split.cut_ms, name)
            if found is not None and len(found.items):
                made.keep(name, found)
        return made

    def keep(self, name: str, made: TopK) -> None:
        """Another form of a relation: of it the lists of what the questions' histories hold, for no other is ever read. Of a
        hundred thousand items all lists take 160 MB a relation, and there are several slices of several relations."""
        held = made.only(self.asked.history.items)
        self.model = replace(self.model, relations={**self.model.relations, name: held})

    def join(self, name: str, ask: Ask) -> None:
        """One more voice."""
        said = ask(self.asked.queries, self.split.candidates)
        self.asked = replace(self.asked, voices={**self.asked.voices, name: said})

    def figures(self, recipe: Recipe) -> Floats:
        """Mean of NDCG@10 and NDCG@20 of each question."""
        lists, _ = answers(self.asked, recipe, self.model, _PLACES)
        hits = hits_of(lists, self.asked.queries, len(self.split.candidates))
        made: Floats = (ndcg(hits, self.targets, 10) + ndcg(hits, self.targets, _PLACES)) / 2
        return made


def figures_of(slices: Sequence[Slice], recipe: Recipe) -> Floats:
    """Question by question, slice after slice."""
    return np.concatenate([one.figures(recipe) for one in slices])


def certain(gains: Floats) -> float:
    """The standard error of the mean of paired differences."""
    return float(gains.std() / np.sqrt(max(1, len(gains))))


def questions_of(slices: Sequence[Slice]) -> int:
    """How many are asked in all."""
    return sum(len(one.asked.queries) for one in slices)

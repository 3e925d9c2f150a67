"""The sequence model, trained on the operator's machine. Only `network` and `training` need PyTorch (extra `deep`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from regulars.errors import Misconfigured
from regulars.similarity.config import SequenceSettings
from regulars.similarity.interactions import Interactions
from regulars.similarity.panel import Ask
from regulars.similarity.protocols import Split
from regulars.similarity.sequence import SequenceModel, voices_of


@dataclass(frozen=True, slots=True)
class Trained:
    """The model; after how many epochs it was best, and its held-out NDCG@10 then (0 where nothing was held out)."""

    model: SequenceModel
    epochs: int
    figure: float


Train = Callable[[Interactions, int, int], Trained]
"""(log, instant up to which it goes in epoch ms, epochs or 0 for as many as help) → the model."""


def trainer_of(settings: SequenceSettings) -> Train:
    """Raises Misconfigured without PyTorch."""
    try:
        from regulars_ops.deep.training import train
    except ImportError as error:
        raise Misconfigured("the sequence model takes PyTorch: pip install 'regulars[deep]'") from error
    return partial(train, settings)


@dataclass
class Evaluated:
    """For the evaluator: `held_out` finds how many epochs help, then learns from all that the validation slice may;
    `whole` learns from all that the test allows. Without everybody's newest items, by which the epochs are found, a model
    would be judged below its worth."""

    train: Train
    epochs: int = field(default=0, init=False)

    def held_out(self, split: Split) -> Ask:
        self.epochs = self.train(split.learn, split.cut_ms, 0).epochs
        return self.whole(split)

    def whole(self, split: Split) -> Ask:
        made = self.train(split.learn, split.cut_ms, self.epochs)
        return partial(voices_of, made.model, split.learn.item_ids)

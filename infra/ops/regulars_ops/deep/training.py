"""A log → a trained sequence model.

Each shopper's distinct items in the order in which they were last touched are one sequence, cut into windows of at most
`max_length` + 1; each place is asked for the item after it. The loss is softmax cross-entropy over the whole catalogue, or,
where that is large, over the right item and `negatives` drawn ones: with few negatives SASRec is far too sure of itself, with
many or all it is as good as any transformer (Petrov and Macdonald, "gSASRec", RecSys 2023; Klenitskiy and Vasilev, "Turning
Dross Into Gold Loss", RecSys 2023).

Training ends when NDCG@10 of the newest shoppers' last items, held out, stops rising. Same log, settings and number of
threads: same model.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from regulars.errors import Invalid
from regulars.similarity.config import SequenceSettings
from regulars.similarity.interactions import Interactions, Ints
from regulars.similarity.sequence import SequenceModel
from regulars_ops.deep import Trained, network

_FADE = 0.01
"""Weight decay of AdamW, PyTorch's own choice."""
_SLOPE = 1.0
"""Gradients longer than this are cut to it."""
_LEAST_GAIN = 1.002
_SMALLEST = 0.05
"""The share of the learning rate that is left at the last epoch: it falls along a cosine."""


def train(settings: SequenceSettings, data: Interactions, until_ms: int, epochs: int = 0) -> Trained:
    """Learn from `data`, all before `until_ms`. `epochs` 0: as many as help, by what is held out; else just so many, and
    nothing is held out. Raises Invalid when nobody has two different items."""
    torch.manual_seed(settings.seed)
    sequences = sequences_of(data)
    if not sequences:
        raise Invalid("no shopper has two different items: there is nothing to learn an order from", code="nothing_to_learn")
    held = [] if epochs else sequences[-settings.held_out :]
    learn = [*sequences[: len(sequences) - len(held)], *(sequence[:-1] for sequence in held)]
    learn = [sequence for sequence in learn if len(sequence) > 1] or sequences
    tensors = network.fresh(len(data.item_ids), settings.max_length, settings.dim, settings.blocks, settings.seed)
    run = _Run(tensors, learn, settings)
    best, figure, since = run.copied(), 0.0, 0
    done = 0
    with tqdm(total=epochs or settings.epochs, unit="epoch", desc="learning", disable=not sys.stderr.isatty()) as bar:
        for epoch in range(1, (epochs or settings.epochs) + 1):
            loss = run.epoch(epoch)
            reached = run.figure(held) if held else 0.0
            bar.set_postfix_str(f"loss {loss:.3f}" + (f", NDCG@10 {reached:.4f}" if held else ""))
            bar.update()
            since += 1
            if not held or reached > figure * _LEAST_GAIN or epoch == 1:
                best, figure, done, since = run.copied(), reached, epoch, 0
            if since >= settings.patience:
                break
    model = SequenceModel(data.item_ids, best, until_ms, min(settings.keep, len(data.item_ids)))
    return Trained(model.half(), done, figure)


def sequences_of(data: Interactions) -> list[Ints]:
    """Each shopper's distinct items, oldest first by when they were last touched, equal instants in descending item order (as
    `scoring.history_of`); only those with two, the shopper with the newest deed last."""
    order = np.lexsort((-data.at, data.item, data.shopper))
    shopper, item, at = data.shopper[order], data.item[order], data.at[order]
    last = np.ones(len(order), dtype=bool)
    last[1:] = (shopper[1:] != shopper[:-1]) | (item[1:] != item[:-1])
    shopper, item, at = shopper[last], item[last], at[last]
    order = np.lexsort((-item, at, shopper))
    shopper, item, at = shopper[order].astype(np.int64), item[order].astype(np.int64), at[order]
    bounds = np.flatnonzero(np.diff(shopper, prepend=-1, append=-1))
    longer = [(int(at[end - 1]), begin, end) for begin, end in pairwise(bounds.tolist()) if end - begin > 1]
    return [item[begin:end] for _, begin, end in sorted(longer)]


class _Run:
    """Parameters, optimizer and data of one training."""

    def __init__(self, tensors: dict[str, Any], sequences: list[Ints], settings: SequenceSettings) -> None:
        self.tensors, self.sequences, self.settings = tensors, sequences, settings
        self.random = np.random.default_rng(settings.seed)
        self.optimizer = torch.optim.AdamW(tensors.values(), lr=settings.learning_rate, weight_decay=_FADE)

    def copied(self) -> dict[str, NDArray[np.float32]]:
        return {name: tensor.detach().numpy().copy() for name, tensor in self.tensors.items()}

    def epoch(self, number: int) -> float:
        """One pass; returns the mean loss."""
        share = _SMALLEST + (1 - _SMALLEST) * (1 + np.cos(np.pi * (number - 1) / self.settings.epochs)) / 2
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * max(share, _SMALLEST)
        windows = self._windows()
        losses = []
        for low in range(0, len(windows), self.settings.batch):
            batch = torch.from_numpy(windows[low : low + self.settings.batch])
            loss = self._loss(batch[:, :-1], batch[:, 1:])
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.tensors.values(), _SLOPE)
            self.optimizer.step()
            losses.append(float(loss.detach()))
        return float(np.mean(losses))

    def _loss(self, before: Any, after: Any) -> Any:
        asked = (before >= 0) & (after >= 0)
        states = network.states(self.tensors, before, self.settings.dropout)[asked]
        targets, items = after[asked], self.tensors["items"]
        if len(items) <= self.settings.all_items:
            return torch.nn.functional.cross_entropy(states @ items.T, targets)
        drawn = torch.from_numpy(self.random.integers(0, len(items), self.settings.negatives))
        wrong = (states @ items[drawn].T).masked_fill(targets[:, None] == drawn[None, :], float("-inf"))
        right = (states * items[targets]).sum(-1, keepdim=True)
        return torch.nn.functional.cross_entropy(torch.cat((right, wrong), 1), torch.zeros_like(targets))

    def _windows(self) -> NDArray[np.int64]:
        """Every sequence in windows that begin elsewhere in each epoch, in random order, filled up with −1."""
        size = self.settings.max_length + 1
        made = []
        for sequence in self.sequences:
            end = len(sequence) - (int(self.random.integers(0, size // 2)) if len(sequence) > size else 0)
            while end > 1:
                made.append(sequence[max(0, end - size) : end])
                end -= size - 1
        filled = np.full((len(made), size), -1, dtype=np.int64)
        for row, place in enumerate(self.random.permutation(len(made)).tolist()):
            filled[row, : len(made[place])] = made[place]
        return filled

    def figure(self, held: list[Ints]) -> float:
        """NDCG@10 of the last items, among what the shopper had not."""
        found = []
        with torch.no_grad():
            for low in range(0, len(held), self.settings.batch):
                chunk = [sequence[-self.settings.max_length - 1 :] for sequence in held[low : low + self.settings.batch]]
                before = np.full((len(chunk), self.settings.max_length), -1, dtype=np.int64)
                for row, sequence in enumerate(chunk):
                    before[row, : len(sequence) - 1] = sequence[:-1]
                last = torch.tensor([len(sequence) - 2 for sequence in chunk])
                states = network.states(self.tensors, torch.from_numpy(before))[torch.arange(len(chunk)), last]
                scores = states @ self.tensors["items"].T
                for row, sequence in enumerate(held[low : low + self.settings.batch]):
                    of_answer = float(scores[row, int(sequence[-1])])
                    scores[row, torch.from_numpy(sequence)] = float("-inf")
                    above = int((scores[row] >= of_answer).sum())
                    found.append(1 / np.log2(above + 2) if above < 10 else 0.0)
        return float(np.mean(found))

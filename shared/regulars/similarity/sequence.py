"""A trained sequence model as arrays, and its forward pass in numpy: which item comes after these?

The model is SASRec (Kang and McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018) with one head a block and norms
before each step (Xiong et al., "On Layer Normalization in the Transformer Architecture", ICML 2020). Of the sequence
s_1 … s_n, oldest first, with n ≤ L and width d:

    x_t = √d · items[s_t] + positions[t]
    x  += softmax(mask(Q·Kᵀ / √d)) · V · out      Q, K, V = norm1(x) · query, key, value;  t sees what is not after it
    x  += relu(norm2(x) · up + up_bias) · down + down_bias
    score(j) = norm(x_n) · items[j]

Places are counted from the oldest of the L newest, so that a short history looks as the beginning of a long one did in
training. `infra/ops/regulars_ops/deep` trains it. What it adds to a blend is exp(score − highest score) of its best items:
how likely each is beside the likeliest.

Nothing but numpy, with one loop of C that tells for a single state which items need be looked at (`rounded`), and imported only
where a recipe asks for it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regulars.errors import GiveUp
from regulars.similarity.interactions import KINDS
from regulars.similarity.packed import KnownIds, RowScores
from regulars.similarity.protocols import Mask, Queries
from regulars.similarity.rounded import Rounded, rounded
from regulars.similarity.scoring import Voices, history_of

Array = NDArray[np.float32]
ITEMS, POSITIONS = "items", "positions"
EPSILON = 1e-5
"""Added to variances, as PyTorch's LayerNorm does."""
_ABOUT = "about"
_OF_A_BLOCK = (
    *("norm1.gain", "norm1.bias", "query", "key", "value", "out"),
    *("norm2.gain", "norm2.bias", "up", "up_bias", "down", "down_bias"),
)
_LEAST = float(np.finfo(np.float64).tiny)
"""The least likelihood that is said: a weight divided by one below it would be infinite."""
_AT_ONCE = 256
"""Questions scored in one product."""


def shapes(items: int, length: int, dim: int, blocks: int) -> dict[str, tuple[int, ...]]:
    """Every array of a model, by name."""
    made: dict[str, tuple[int, ...]] = {ITEMS: (items, dim), POSITIONS: (length, dim)}
    for block in range(blocks):
        for name in _OF_A_BLOCK:
            vector = "norm" in name or name.endswith("_bias")
            made[f"{block}.{name}"] = (dim,) if vector else (dim, dim)
    return {**made, "norm.gain": (dim,), "norm.bias": (dim,)}


class _Block(NamedTuple):
    """A block's matrices with what stands around them multiplied in: the norms' gains and biases, 1/√d, value · out. What they
    add to x is centred, as x is: a norm need not take a mean away, and nothing else of x is ever asked for."""

    query: Array
    query_bias: Array
    heard: Array
    """Key and value beside each other (d × 2d)."""
    heard_bias: Array
    up: Array
    up_bias: Array
    down: Array
    down_bias: Array


@dataclass(frozen=True)
class SequenceModel:
    """`item_ids`: the text of each row of `arrays["items"]`. It learned from what came before `until_ms`; `keep` is how many
    of its best items join a blend."""

    item_ids: tuple[str, ...]
    arrays: Mapping[str, Array]
    until_ms: int
    keep: int

    @cached_property
    def blocks(self) -> int:
        """How many there are."""
        return sum(name.endswith(".query") for name in self.arrays)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Item id → row."""
        return {item_id: number for number, item_id in enumerate(self.item_ids)}

    @property
    def length(self) -> int:
        """The longest sequence it looks at."""
        return len(self.arrays[POSITIONS])

    def state(self, sequence: Sequence[int]) -> Array:
        """What the model makes of items by number, oldest first: a vector of width d. At least one item."""
        newest = np.asarray(sequence[-self.length :], dtype=np.int64)
        items, positions = self.arrays[ITEMS], self.arrays[POSITIONS]
        width = items.shape[1]
        x = _centred(items[newest] * np.sqrt(np.float32(width)) + positions[: len(newest)])
        for left, block in zip(range(len(self._folded) - 1, -1, -1), self._folded, strict=True):
            seen = _norm(x)
            heard = seen @ block.heard + block.heard_bias
            if not left:  # only the last place is asked for
                seen, x = seen[-1:], x[-1:]
            match = (seen @ block.query + block.query_bias) @ heard[:, :width].T
            if left:
                match += self._later[: len(x), : len(x)]
            match = np.exp(match - np.maximum.reduce(match, axis=1, keepdims=True))
            x = x + match @ heard[:, width:] / np.add.reduce(match, axis=1, keepdims=True)
            x = x + np.maximum(_norm(x) @ block.up + block.up_bias, 0) @ block.down + block.down_bias
        state: Array = _norm(x[-1:])[0] * self.arrays["norm.gain"] + self.arrays["norm.bias"]
        return state

    @cached_property
    def _folded(self) -> Sequence[_Block]:
        return [_folded({name: self.arrays[f"{block}.{name}"] for name in _OF_A_BLOCK}) for block in range(self.blocks)]

    @cached_property
    def _later(self) -> Array:
        """What hides from each place those after it."""
        return np.triu(np.full((self.length, self.length), -np.inf, dtype=np.float32), 1)

    @cached_property
    def _table(self) -> KnownIds:
        return KnownIds(self.item_ids, self.numbers)

    @cached_property
    def _rounded(self) -> Rounded | None:
        return rounded(self.arrays[ITEMS])

    def scores(self, states: Array) -> Array:
        """States (… × d) → the score of every item (… × items)."""
        made: Array = states @ self.arrays[ITEMS].T
        return made

    def likeliest(self, history: Iterable[str], hidden: Iterable[str] = ()) -> Mapping[str, float]:
        """The best `keep` items after a history of ids, newest first, without the hidden ones: id → likelihood beside the
        likeliest of them. Ids that the model does not know are passed over; nothing where it knows none."""
        newest = list(history)[: self.length]
        known = [self.numbers[item_id] for item_id in newest if item_id in self.numbers]
        if not known:
            return {}
        shut = [self.numbers[item_id] for item_id in hidden if item_id in self.numbers]
        among, scores = self._leaders(self.state(known[::-1]), np.array(shut, dtype=np.int64))
        if not len(among):
            return {}
        places, values = best(scores[np.newaxis], self.keep)
        said = zip(among[places[0]].tolist(), values[0].tolist(), strict=True)
        return RowScores(self._table, {item: value for item, value in said if value > 0})

    def _leaders(self, state: Array, shut: NDArray[np.int64]) -> tuple[NDArray[np.integer], Array]:
        """Numbers of items that are not shut, the best `keep` of them included, and their scores."""
        if self._rounded is not None:
            found = self._rounded.candidates(state, min(self.keep, len(self.item_ids)), shut)
            return found, self.arrays[ITEMS][found] @ state
        open_ = np.ones(len(self.item_ids), dtype=bool)
        open_[shut] = False
        among = np.flatnonzero(open_)
        return among, self.scores(state)[among]

    def half(self) -> SequenceModel:
        """The same with what is stored in sixteen bits rounded to them."""
        shortened = self.arrays[ITEMS].astype(np.float16).astype(np.float32)
        return SequenceModel(self.item_ids, {**self.arrays, ITEMS: shortened}, self.until_ms, self.keep)

    def to_bytes(self) -> bytes:
        """An npz file: item vectors in sixteen bits, everything else in thirty-two, ids and the rest as JSON."""
        about = {"item_ids": self.item_ids, "until_ms": self.until_ms, "keep": self.keep}
        text = np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), dtype=np.uint8)
        stored: dict[str, Any] = {**self.arrays, ITEMS: self.arrays[ITEMS].astype(np.float16), _ABOUT: text}
        body = io.BytesIO()
        np.savez(body, **stored)
        return body.getvalue()


def from_bytes(body: bytes) -> SequenceModel:
    """Inverse of `to_bytes`; raises GiveUp(broken_model) for what is no sequence model."""
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as stored:
            about = json.loads(stored[_ABOUT].tobytes())
            arrays = {name: stored[name].astype(np.float32) for name in stored.files if name != _ABOUT}
        made = SequenceModel(tuple(about["item_ids"]), arrays, int(about["until_ms"]), int(about["keep"]))
        items, dim = arrays[ITEMS].shape
        if not all(isinstance(item_id, str) for item_id in made.item_ids):
            raise ValueError("an id is no text")
        if items != len(made.item_ids) or items != len(made.numbers) or not dim or made.keep < 1:
            raise ValueError("ids and vectors differ in number, ids occur twice, vectors are empty, or nothing is kept")
        if {name: array.shape for name, array in arrays.items()} != shapes(items, made.length, dim, made.blocks):
            raise ValueError("arrays are missing or of another shape")
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise ValueError("not all numbers are finite")
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise GiveUp(f"not a sequence model: {error}"[:200], code="broken_model") from error
    return made


def voices_of(model: SequenceModel, item_ids: Sequence[str], queries: Queries, candidates: Mask) -> Voices:
    """The model's best items for each question, of those that may be shown. `item_ids` are what the question's numbers mean;
    a question whose items the model does not know hears nothing from it."""
    history = history_of(queries, model.length, np.ones(len(KINDS)))
    theirs = np.array([model.numbers.get(item_id, -1) for item_id in item_ids], dtype=np.int64)
    ours = np.full(len(model.item_ids), -1, dtype=np.int64)
    ours[theirs[theirs >= 0]] = np.flatnonzero(theirs >= 0)
    open_ = (ours >= 0) & candidates[ours]
    found_items, found_values = [np.empty(0, dtype=np.int64)], [np.empty(0)]
    lengths = np.zeros(len(queries), dtype=np.int64)
    for low in range(0, len(queries), _AT_ONCE):
        chunk = np.arange(low, min(len(queries), low + _AT_ONCE))
        sequences = [theirs[history.items[history.starts[q] : history.starts[q + 1]]] for q in chunk.tolist()]
        known = [sequence[sequence >= 0][::-1] for sequence in sequences]
        heard = np.array([place for place, sequence in enumerate(known) if len(sequence)], dtype=np.int64)
        if not len(heard):
            continue
        scores = model.scores(np.array([model.state(known[place].tolist()) for place in heard.tolist()]))
        scores[:, ~open_] = -np.inf
        if queries.excludes:
            for row, question in enumerate(chunk[heard].tolist()):
                had = theirs[queries.items[queries.starts[question] : queries.starts[question + 1]]]
                scores[row, had[had >= 0]] = -np.inf
        items, values = best(scores, model.keep)
        said = values > 0
        lengths[chunk[heard]] = said.sum(axis=1)
        found_items.append(ours[items[said]])
        found_values.append(values[said])
    starts = np.concatenate(([0], np.cumsum(lengths)))
    return Voices(starts, np.concatenate(found_items), np.concatenate(found_values))


def best(scores: Array, keep: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(items, likelihoods) of the `keep` highest in each row, in no order; 0 for what is closed (−∞), no number, or so unlikely
    that nothing can be divided by it."""
    keep = min(keep, scores.shape[1])
    items = np.argpartition(scores, scores.shape[1] - keep, axis=1)[:, scores.shape[1] - keep :]
    logits = scores[np.arange(len(scores))[:, np.newaxis], items].astype(np.float64)
    logits[~np.isfinite(logits)] = -np.inf
    highest = logits.max(axis=1, keepdims=True)
    values = np.exp(logits - np.where(np.isfinite(highest), highest, 0.0))
    return items, np.where(values < _LEAST, 0.0, values)


def _folded(w: Mapping[str, Array]) -> _Block:
    width = len(w["query"])
    query = w["query"] / np.sqrt(np.float32(width))
    heard = np.hstack([w["key"], _centred(w["value"] @ w["out"])])
    bias, up_bias = w["norm1.bias"], w["norm2.bias"]
    gain, up_gain = w["norm1.gain"][:, np.newaxis], w["norm2.gain"][:, np.newaxis]
    return _Block(
        query=gain * query,
        query_bias=bias @ query,
        heard=gain * heard,
        heard_bias=bias @ heard,
        up=up_gain * w["up"],
        up_bias=up_bias @ w["up"] + w["up_bias"],
        down=_centred(w["down"]),
        down_bias=_centred(w["down_bias"]),
    )


def _centred(x: Array) -> Array:
    made: Array = x - x.mean(axis=-1, keepdims=True)
    return made


def _norm(x: Array) -> Array:
    """Of centred rows, without gain and bias."""
    share = np.float32(1 / x.shape[1])
    made: Array = x / np.sqrt(np.add.reduce(x * x, axis=1, keepdims=True) * share + np.float32(EPSILON))
    return made

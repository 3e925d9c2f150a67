"""The forward pass of `regulars.similarity.sequence` in PyTorch, over whole batches and all places at once.

Parameters are tensors by the names of its arrays, so that what was trained is exported as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional

from regulars.similarity.sequence import EPSILON, ITEMS, POSITIONS, shapes

Tensors = Mapping[str, Any]
"""Array name → tensor; PyTorch is an optional extra, so its types are not named."""
_SPREAD = 0.02
"""Standard deviation of random starts, as in BERT and GPT-2; item vectors start with 1/√d, for they are multiplied by √d."""


def fresh(items: int, length: int, dim: int, blocks: int, seed: int) -> dict[str, Any]:
    """Random parameters, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    made = {}
    for name, shape in shapes(items, length, dim, blocks).items():
        if name.endswith("gain"):
            tensor = torch.ones(shape)
        elif name.endswith("bias"):
            tensor = torch.zeros(shape)
        else:
            spread = _SPREAD if name == POSITIONS else dim**-0.5
            tensor = torch.randn(shape, generator=generator) * spread * (0.2 if name == ITEMS else 1.0)
        made[name] = tensor.requires_grad_()
    return made


def states(tensors: Tensors, sequences: Any, dropout: float = 0.0) -> Any:
    """Sequences (batch × length, oldest first, filled up with −1 behind) → a state for every place (… × dim)."""
    length, width = sequences.shape[1], tensors[ITEMS].shape[1]
    x = tensors[ITEMS][sequences.clamp(min=0)] * width**0.5 + tensors[POSITIONS][:length]
    x = functional.dropout(x, dropout)
    seen = torch.ones(length, length, dtype=torch.bool).tril()  # what fills up comes after: no place of the sequence sees it
    for block in range(sum(name.endswith(".query") for name in tensors)):
        w = {name.removeprefix(f"{block}."): tensor for name, tensor in tensors.items() if name.startswith(f"{block}.")}
        read = functional.layer_norm(x, (width,), w["norm1.gain"], w["norm1.bias"], EPSILON)
        match = (read @ w["query"]) @ (read @ w["key"]).transpose(1, 2) / width**0.5
        share = functional.dropout(match.masked_fill(~seen, float("-inf")).softmax(-1), dropout)
        x = x + functional.dropout(share @ (read @ w["value"]) @ w["out"], dropout)
        inner = functional.layer_norm(x, (width,), w["norm2.gain"], w["norm2.bias"], EPSILON) @ w["up"] + w["up_bias"]
        x = x + functional.dropout(functional.dropout(functional.relu(inner), dropout) @ w["down"] + w["down_bias"], dropout)
    return functional.layer_norm(x, (width,), tensors["norm.gain"], tensors["norm.bias"], EPSILON)

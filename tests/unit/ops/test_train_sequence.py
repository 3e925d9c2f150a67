"""Training the sequence model. What needs PyTorch is skipped, and says so, where the extra `deep` is not installed."""

from __future__ import annotations

import csv
import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from regulars.shop import section
from regulars.similarity.config import SimilaritySettings
from regulars.similarity.interactions import PURCHASE, Interactions
from regulars.similarity.protocols import DAY_MS
from regulars.similarity.sequence import ITEMS, SequenceModel, from_bytes
from regulars_ops.deep import trainer_of
from regulars_ops.main import main

HAS_TORCH = importlib.util.find_spec("torch") is not None
needs_torch = pytest.mark.skipif(not HAS_TORCH, reason="PyTorch is not installed: uv sync --extra deep")
SETTINGS = replace(
    section(SimilaritySettings, "similarity", {}).sequence, dim=16, max_length=8, epochs=12, learning_rate=0.01, keep=10
)
N_ITEMS = 20


def rings(shoppers: int = 120, events: int = 10) -> Interactions:
    """Everybody takes item after item, each from a place of her own."""
    dice = np.random.default_rng(0)
    begins = dice.integers(0, N_ITEMS, shoppers)
    item = np.concatenate([(begin + np.arange(events)) % N_ITEMS for begin in begins])
    shopper = np.repeat(np.arange(shoppers), events)
    at = np.tile(np.arange(events), shoppers) * DAY_MS
    kind = np.full(len(item), PURCHASE)
    ids = tuple(f"i{number:02d}" for number in range(N_ITEMS))
    return Interactions(shopper, item, kind, at, np.arange(len(item)), tuple(map(str, range(shoppers))), ids)


@needs_torch
@pytest.mark.parametrize("all_items", [1000, 5])
def test_it_learns_what_follows_what(all_items: int) -> None:
    """With all items as wrong answers, and with drawn ones."""
    made = trainer_of(replace(SETTINGS, all_items=all_items, negatives=16, epochs=30, dropout=0.1))(rings(), 10 * DAY_MS, 30)
    assert (made.epochs, made.model.until_ms) == (30, 10 * DAY_MS)
    for begin in range(N_ITEMS):
        history = [f"i{(begin + step) % N_ITEMS:02d}" for step in range(4)]
        said = made.model.likeliest(history[::-1], history)
        assert max(said, key=lambda item: said[item]) == f"i{(begin + 4) % N_ITEMS:02d}"


@needs_torch
def test_it_stops_when_the_held_out_items_are_known() -> None:
    made = trainer_of(replace(SETTINGS, epochs=30, patience=2))(rings(), 10 * DAY_MS, 0)
    assert made.figure > 0.9
    assert made.epochs < 30


@needs_torch
def test_numpy_gives_the_scores_of_what_was_trained() -> None:
    import torch

    from regulars_ops.deep import network

    model = trainer_of(replace(SETTINGS, epochs=2))(rings(40), 10 * DAY_MS, 0).model
    tensors = {name: torch.from_numpy(array) for name, array in model.arrays.items()}
    dice = np.random.default_rng(1)
    for length in (1, 3, 8):
        sequence = dice.choice(N_ITEMS, length, replace=False)
        padded = torch.full((1, 8), -1)
        padded[0, :length] = torch.from_numpy(sequence)
        expected = (network.states(tensors, padded)[0, length - 1] @ tensors[ITEMS].T).numpy()
        np.testing.assert_allclose(model.scores(model.state(sequence.tolist())), expected, atol=1e-4)


@needs_torch
def test_same_log_same_model() -> None:
    one, other = (trainer_of(replace(SETTINGS, epochs=2))(rings(30), 1, 0).model for _ in range(2))
    np.testing.assert_array_equal(one.arrays[ITEMS], other.arrays[ITEMS])


def table(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("user", "item", "ts"), *rows])
    return path


@needs_torch
def test_the_command_writes_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(f"u{user}", f"emoji {step + user % 5} 🎈", f"2025-01-{step + 1:02d}") for user in range(30) for step in range(9)]
    out = tmp_path / "model.npz"
    words = ["train-sequence", str(table(tmp_path / "log.csv", rows)), "--out", str(out), "--epochs", "2", "--dim", "8"]
    assert main([*words, "--blocks", "1", "--max-length", "5"]) == 0
    model: SequenceModel = from_bytes(out.read_bytes())
    assert (model.blocks, model.length, model.arrays[ITEMS].shape) == (1, 5, (13, 8))
    assert "epochs; NDCG@10" in capsys.readouterr().out


@needs_torch
@pytest.mark.parametrize(
    "rows", [[("only", "one", "2025-01-01")], [("a", "same", "2025-01-01"), ("a", "same", "2025-01-02")] * 3]
)
def test_a_log_without_order_is_refused(
    rows: list[tuple[str, str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train-sequence", str(table(tmp_path / "log.csv", rows)), "--out", str(tmp_path / "m.npz")]) == 2
    assert "nothing to learn an order from" in capsys.readouterr().err
    assert not (tmp_path / "m.npz").exists()


@pytest.mark.skipif(HAS_TORCH, reason="PyTorch is installed: nothing to say about its absence")
def test_without_pytorch_it_says_what_to_install(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = str(table(tmp_path / "log.csv", [("a", "x", "2025-01-01"), ("a", "y", "2025-01-02")]))
    assert main(["train-sequence", log, "--out", str(tmp_path / "m.npz")]) == 2
    assert main(["evaluate", log, "--protocol", "last-one", "--deep"]) == 2
    assert capsys.readouterr().err.count("regulars[deep]") == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["log.csv"], "--out"),
        (["log.csv", "--publish"], "leave FILE out"),
        (["log.csv", "--out", "m.npz", "--dim", "0"], "at least 1"),
    ],
)
def test_wishes_that_do_not_go_together(words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train-sequence", *words]) == 2
    assert complaint in capsys.readouterr().err

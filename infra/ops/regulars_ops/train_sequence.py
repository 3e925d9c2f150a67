"""`regulars train-sequence`: trains the sequence model on a table or on the shop's own archive, outside Lambda, and publishes
it for the next build's search, which alone decides whether it is heard."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from regulars.adapters.storage.s3 import S3Storage
from regulars.capture.archive import read
from regulars.errors import Invalid
from regulars.shop import overrides, section
from regulars.similarity.config import SimilaritySettings
from regulars.similarity.interactions import Interactions, from_events
from regulars.similarity.protocols import LAST_ONE
from regulars.similarity.published import publish
from regulars.similarity.publishing import version_of
from regulars.storage import Storage
from regulars_ops.deep import trainer_of
from regulars_ops.logs import log_of
from regulars_ops.stack import connect
from regulars_ops.tables import read_table


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`regulars train-sequence [FILE] [--out model.npz] [--publish]`."""
    command = commands.add_parser("train-sequence", help="train the optional sequence model (takes the extra `deep`)")
    command.add_argument("file", type=Path, nargs="?", help="CSV or Parquet: user, item, ts; without it, the shop's archive")
    command.add_argument("--out", type=Path, metavar="FILE", help="write the model's arrays (npz)")
    command.add_argument("--publish", action="store_true", help="the shop's next build weighs it, and serves it if it helps")
    for name, text in (
        ("epochs", "at most"),
        ("dim", "width of an item's vector"),
        ("blocks", "layers of attention"),
        ("max-length", "newest items it looks at"),
    ):
        command.add_argument(f"--{name}", type=int, help=f"{text}; default: the shop's settings (similarity.sequence)")
    command.set_defaults(run=run, needs_stack=False)


def run(_: object, chosen: argparse.Namespace) -> int:
    """Train, write, publish. Raises Invalid for wishes that do not go together and for logs without order, Misconfigured
    without PyTorch."""
    if not chosen.out and not chosen.publish:
        raise Invalid("nothing to do with the model: --out FILE writes it, --publish hands it to the next build")
    if chosen.publish and chosen.file:
        raise Invalid("--publish takes the shop's own archive: leave FILE out")
    storage = None if chosen.file else S3Storage(connect(chosen.stack).environment("build_similarity")["DATA_BUCKET"])
    settings = section(SimilaritySettings, "similarity", overrides(storage) if storage else {})
    named = {name: getattr(chosen, name) for name in ("epochs", "dim", "blocks", "max_length")}
    wanted = {name: value for name, value in named.items() if value is not None}
    if any(value < 1 for value in wanted.values()):
        raise Invalid("--epochs, --dim, --blocks and --max-length are at least 1")
    settings = replace(settings, sequence=replace(settings.sequence, **wanted))
    train = trainer_of(settings.sequence)
    data = _archived(storage, settings) if storage else log_of(read_table(chosen.file, show=True), LAST_ONE).data
    if not len(data):
        raise Invalid("the log holds no events", code="empty_log")
    until_ms = int(data.at.max()) + 1
    cut_ms = int(np.quantile(data.at, 1 - settings.tuning.share))
    before = data.where(data.at < cut_ms)
    first = train(before, cut_ms, 0)
    whole = train(data, until_ms, first.epochs)
    print(f"{first.epochs} epochs; NDCG@10 of last items held out: {first.figure:.4f}")
    if chosen.out:
        chosen.out.write_bytes(whole.model.to_bytes())
        print(f"{chosen.out}: {chosen.out.stat().st_size / 1e6:.1f} MB")
    if storage and chosen.publish:
        publish(storage, version_of(datetime.now(UTC)), whole.model, train(before, cut_ms, first.epochs).model)
        print("published; the next `regulars build similarity` weighs it")
    return 0


def _archived(storage: Storage, settings: SimilaritySettings) -> Interactions:
    limits = settings.build
    return from_events(read(storage, datetime.now(UTC) - timedelta(days=limits.history_days)), limits.max_interactions)

"""`regulars needs`: what the shop is expected to need in the next days, and how good such forecasts were."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from regulars.adapters.storage.s3 import S3Storage
from regulars.needs.model import CategoryNeed, NeedsModel, load
from regulars_ops.stack import Stack


def add_command(commands: Any) -> None:
    """`regulars needs`."""
    command = commands.add_parser("needs", help="which categories will be needed in the next days, by the newest forecast")
    command.add_argument("--limit", type=int, default=30, help="categories shown, those bought most first")
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=run)


def run(stack: Stack, chosen: argparse.Namespace) -> int:
    """Exit code 1 when there is no forecast yet."""
    model = load(S3Storage(stack.environment("forecast_needs")["DATA_BUCKET"]))
    if model is None:
        print("no forecast yet; `regulars build needs` makes one")
        return 1
    print(json.dumps(_plain(model, chosen.limit), ensure_ascii=False, indent=2) if chosen.json else told(model, chosen.limit))
    return 0


def told(model: NeedsModel, limit: int) -> str:
    """For people."""
    lines = [f"version {model.version}, built {model.built_at:%Y-%m-%d %H:%M}Z"]
    lines += [f"{name.replace('_', ' '):<18} {value}" for name, value in model.report.items()]
    if not model.categories:
        return "\n".join([*lines, "no category sells enough, or for long enough, to be forecast"])
    lines.append(f"purchases from {model.categories[0].first_day} on, day by day")
    return "\n".join(lines + [_row(need) for need in model.categories[:limit]])


def _row(need: CategoryNeed) -> str:
    days = " ".join(f"{amount:8.1f}" for amount in need.purchases)
    accuracy = "" if need.accuracy is None else f"  accuracy {need.accuracy:.0%}"
    return f"  {need.category[:32]:<32} {days}  {'stable' if need.stable else 'dynamic':<7} {need.method:<9}{accuracy}"


def _plain(model: NeedsModel, limit: int) -> dict[str, Any]:
    return {
        "version": model.version,
        "built_at": model.built_at.isoformat(),
        **model.report,
        "categories_forecast": [asdict(need) for need in model.categories[:limit]],
    }

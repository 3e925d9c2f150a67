"""The similarity model that is served: which it is and what was chosen for this shop, and back to the one before."""

from __future__ import annotations

import argparse
import json
from typing import Any

from regulars.adapters.dynamodb.models import DynamoModels
from regulars.errors import GiveUp
from regulars.similarity.model import Pointer
from regulars.similarity.recipe import Recipe, from_wire
from regulars_ops.stack import Stack


def add_commands(commands: Any) -> None:
    """`regulars model show|rollback`."""
    model: argparse.ArgumentParser = commands.add_parser("model", help="the model that is served; back to the one before")
    model.add_argument("action", choices=("show", "rollback"))
    model.add_argument("--json", action="store_true", help="everything the pointer says")
    model.set_defaults(run=run)


def run(stack: Stack, chosen: argparse.Namespace) -> int:
    """Exit code 1 when there is no model to show. Going back raises NotFound without a version to go back to."""
    models = DynamoModels(stack.environment("build_similarity")["MODELS_TABLE"])
    pointer = models.roll_back() if chosen.action == "rollback" else models.pointer()
    if pointer is None:
        print("no model yet; recommendations fall back to popularity. `regulars build similarity` makes one")
        return 1
    print(json.dumps(_plain(pointer), ensure_ascii=False, indent=2) if chosen.json else told(pointer))
    if chosen.action == "rollback":
        print("running functions serve it within 5 seconds; doing it twice goes forward again")
    return 0


def told(pointer: Pointer) -> str:
    """The version, its counts and its recipe, for people."""
    lines = [
        f"version   {pointer.version}, built {pointer.built_at:%Y-%m-%d %H:%M}Z",
        f"previous  {pointer.previous or 'none'}",
        *(f"{name:<9} {count}" for name, count in sorted(pointer.counts.items())),
    ]
    if "recipe" not in pointer.params:
        return "\n".join([*lines, "recipe    none: the settings' own is served"])
    try:
        return "\n".join(lines + _recipe(from_wire(pointer.params["recipe"])))
    except (GiveUp, TypeError) as error:
        return "\n".join([*lines, f"recipe    DAMAGED, answers go without neighbours: {error}"])


def _recipe(recipe: Recipe) -> list[str]:
    lines = [f"recipe    chosen by {recipe.protocol or 'nobody'}, newest {recipe.history_items} items of a shopper"]
    parts = [*recipe.parts.items(), *([("repeat", recipe.repeat)] if recipe.repeat else ())]
    for name, part in parts:
        half_life = f"half-life {part.half_life_days:g} days" if part.half_life_days else "no half-life"
        lines.append(f"  {name:<10} weight {part.weight:g}, (1 + rank) ** -{part.rank_power:g}, {half_life}")
    lines += [f"  {name:<10} weight {weight:g}" for name, weight in recipe.popularity.items()]
    return [*lines, f"  bought items are {'shown again' if recipe.repeats else 'hidden'}"]


def _plain(pointer: Pointer) -> dict[str, Any]:
    return {
        "version": pointer.version,
        "built_at": pointer.built_at.isoformat(),
        "previous": pointer.previous,
        "params": dict(pointer.params),
        "counts": dict(pointer.counts),
    }

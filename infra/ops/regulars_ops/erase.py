"""`regulars erase`: one shopper out of every table at once, and out of the archive with the next daily run."""

from __future__ import annotations

import argparse
import json
from typing import Any

from regulars.compose.privacy import erase_shopper
from regulars_ops.stack import Stack
from regulars_ops.work import shopper_key


def add_command(commands: Any) -> None:
    command = commands.add_parser("erase", help="delete all that is kept of a shopper")
    command.add_argument("shopper", help="user id, or user:ID / anon:ID")
    command.add_argument("--yes", action="store_true", help="do not ask first")
    command.set_defaults(run=run)


def run(stack: Stack, chosen: argparse.Namespace) -> int:
    """What was deleted, by table; exit code 1 when the operator thinks better of it."""
    shopper = shopper_key(chosen.shopper)
    if not chosen.yes and input(f"Delete all that is kept of {shopper}? It cannot be undone. Type yes: ").strip() != "yes":
        print("nothing was deleted")
        return 1
    erased = erase_shopper(stack.environment("erase_shopper")).erase(shopper)
    print(json.dumps(erased.to_wire(), indent=2))
    return 0

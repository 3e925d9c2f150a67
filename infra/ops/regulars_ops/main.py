"""`regulars`: the operator's command line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from regulars import __version__
from regulars.errors import RegularsError
from regulars_ops import (
    channels,
    dead,
    doctor,
    erase,
    evaluate,
    evaluate_repurchase,
    models,
    needs,
    simulate,
    stack,
    train_sequence,
    work,
)


def parser() -> argparse.ArgumentParser:
    """The whole command line; every command has `run(stack, arguments) -> exit code`."""
    root = argparse.ArgumentParser(
        prog="regulars", description="Turns a shop's visitors into regulars: the operator's command."
    )
    root.add_argument("--version", action="version", version=f"regulars {__version__}")
    root.add_argument("--stack", help="CloudFormation stack on AWS; without it, the local stack of this folder")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    _add_reading(commands)
    _add_import(commands)
    for name, function, text in (
        ("sweep", "sweep_lifecycle", "run the daily lifecycle sweep now"),
        ("tick", "fire_timers", "fire what is due now"),
        ("retention", "enforce_retention", "delete what has outlived its retention now"),
    ):
        command = commands.add_parser(name, help=text)
        command.set_defaults(run=work.run_function, function=function)
    build = commands.add_parser("build", help="build a model now")
    build.add_argument("function", choices=("similarity", "popularity", "needs"))
    build.set_defaults(run=work.build)

    channels.add_commands(commands)
    dead.add_commands(commands)
    erase.add_command(commands)
    models.add_commands(commands)
    needs.add_command(commands)
    simulate.add_command(commands)
    evaluate.add_command(commands)
    train_sequence.add_command(commands)
    evaluate_repurchase.add_command(commands)
    rejected = commands.add_parser("quarantine", help="events that were rejected, and why; replay them once mended")
    rejected.add_argument("action", choices=("list", "replay"))
    rejected.add_argument("ids", nargs="*", help="record ids to replay; without, those of --day")
    rejected.add_argument("--day", help="YYYY-MM-DD, default today (UTC)")
    rejected.add_argument("--reason", help="only this reason code")
    rejected.add_argument("--limit", type=int, default=100)
    rejected.set_defaults(run=work.quarantine)

    _add_settings(commands)
    check = commands.add_parser("doctor", help="is everything in order? exits 1 when not")
    check.add_argument("--json", action="store_true")
    check.set_defaults(run=doctor.run)
    return root


def _add_reading(commands: Any) -> None:
    explain = commands.add_parser("explain", help="why did we write to a shopper, and why not")
    explain.add_argument("shopper", help="user id, or user:ID / anon:ID")
    explain.add_argument("--json", action="store_true")
    explain.set_defaults(run=work.explain)

    report = commands.add_parser("report", help="KPIs against their goals")
    report.add_argument("--from", dest="day_from", type=_day, metavar="YYYY-MM-DD")
    report.add_argument("--to", dest="day_to", type=_day, metavar="YYYY-MM-DD")
    report.add_argument("--json", action="store_true")
    report.set_defaults(run=work.report)


def _add_import(commands: Any) -> None:
    imports = commands.add_parser("import", help="bring in a catalogue, or events in Segment's format")
    imports.add_argument("what", choices=("catalogue", "events"))
    imports.add_argument("file", type=Path, help="CSV or JSON lines; .gz is read too")
    imports.add_argument("--key", required=True, help="operator key (catalogue) or write key (events)")
    imports.set_defaults(run=work.import_file)


def _add_settings(commands: Any) -> None:
    config = commands.add_parser("config", help="the shop's settings")
    config.add_argument("action", choices=("show", "check", "apply"))
    config.add_argument("file", type=Path, nargs="?", help="shop.yaml")
    config.set_defaults(run=work.config)

    token = commands.add_parser("token", help="a shopper's token for the inbox and preferences API")
    token.add_argument("shopper")
    token.add_argument("--hours", type=int, default=1)
    token.set_defaults(run=work.token)

    key = commands.add_parser("key", help="make a write or operator key and the hash that the template wants")
    key.set_defaults(run=work.key, needs_stack=False)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: YYYY-MM-DD") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 done, 1 done with findings, 2 refused or failed, with the reason on stderr."""
    chosen = parser().parse_args(arguments)
    try:
        target = stack.connect(chosen.stack) if getattr(chosen, "needs_stack", True) else None
        code: int = chosen.run(target, chosen)
        return code
    except RegularsError as error:
        print(f"regulars: {error.reason}", file=sys.stderr)
        return 2
    except EndpointConnectionError:
        print("regulars: the stack does not answer; `make up` starts the local one", file=sys.stderr)
        return 2
    except (BotoCoreError, ClientError) as error:
        print(f"regulars: AWS refused: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        print("regulars: this machine has too little memory for that: give it a shorter log, or more memory", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0


def print_json(value: object) -> None:
    """Pretty JSON on stdout."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


if __name__ == "__main__":
    sys.exit(main())
